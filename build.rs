//! Link-time facts of `librigz.so`: its SONAME, its version nodes, that it is never unloaded. And the C part of `gzprintf`.

use std::path::PathBuf;
use std::process::Command;

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
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    assert!(
        !(is_release && std::env::var_os("CARGO_FEATURE_FAULTS").is_some()),
        "the feature `faults` is for tests: no release may have it"
    );
    println!("cargo:rerun-if-changed=build.rs");
    if let Some(why) = refusal() {
        println!("cargo::error={why}");
        return;
    }
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let script = out_dir.join("nodes.map");
    std::fs::write(&script, version_nodes()).expect("OUT_DIR is writable");
    println!("cargo:rustc-cdylib-link-arg=-Wl,--version-script={}", script.display());
    use_lld();
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

/// GNU ld refuses a second version script beside rustc's; lld joins them. rustc itself takes lld on x86-64 since 1.90, and nowhere else,
/// but rustup's toolchains bring it along for every target. Where they do not, the system must have one.
fn use_lld() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let host = std::env::var("HOST").unwrap_or_default();
    if let Ok(said) = Command::new(rustc).args(["--print", "sysroot"]).output() {
        let sysroot = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim());
        let folder = sysroot.join("lib/rustlib").join(host).join("bin/gcc-ld");
        if folder.join("ld.lld").is_file() {
            println!("cargo:rustc-cdylib-link-arg=-B{}", folder.display());
        }
    }
    println!("cargo:rustc-cdylib-link-arg=-fuse-ld=lld");
}

/// Why there is no rigz for the target, if there is none.
fn refusal() -> Option<String> {
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let (os, width, arch) = (target("OS"), target("POINTER_WIDTH"), target("ARCH"));
    if os != "linux" || width != "64" {
        return Some(format!(
            "rigz needs 64-bit Linux, not {width}-bit {os}: its C structs and symbol versions are those of libz.so.1 there"
        ));
    }
    // `gzprintf` takes C's variable arguments, and so is a jump written in the processor's own language.
    if !matches!(&*arch, "x86_64" | "aarch64" | "riscv64") {
        return Some(format!(
            "rigz has no gzprintf for {arch} yet: src/capi/gz.rs needs one jump instruction"
        ));
    }
    None
}
