#!/bin/sh
# The whole recipe, from texts to both models: sh training/train.sh DIR [options of mlm.py, for example --tokens N]
# Writes DIR/text, DIR/nano and DIR/nano-embed. Needs PyTorch (Debian: python3-torch and, for a fast CPU, libopenblas0-pthread), npm, apt-get.
set -eu
out=$1
shift
here=$(dirname "$0")
models=$here/../public/models
[ -d "$out/text" ] || python3 "$here/fetch.py" "$out/text"
python3 "$here/mlm.py" --from "$models/nano" --text "$out/text" --out "$out/nano" "$@"
python3 "$here/contrastive.py" --from "$out/nano" --modules "$models/nano-embed" --text "$out/text" --out "$out/nano-embed"
