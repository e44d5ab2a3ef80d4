#!/usr/bin/env python3
"""Measures whole programs with zlib and with rigz preloaded, and draws their wall times.

    scripts/bench programs [--rounds N] [--megabytes N] [--folder FOLDER]
    scripts/bench programs --draw FOLDER    writes report.md and programs.svg of a recorded run again, from its run.json

In each of --rounds rounds (default 3), each program runs three times: with the system's zlib, with rigz on one thread and
with rigz on two threads. The corpus is Python's own sources, until they exceed 32 MB, and four files of the Silesia corpus
if ../shared/corpus has them; --megabytes limits its size. Programs that are missing or do not call zlib through the loader
are left out, with the reason.

An untimed first run checks each program three times in the same way: the loader must have bound a zlib function to the
preloaded file, and the decompressed result must contain the corpus. The results are written to FOLDER (default
benches/record/DATE-COMMIT-programs): run.json, rows.csv, report.md and programs.svg.
"""

import argparse
import csv
import glob
import gzip
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from html import escape

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SILESIA = ("dickens", "osdb", "ooffice", "xml")
SOURCES_BYTES = 32_000_000
# Library and number of threads of a program's rows and bars, in this order.
VARIANTS = (("zlib", 1), ("rigz", 1), ("rigz", 2))
# The distribution's Python loads libz.so.1; other builds may contain a zlib.
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else "python3"
GZIP_OPEN = """import gzip, shutil, sys
with open(sys.argv[1], "rb") as source, gzip.open(sys.argv[2], "wb", int(sys.argv[3])) as target:
    shutil.copyfileobj(source, target, 1 << 20)"""
ZLIB_COMPRESS = """import sys, zlib
with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as target:
    target.write(zlib.compress(source.read(), 6))"""
GZIP_DECOMPRESS = """import gzip, sys
with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as target:
    target.write(gzip.decompress(source.read()))"""
CONTROL = """Package: bench
Version: 1
Architecture: all
Maintainer: rigz <rigz@localhost>
Description: the data of the benchmark
"""


def fail(text):
    sys.exit(f"bench: {text}")


# --- The corpus and the programs --------------------------------------------------------------------


def write_corpus(folder, limit):
    """Writes the corpus as files in FOLDER/tree and as one file, FOLDER/data. Returns the names and sizes of its parts."""
    parts, left = [], limit
    os.mkdir(f"{folder}/tree")

    def add(part, files):
        """Adds files, each a name and a function that reads its content."""
        nonlocal left
        added = 0
        for name, read in files:
            if left <= 0 or part == "sources" and added >= SOURCES_BYTES:
                break
            content = read()[:left]
            if not content:
                continue
            with open(f"{folder}/tree/{name}", "wb") as file:
                file.write(content)
            whole.write(content)
            left -= len(content)
            added += len(content)
        if added:
            parts.append({"name": part, "bytes": added})

    def read_file(path):
        with open(path, "rb") as file:
            return file.read()

    with open(f"{folder}/data", "wb") as whole:
        paths = sorted(glob.glob("/usr/lib/python3*/**/*.py", recursive=True))
        add("sources", [(f"{n:05}-{os.path.basename(path)}", lambda path=path: read_file(path))
                        for n, path in enumerate(paths)])
        for name in SILESIA:
            archive = f"{ROOT}/../shared/corpus/{name}.zip"
            if os.path.exists(archive):
                add(name, [(name, lambda: zipfile.ZipFile(archive).read(name))])
    if not parts:
        fail("no data in /usr/lib/python3* or ../shared/corpus")
    return parts


def make_git(folder):
    """Makes FOLDER/git, a repository of the files, for `git archive`."""
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "core.compression=1",
           "-c", "gc.auto=0", "-C", f"{folder}/tree"]
    for action in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "data", "--date=2000-01-01T00:00:00Z"]):
        subprocess.run(git + action, check=True)
    # Moved out of the tree, because the other programs pack the whole tree.
    os.rename(f"{folder}/tree/.git", f"{folder}/git")


def make_package(folder):
    """Makes FOLDER/package, which `dpkg-deb` packs."""
    os.makedirs(f"{folder}/package/DEBIAN")
    with open(f"{folder}/package/DEBIAN/control", "w", encoding="ascii") as control:
        control.write(CONTROL)
    shutil.copytree(f"{folder}/tree", f"{folder}/package/data")


def make_gzip(folder):
    """Makes FOLDER/data.gz, for `gzip.decompress`."""
    with open(f"{folder}/data", "rb") as data, gzip.open(f"{folder}/data.gz", "wb", 6) as target:
        shutil.copyfileobj(data, target, 1 << 20)


def programs(folder):
    """Returns each program's name, command, preparation and the function that decodes its output and returns a digest."""
    data, out = f"{folder}/data", f"{folder}/out"

    def python(code, *arguments):
        return [PYTHON, "-c", code, *arguments]

    return [
        ("Python gzip.open, level 9", python(GZIP_OPEN, data, out, "9"), None, digest_of_gzip),
        ("Python gzip.open, level 6", python(GZIP_OPEN, data, out, "6"), None, digest_of_gzip),
        ("Python zlib.compress, level 6", python(ZLIB_COMPRESS, data, out), None, digest_of_zlib),
        ("bsdtar -cz, level 6", ["bsdtar", "-czf", out, "-C", f"{folder}/tree", "."], None, digest_of_tar_gz),
        ("git archive tar.gz, level 6", ["git", f"--git-dir={folder}/git", "archive", "--format=tar.gz", "-o", out, "HEAD"],
         make_git, digest_of_tar_gz),
        ("dpkg-deb -Zgzip, level 9",
         ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z9", "-b", f"{folder}/package", out], make_package, digest_of_deb),
        ("Python gzip.decompress", python(GZIP_DECOMPRESS, f"{folder}/data.gz", out), make_gzip, digest_of_plain),
    ]


# These functions decode a program's output and return the digest of its content. They and the programs that they start use
# the system's zlib, never rigz. A result is one file, FOLDER/data, or an archive of the files in FOLDER/tree.


def digest(pieces):
    """Returns the SHA-256 of all pieces together."""
    total = hashlib.sha256()
    for piece in pieces:
        total.update(piece)
    return total.hexdigest()


def pieces_of(file):
    return iter(lambda: file.read(1 << 20), b"")


def digest_of_plain(path):
    with open(path, "rb") as file:
        return digest(pieces_of(file))


def digest_of_gzip(path):
    with gzip.open(path) as file:
        return digest(pieces_of(file))


def digest_of_zlib(path):
    with open(path, "rb") as file:
        return digest([zlib.decompress(file.read())])


def digest_of_files(digests):
    """Returns the digest of files, given the digest of each by its name."""
    return digest(f"{name} {digests[name]}\n".encode() for name in sorted(digests))


def digest_of_tree(folder):
    return digest_of_files({name: digest_of_plain(f"{folder}/{name}") for name in os.listdir(folder)})


def digest_of_tar(file):
    """Returns the digest of a tar archive's regular files, whose folders are ignored."""
    digests = {}
    with tarfile.open(fileobj=file, mode="r|") as archive:
        for member in archive:
            if member.isfile():
                digests[os.path.basename(member.name)] = digest(pieces_of(archive.extractfile(member)))
    # To the end, where gzip's check value is.
    for _ in pieces_of(file):
        pass
    return digest_of_files(digests)


def digest_of_tar_gz(path):
    with gzip.open(path) as file:
        return digest_of_tar(file)


def digest_of_deb(path):
    tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True, stdout=subprocess.PIPE).stdout
    return digest_of_tar(io.BytesIO(tar))


# --- Measuring ------------------------------------------------------------------------------------


def run(command, environment, folder):
    """Runs a program with these variables. Returns its wall seconds, CPU seconds and the size of FOLDER/out, its output."""
    out = f"{folder}/out"
    if os.path.exists(out):
        os.remove(out)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RIGZ_", "LD_"))}
    begin = time.monotonic()
    process = subprocess.Popen(command, env=inherited | environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"exit status {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, os.path.getsize(out)


def environment_of(library, threads, preload):
    return {} if library == "zlib" else {"LD_PRELOAD": preload, "RIGZ_THREADS": str(threads)}


def is_bound(folder, preload):
    """Returns whether the loader bound a zlib function to the preloaded file, by the loader's logs, and removes the logs."""
    binding = re.compile(rf"to {re.escape(preload)} \[\d+\]: .* symbol .(deflate|inflate|gzwrite|gzread|compress2?)'")
    found = False
    for path in glob.glob(f"{folder}/bindings.*"):
        with open(path, encoding="utf-8", errors="replace") as file:
            found = found or any(binding.search(line) for line in file)
        os.remove(path)
    return found


def check_program(command, digest_output, folder, preload, expected):
    """Runs a program once with each variant and checks its output. Returns the reason for leaving it out, or None.

    `expected` are the digests that the output may have.
    """
    if shutil.which(command[0]) is None:
        return "not installed"
    for library, threads in VARIANTS:
        environment = environment_of(library, threads, preload)
        if library == "rigz":
            environment |= {"LD_DEBUG": "bindings", "LD_DEBUG_OUTPUT": f"{folder}/bindings"}
        try:
            run(command, environment, folder)
        except (OSError, RuntimeError) as error:
            fail(f"{command[0]} with {library}: {error}")
        if library == "rigz" and not is_bound(folder, preload):
            return "does not call libz.so.1 through the loader"
        try:
            found = digest_output(f"{folder}/out")
        except (OSError, EOFError, zlib.error, tarfile.TarError, subprocess.CalledProcessError) as error:
            fail(f"{command[0]}: the output with {library} is damaged: {error}")
        if found not in expected:
            fail(f"{command[0]}: the output with {library} does not contain the corpus")
    return None


def measure(folder, preload, rounds):
    """Returns the rows, each with its samples, and the programs that were left out."""
    expected = (digest_of_plain(f"{folder}/data"), digest_of_tree(f"{folder}/tree"))
    chosen, missing = [], []
    for name, command, prepare, digest_output in programs(folder):
        if prepare and shutil.which(command[0]):
            prepare(folder)
        reason = check_program(command, digest_output, folder, preload, expected)
        if reason:
            print(f"bench: left out: {name}: {reason}", file=sys.stderr)
            missing.append(f"{name}: {reason}")
        else:
            chosen.append((name, command))
    if not chosen:
        fail("no program calls the preloaded library")
    samples = {}
    for _ in range(rounds):
        for name, command in chosen:
            for library, threads in VARIANTS:
                sample = run(command, environment_of(library, threads, preload), folder)
                samples.setdefault((name, library, threads), []).append(sample)
    rows = []
    for (name, library, threads), own in samples.items():
        walls = [round(wall, 4) for wall, _, _ in own]
        rows.append({"program": name, "library": library, "threads": threads, "wall_s": min(walls),
                     "cpu_s": round(min(cpu for _, cpu, _ in own), 4), "bytes": own[0][2], "walls": walls})
    return rows, missing


# --- The record -----------------------------------------------------------------------------------


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def read_circumstances(arguments):
    git = ("git", "-C", ROOT)
    dirty = output_of(*git, "status", "--porcelain", "--untracked-files=no")
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    cpu = fields.get("model name", platform.machine())
    if "model" in fields:
        cpu += f" (family {fields.get('cpu family')}, model {fields['model']})"
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": output_of(*git, "rev-parse", "--short=10", "HEAD") + ("-dirty" if dirty else ""),
        "command": f"scripts/bench programs --rounds {arguments.rounds} --megabytes {arguments.megabytes:g}",
        "cpu": cpu,
        "cpus": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "zlib": output_of(PYTHON, "-c", "import zlib; print(zlib.ZLIB_RUNTIME_VERSION)"),
        "load_before": round(os.getloadavg()[0], 2),
    }


def title_of(library, threads, record):
    if library == "zlib":
        return f"zlib {record['circumstances']['zlib']}"
    return f"rigz, {threads} thread{'s' if threads > 1 else ''}"


def by_program(record):
    """Returns the rows of each program, in the order of measurement."""
    groups = {}
    for row in record["rows"]:
        groups.setdefault(row["program"], []).append(row)
    return groups


def describe(record):
    """Returns a line that names the corpus, the machine, the date and the commit."""
    circumstances = record["circumstances"]
    megabytes = sum(part["bytes"] for part in record["corpus"]) / 1e6
    parts = ["Python's sources" if part["name"] == "sources" else part["name"] for part in record["corpus"]]
    return (f"{megabytes:.0f} MB: {', '.join(parts)}. {circumstances['cpu']}, {circumstances['cpus']} processors; "
            f"{circumstances['date'][:10]}, commit {circumstances['commit']}.")


def write_record(record, folder):
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/run.json", "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
        file.write("\n")
    names = ["program", "library", "threads", "wall_s", "cpu_s", "bytes"]
    with open(f"{folder}/rows.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        table.writerows(record["rows"])
    write_report(record, folder)


def write_report(record, folder):
    """Writes the files that people read, the report and the picture."""
    with open(f"{folder}/report.md", "w", encoding="utf-8") as file:
        file.write(report(record))
    with open(f"{folder}/programs.svg", "w", encoding="utf-8") as file:
        file.write(draw(record))


def report(record):
    rounds = len(record["rows"][0]["walls"])
    lines = ["# Whole programs", "", describe(record),
             f"Each time is the shortest of {rounds} runs. An untimed first run of each row was checked: its decompressed "
             "output contained the corpus.", "",
             "| program | library | wall s | processor s | output bytes | times as fast as zlib |",
             "|---|---|---:|---:|---:|---:|"]
    for name, rows in by_program(record).items():
        for row in rows:
            speedup = "" if row["library"] == "zlib" else f"{rows[0]['wall_s'] / row['wall_s']:.1f}"
            lines.append(f"| {name} | {title_of(row['library'], row['threads'], record)} | {row['wall_s']:.2f} "
                         f"| {row['cpu_s']:.2f} | {row['bytes']:,} | {speedup} |")
    lines += [""] + [f"- Left out: {line}" for line in record["missing"]]
    return "\n".join(lines).rstrip() + "\n"


# The colours of benches/suite/src/plot.rs; a lighter red for rigz on one thread.
COLOURS = {("zlib", 1): "#3c3c3c", ("rigz", 1): "#ef9a92", ("rigz", 2): "#d5281e"}
WIDTH, LEFT, RIGHT, TOP, BAR, GAP = 900, 250, 150, 66, 17, 17


def draw(record):
    groups = by_program(record)
    longest = max(row["wall_s"] for row in record["rows"])
    scale = (WIDTH - LEFT - RIGHT) / longest
    bottom = TOP + sum(len(rows) * BAR + GAP for rows in groups.values())
    out = []

    def text(x, y, content, attributes=""):
        out.append(f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{escape(content)}</text>')

    text(14, 26, "Wall time of whole programs in seconds: shorter is better", 'font-size="18"')
    x = LEFT
    for variant in VARIANTS:
        out.append(f'<rect x="{x}" y="40" width="14" height="14" fill="{COLOURS[variant]}"/>')
        text(x + 20, 52, title_of(*variant, record))
        x += 150
    step = next(step for step in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 1e9) if longest / step <= 8)
    for tick in range(int(longest / step) + 1):
        x = LEFT + tick * step * scale
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#ddd"/>')
        text(x, bottom + 16, f"{tick * step:g}", 'text-anchor="middle" fill="#444"')
    y = TOP + GAP / 2
    for name, rows in groups.items():
        text(LEFT - 12, y + 1.2 * BAR, name, 'text-anchor="end" font-weight="bold"')
        if "decompress" not in name:
            # rigz's size does not depend on the number of threads.
            zlib_size, rigz_size = (f"{rows[n]['bytes'] / 1e6:.1f} MB" for n in (0, -1))
            text(LEFT - 12, y + 2.2 * BAR, f"{zlib_size} with zlib, {rigz_size} with rigz",
                 'text-anchor="end" font-size="12" fill="#444"')
        for row in rows:
            width = row["wall_s"] * scale
            out.append(f'<rect class="bar" x="{LEFT}" y="{y:.1f}" width="{width:.1f}" height="{BAR - 2}" '
                       f'fill="{COLOURS[row["library"], row["threads"]]}"/>')
            label = f"{row['wall_s']:.2f} s"
            if row["library"] != "zlib":
                label += f", {rows[0]['wall_s'] / row['wall_s']:.1f} times as fast"
            text(LEFT + width + 6, y + BAR - 5, label, 'font-size="12"')
            y += BAR
        y += GAP
    text(14, bottom + 38, describe(record), 'font-size="11" fill="#444"')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 50}" width="{WIDTH}" '
            f'height="{bottom + 50}" font-family="sans-serif" font-size="13" fill="#111">\n'
            '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(out) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench programs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=float, default=1000)
    parser.add_argument("--folder")
    parser.add_argument("--draw", metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.draw:
        with open(f"{arguments.draw}/run.json", encoding="utf-8") as file:
            write_report(json.load(file), arguments.draw)
        return
    if arguments.rounds < 1 or arguments.megabytes <= 0:
        fail("--rounds and --megabytes take positive numbers")
    # Set by scripts/bench.
    preload = os.environ["RIGZ_PRELOAD_FILE"]
    circumstances = read_circumstances(arguments)
    # In memory if there is room, so that no disk is measured.
    shm = "/dev/shm"
    memory = shm if os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > 1_000_000_000 else None
    with tempfile.TemporaryDirectory(prefix="rigz-bench.", dir=memory) as folder:
        corpus = write_corpus(folder, int(arguments.megabytes * 1e6))
        rows, missing = measure(folder, preload, arguments.rounds)
    circumstances["load_after"] = round(os.getloadavg()[0], 2)
    record = {"circumstances": circumstances, "corpus": corpus, "missing": missing, "rows": rows}
    default = f"{ROOT}/benches/record/{circumstances['date'][:10]}-{circumstances['commit']}-programs"
    target = arguments.folder or default
    write_record(record, target)
    print(report(record), end="")
    print(f"\nwritten to {os.path.relpath(target, ROOT) if target.startswith(ROOT) else target}")


if __name__ == "__main__":
    main()
