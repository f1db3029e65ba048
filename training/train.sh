#!/bin/sh
# The whole recipe, from texts to both models: sh training/train.sh DIR TEACHER [options of mlm.py, for example --tokens N]
# Writes DIR/text, DIR/nano and DIR/nano-embed. Needs npm, apt-get and Python as README.md says; TEACHER: a folder with all-MiniLM-L6-v2.
set -eu
out=$1
teacher=$2
shift 2
here=$(dirname "$0")
models=$here/../public/models
[ -d "$out/text" ] || python3 "$here/fetch.py" "$out/text"
python3 "$here/mlm.py" --from "$models/nano" --text "$out/text" --out "$out/nano" "$@"
python3 "$here/student.py" --teacher "$teacher" --text "$out/text" --modules "$models/nano-embed" --out "$out/student"
python3 "$here/teach.py" --teacher "$teacher" --student "$out/student" --text "$out/text" --out "$out/vectors"
python3 "$here/distill.py" --from "$out/student" --teacher "$out/vectors" --out "$out/nano-embed" --q4
