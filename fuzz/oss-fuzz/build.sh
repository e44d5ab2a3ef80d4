#!/bin/bash -eu
# Builds the fuzz targets for OSS-Fuzz: $OUT/TARGET and its seed inputs, $OUT/TARGET_seed_corpus.zip.
# Also copies the system's zlib, which the targets compare with, to $OUT/lib, because the machines that
# run the targets may lack it. The environment sets cargo-fuzz's sanitizer.
cd "$SRC/rigz"
export RUSTFLAGS="${RUSTFLAGS:-} -Clink-arg=-Wl,-rpath,\$ORIGIN/lib"
cargo fuzz build --release --debug-assertions

built=fuzz/target/x86_64-unknown-linux-gnu/release
mkdir -p "$OUT/lib"
cp -L /lib/x86_64-linux-gnu/libz.so.1 "$OUT/lib/"
"$built/seeds" seeds
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    [[ $target != self_check ]] || continue # it has an intentional fault
    cp "$built/$target" "$OUT/"
    folders=()
    for folder in "seeds/$target" "fuzz/found/$target"; do [[ ! -d $folder ]] || folders+=("$folder"); done
    ((${#folders[@]} == 0)) || zip -jqr "$OUT/${target}_seed_corpus.zip" "${folders[@]}"
done
