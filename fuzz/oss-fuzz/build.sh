#!/bin/bash -eu
# Builds the fuzz targets for OSS-Fuzz: $OUT/TARGET, its first inputs as
# $OUT/TARGET_seed_corpus.zip, and the judge, the system's zlib, in $OUT/lib: the machines that run
# the targets may have none. cargo-fuzz takes the sanitizer from the environment.
cd "$SRC/rigz"
export RUSTFLAGS="${RUSTFLAGS:-} -Clink-arg=-Wl,-rpath,\$ORIGIN/lib"
cargo fuzz build --release --debug-assertions

built=fuzz/target/x86_64-unknown-linux-gnu/release
mkdir -p "$OUT/lib"
cp -L /lib/x86_64-linux-gnu/libz.so.1 "$OUT/lib/"
"$built/seeds" seeds
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    [[ $target != self_check ]] || continue # it has a fault on purpose
    cp "$built/$target" "$OUT/"
    folders=()
    for folder in "seeds/$target" "fuzz/found/$target"; do [[ ! -d $folder ]] || folders+=("$folder"); done
    ((${#folders[@]} == 0)) || zip -jqr "$OUT/${target}_seed_corpus.zip" "${folders[@]}"
done
