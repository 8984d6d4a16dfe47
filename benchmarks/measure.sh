#!/usr/bin/env bash
# Measures π0 of full size here and in LeRobot, in separate processes that take turns, and prints
# the tables of docs/performance.md. The machine should do nothing else.
#
#   benchmarks/measure.sh RESULTS [PYTHON]
#
# RESULTS is a folder for one JSON file a process; what is there already is not measured again.
# PYTHON is the interpreter of a virtual environment with lerobot (pip install "lerobot[pi]==0.6.1");
# without it only this project is measured. The most important comes first: it may be stopped.

set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
results="${1:?a folder for the results is missing}"
python="${2:-}"
limit="${LIMIT_SECONDS:-400}"
mkdir -p "$results" || exit 1

once() {
  local file="$results/$1.json"
  shift
  [ -s "$file" ] && return 0
  echo "$(date +%T) ${file##*/}" >&2
  timeout "$limit" "$@" --json "$file" >"${file%.json}.log" 2>&1 ||
    echo "  exit code $?: see ${file%.json}.log" >&2
}

# ours NAME RUNS OPTIONS…
ours() {
  local name="$1" runs="$2"
  shift 2
  once "$name" ./pi0 bench --device cpu --random-weights pi0 --warmup 1 --runs "$runs" "$@"
}

# lerobot NAME RUNS OPTIONS…
lerobot() {
  local name="$1" runs="$2"
  shift 2
  [ -n "$python" ] || return 0
  once "$name" "$python" benchmarks/lerobot/bench_pi0.py --warmup 1 --runs "$runs" "$@"
}

for turn in 1 2; do
  ours "bf16.$turn" 3 --precision bf16
  lerobot "lerobot-bf16.$turn" 3 --dtype bfloat16
  ours "int8.$turn" 3 --precision int8
done
ours state-only 10 --precision bf16 --state-only
ours batch4 2 --precision bf16 --batch 4
ours batch4-state-only 5 --precision bf16 --batch 4 --state-only
lerobot lerobot-frozen 3 --dtype bfloat16 --compile --freeze
ours fp32 2 --precision fp32
lerobot lerobot-fp32 2 --dtype float32
ours int8-accuracy 1 --precision int8 --against fp32
ours two-views 3 --precision bf16 --cameras 2 --tokens 16
ours two-views-int8 3 --precision int8 --cameras 2 --tokens 16
lerobot lerobot-two-views 3 --dtype bfloat16 --cameras 2 --tokens 16
ours one-camera 3 --precision bf16 --one-camera-changed
for batch in 2 8 16; do
  ours "batch$batch-state-only" 3 --precision bf16 --batch "$batch" --state-only
done
for batch in 2 8 16; do
  ours "batch$batch" 1 --precision bf16 --batch "$batch"
done

python3 benchmarks/tables.py "$results"
