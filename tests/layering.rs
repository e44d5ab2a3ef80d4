//! A module imports only from layers below its own (ARCHITECTURE.md, "Layers"), and no modules of one folder import each other
//! in a circle.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, from the C interface down; modules of one line do not import each other.
const LAYERS: [&[&str]; 11] = [
    &["capi"],
    &["gzfile"],
    &["stream"],
    &["readahead"],
    &["pipeline"],
    &["deflate", "inflate", "zng", "pool"],
    &["checksum", "format"],
    &["budget", "trace"],
    &["config"],
    &["raw"],
    &["error"],
];

fn layer_of(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|modules| modules.contains(&module))
        .unwrap_or_else(|| panic!("`{module}` is in no layer: add it here and in ARCHITECTURE.md"))
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn modules_import_only_from_layers_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut imports = 0;
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if module == "lib" || module == "bin" || inside.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        // Imports of tests do not count.
        let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
        for (number, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + "crate::".len()..];
                let target: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if target.is_empty() || target == module {
                    continue;
                }
                imports += 1;
                assert!(
                    layer_of(&target) > layer_of(&module),
                    "{}:{}: `{module}` must not import `{target}`",
                    inside.display(),
                    number + 1
                );
            }
        }
    }
    assert!(imports > 50, "the search found only {imports} imports");
}

/// A file's module, as the names from the crate's root on.
fn module_of(inside: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        inside.with_extension("").iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    names
}

/// The paths that `text`, which follows `crate::` or some `super::`, names: one, or several in braces.
fn paths(text: &str) -> Vec<Vec<String>> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if !name.is_empty() {
        let Some(rest) = text[name.len()..].strip_prefix("::") else { return vec![vec![name]] };
        let mut found = paths(rest);
        found.iter_mut().for_each(|path| path.insert(0, name.clone()));
        return if found.is_empty() { vec![vec![name]] } else { found };
    }
    let Some(list) = text.strip_prefix('{') else { return Vec::new() };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.extend(paths(list[start..at].trim()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

/// The modules that `text`, the source of `module`, refers to, and what is in them.
fn references(module: &[String], text: &str) -> Vec<Vec<String>> {
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        found.extend(paths(&code[at + "crate::".len()..]));
    }
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let mut rest = &code[at..];
        let mut depth = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            (rest, depth) = (after, depth + 1);
        }
        let above = &module[..module.len().saturating_sub(depth)];
        found.extend(paths(rest).into_iter().map(|path| [above, &path].concat()));
    }
    found
}

/// A circle among `edges` that contains `start`, if there is one.
fn circle(edges: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Option<Vec<String>> {
    let mut stack = vec![vec![start.to_owned()]];
    let mut seen = BTreeSet::new();
    while let Some(path) = stack.pop() {
        for next in edges.get(path.last()?).into_iter().flatten() {
            if next == start {
                return Some(path);
            }
            if seen.insert(next.clone()) {
                stack.push([&path[..], std::slice::from_ref(next)].concat());
            }
        }
    }
    None
}

#[test]
fn no_modules_of_a_folder_import_each_other_in_a_circle() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let modules: Vec<Vec<String>> =
        files.iter().map(|file| module_of(file.strip_prefix(&src).unwrap())).collect();
    let known: BTreeSet<&[String]> = modules.iter().map(Vec::as_slice).collect();
    // For each folder, which of its modules refer to which others.
    let mut folders: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (file, module) in files.iter().zip(&modules) {
        let text = fs::read_to_string(file).unwrap();
        let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
        if module.last().is_some_and(|name| name == "tests") {
            continue;
        }
        for target in references(module, text) {
            let common = module.iter().zip(&target).take_while(|(ours, theirs)| ours == theirs).count();
            if common < module.len() && common < target.len() && known.contains(&target[..=common]) {
                let edges = folders.entry(module[..common].to_vec()).or_default();
                edges.entry(module[common].clone()).or_default().insert(target[common].clone());
            }
        }
    }
    let count: usize = folders.values().flat_map(BTreeMap::values).map(BTreeSet::len).sum();
    assert!(count > 150, "the search found only {count} references");
    let circles: BTreeSet<String> = folders
        .iter()
        .flat_map(|(folder, edges)| {
            let describe = |mut circle: Vec<String>| {
                circle.push(circle[0].clone());
                format!("in {}: {}", folder.join("::"), circle.join(" -> "))
            };
            edges.keys().filter_map(|start| circle(edges, start)).map(describe)
        })
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}
