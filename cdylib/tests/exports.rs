//! The built `librigz.so` exports what exports.txt lists, with the right version nodes, and has the ELF flags that a preloaded library needs.
//!
//! Without its version script the library still links and programs run here; they fail only on other machines. So this compares the
//! names and the nodes in the file itself, with readelf. `RIGZ_LIB` names the file; without it, it is the one that cargo built (`built`).

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

mod built;
use built::library;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn readelf(option: &str) -> String {
    let output = Command::new("readelf")
        .args(["--wide", option])
        .arg(library())
        .output()
        .expect("readelf is installed");
    assert!(output.status.success(), "readelf {option}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("readelf writes ASCII")
}

/// Defined dynamic symbols as `name node`, the form of exports.txt, without the node names themselves and without `rigz_*`.
fn exported() -> BTreeSet<String> {
    readelf("--dyn-syms")
        .lines()
        .filter_map(|line| {
            // Num: Value Size Type Bind Vis Ndx Name
            let columns: Vec<_> = line.split_whitespace().collect();
            let [_, _, _, _, bind @ ("GLOBAL" | "WEAK"), _, section, name, ..] = columns[..] else {
                return None;
            };
            assert!(matches!(bind, "GLOBAL" | "WEAK"));
            (section != "UND" && !(section == "ABS" && name.starts_with("ZLIB_"))).then(|| name.to_owned())
        })
        .map(|name| match name.split_once("@@") {
            Some((name, node)) => format!("{name} {node}"),
            None => format!("{name} -"),
        })
        .filter(|symbol| !symbol.starts_with("rigz_"))
        .collect()
}

fn listed() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("exports.txt")).expect("exports.txt is readable");
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// The values of the dynamic section's entries of one kind, e.g. `NEEDED`.
fn dynamic(kind: &str) -> Vec<String> {
    readelf("--dynamic")
        .lines()
        .filter(|line| line.contains(&format!("({kind})")))
        .map(|line| line.split_once(')').map_or("", |(_, value)| value).trim().to_owned())
        .collect()
}

#[test]
fn exports_are_zlibs_95_functions_with_their_version_nodes() {
    let (listed, exported) = (listed(), exported());
    assert_eq!(listed.len(), 95);
    let missing: Vec<_> = listed.difference(&exported).collect();
    let surplus: Vec<_> = exported.difference(&listed).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "missing: {missing:?}\nnot in exports.txt: {surplus:?}"
    );
}

#[test]
fn rigz_version_is_exported_so_that_programs_can_distinguish_rigz_from_zlib() {
    assert!(readelf("--dyn-syms").lines().any(|line| line.trim_end().ends_with(" rigz_version")));
}

/// ld.so looks for each node a program names, and refuses the library if one is absent. (Only linkers use the
/// inheritance between nodes; lld does not record it.)
#[test]
fn version_nodes_are_zlibs_sixteen_in_their_order() {
    let text = readelf("--version-info");
    let (_, definitions) =
        text.split_once("Version definition section").expect("the library defines versions");
    let definitions = definitions.split("Version needs section").next().unwrap_or(definitions);
    let defined: Vec<_> = definitions
        .lines()
        .filter_map(|line| line.split_once("Name: ").map(|(_, name)| name.trim()))
        .filter(|name| name.starts_with("ZLIB_"))
        .collect();
    // exports.txt goes from the oldest node to the newest.
    let text = std::fs::read_to_string(root().join("exports.txt")).expect("exports.txt is readable");
    let mut wanted: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter(|node| *node != "-")
        .collect();
    wanted.dedup();
    assert_eq!(wanted.len(), 16);
    assert_eq!(defined, wanted);
}

#[test]
fn soname_is_librigz_so_1_and_the_library_is_never_unloaded() {
    assert_eq!(dynamic("SONAME"), ["Library soname: [librigz.so.1]"]);
    let flags = dynamic("FLAGS_1").join(" ");
    assert!(flags.contains("NODELETE"), "FLAGS_1: {flags}");
}

#[test]
fn no_static_tls_no_text_relocations_and_only_libc_needed() {
    assert!(!dynamic("FLAGS").join(" ").contains("STATIC_TLS"), "a dlopen after start could fail");
    assert!(dynamic("TEXTREL").is_empty());
    let foreign: Vec<_> = dynamic("NEEDED")
        .into_iter()
        .filter(|entry| {
            !["libgcc_s.so.1", "libc.so.6", "ld-linux", "libm.so.6"].iter().any(|known| entry.contains(known))
        })
        .collect();
    assert!(foreign.is_empty(), "the library also needs {foreign:?}");
}
