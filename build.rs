//! Link-time facts of `librigz.so`: its SONAME, its version nodes, that it is never unloaded. And the C part of `gzprintf`.

use std::path::PathBuf;

/// zlib's version nodes, oldest first; each inherits the one before. Which symbol is in which: `src/capi/symbols.rs`.
const NODES: [&str; 16] = [
    "ZLIB_1.2.0",
    "ZLIB_1.2.0.2",
    "ZLIB_1.2.0.8",
    "ZLIB_1.2.2",
    "ZLIB_1.2.2.3",
    "ZLIB_1.2.2.4",
    "ZLIB_1.2.3.3",
    "ZLIB_1.2.3.4",
    "ZLIB_1.2.3.5",
    "ZLIB_1.2.5.1",
    "ZLIB_1.2.5.2",
    "ZLIB_1.2.7.1",
    "ZLIB_1.2.9",
    "ZLIB_1.2.12",
    "ZLIB_1.3.1.2",
    "ZLIB_1.3.2",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // `fuzzing` and `rigz_sanitizer` are said by scripts/fuzz and scripts/sanitize, `loom` by scripts/loom.
    println!("cargo:rustc-check-cfg=cfg(rigz_versions, fuzzing, rigz_sanitizer, loom)");
    let target_os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let pointer_width = std::env::var("CARGO_CFG_TARGET_POINTER_WIDTH").unwrap_or_default();
    assert!(
        target_os == "linux" && pointer_width == "64",
        "rigz needs 64-bit Linux: its C structs and symbol versions are those of libz.so.1 there"
    );
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let script = out_dir.join("nodes.map");
    std::fs::write(&script, version_nodes()).expect("OUT_DIR is writable");
    println!("cargo:rustc-cdylib-link-arg=-Wl,--version-script={}", script.display());
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,librigz.so.1");
    // Worker threads and fork handlers must not outlive their code.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rustc-cfg=rigz_versions");
    println!("cargo:rerun-if-changed=src/capi/gzprintf.c");
    cc::Build::new().file("src/capi/gzprintf.c").compile("rigz_gzprintf");
}

/// A version script of empty nodes: it defines them and leaves the choice of exports to rustc's own script.
fn version_nodes() -> String {
    let mut script = String::new();
    let mut parent = "";
    for node in NODES {
        script += &format!("{node} {{}} {parent};\n");
        parent = node;
    }
    script
}
