#!/bin/bash
# The demo: 40 steps of MoFO on maths problems, watched in the workbench where there is a display and in the terminal in any case.
# installer/bootstrap demo calls it once everything is built, with MOFO_BIN (the programs) and MOFO_CACHE (model and data).
set -euo pipefail

programs=${MOFO_BIN:?is set by installer/bootstrap demo}
cache=${MOFO_CACHE:?is set by installer/bootstrap demo}
model=$cache/models/SmolLM2-135M-Instruct.Q4_1.gguf
data=$cache/data/gsm8k-test.jsonl
mofo=$programs/mofo
workspace=${MOFO_WORKSPACE:-${XDG_DATA_HOME:-$HOME/.local/share}/mofo}

# Not among the rows that are trained on.
question="Mia buys 3 boxes of pencils with 12 pencils in each box. She gives 7 pencils to her brother. How many pencils does she have left?"

bold=""
plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\e[1m'
    plain=$'\e[0m'
fi
heading() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
indent() { sed 's/^/    /'; }
ask() { "$mofo" chat "$1" --prompt "$question" --max-new-tokens 160; }

fail() {
    printf 'demo: %s\n' "$1" >&2
    exit 1
}

heading "The question, before training"
printf '%s\n' "$question" | fold -s -w 100 | indent
answer_before=$(ask "$model") || fail "The model could not answer; see above."
heading "SmolLM2-135M-Instruct answers"
printf '%s\n' "$answer_before" | fold -s -w 100 | indent

heading "Fine-tuning it with MoFO: 40 steps of 4 problems, each step moving 15 % of every tensor"
run=$("$mofo" train --model "$model" --data "$data" --preset demo --name "demo $(date '+%Y-%m-%d %H:%M:%S')" --tag demo --detach) ||
    fail "The run could not be started; see above."

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && [ -x "$programs/mofo-workbench" ]; then
    # It stays when the demo ends, and closing it stops nothing.
    "$programs/mofo-workbench" --run "$run" >"$programs/../bootstrap/workbench.log" 2>&1 </dev/null &
    window=$!
    disown
    sleep 1
    if kill -0 "$window" 2>/dev/null; then
        printf '    The workbench shows the run. Turn alpha now: move the dial under Controls and press Apply.\n'
    else
        printf '    The workbench could not open a window (%s); the terminal shows the run.\n' "$(tail -n 1 "$programs/../bootstrap/workbench.log" | cut -c1-200)"
    fi
fi
printf '    From another terminal: %s set %s alpha=0.05\n\n' "$mofo" "$run"

code=0
"$mofo" follow "$run" || code=$?
# Ctrl-C leaves the run running, and follow has said how to go on.
[ "$code" != 130 ] || exit 130
[ "$code" = 0 ] || fail "The run did not finish; look at: $mofo log $run"

answer_after=$(ask "$run") || fail "The tuned model could not answer; see above."
heading "The same question"
printf 'before:\n'
printf '%s\n' "$answer_before" | fold -s -w 100 | indent
printf 'after:\n'
printf '%s\n' "$answer_after" | fold -s -w 100 | indent

heading "The run"
"$mofo" show "$run"
printf '\nIt is in %s, tagged demo. The programs are in %s: put that into your PATH, and the commands above work as they stand.\n' "$workspace" "$(cd "$programs" && pwd)"
