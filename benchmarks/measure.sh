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

ours() {
  local name="$1"
  shift
  once "$name" ./pi0 bench --device cpu --random-weights pi0 --warmup 1 --runs 3 "$@"
}

lerobot() {
  local name="$1"
  shift
  [ -n "$python" ] || return 0
  once "$name" "$python" benchmarks/lerobot/bench_pi0.py --warmup 1 --runs 3 "$@"
}

for turn in 1 2; do
  ours "bf16.$turn" --precision bf16
  lerobot "lerobot-bf16.$turn" --dtype bfloat16
  ours "int8.$turn" --precision int8
done
ours state-only --precision bf16 --state-only --runs 10
ours batch4 --precision bf16 --batch 4 --runs 2
ours batch4-state-only --precision bf16 --batch 4 --state-only --runs 5
lerobot lerobot-frozen --dtype bfloat16 --compile --freeze --runs 3
ours fp32 --precision fp32 --runs 2
lerobot lerobot-fp32 --dtype float32 --runs 2
ours int8-accuracy --precision int8 --against fp32 --runs 1
ours two-views --precision bf16 --cameras 2 --tokens 16
ours two-views-int8 --precision int8 --cameras 2 --tokens 16
lerobot lerobot-two-views --dtype bfloat16 --cameras 2 --tokens 16
ours one-camera --precision bf16 --one-camera-changed
for batch in 2 8 16; do
  ours "batch$batch-state-only" --precision bf16 --batch "$batch" --state-only --runs 3
done
for batch in 2 8 16; do
  ours "batch$batch" --precision bf16 --batch "$batch" --warmup 1 --runs 1
done

python3 benchmarks/tables.py "$results"
