//! An installation by `scripts/install` works for other programs, changes only its prefix, and is removed completely.
//!
//! Each test installs the library that cargo built for it into its own prefix under cargo's scratch folder, then configures,
//! builds and runs the programs of `tests/consumer` against that.

#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

mod built;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// `scripts/install` for the library that cargo built.
fn install(prefix: &Path) -> Command {
    let mut command = Command::new(root().join("scripts/install"));
    let library = built::library();
    command.arg("--from").arg(library.parent().expect("a file is in a folder"));
    command.arg("--prefix").arg(prefix);
    command
}

/// An empty folder for the test of this name.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packaging").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the old folder can be removed");
    }
    fs::create_dir_all(&folder).expect("cargo's scratch folder is writable");
    folder
}

/// A fresh installation for the test of this name.
fn installed(name: &str) -> PathBuf {
    let prefix = scratch(name).join("prefix");
    succeed(&mut install(&prefix));
    prefix
}

/// Runs a command that must succeed, and returns what it wrote to stdout.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}\n{stdout}{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

/// Runs a command that must fail, and returns what it wrote to stderr.
fn refuse(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(!output.status.success(), "{command:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// All files and folders below `folder`, sorted.
fn tree(folder: &Path) -> Vec<String> {
    let found = succeed(Command::new("find").arg(folder).args(["-mindepth", "1", "-printf", "%P\n"]));
    let mut found: Vec<_> = found.lines().map(str::to_owned).collect();
    found.sort();
    found
}

/// An executable shell script.
fn write_script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("the scratch folder is writable");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// A folder of scripts that replace programs: `PATH` with it in front.
fn path_with(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").expect("there is a PATH"))
}

fn pkg_config(prefix: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    let printed = succeed(command.env("PKG_CONFIG_LIBDIR", prefix.join("lib/pkgconfig")).args(arguments));
    printed.split_whitespace().map(str::to_owned).collect()
}

/// Builds a program of `tests/consumer` and returns its path.
fn compile(prefix: &Path, source: &str, cflags: &[String], libs: &[String]) -> PathBuf {
    let program = prefix.join("program");
    let cc = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    succeed(
        Command::new(cc)
            .args(["-Wall", "-Wextra", "-Werror"])
            .args(cflags)
            .arg(root().join("tests/consumer").join(source))
            .args(libs)
            .arg("-o")
            .arg(&program),
    );
    program
}

fn strings<const N: usize>(texts: [String; N]) -> Vec<String> {
    texts.to_vec()
}

fn assert_is_rigz(printed: &str) {
    assert_eq!(printed, format!("rigz {VERSION}, zlib 1.3.1\n"));
}

const IS_RIGZ_AS_ZLIB: &str = "header 1.3.1, library 1.3.1, rigz\n";

#[test]
fn a_program_finds_rigz_through_pkg_config() {
    let prefix = installed("pkg-config");
    assert_eq!(pkg_config(&prefix, &["--modversion", "rigz"]), [VERSION]);
    let flags = [["--cflags", "rigz"], ["--libs", "rigz"]].map(|ask| pkg_config(&prefix, &ask));
    let program = compile(&prefix, "consumer.c", &flags[0], &flags[1]);
    // A private prefix comes with an rpath.
    assert_is_rigz(&succeed(&mut Command::new(&program)));
    assert!(!prefix.join("lib/pkgconfig/zlib.pc").exists(), "zlib.pc is installed on request only");
}

#[test]
fn a_program_may_contain_rigz() {
    let prefix = installed("static");
    let cflags = pkg_config(&prefix, &["--cflags", "rigz"]);
    let mut libs = pkg_config(&prefix, &["--static", "--libs", "rigz"]);
    for archive in ["-l:librigz.a", "-lrigz"] {
        let place = libs.iter().position(|lib| lib.starts_with("-l") && lib.contains("rigz"));
        libs[place.expect("rigz is among its libraries")] = archive.to_owned();
        if archive == "-lrigz" {
            // Fully static, libc included.
            libs.push("-static".to_owned());
        }
        let program = compile(&prefix, "consumer.c", &cflags, &libs);
        assert_is_rigz(&succeed(&mut Command::new(&program)));
        let needs = succeed(Command::new("readelf").arg("-dW").arg(&program));
        assert!(!needs.contains("librigz"), "{needs}");
    }
}

#[test]
fn a_shared_library_may_contain_rigz() {
    let prefix = installed("static-shared");
    let mut cflags = pkg_config(&prefix, &["--cflags", "rigz"]);
    cflags.extend(["-shared", "-fPIC"].map(str::to_owned));
    let mut libs = pkg_config(&prefix, &["--static", "--libs", "rigz"]);
    let place = libs.iter().position(|lib| lib.starts_with("-l") && lib.contains("rigz"));
    libs[place.expect("rigz is among its libraries")] = "-l:librigz.a".to_owned();
    let library = compile(&prefix, "consumer.c", &cflags, &libs);
    let facts = succeed(Command::new("readelf").args(["-dW", "--dyn-syms"]).arg(&library));
    assert!(!facts.contains("NEEDED") || !facts.contains("librigz.so"), "{facts}");
    assert!(!facts.contains("ZLIB_1."), "the archive's functions have no versions: {facts}");
}

#[test]
fn a_program_linked_with_lz_gets_rigz_by_our_paths() {
    let prefix = installed("lz");
    let private = prefix.join("lib/rigz").display().to_string();
    let cflags = strings([format!("-I{}", prefix.join("include/rigz").display())]);
    let libs = strings([format!("-L{private}"), "-lz".into()]);
    let program = compile(&prefix, "zlib_consumer.c", &cflags, &libs);
    let needs = succeed(Command::new("readelf").arg("-dW").arg(&program));
    assert!(needs.contains("Shared library: [libz.so.1]"), "it must run with any zlib: {needs}");
    let printed = succeed(Command::new(&program).env("LD_LIBRARY_PATH", &private));
    assert_eq!(printed, IS_RIGZ_AS_ZLIB);
}

/// `LIBDIR/rigz/root`, which has the shape of a prefix that zlib was installed into.
fn zlib_root(prefix: &Path) -> PathBuf {
    prefix.join("lib/rigz/root")
}

#[test]
fn a_public_prefix_adds_no_rpath() {
    let folder = scratch("public");
    succeed(
        install(Path::new("/usr")).arg("--libdir=/usr/lib/x86_64-linux-gnu").arg("--destdir").arg(&folder),
    );
    let file = folder.join("usr/lib/x86_64-linux-gnu/pkgconfig/rigz.pc");
    let text = fs::read_to_string(file).expect("it is installed");
    assert!(text.contains("\nLibs: -L${libdir} -lrigz\n"), "{text}");
}

#[test]
fn the_zlib_shaped_root_works_for_cmakes_find_package_zlib() {
    let prefix = installed("zlib-root-cmake");
    let project = prefix.join("project");
    fs::create_dir_all(&project).expect("the stage is writable");
    let lists = "cmake_minimum_required(VERSION 3.13)\nproject(ask C)\nfind_package(ZLIB 1.2.11 REQUIRED)\n\
                 add_executable(program program.c)\ntarget_link_libraries(program PRIVATE ZLIB::ZLIB)\n";
    fs::write(project.join("CMakeLists.txt"), lists).expect("the stage is writable");
    fs::copy(root().join("tests/consumer/zlib_consumer.c"), project.join("program.c")).expect("a source");
    let build = project.join("build");
    let zlib_root = format!("-DZLIB_ROOT={}", zlib_root(&prefix).display());
    succeed(Command::new("cmake").arg("-S").arg(&project).arg("-B").arg(&build).arg(zlib_root));
    succeed(Command::new("cmake").arg("--build").arg(&build));
    assert_eq!(succeed(&mut Command::new(build.join("program"))), IS_RIGZ_AS_ZLIB);
}

/// Configure scripts turn `--with-zlib=DIR` into `-I DIR/include -L DIR/lib -lz`.
#[test]
fn the_zlib_shaped_root_works_for_include_and_library_paths() {
    let prefix = installed("zlib-root-paths");
    let zlib_root = zlib_root(&prefix);
    let cflags = strings([format!("-I{}", zlib_root.join("include").display())]);
    let libs = strings([format!("-L{}", zlib_root.join("lib").display()), "-lz".into()]);
    let program = compile(&prefix, "zlib_consumer.c", &cflags, &libs);
    let printed = succeed(Command::new(&program).env("LD_LIBRARY_PATH", zlib_root.join("lib")));
    assert_eq!(printed, IS_RIGZ_AS_ZLIB);
    // The same by its pkg-config file.
    let mut ask = Command::new("pkg-config");
    ask.env("PKG_CONFIG_LIBDIR", zlib_root.join("lib/pkgconfig")).args(["--cflags", "--libs", "zlib"]);
    let flags: Vec<_> = succeed(&mut ask).split_whitespace().map(str::to_owned).collect();
    let program = compile(&prefix, "zlib_consumer.c", &[], &flags);
    assert_eq!(succeed(&mut Command::new(&program)), IS_RIGZ_AS_ZLIB);
}

#[test]
fn zlib_pc_is_installed_on_request_and_links_rigz() {
    let prefix = scratch("zlib-pc").join("prefix");
    succeed(install(&prefix).arg("--with-zlib-pc"));
    assert_eq!(pkg_config(&prefix, &["--modversion", "zlib"]), ["1.3.1"]);
    let flags = [["--cflags", "zlib"], ["--libs", "zlib"]].map(|ask| pkg_config(&prefix, &ask));
    let program = compile(&prefix, "zlib_consumer.c", &flags[0], &flags[1]);
    assert_eq!(succeed(&mut Command::new(&program)), IS_RIGZ_AS_ZLIB);
    // An install without the option removes it.
    succeed(&mut install(&prefix));
    assert!(!prefix.join("lib/pkgconfig/zlib.pc").exists());
    assert!(prefix.join("lib/pkgconfig/rigz.pc").exists());
}

#[test]
fn a_program_finds_rigz_through_cmake() {
    let prefix = installed("cmake");
    // The package does not contain the path of the installation.
    let moved = prefix.with_file_name("moved");
    fs::rename(&prefix, &moved).expect("a prefix can be moved");
    let build = moved.join("build");
    succeed(
        Command::new("cmake")
            .arg("-S")
            .arg(root().join("tests/consumer"))
            .arg("-B")
            .arg(&build)
            .arg(format!("-DCMAKE_PREFIX_PATH={}", moved.display())),
    );
    succeed(Command::new("cmake").arg("--build").arg(&build));
    // CMake adds the library's folder to the program's run path.
    for program in ["consumer", "consumer_cc", "consumer_static"] {
        assert_is_rigz(&succeed(&mut Command::new(build.join(program))));
    }
    assert_eq!(succeed(&mut Command::new(build.join("zlib_consumer"))), IS_RIGZ_AS_ZLIB);
}

#[test]
fn cmake_refuses_a_newer_or_foreign_version_and_unknown_components() {
    let prefix = installed("cmake-version");
    for (number, (asked, fits)) in [
        ("0.1", true),
        (VERSION, true),
        ("0.1.999", false),
        ("0.999", false),
        ("1.0", false),
        ("0.1 COMPONENTS ZLIB", true),
        ("0.1 COMPONENTS ZSTD", false),
    ]
    .into_iter()
    .enumerate()
    {
        let project = prefix.join(format!("ask-{number}"));
        fs::create_dir_all(&project).expect("the stage is writable");
        let lists = format!(
            "cmake_minimum_required(VERSION 3.13)\nproject(ask NONE)\nfind_package(rigz {asked} CONFIG)\n\
             if(NOT rigz_FOUND)\nmessage(FATAL_ERROR \"not found\")\nendif()\n"
        );
        fs::write(project.join("CMakeLists.txt"), lists).expect("the stage is writable");
        let output = Command::new("cmake")
            .arg("-S")
            .arg(&project)
            .arg("-B")
            .arg(project.join("build"))
            .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()))
            .output()
            .expect("cmake is installed");
        assert_eq!(output.status.success(), fits, "find_package(rigz {asked})");
    }
}

#[test]
fn the_private_library_is_the_same_under_zlibs_name() {
    let prefix = installed("names");
    let soname = |file: &str| {
        let printed = succeed(Command::new("readelf").arg("-dW").arg(prefix.join(file)));
        let line = printed.lines().find(|line| line.contains("(SONAME)")).map(str::to_owned);
        line.expect("a shared library has a name")
    };
    assert!(soname("lib/librigz.so.1").contains("[librigz.so.1]"));
    assert!(soname("lib/rigz/libz.so.1").contains("[libz.so.1]"));
    // In a directory that ldconfig reads, a libz.so.1 would become the system's zlib.
    let public = tree(&prefix.join("lib")).into_iter().filter(|path| !path.contains('/'));
    assert!(public.into_iter().all(|name| !name.starts_with("libz")));
}

#[test]
fn an_uninstall_removes_only_and_all_installed_files() {
    let folder = scratch("uninstall");
    let prefix = folder.join("prefix");
    fs::create_dir_all(prefix.join("share/doc")).expect("the stage is writable");
    fs::create_dir_all(prefix.join("lib")).expect("the stage is writable");
    fs::write(prefix.join("lib/other.so"), "not ours").expect("the stage is writable");
    let before = tree(&folder);
    // Twice, so that the second installation replaces the first.
    for _ in 0..2 {
        succeed(install(&prefix).arg("--with-zlib-pc"));
    }
    assert!(tree(&folder).len() > before.len() + 15);
    succeed(install(&prefix).arg("--uninstall"));
    assert_eq!(tree(&folder), before);
    assert!(refuse(install(&prefix).arg("--uninstall")).contains("nothing to uninstall"));
}

#[test]
fn an_existing_file_stops_the_install_before_it_writes() {
    let folder = scratch("refusal");
    let prefix = folder.join("prefix");
    fs::create_dir_all(prefix.join("lib/pkgconfig")).expect("the stage is writable");
    fs::write(prefix.join("lib/pkgconfig/zlib.pc"), "not ours").expect("the stage is writable");
    let before = tree(&folder);
    let printed = refuse(install(&prefix).arg("--with-zlib-pc"));
    assert!(printed.contains("lib/pkgconfig/zlib.pc"), "{printed}");
    assert_eq!(tree(&folder), before);
    succeed(&mut install(&prefix));
    succeed(install(&prefix).arg("--uninstall"));
    assert_eq!(tree(&folder), before);
}

/// `fails` makes an install that stops half-way, `earlier` lets it replace one.
fn stopped_install_can_be_repeated_and_removed(name: &str, earlier: bool, fails: fn(&Path) -> Command) {
    let folder = scratch(name);
    let prefix = folder.join("prefix");
    fs::create_dir(&prefix).expect("the stage is writable");
    fs::write(prefix.join("other"), "not ours").expect("the stage is writable");
    let before = tree(&prefix);
    for repeat in [true, false] {
        if earlier {
            succeed(install(&prefix).arg("--with-zlib-pc"));
        }
        let printed = refuse(&mut fails(&prefix));
        assert!(printed.contains("repeat it"), "{printed}");
        let found = tree(&prefix);
        assert!(found.len() > before.len() + 3, "it stopped too early: {found:?}");
        assert!(!found.iter().any(|path| path.ends_with(".new")), "{found:?}");
        // Not a file of the install, but in its way.
        let _ = fs::remove_file(prefix.join("share"));
        if repeat {
            succeed(&mut install(&prefix));
            assert!(!prefix.join("lib/pkgconfig/zlib.pc").exists());
        }
        succeed(install(&prefix).arg("--uninstall"));
        assert_eq!(tree(&prefix), before);
    }
}

#[test]
fn an_install_that_cannot_write_a_folder_can_be_repeated_and_removed() {
    stopped_install_can_be_repeated_and_removed("half-folder", false, |prefix| {
        fs::write(prefix.join("share"), "a file, so root cannot write below it either").expect("it is ours");
        install(prefix)
    });
}

/// `cp` writes a part of this file, then runs a command of the shell.
fn install_with_cp(prefix: &Path, command: &str) -> Command {
    let programs = prefix.with_file_name("programs");
    fs::create_dir_all(&programs).expect("the stage is writable");
    let cp = format!(
        "PATH=${{PATH#*:}}\nfor target; do :; done\n\
         case $target in */librigz.so.1.new) echo part >\"$target\"; {command} ;; esac\nexec cp \"$@\""
    );
    write_script(&programs.join("cp"), &cp);
    let mut install = install(prefix);
    install.env("PATH", path_with(&programs)).env("TMPDIR", &programs);
    install
}

#[test]
fn an_install_on_a_full_disk_can_be_repeated_and_removed() {
    for earlier in [false, true] {
        stopped_install_can_be_repeated_and_removed("half-disk", earlier, |prefix| {
            install_with_cp(prefix, "exit 1")
        });
    }
}

#[test]
fn an_interrupted_install_can_be_repeated_and_removed() {
    for earlier in [false, true] {
        stopped_install_can_be_repeated_and_removed("half-signal", earlier, |prefix| {
            install_with_cp(prefix, "kill -TERM $PPID; exit 0")
        });
    }
}

/// Nothing can clean up after SIGKILL, so the next run does.
#[test]
fn a_killed_install_can_be_repeated_and_removed() {
    let prefix = scratch("half-killed").join("prefix");
    for repeat in [true, false] {
        refuse(&mut install_with_cp(&prefix, "kill -KILL $PPID; exit 0"));
        assert!(prefix.join("lib/librigz.so.1.new").exists());
        if repeat {
            succeed(&mut install(&prefix));
            assert!(!prefix.join("lib/librigz.so.1.new").exists());
        }
        succeed(install(&prefix).arg("--uninstall"));
        assert!(!prefix.exists());
    }
}

#[test]
fn an_empty_directory_is_refused() {
    let destdir = scratch("empty").join("destdir");
    for options in [&["--prefix="][..], &["--prefix", ""], &["--libdir="], &["--from="]] {
        // The last option of a name counts; so this never writes to the system.
        let printed = refuse(install(Path::new("/usr/local")).arg("--destdir").arg(&destdir).args(options));
        assert!(printed.contains("needs a directory"), "{options:?}: {printed}");
        assert!(!destdir.exists());
    }
    // As in make's DESTDIR, an empty one is none; a relative prefix is relative to the current folder.
    let folder = scratch("relative");
    succeed(install(Path::new("prefix")).arg("--destdir=").current_dir(&folder));
    assert!(folder.join("prefix/lib/librigz.so.1").exists());
}

#[test]
fn a_folder_that_the_loader_does_not_search_gets_an_rpath() {
    let folder = scratch("searched");
    for (libdir, searched) in [
        ("/usr/lib/myapp/lib", false),
        ("/usr/lib/myapp", false),
        ("/usr/lib64/myapp", false),
        ("/usr/lib/x86_64-linux-gnu/myapp", false),
        ("/usr/lib", true),
        ("/lib", true),
        ("/lib64", true),
        ("/usr/lib64", true),
        ("/usr/lib/aarch64-linux-gnu", true),
        // The stand-in for ldconfig lists it.
        ("/opt/c++/lib", true),
        ("/opt/other/lib", false),
    ] {
        let destdir = folder.join("destdir");
        let programs = folder.join("programs");
        fs::create_dir_all(&programs).expect("the scratch folder is writable");
        write_script(&programs.join("ldconfig"), "echo '/opt/c++/lib: (from /etc/ld.so.conf:1)'");
        let mut command = install(Path::new("/opt/prefix"));
        command.arg("--libdir").arg(libdir).arg("--destdir").arg(&destdir);
        succeed(command.env("PATH", path_with(&programs)));
        let file = destdir.join(format!("{}/pkgconfig/rigz.pc", &libdir[1..]));
        let text = fs::read_to_string(file).expect("it is installed");
        assert_eq!(!text.contains("-rpath"), searched, "{libdir}\n{text}");
        succeed(command.arg("--uninstall"));
    }
}

/// A stand-in for ldconfig lists the prefix and records that it was run.
#[test]
fn the_loaders_cache_is_renewed_after_an_install_and_an_uninstall() {
    let folder = scratch("cache");
    let prefix = folder.join("prefix");
    let programs = folder.join("programs");
    fs::create_dir(&programs).expect("the scratch folder is writable");
    let runs = folder.join("runs");
    let text = format!(
        "if [ $# = 0 ]; then echo run >>'{}'; else echo '{}/lib: (from x)'; fi",
        runs.display(),
        prefix.display()
    );
    write_script(&programs.join("ldconfig"), &text);
    let is_root = succeed(Command::new("id").arg("-u")).trim() == "0";
    let mut count = 0;
    let mut renews = |command: &mut Command, renews: bool| {
        let output = command.env("PATH", path_with(&programs)).output().expect("it runs");
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{printed}");
        count += usize::from(renews && is_root);
        assert_eq!(fs::read_to_string(&runs).unwrap_or_default().lines().count(), count, "{command:?}");
        printed
    };
    let printed = renews(&mut install(&prefix), true);
    assert_eq!(printed.contains("ldconfig"), !is_root, "{printed}");
    renews(install(&prefix).arg("--uninstall"), true);
    // Not the cache of the system where a package is built.
    for uninstall in [None, Some("--uninstall")] {
        renews(install(&prefix).arg("--destdir").arg(folder.join("destdir")).args(uninstall), false);
    }
}

#[test]
fn a_prefix_with_a_space_works_with_pkg_config() {
    let prefix = scratch("space").join("a b");
    succeed(&mut install(&prefix));
    for (package, path, source) in
        [("rigz", "lib/pkgconfig", "consumer.c"), ("zlib", "lib/rigz/root/lib/pkgconfig", "zlib_consumer.c")]
    {
        // The shell reads the escapes, as make's would.
        succeed(
            Command::new("sh")
                .arg("-euc")
                .arg(r#"eval "cc \"\$1\" -o program $(pkg-config --cflags --libs "$0")"; ./program"#)
                .arg(package)
                .arg(root().join("tests/consumer").join(source))
                .env("PKG_CONFIG_LIBDIR", prefix.join(path))
                .current_dir(&prefix),
        );
    }
}

#[test]
fn the_zlib_shaped_root_has_its_headers_where_libdir_is_a_symbolic_link() {
    let folder = scratch("linked");
    let prefix = folder.join("prefix");
    let elsewhere = folder.join("some/where/deeper");
    fs::create_dir_all(&prefix).expect("the scratch folder is writable");
    fs::create_dir_all(&elsewhere).expect("the scratch folder is writable");
    symlink(&elsewhere, prefix.join("lib")).expect("the scratch folder is writable");
    succeed(&mut install(&prefix));
    let dangling = succeed(Command::new("find").arg(&folder).args(["-xtype", "l"]));
    assert_eq!(dangling, "");
    let header = fs::read(zlib_root(&prefix).join("include/zlib.h")).expect("the link leads to a file");
    assert_eq!(header, fs::read(root().join("include/zlib.h")).expect("it is there"));
}

/// A folder for `--from` with the library and a command that does nothing.
fn built_with_command(folder: &Path) -> PathBuf {
    let from = folder.join("from");
    fs::create_dir(&from).expect("the scratch folder is writable");
    for file in ["librigz.so", "librigz.a"] {
        let built = built::library().with_file_name(file);
        fs::copy(built, from.join(file)).expect("the library can be copied");
    }
    let generate = "cd \"$2\" 2>/dev/null || { mkdir \"$2\" && cd \"$2\"; }\nmkdir man bash zsh fish\n\
                    touch man/rigz.1 bash/rigz zsh/_rigz fish/rigz.fish";
    write_script(&from.join("rigz"), generate);
    from
}

/// `rigz run` looks for the library in the usual places only (cli/src/preload.rs).
#[test]
fn the_printed_command_finds_the_library() {
    let folder = scratch("printed");
    let from = built_with_command(&folder);
    let printed = |prefix: &Path, libdir: &Path| {
        let mut command = install(prefix);
        let output = command.arg("--libdir").arg(libdir).arg("--from").arg(&from).output().expect("it runs");
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{printed}");
        let line = printed.lines().find_map(|line| line.trim().strip_prefix("run a program with it: "));
        line.unwrap_or_else(|| panic!("{printed}")).to_owned()
    };
    let triplet = format!("lib/{}-linux-gnu", std::env::consts::ARCH);
    for (number, (libdir, usual)) in [
        ("lib", true),
        ("lib64", true),
        (&triplet, true),
        ("", true),
        ("lib/other", false),
        ("../other", false),
    ]
    .into_iter()
    .enumerate()
    {
        let prefix = folder.join(number.to_string()).join("prefix");
        let command = format!("{}/bin/rigz run COMMAND...", prefix.display());
        let libdir = succeed(Command::new("realpath").arg("-ms").arg(prefix.join(libdir)));
        let libdir = libdir.trim_end();
        let wanted =
            if usual { command } else { format!("RIGZ_PRELOAD_FILE={libdir}/rigz/libz.so.1 {command}") };
        assert_eq!(printed(&prefix, Path::new(libdir)), wanted);
    }
    let prefix = folder.join("a b");
    assert!(printed(&prefix, &prefix.join("lib")).contains("the loader cannot preload"));
}

#[test]
fn no_file_contains_the_destdir() {
    let folder = scratch("destdir");
    let destdir = folder.join("stage area");
    succeed(
        install(Path::new("/opt/somewhere"))
            .arg("--libdir=/opt/somewhere/lib/x86_64-linux-gnu")
            .arg("--destdir")
            .arg(&destdir),
    );
    let found = tree(&destdir);
    for file in [
        "opt/somewhere/include/rigz/zlib.h",
        "opt/somewhere/lib/x86_64-linux-gnu/librigz.so.1",
        "opt/somewhere/lib/x86_64-linux-gnu/rigz/libz.so.1",
        "opt/somewhere/lib/x86_64-linux-gnu/pkgconfig/rigz.pc",
        "opt/somewhere/lib/x86_64-linux-gnu/cmake/rigz/rigzConfig.cmake",
    ] {
        assert!(found.iter().any(|path| path == file), "{file} is not among {found:#?}");
    }
    let output = Command::new("grep").arg("-rIl").arg("stage area").arg(&destdir).output();
    let output = output.expect("grep is installed");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "these files name the stage");
}

#[test]
fn an_unsupported_target_is_refused_with_a_message() {
    let library = built::library();
    let profile = library.ancestors().find(|folder| folder.join("build").is_dir()).expect("cargo's folder");
    let found = succeed(Command::new("find").arg(profile.join("build")).args([
        "-path",
        "*/librigz-*/build-script-build",
        "!",
        "-path",
        "*/librigz-cdylib-*",
        "-printf",
        "%T@ %p\n",
    ]));
    // The newest is this build's.
    let newest =
        found.lines().max_by_key(|line| line.split('.').next().and_then(|at| at.parse::<u64>().ok()));
    let script = newest.and_then(|line| line.split_once(' ')).expect("there is a build script").1;
    let ask = |os: &str, width: &str, arch: &str| {
        succeed(
            Command::new(script)
                .env("CARGO_CFG_TARGET_OS", os)
                .env("CARGO_CFG_TARGET_POINTER_WIDTH", width)
                .env("CARGO_CFG_TARGET_ARCH", arch)
                .env("OUT_DIR", scratch("refused")),
        )
    };
    for (os, width, arch, sentence) in [
        ("windows", "64", "x86_64", "rigz needs 64-bit Linux, not 64-bit windows"),
        ("linux", "32", "x86", "rigz needs 64-bit Linux, not 32-bit linux"),
        ("linux", "64", "s390x", "rigz has no gzprintf for s390x"),
    ] {
        let printed = ask(os, width, arch);
        assert!(printed.contains(&format!("cargo::error={sentence}")), "{printed}");
    }
}

/// The build script's message would not be seen if the build of a dependency failed first.
#[test]
fn c_dependencies_are_not_built_for_unsupported_targets() {
    let built = |target: &str| {
        succeed(Command::new(env!("CARGO")).current_dir(root()).args([
            "tree",
            "--offline",
            "--locked",
            "--edges",
            "no-dev",
            "--prefix",
            "none",
            "--target",
            target,
        ]))
    };
    for target in ["i686-unknown-linux-gnu", "x86_64-pc-windows-gnu", "aarch64-apple-darwin"] {
        assert!(!built(target).contains("libz-ng-sys"), "{target}");
    }
    for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "riscv64gc-unknown-linux-gnu"] {
        assert!(built(target).contains("libz-ng-sys"), "{target}");
    }
}
