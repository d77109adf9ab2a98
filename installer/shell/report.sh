# shellcheck shell=bash disable=SC2034,SC2154
# Talking to the user: what is done, how long it took, and one sentence where it fails. Sourced by installer/bootstrap.

colour=""
plain=""
if [ -t 1 ] && [ "${NO_COLOR:-}" = "" ] && [ "${TERM:-dumb}" != dumb ]; then
    colour=$'\e[1m'
    plain=$'\e[0m'
fi

say() { printf '%s==>%s %s\n' "$colour" "$plain" "$*"; }
note() { printf '    %s\n' "$*"; }

# fail SENTENCE: the one way out of a failed step.
fail() {
    failed=1
    printf 'bootstrap: %s\n' "$*" >&2
    exit 1
}

# The trap may run while a step's output goes into its log.
exec 8>&2
failed=0
stage=""
job=""
on_exit() {
    local code=$?
    trap '' INT TERM
    # A step that counts seconds on a terminal runs in a process group of its own, which Ctrl-C does not reach.
    [ -z "$job" ] || kill -TERM -- "-$job" 2>/dev/null || true
    [ -z "$stage" ] || rm -rf "$stage"
    if [ $code = 130 ]; then
        printf '\nbootstrap: Interrupted; what is complete stays, and the same command goes on from there.\n' >&8
    elif [ $code != 0 ] && [ $failed = 0 ]; then
        printf 'bootstrap: A step failed unexpectedly (exit code %s); the logs are in %s.\n' "$code" "$log_dir" >&8
    fi
    exit $code
}

# megabytes BYTES -> "93 MB" or "1.1 GB"
megabytes() {
    if [ "$1" -ge 1000000000 ]; then
        printf '%d.%d GB' $(($1 / 1000000000)) $(($1 % 1000000000 / 100000000))
    elif [ "$1" -lt 10000000 ]; then
        printf '%d.%d MB' $(($1 / 1000000)) $(($1 % 1000000 / 100000))
    else
        printf '%d MB' $(($1 / 1000000))
    fi
}

duration() {
    if [ "$1" -ge 60 ]; then printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); else printf '%d s' "$1"; fi
}

# step LABEL LOG COMMAND...: runs with its output in the log; on a terminal the seconds count up. Returns the command's exit code.
# Descriptor 9, the cache's lock, is kept from it: a daemon that a package starts would hold it for ever.
step() {
    local label=$1 log=$2 begun=$SECONDS code=0
    shift 2
    if [ -t 1 ]; then
        set -m
        "$@" >"$log" 2>&1 </dev/null 9>&- &
        job=$!
        set +m
        while kill -0 "$job" 2>/dev/null; do
            printf '\r    %s ... %s ' "$label" "$(duration $((SECONDS - begun)))"
            sleep 0.5
        done
        wait "$job" || code=$?
        job=""
        printf '\r\e[K'
    else
        "$@" >"$log" 2>&1 </dev/null 9>&- || code=$?
    fi
    [ $code != 0 ] || note "$label: done in $(duration $((SECONDS - begun)))"
    return $code
}

# last_error LOG: the last line of a log that says what went wrong.
last_error() {
    local line
    line=$(grep -aE '^(E:|ERROR|CMake Error|FAILED)|[Ee]rror:' "$1" 2>/dev/null | tail -n 1) || true
    [ -n "$line" ] || line=$(grep -av '^ *$' "$1" 2>/dev/null | tail -n 1) || true
    printf '%s' "${line:0:300}" | tr -d '\000-\010\013-\037'
}

check_machine() {
    local id="" version="" pretty="an unknown system"
    [ "$(uname -m)" = x86_64 ] || fail "LibTorch is fetched for x86_64 only, and this machine is $(uname -m): build with --torch and your own LibTorch on such a machine by cmake."
    if [ -r /etc/os-release ]; then
        id=$(. /etc/os-release && printf '%s' "${ID:-}")
        version=$(. /etc/os-release && printf '%s' "${VERSION_ID:-}")
        pretty=$(. /etc/os-release && printf '%s' "${PRETTY_NAME:-$id $version}")
    fi
    [ "$id:$version" = debian:12 ] || say "This is $pretty and not Debian 12, for which this is made: trying all the same."
}

make_folders() {
    local folder
    for folder in "$log_dir" "$cache_dir"; do
        mkdir -p "$folder" 2>/dev/null || fail "Cannot make the folder $folder: check who owns the folder above it and whether the disk is full."
        [ -w "$folder" ] || fail "Cannot write into $folder, which belongs to $(stat -c %U "$folder"): run this as that user, or give it to yourself."
    done
}

# Two bootstraps (of two checkouts, say) must not fetch the same things into the shared cache at once.
take_lock() {
    exec 9>"$cache_dir/.bootstrap.lock"
    if ! flock -n 9; then
        say "Another bootstrap is at work in $cache_dir: waiting for it."
        flock 9
    fi
    # Whoever left these was killed: the lock is ours.
    rm -rf "$cache_dir"/.staging-*
}

release_lock() { exec 9>&-; }

announce_plan() {
    local parts=()
    [ ${#missing_packages[@]} = 0 ] || parts+=("${#missing_packages[@]} Debian packages")
    [ ${#missing_downloads[@]} = 0 ] || parts+=("$(describe_downloads)")
    [ ${#parts[@]} != 0 ] || return 0
    say "To be set up first:"
    printf '    %s\n' "${parts[@]}"
}

# Free space for what is missing, added up for each file system.
check_space() {
    local -A needed=() place=()
    local path bytes what device free
    while read -r bytes path what; do
        while [ ! -e "$path" ]; do path=$(dirname "$path"); done
        device=$(stat -c %d "$path")
        needed[$device]=$((${needed[$device]:-0} + bytes))
        place[$device]="$path${what:+ ($what)}"
    done < <(space_needed)
    for device in "${!needed[@]}"; do
        path=${place[$device]%% (*}
        free=$(df -P -B1 "$path" | awk 'NR == 2 { print $4 }')
        [ "$free" -ge "${needed[$device]}" ] ||
            fail "There is too little disk space at ${place[$device]}: $(megabytes "${needed[$device]}") are needed and $(megabytes "$free") are free; free some, or set XDG_CACHE_HOME to a larger disk."
    done
}

# Lines "BYTES FOLDER what" of everything that is still to be put somewhere.
space_needed() {
    local name
    [ ${#missing_packages[@]} = 0 ] || printf '%s /usr Debian packages\n' "$((package_bytes))"
    for name in "${missing_downloads[@]}"; do printf '%s %s downloads\n' "$(peak_bytes "$name")" "$cache_dir"; done
    [ -x "$build_dir/bin/mofo" ] || printf '%s %s build\n' "$build_bytes" "$build_dir"
}
