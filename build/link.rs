//! How `librigz.so` is linked: its SONAME, zlib's version nodes, and that it is never unloaded.
//!
//! Used by the build script of `cdylib/`, and by this crate's own where cargo-c makes the library of it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// zlib's version nodes, oldest first; each inherits the one before. `src/capi/symbols.rs` puts the
/// symbols into them.
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

/// Passes the linker what makes the library `librigz.so.1`.
pub(crate) fn as_librigz_so() {
    println!("cargo:rerun-if-changed=build.rs");
    let out_dir = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    // A linker script with a VERSION command, given as an input file: zig's linker, which
    // manylinux wheels are linked with, knows only one --version-script, and rustc needs that for
    // the list of exports. zig goes by the name: it takes inputs that end in ".o".
    let script = out_dir.join("nodes.o");
    std::fs::write(&script, version_nodes()).expect("OUT_DIR is writable");
    link_arg(&script.display().to_string());
    use_lld();
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "musl") {
        use_rusts_unwinder(&out_dir);
    }
    link_arg("-Wl,-soname,librigz.so.1");
    // Worker threads and fork handlers must not outlive their code.
    link_arg("-Wl,-z,nodelete");
}

/// With musl the standard library of a shared library asks for libgcc_s, which Alpine has in a
/// package of its own and the cross compilers of other systems not at all. A linker script of that
/// name gives it the unwinder that Rust's toolchain carries for static programs.
fn use_rusts_unwinder(out_dir: &Path) {
    let target = std::env::var("TARGET").expect("cargo sets TARGET");
    let archive = sysroot().join("lib/rustlib").join(target).join("lib/self-contained/libunwind.a");
    if archive.is_file() {
        let script = format!("INPUT({})\n", archive.display());
        std::fs::write(out_dir.join("libgcc_s.so"), script).expect("OUT_DIR is writable");
        link_arg(&format!("-L{}", out_dir.display()));
    }
}

fn link_arg(argument: &str) {
    println!("cargo:rustc-cdylib-link-arg={argument}");
}

/// A linker script of empty nodes: it defines them and leaves the choice of exports to rustc's
/// version script.
fn version_nodes() -> String {
    let mut nodes = String::new();
    let mut parent = "";
    for node in NODES {
        nodes += &format!("{node} {{}} {parent};\n");
        parent = node;
    }
    format!("VERSION {{\n{nodes}}}\n")
}

/// GNU ld refuses a second version script beside rustc's; lld joins them. rustc itself takes lld on
/// x86-64 since 1.90, and nowhere else, but rustup's toolchains bring it along for every target.
/// Where they do not, the system must have one.
fn use_lld() {
    let host = std::env::var("HOST").unwrap_or_default();
    let folder = sysroot().join("lib/rustlib").join(host).join("bin/gcc-ld");
    if folder.join("ld.lld").is_file() {
        link_arg(&format!("-B{}", folder.display()));
    }
    link_arg("-fuse-ld=lld");
}

/// The folder of Rust's toolchain.
fn sysroot() -> PathBuf {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    PathBuf::from(text.unwrap_or_default())
}
