//! Draws the results as SVG.
//!
//! `pareto-CORPUS.svg`, for compress2 on each corpus: the compressed size on the x axis, MB/s of CPU time on the y axis
//! (logarithmic). Each contender is a line through its levels; a point above and left of another is better in both.
//!
//! `threads-OPERATION.svg`, for each operation of the section "threads": MB/s of wall time by the number of threads, with a
//! line for each contender, corpus and level. A line is thin and horizontal if only one number of threads was measured.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::run::Row;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const SIZE: (u32, u32) = (900, 600);

/// The contender's colour in every picture. Nearly all pairs also differ clearly for colour-blind readers (zlib-ng and isa-l
/// differ least, with protanopia).
fn colour(contender: &str) -> RGBColor {
    match contender {
        "rigz" => RGBColor(213, 40, 30),
        "zlib" => RGBColor(60, 60, 60),
        "zlib-ng" => RGBColor(0, 114, 178),
        "zlib-rs" => RGBColor(230, 159, 0),
        "libdeflate" => RGBColor(0, 130, 95),
        "isa-l" => RGBColor(175, 90, 160),
        _ => RGBColor(120, 120, 120),
    }
}

/// Draws all pictures that the rows allow into `folder` and returns their file names.
pub fn draw(rows: &[Row], folder: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for corpus in distinct(rows.iter().filter(|row| row.op == "compress2").map(|row| row.corpus.as_str())) {
        let is_of_corpus = |row: &&Row| row.op == "compress2" && row.corpus == corpus && row.fault.is_none();
        let points: Vec<&Row> =
            rows.iter().filter(is_of_corpus).filter(|row| row.percent.is_some()).collect();
        // Sizes of about 0 or 100 %, as of zeros and noise, hardly differ between levels, so a picture would show nothing.
        let is_extreme = |row: &&Row| row.percent.is_none_or(|percent| !(1.0..99.0).contains(&percent));
        if points.len() > 1 && !points.iter().any(is_extreme) {
            let name = format!("pareto-{corpus}.svg");
            pareto(corpus, &points, &folder.join(&name))?;
            names.push(name);
        }
    }
    let threaded = |row: &&Row| row.section == "threads" && row.fault.is_none();
    for op in distinct(rows.iter().filter(threaded).map(|row| row.op.as_str())) {
        let points: Vec<&Row> = rows.iter().filter(threaded).filter(|row| row.op == op).collect();
        if points.iter().any(|row| row.threads > 1) {
            let name = format!("threads-{op}.svg");
            threads(op, &points, &folder.join(&name))?;
            names.push(name);
        }
    }
    Ok(names)
}

/// The names without repetitions, in the order of their first occurrence.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut list = Vec::new();
    for name in names {
        if !list.contains(&name) {
            list.push(name);
        }
    }
    list
}

fn canvas(path: &Path) -> Outcome<DrawingArea<SVGBackend<'_>, Shift>> {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE).map_err(|e| e.to_string())?;
    Ok(area)
}

fn pareto(corpus: &str, rows: &[&Row], path: &Path) -> Outcome<()> {
    let area = canvas(path)?;
    let (left, right) = widened(rows.iter().filter_map(|row| row.percent), 0.04);
    let speeds = rows.iter().map(|row| row.mb_per_cpu_s);
    let (low, high) = (speeds.clone().fold(f64::MAX, f64::min) * 0.8, speeds.fold(0.0, f64::max) * 1.25);
    let mut chart = ChartBuilder::on(&area)
        .caption(
            format!("compress2 on {corpus}: higher is faster, further left is smaller"),
            ("sans-serif", 20),
        )
        .margin(12)
        .x_label_area_size(45)
        .y_label_area_size(65)
        .build_cartesian_2d(left..right, (low..high).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("compressed size, % of the input")
        .y_desc("MB/s of CPU time (log scale)")
        .y_label_formatter(&|v| format!("{v:.0}"))
        .light_line_style(RGBColor(240, 240, 240))
        .draw()?;
    for contender in distinct(rows.iter().map(|row| row.contender.as_str())) {
        let colour = colour(contender);
        let mut points: Vec<(i32, f64, f64)> = rows
            .iter()
            .filter(|row| row.contender == contender)
            .filter_map(|row| Some((row.level?, row.percent?, row.mb_per_cpu_s)))
            .collect();
        points.sort_by_key(|&(level, ..)| level);
        let line = points.iter().map(|&(_, x, y)| (x, y));
        chart
            .draw_series(LineSeries::new(line, colour.stroke_width(if contender == "rigz" { 3 } else { 1 })))?
            .label(contender)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
        chart.draw_series(points.iter().map(|&(level, x, y)| {
            EmptyElement::at((x, y))
                + Circle::new((0, 0), 3, colour.filled())
                + Text::new(level.to_string(), (5, -12), ("sans-serif", 12).into_font().color(&colour))
        }))?;
    }
    legend(&mut chart)?;
    area.present()?;
    Ok(())
}

fn threads(op: &str, rows: &[&Row], path: &Path) -> Outcome<()> {
    let area = canvas(path)?;
    let most = rows.iter().map(|row| row.threads).max().unwrap_or(1) as f64;
    let top = rows.iter().map(|row| row.mb_per_s).fold(0.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{op}: speed by number of threads"), ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(45)
        .y_label_area_size(65)
        .build_cartesian_2d(0.8..most * 1.15, 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc("threads")
        .y_desc("MB/s of wall time")
        .x_labels(most as usize + 1)
        .x_label_formatter(&|v| if v.fract() < 1e-6 { format!("{v:.0}") } else { String::new() })
        .light_line_style(RGBColor(240, 240, 240))
        .draw()?;
    let title_of = |row: &Row| match row.level {
        Some(level) => format!("{} {} -{level}", row.contender, row.corpus),
        None => format!("{} {}", row.contender, row.corpus),
    };
    let mut titles: Vec<String> = Vec::new();
    for row in rows {
        let title = title_of(row);
        if titles.contains(&title) {
            continue;
        }
        let own = rows.iter().filter(|other| title_of(other) == title);
        let mut points: Vec<(f64, f64)> = own.map(|row| (row.threads as f64, row.mb_per_s)).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let is_horizontal = points.len() == 1;
        if is_horizontal {
            points.push((most, points[0].1));
        }
        let colour = colour(&row.contender).mix(if is_horizontal { 0.6 } else { 1.0 });
        chart
            .draw_series(LineSeries::new(
                points.iter().copied(),
                colour.stroke_width(if is_horizontal { 1 } else { 3 }),
            ))?
            .label(title.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
        let last = points[points.len() - 1];
        let label = Text::new(title.clone(), last, ("sans-serif", 11).into_font().color(&colour));
        chart.draw_series([label])?;
        titles.push(title);
    }
    legend(&mut chart)?;
    area.present()?;
    Ok(())
}

fn legend<'a, X, Y>(chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>) -> Outcome<()>
where
    X: Ranged<ValueType = f64> + 'a,
    Y: Ranged<ValueType = f64> + 'a,
{
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .label_font(("sans-serif", 13))
        .draw()
        .map_err(|e| e.to_string())?;
    Ok(())
}

/// The range of the values, extended at both ends by `fraction` of its length, but by at least 0.1.
fn widened(values: impl Iterator<Item = f64> + Clone, fraction: f64) -> (f64, f64) {
    let low = values.clone().fold(f64::MAX, f64::min);
    let high = values.fold(f64::MIN, f64::max);
    let margin = ((high - low) * fraction).max(0.1);
    (low - margin, high + margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws into a new folder; returns the names and contents of the pictures.
    fn drawn(label: &str, rows: &[Row]) -> Vec<(String, String)> {
        let folder = std::env::temp_dir().join(format!("rigz-bench-plot-{label}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let names = draw(rows, &folder).unwrap();
        let files = names.into_iter().map(|name| {
            let svg = std::fs::read_to_string(folder.join(&name)).unwrap();
            (name, svg)
        });
        let files = files.collect();
        std::fs::remove_dir_all(folder).unwrap();
        files
    }

    fn compressed(contender: &str, corpus: &str, level: i32, percent: f64, mb_per_cpu_s: f64) -> Row {
        Row {
            section: "compress".into(),
            op: "compress2".into(),
            corpus: corpus.into(),
            contender: contender.into(),
            level: Some(level),
            percent: Some(percent),
            mb_per_cpu_s,
            ..Row::default()
        }
    }

    #[test]
    fn a_pareto_picture_names_its_contenders_and_their_levels() {
        let rows = [
            compressed("zlib", "text", 1, 40.0, 90.0),
            compressed("zlib", "text", 9, 34.0, 10.0),
            compressed("rigz", "text", 7, 33.0, 60.0),
            compressed("isa-l", "logs", 1, 20.0, 60.0),
        ];
        let files = drawn("pareto", &rows);
        // `logs` has no picture, since it has only one point.
        let [(name, svg)] = files.as_slice() else { panic!("{} pictures", files.len()) };
        assert_eq!(name, "pareto-text.svg");
        for text in ["\nzlib\n", "\nrigz\n", "\n1\n", "\n9\n", "\n7\n"] {
            assert!(svg.contains(text), "no text {text:?}");
        }
        assert!(!svg.contains("isa-l"));
    }

    #[test]
    fn a_corpus_with_sizes_of_about_0_or_100_percent_has_no_picture() {
        let rows = [
            compressed("zlib", "noise", 1, 100.02, 60.0),
            compressed("rigz", "noise", 1, 100.01, 60.0),
            compressed("zlib", "zeros", 1, 0.44, 60.0),
            compressed("zlib", "zeros", 9, 0.1, 60.0),
        ];
        assert_eq!(drawn("extreme", &rows), []);
    }

    #[test]
    fn a_threads_picture_has_a_line_for_each_contender() {
        let row = |contender: &str, threads, mb_per_s| Row {
            section: "threads".into(),
            op: "gzwrite".into(),
            corpus: "text".into(),
            contender: contender.into(),
            level: Some(6),
            threads,
            mb_per_s,
            ..Row::default()
        };
        let rows = [row("zlib", 1, 20.0), row("rigz", 2, 150.0), row("rigz", 1, 80.0)];
        let files = drawn("threads", &rows);
        let [(name, svg)] = files.as_slice() else { panic!("{} pictures", files.len()) };
        assert_eq!(name, "threads-gzwrite.svg");
        assert!(svg.contains("gzwrite: speed by number of threads"));
        assert!(svg.contains("\nzlib text -6\n") && svg.contains("\nrigz text -6\n"));
        assert!(drawn("one-thread", &rows[..1]).is_empty(), "nothing to compare");
    }
}
