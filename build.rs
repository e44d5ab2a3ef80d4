//! Refuses targets without rigz, and compiles the C parts of `gzprintf` and `deflateInit`.

#[path = "build/link.rs"]
mod link;

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
    if std::env::var_os("CARGO_FEATURE_CAPI").is_some() {
        link::as_librigz_so();
    }
    println!("cargo:rustc-cfg=rigz_versions");
    let files = ["src/capi/gzprintf.c", "src/capi/origin.c"];
    files.iter().for_each(|file| println!("cargo:rerun-if-changed={file}"));
    cc::Build::new().files(files).compile("rigz_c");
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
    // `gzprintf` takes C's variable arguments through one jump instruction of each processor's own.
    if !matches!(&*arch, "x86_64" | "aarch64" | "riscv64") {
        return Some(format!(
            "rigz has no gzprintf for {arch} yet: src/capi/gz.rs needs one jump instruction"
        ));
    }
    None
}
