# shellcheck shell=bash disable=SC2034,SC2154
# Configure, build, test. Sourced by installer/bootstrap.

# A full build with its tests, as measured, and half again.
build_bytes=1500000000

# LibTorch's files take about 2 GB of memory each to compile.
choose_jobs() {
    local cores free_gb
    [ -z "$jobs" ] || return 0
    cores=$(nproc)
    free_gb=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
    jobs=$((free_gb / 2))
    [ "$jobs" -ge 1 ] || jobs=1
    [ "$jobs" -le "$cores" ] || jobs=$cores
}

configure() {
    local gui=OFF cuda=OFF options stamp=$log_dir/configured
    [ "$with_gui" = 0 ] || gui=ON
    [ "$cuda_wanted" = 0 ] || cuda=ON
    # A bundle takes nothing of the window, whether it is built here or not.
    if [ "$command" = bundle ] && grep -q '^MOFO_WITH_GUI:[A-Z]*=ON' "$build_dir/CMakeCache.txt" 2>/dev/null; then gui=ON; fi
    options=(-G Ninja -DCMAKE_BUILD_TYPE=Release -DMOFO_WITH_ENGINE=ON "-DMOFO_WITH_GUI=$gui" "-DMOFO_WITH_CUDA=$cuda" "-DMOFO_TORCH_DIR=$torch_dir")
    [ "$cuda_wanted" = 0 ] || options+=("-DMOFO_CUDA_ROOT=$nvcc_root")
    # ninja configures again by itself where a CMakeLists.txt changed; here only where the options did.
    if [ -e "$build_dir/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "${options[*]}" ]; then return 0; fi
    rm -f "$stamp"
    say "Configuring into $build_dir"
    step "configuring" "$log_dir/configure.log" cmake -S "$root" -B "$build_dir" "${options[@]}" ||
        fail "CMake cannot configure the build: $(last_error "$log_dir/configure.log") The whole of it is in $log_dir/configure.log."
    printf '%s' "${options[*]}" >"$stamp"
}

# build_targets all|programs|bundle
build_targets() {
    local targets=() quiet=() code=0
    choose_jobs
    if [ "$1" = programs ]; then
        targets=(mofo mofo-engine)
        [ "$with_gui" = 0 ] || targets+=(mofo-workbench)
        [ "$cuda_wanted" = 0 ] || targets+=(mofo_cuda)
    fi
    [ "$1" != bundle ] || targets=(mofo_bundle_programs)
    if ninja -C "$build_dir" -n "${targets[@]}" 2>/dev/null | grep -q 'no work to do'; then return 0; fi
    say "Building ${targets[*]:-everything, tests included} with $jobs at a time (the first build takes some minutes)"
    [ -t 1 ] || quiet=(--quiet)
    # Checkouts in different folders share what ccache knows.
    export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
    ninja -C "$build_dir" -j "$jobs" "${quiet[@]}" "${targets[@]}" || code=$?
    [ $code = 0 ] || fail "The build failed (see above); run it again, with --jobs 1 if the compiler was killed for lack of memory."
}

report_built() {
    local spent=$((SECONDS - started))
    if [ "$spent" -ge 5 ]; then say "Ready in $build_dir/bin, $(duration "$spent") in all"; else say "Ready in $build_dir/bin"; fi
}

run_tests() {
    local code=0
    say "Running the tests"
    # Tests name their own workspaces; this is the net below them.
    export QT_QPA_PLATFORM=offscreen MOFO_WORKSPACE="$build_dir/test-workspace"
    ctest --test-dir "$build_dir" -j "$(nproc)" --output-on-failure </dev/null || code=$?
    failed=$code
    exit $code
}

# The counts that README's "Reliability" quotes; ctest does the same with small ones.
run_faults() {
    local report=$build_dir/faults.txt code=0
    say "Killing, starving and damaging runs: 200 kills of engines, 100 of clients, 200 crash states, 20 full disks"
    rm -f "$report"
    export QT_QPA_PLATFORM=offscreen MOFO_WORKSPACE="$build_dir/test-workspace" GOMP_SPINCOUNT=1000 MOFO_FAULT_REPORT=$report
    export MOFO_FAULT_KILLS=200 MOFO_FAULT_CLIENT_KILLS=100 MOFO_FAULT_CRASH_STATES=200 MOFO_FAULT_FULL_DISKS=20
    "$build_dir/tests/test_faults" </dev/null || code=$?
    say "Figures (also in $report)"
    cat "$report" 2>/dev/null || true
    failed=$code
    exit $code
}

# The .deb with the programs and LibTorch for the CPU, as installer/cmake/MofoPackage.cmake describes it.
make_package() {
    local file
    rm -f "$build_dir"/mofo-workbench_*.deb
    say "Packing the programs and LibTorch"
    step "packing" "$log_dir/package.log" cpack -B "$build_dir" --config "$build_dir/CPackConfig.cmake" ||
        fail "The package cannot be made: $(last_error "$log_dir/package.log") The whole of it is in $log_dir/package.log."
    rm -rf "$build_dir/_CPack_Packages"
    file=$(ls "$build_dir"/mofo-workbench_*.deb)
    say "The package is $file ($(( $(stat -c %s "$file") / 1000000 )) MB). Install it with: sudo apt install $file"
}
