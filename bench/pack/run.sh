#!/usr/bin/env bash
# Tests and measures modernbert-webgpu on this machine's GPU. See README.md. Usage: ./run.sh [stage …]
set -uo pipefail
started=$PWD
cd "$(dirname "$0")"
here=$PWD
stages=${*:-tests stock tests-toggled toggled torch}
results=${OUT:-$here/results}
case $results in /*) ;; *) results=$started/$results ;; esac
mkdir -p "$results"
toggles=allow_unsafe_apis,vulkan_enable_f16_on_nvidia
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export BENCH_COMMIT GPU_ADAPTER=system
BENCH_COMMIT=$(cat COMMIT)

# A lean pack takes models and golden outputs from a checkout.
while read -r path; do
  [ -e "$path" ] && continue
  if [ ! -e "${PROJECT:-}/$path" ]; then
    echo "This pack does not contain $path: set PROJECT to a checkout of the project." >&2
    exit 2
  fi
  mkdir -p "$(dirname "$path")"
  ln -s "$(cd "$PROJECT" && pwd)/$path" "$path"
done <DATA

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
stage() { # name, then the command
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  "$@" || failed+=("$name")
  echo "== $name: $((SECONDS - start)) s"
}
# BENCH_ARGS and TEST_NAMES change what runs; word splitting is intended.
bench() {
  # shellcheck disable=SC2086
  bin/node bench.js ${BENCH_ARGS:---bars} "$@"
}
tests() {
  # shellcheck disable=SC2086
  bin/node run-tests.mjs "$1" ${TEST_NAMES:-}
}
for name in $stages; do
  case $name in
  tests) stage "$name" tests "$results/tests.json" ;;
  stock) stage "$name" bench --json "$results/stock.json" ;;
  tests-toggled) DAWN_TOGGLES=$toggles stage "$name" tests "$results/tests-toggled.json" ;;
  toggled) stage "$name" bench --dawn "$toggles" --json "$results/toggled.json" ;;
  torch) stage "$name" "${PYTHON:-python3}" torch_bench.py "$results/stock.json" "$results/torch.json" ;;
  *)
    echo "Unknown stage '$name'; expected tests, stock, tests-toggled, toggled or torch." >&2
    exit 2
    ;;
  esac
done
echo "Results are in $results"
if [ ${#failed[@]} -gt 0 ]; then
  echo "Failed: ${failed[*]}" >&2
  exit 1
fi
