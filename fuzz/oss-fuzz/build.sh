#!/bin/bash -eu
# Builds the fuzz targets for OSS-Fuzz: $OUT/TARGET, its seeds as $OUT/TARGET_seed_corpus.zip, and the judge beside them.
# cargo-fuzz takes the sanitizer and the coverage from the environment that OSS-Fuzz sets.
cd "$SRC/rigz"
cargo fuzz build -O --debug-assertions

built=fuzz/target/x86_64-unknown-linux-gnu/release
"$built/seeds" seeds
# The machines that run the targets have no zlib; fuzz/src/linked.rs looks for the judge by RIGZ_JUDGE.
cp -L /lib/x86_64-linux-gnu/libz.so.1 "$OUT/libz-judge.so.1"
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    [[ $target != self_check ]] || continue # it has a fault on purpose
    cp "$built/$target" "$OUT/"
    folders=()
    for folder in "seeds/$target" "fuzz/found/$target"; do [[ ! -d $folder ]] || folders+=("$folder"); done
    [[ ${#folders[@]} == 0 ]] || zip -jqr "$OUT/${target}_seed_corpus.zip" "${folders[@]}"
done
