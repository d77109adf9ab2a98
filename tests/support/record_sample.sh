#!/bin/bash
# Records resources/sample.tar.xz, the workspace that shows every page without a GPU and without training: three real runs of SmolLM2-135M on maths
# problems (MoFO with a live change of alpha and of the granularity, AdamW as its twin, a branch), what they and their probes measured, and no weights.
#   tests/support/record_sample.sh BUILD MODEL.gguf DATA.jsonl [STEPS]
# Takes about a quarter of an hour on two quiet cores. What is recorded holds for the programs in BUILD/bin: a run names its version.
set -euo pipefail

build=$(cd "${1:?the build folder}" && pwd)
model=$(realpath "${2:?a model}")
data=$(realpath "${3:?a data set}")
steps=${4:-60}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap '[ $? = 0 ] && rm -rf "$work" || echo "what was recorded so far is in $work" >&2' EXIT
export MOFO_WORKSPACE=$work/recording
mkdir "$MOFO_WORKSPACE"
mofo=$build/bin/mofo
half=$((steps / 2))
late=$((steps * 3 / 4))

# Under the names that the sample shows.
cp "$model" "$work/SmolLM2-135M-Instruct.gguf"
cp "$data" "$work/gsm8k.jsonl"
cd "$work"

wait_for() {
    while "$mofo" runs --json | grep -Eq '"state": ?"(queued|starting|running|stopping)"'; do sleep 2; done
}

run=$("$mofo" train --model SmolLM2-135M-Instruct.gguf --data gsm8k.jsonl --name maths-a15 --tag sample --detach --set alpha=0.15 --set steps="$steps" \
    --set batch=2 --set max_length=192 --set lr=5e-5 --set schedule=cosine --set warmup=5 --set eval_split=0.02 --set eval_every=$((steps / 6)) \
    --set stats_every=4 --set checkpoint_every="$half" --set probes=kl:32,text:16,eval:8 --set probe_every=$((steps / 6)) --set probe_budget=1)
"$mofo" set "$run" alpha=0.05 --at-step $((half + 1))
"$mofo" set "$run" granularity=layer --at-step $((late + 1))
wait_for
"$mofo" twin "$run" --set optimizer=adamw --name maths-adamw --detach >/dev/null
wait_for
"$mofo" branch "$run" --at "$half" --set alpha=0.4 --name maths-a40 --detach >/dev/null
wait_for
"$mofo" note "$run" "Alpha went from 15 % to 5 % half way; the partition became the layer at three quarters."
"$mofo" baseline maths-adamw
"$mofo" runs

"$build/tests/pack_sample" "$MOFO_WORKSPACE" "$work/sample" "$root/resources/pictures/sample-drift.pgm"
mkdir "$work/sample/devices"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -cJf "$root/resources/sample.tar.xz" sample
ls -l "$root/resources/sample.tar.xz"
