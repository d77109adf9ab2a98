# shellcheck shell=bash disable=SC2034,SC2154
# Whether the CUDA part is built here, and with what: wherever an nvcc of CUDA 13 is at hand or a GPU can be used, and always for a bundle.
# Sourced by installer/bootstrap.

cuda_wanted=0
gpu_usable=0
nvcc_root=""

# nvcc_release PROGRAM -> "13.0", or nothing
nvcc_release() { "$1" --version 2>/dev/null | sed -n 's/.*release \([0-9][0-9.]*\).*/\1/p'; }

# The places of installer/cmake/MofoCuda.cmake, in its order: sets nvcc_root to the folder that holds bin/nvcc, or to nothing.
find_nvcc() {
    local place candidates=()
    nvcc_root=""
    if [ -n "${MOFO_CUDA_ROOT:-}" ]; then
        case $(nvcc_release "$MOFO_CUDA_ROOT/bin/nvcc") in
            13.*) nvcc_root=$MOFO_CUDA_ROOT ;;
            *) fail "MOFO_CUDA_ROOT: there is no bin/nvcc of CUDA 13 in $MOFO_CUDA_ROOT; name a toolkit's folder, unset it, or say --no-cuda." ;;
        esac
        return 0
    fi
    [ -z "${CUDACXX:-}" ] || candidates+=("$CUDACXX")
    place=$(command -v nvcc) && candidates+=("$place")
    # The probe's variable: tests have no toolkit where they say so.
    for place in "${MOFO_GPU_ROOT:-}"/usr/local/cuda "${MOFO_GPU_ROOT:-}"/usr/local/cuda-13* "$nvcc_dir/nvidia/cu13"; do candidates+=("$place/bin/nvcc"); done
    for place in "${candidates[@]}"; do
        case $(nvcc_release "$place") in
            13.*) ;;
            *) continue ;;
        esac
        # A link or a wrapper: nvcc itself says where it lives.
        nvcc_root=$("$place" --dryrun -x cu /dev/null 2>&1 | sed -n 's/^#\$ TOP=//p')
        [ -e "$nvcc_root/bin/nvcc" ] || nvcc_root=$(dirname "$(dirname "$place")")
        nvcc_root=$(cd "$nvcc_root" && pwd)
        return 0
    done
}

# Before anything of CUDA is fetched, the probe that all programs use says whether the GPU here can be used.
look_for_gpu() {
    local probe=$log_dir/gpu-probe source answer sentence
    local sources=("$here/gpu_probe_main.cpp" "$root/core/base/gpu_probe.cpp" "$root/core/base/gpu_driver.cpp" "$root/core/base/text.cpp")
    gpu_usable=0
    for source in "${sources[@]}"; do
        if [ ! "$probe" -nt "$source" ]; then
            g++ -std=c++20 -O0 -I"$root" "${sources[@]}" -o "$probe.new" -ldl >"$log_dir/gpu-probe.log" 2>&1 ||
                fail "The GPU probe does not compile: $(last_error "$log_dir/gpu-probe.log")"
            mv -f "$probe.new" "$probe"
            break
        fi
    done
    answer=$("$probe")
    sentence=$(printf '%s\n' "$answer" | sed -n 2p)
    if [ "${answer%%$'\n'*}" = usable ]; then
        gpu_usable=1
        say "$sentence"
    # Without any GPU there is nothing to explain on every call.
    elif [ "${answer%%$'\n'*}" != no_gpu ] || [ ! -e "$build_dir/bin/mofo" ]; then
        say "$sentence"
    fi
}

# Sets cuda_wanted and nvcc_root, and fetches what building and running the CUDA part here still needs.
prepare_cuda() {
    [ "$with_cuda" = 1 ] || return 0
    look_for_gpu
    find_nvcc
    if [ -z "$nvcc_root" ] && [ "$gpu_usable" = 0 ] && [ "$command" != bundle ]; then return 0; fi
    if [ ! -e "$torch_dir/lib/libtorch_cuda.so" ] || [ ! -e "$torch_dir/lib/libc10_cuda.so" ]; then
        [ "$command" != bundle ] || fail "The LibTorch in $torch_dir has no lib/libtorch_cuda.so, which a bundle needs: name one with CUDA 13.0 by --torch, or say --no-cuda."
        say "The LibTorch in $torch_dir has no CUDA: the CUDA part is left out."
        return 0
    fi
    missing_packages=()
    missing_downloads=()
    [ -n "$nvcc_root" ] || missing_downloads+=(nvcc)
    if [ "$gpu_usable" = 1 ] && [ "$torch_is_ours" = 1 ] && [ ! -e "$cuda_stamp" ]; then missing_downloads+=(cuda); fi
    if [ ${#missing_downloads[@]} != 0 ]; then
        check_space
        fetch_downloads
        find_nvcc
    fi
    cuda_wanted=1
}
