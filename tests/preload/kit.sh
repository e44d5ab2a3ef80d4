# shellcheck shell=bash
# Shared by the program scripts. Each script tests one real program: it runs the program without and with the preloaded
# library, checks the results with programs that run without the preload, and finally requires proof that calls were
# bound to our file. So a script fails if a byte, the exit status or stderr differs, if a call reaches the system's libz,
# and if the preload had no effect.
#
# The run script sets: PRELOAD_FILE, the library; PRELOAD_DATA, a directory with text (4 MB), rows (2 MB), noise
# (700 kB), small (100 bytes) and empty. `tests/preload/run NAME` runs one script.
#
# Exit status: 0 passed, 77 skipped (the reason is the last line), else failed.
set -euo pipefail
: "${PRELOAD_FILE:?run me by tests/preload/run NAME}" "${PRELOAD_DATA:?}"
export LC_ALL=C TZ=UTC
export callers_path=$PATH
export PATH=/usr/sbin:/usr/bin:/sbin:/bin # Debian's programs, not others of the same name
export RIGZ_THREADS=${RIGZ_THREADS:-2}
unset LD_PRELOAD

# Under /tmp and readable by all, because some programs change their user on the way.
work=$(mktemp -d /tmp/rigz-preload.XXXXXX)
chmod 755 "$work"
mkdir "$work/plain" "$work/ours" "$work/lib"
mkdir -m 1777 "$work/bindings"
cp -r "$PRELOAD_DATA" "$work/data"
cp "$PRELOAD_FILE" "$work/lib/libz.so.1"
chmod 755 "$work/lib/libz.so.1"
library=$work/lib/libz.so.1
cd "$work"

on_exit=()
finish() {
    local status=$? action
    for action in "${on_exit[@]}"; do eval "$action" || true; done
    cd /
    if ((status == 0 || status == 77)) || [[ -z ${PRELOAD_KEEP:-} ]]; then
        rm -rf "$work"
    else
        echo "(left in $work)" # for finding the cause
    fi
    exit "$status"
}
trap finish EXIT

fail() {
    echo "$*"
    exit 1
}

skip() {
    echo "$*"
    exit 77
}

# need PROGRAM...: skips the test if one is missing.
need() {
    local program
    for program; do type -P "$program" >/dev/null || skip "$program is not installed"; done
}

# need_dynamic FILE: skips the test if the file (a program or a module of one) is not linked to libz.so.1.
need_dynamic() { grep -q 'libz\.so\.1' <<<"$(ldd "$1" 2>&1)" || skip "$1 is not linked to libz.so.1"; }

# ours COMMAND...: runs it with the preload. The loader logs which symbol it bound to which file, to bindings/ only.
# (`with` is for background processes, which must be the command itself and not a shell that waits for it.)
with=(env LD_PRELOAD="$library" LD_DEBUG=bindings LD_DEBUG_OUTPUT="$work/bindings/of" RIGZ_STATS="$work/stats" RIGZ_LOG="$work/log.rigz")
: >stats
: >log.rigz
chmod 666 stats log.rigz
ours() { "${with[@]}" "$@"; }

# both COMMAND...: runs it plain in plain/ and with the preload in ours/; both must succeed, with equal stderr. Its stdout is in
# plain/stdout and ours/stdout.
both() {
    local side status=()
    for side in plain ours; do
        status+=(0)
        if [[ $side == ours ]]; then
            (cd ours && ours "$@") >ours/stdout 2>ours/stderr </dev/null || status[1]=$?
        else
            (cd plain && "$@") >plain/stdout 2>plain/stderr </dev/null || status[0]=$?
        fi
    done
    [[ ${status[0]} == 0 ]] || fail "fails without the preload (${status[0]}): $* $(tail -n 3 plain/stderr)"
    [[ ${status[1]} == 0 ]] || fail "fails with the preload (${status[1]}): $* $(tail -n 3 ours/stderr)"
    cmp -s plain/stderr ours/stderr || fail "stderr differs: $* $(diff plain/stderr ours/stderr | head -n 5)"
}

# with_workers COMMAND...: as both, and our library must have decompressed with workers, which it uses only while a processor is
# idle. Not checked for other libraries, which write no statistics.
with_workers() {
    local attempt load busy=0
    for attempt in {1..10}; do
        both "$@"
        grep -q 'rigz_version' "$library" || return 0
        if grep -q '"operation":"inflate","engine":"parallel".*"threads":2,' stats; then
            : >stats
            return
        fi
        # The fourth field begins with the number of running threads, of which one is this shell (proc(5)).
        read -r _ _ _ load _ </proc/loadavg
        if ((${load%%/*} >= $(getconf _NPROCESSORS_ONLN))); then busy=$((busy + 1)); fi
        sleep "$attempt"
    done
    ((busy < 5)) || skip "no idle processor, without which nothing is decompressed in parallel"
    fail "nothing was decompressed in parallel in ten attempts: $*"
}

# agree COMMAND...: as both, and stdout must be the same too.
agree() {
    both "$@"
    same plain/stdout ours/stdout
}

# alike COMMAND...: for commands that may fail, as on damaged files: exit status, stdout and stderr must be the same with the preload.
alike() {
    local plain=0 ours=0
    (cd plain && "$@") >plain/stdout 2>plain/stderr </dev/null || plain=$?
    (cd ours && ours "$@") >ours/stdout 2>ours/stderr </dev/null || ours=$?
    [[ $plain == "$ours" ]] || fail "exit status $ours with the preload, $plain without: $* $(tail -n 3 ours/stderr)"
    cmp -s plain/stderr ours/stderr || fail "stderr differs: $* $(diff plain/stderr ours/stderr | head -n 5)"
    same plain/stdout ours/stdout
}

# hurt FILE AT: overwrites bytes at offset AT.
hurt() { printf 'not this' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# same A B: two files (or trees) must have the same contents.
same() { diff -rq "$1" "$2" >differences 2>&1 || fail "$(head -n 3 differences)"; }

# no_larger [PERCENT] FILE...: each file in ours/ may have at most 2 % and 16 bytes more than the one in plain/, and all together at
# most PERCENT (default 0) and 16 bytes more.
no_larger() {
    local file plain ours all_plain=0 all_ours=0 percent=0
    if [[ $1 =~ ^[0-9]+$ ]]; then percent=$1 && shift; fi
    for file; do
        plain=$(stat -c %s "plain/$file") ours=$(stat -c %s "ours/$file")
        ((ours <= plain * 102 / 100 + 16)) || fail "larger than with zlib: $file, $ours bytes, $plain with zlib"
        all_plain=$((all_plain + plain)) all_ours=$((all_ours + ours))
    done
    (((all_ours - 16) * 100 <= all_plain * (100 + percent))) || fail "larger than with zlib: $*, $all_ours bytes, $all_plain with zlib"
}

# decodes FILE DATA: gzip, which does not use libz, must decode FILE to DATA.
decodes() {
    gzip -dc "$1" >decoded 2>decoded.err || fail "gzip does not read $1: $(head -n 1 decoded.err)"
    cmp -s decoded "$2" || fail "$1 decodes to other bytes than $2"
}

# bound SYMBOL...: another file's reference to each must have been bound to our file, and no zlib symbol to any other libz.
bound() {
    local symbol
    # "binding file NEEDS [0] to HAS [0]: normal symbol `NAME' [VERSION]"; our library's own references do not count.
    sed -nE 's/.*binding file (.*) \[[0-9]+\] to (.*) \[[0-9]+\]: .* symbol .([A-Za-z0-9_]+).*/\1 \2 \3/p' bindings/* |
        grep -v "^$library " | sort -u >bindings.all || true
    for symbol; do
        grep -q " $library $symbol\$" bindings.all || fail "$symbol was never bound to our library"
    done
    ! grep ' [^ ]*/libz\.so[^ ]* [^ ]*$' bindings.all | grep -vF " $library " >strays ||
        fail "bound to another libz: $(head -n 1 strays)"
}

# in_parallel: a stream must have been compressed by the pipeline, on two threads. Not checked for other libraries, which write no
# statistics.
in_parallel() {
    grep -q 'rigz_version' "$library" || return 0
    grep -q '"engine":"parallel".*"threads":2,' stats || fail "nothing was compressed in parallel"
}

# known_to_fetch_all: the library must list the program as one that fetches all output, and workers must have compressed chunks.
known_to_fetch_all() {
    grep -q 'rigz_version' "$library" || return 0
    grep -q 'parallel: .*; the program is known to fetch all output' log.rigz || fail "the program is not listed: $(grep -m 1 -v 'a message' log.rigz)"
    grep -q '"chunks_by_workers":[1-9]' stats || fail "no worker compressed a chunk"
}

# mapped MAPS: replaces `bound` for a program that closes the loader's log, such as sshd: its /proc/PID/maps, copied while it ran,
# must have our library and no other libz.
mapped() {
    grep -qF "$library" "$1" || fail "$1: our library was not mapped"
    ! grep -vF "$library" "$1" | grep 'libz\.so' || fail "$1: another libz was mapped, too"
}

# free_port: prints an unused port of the loopback, from a range that depends on the process, since scripts run at the same time.
free_port() {
    local port
    for port in $(seq $((20000 + $$ * 61 % 29000)) 49999); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || {
            echo "$port"
            return
        }
    done
}

# await COMMAND...: waits until it succeeds, some minutes at most, because a daemon starts slowly on a busy machine.
await() {
    local tries
    for tries in {1..2000}; do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "failed $tries times: $*"
}
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
