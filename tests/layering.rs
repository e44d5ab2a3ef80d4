//! A module imports only from layers below its own (ARCHITECTURE.md, "Layers").

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// From the C interface down; modules of one line do not import each other, except that `raw` needs `error`.
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
    &["raw", "arch"],
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
        if module == "lib" || module == "bin" {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        // Imports of tests are not part of the library's structure.
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
                    "{}:{}: `{module}` must not know `{target}`",
                    inside.display(),
                    number + 1
                );
            }
        }
    }
    assert!(imports > 50, "the search itself found only {imports} imports");
}
