#!/usr/bin/env bash
# Tests and measures modernbert-webgpu on this machine's GPU. See README.md. Usage: ./run.sh [stage[:seconds] …]
set -uo pipefail
started=$PWD
cd "$(dirname "$0")"
here=$PWD
stages=${*:-probe tests stock tune torch toggled}
known="probe tests stock tune torch peer peer-f16 unclamped toggled compare search"
known+=" probe-toggled tests-toggled tune-toggled tune-unclamped"
for name in $stages; do # before the first stage starts: a typing error must not cost the time of those before it
  if [[ " $known " != *" ${name%%:*} "* || ! $name =~ ^[^:]+(:[1-9][0-9]*)?$ ]]; then
    echo "Unknown stage '$name'; stages are $known, each with an optional cap in seconds, as in tests:120." >&2
    exit 2
  fi
done
results=${OUT:-$here/results}
case $results in /*) ;; *) results=$started/$results ;; esac
mkdir -p "$results"
toggles=allow_unsafe_apis,vulkan_enable_f16_on_nvidia
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export BENCH_COMMIT GPU_ADAPTER=system
BENCH_COMMIT=$(cat COMMIT)

libraries=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p)
if ! grep -q libvulkan.so.1 <<<"$libraries"; then
  export LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  echo "No Vulkan loader is installed: using the pack's."
fi
# Containers often have NVIDIA's driver without the manifest that registers it with the loader.
if [ -z "${VK_ICD_FILENAMES:-}${VK_DRIVER_FILES:-}" ] && ! ls /etc/vulkan/icd.d/*.json /usr/share/vulkan/icd.d/*.json >/dev/null 2>&1; then
  if [ -e /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json ]; then
    export VK_DRIVER_FILES=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
  else
    driver=libGLX_nvidia.so.0
    grep -q libX11.so.6 <<<"$libraries" || driver=libEGL_nvidia.so.0 # libGLX_nvidia needs X11's libraries
    printf '{"file_format_version":"1.0.0","ICD":{"library_path":"%s","api_version":"1.3.0"}}' $driver >"$work/nvidia_icd.json"
    export VK_DRIVER_FILES=$work/nvidia_icd.json
  fi
  echo "No Vulkan driver is registered: trying $VK_DRIVER_FILES."
fi
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$work}

failed=()
# name[:seconds], then the command. A stage that is stopped keeps what it wrote.
stage() {
  local name=${1%%:*} cap=${1#*:} start=$SECONDS status=0
  [ "$cap" = "$name" ] && cap=0 # no cap
  shift
  echo "== $name"
  timeout -k 5 "$cap" "$@" || status=$?
  [ $status -eq 124 ] && echo "$name was stopped after its $cap s; what it had measured is written."
  [ $status -ne 0 ] && failed+=("$name")
  echo "== $name: $((SECONDS - start)) s"
}
# BENCH_ARGS and TEST_NAMES change what runs; word splitting is intended.
bench() { # the stage, its options if BENCH_ARGS gives none, more options
  # shellcheck disable=SC2086
  stage "$1" bin/node bench.js ${BENCH_ARGS:-$2} --json "$results/${1%%:*}.json" "${@:3}"
}
sparse="--models base --cases fixed-512,fixed-8192,query-128 --tiers f16-storage --kernels --repeats 3"
tests() {
  # shellcheck disable=SC2086
  stage "$1" bin/node run-tests.mjs "$results/${1%%:*}.jsonl" ${TEST_NAMES:-}
}
peer() {
  # shellcheck disable=SC2086
  stage "$1" bin/node peer.js ${PEER_ARGS:---models base --repeats 3} --json "$results/${1%%:*}.json" "${@:2}"
}
tune() {
  # shellcheck disable=SC2086
  stage "$1" bin/node sweep.js ${TUNE_ARGS:-} --out "$results/${1%%:*}.jsonl" "${@:2}"
}
for name in $stages; do
  case ${name%%:*} in
  probe) stage "$name" bin/node probe.mjs "$results/probe.json" ;;
  probe-toggled) DAWN_TOGGLES=$toggles stage "$name" bin/node probe.mjs "$results/probe-toggled.json" ;;
  tests) tests "$name" ;;
  tests-toggled) DAWN_TOGGLES=$toggles tests "$name" ;;
  stock) bench "$name" --kernels ;;
  compare) stage "$name" bin/node bench.js --compare --json "$results/compare.json" ;;
  search) stage "$name" bin/node search.js --out "$results/search.jsonl" ;;
  toggled) bench "$name" --kernels --dawn "$toggles" ;;
  unclamped) bench "$name" "$sparse" --dawn disable_robustness ;;
  tune) tune "$name" ;;
  tune-toggled) tune "$name" --dawn "$toggles" ;;
  tune-unclamped) tune "$name" --dawn disable_robustness ;;
  torch) stage "$name" "${PYTHON:-python3}" torch_bench.py "$results/stock.json" "$results/torch.json" ;;
  peer) peer "$name" --precisions f32 ;;
  peer-f16) peer "$name" --precisions f16 --dawn "$toggles" ;;
  esac
done
echo "Results are in $results"
if [ ${#failed[@]} -gt 0 ]; then
  echo "Failed or stopped: ${failed[*]}" >&2
  exit 1
fi
