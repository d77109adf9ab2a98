// mofo-gpu-check: what a bundle's `run gpu-check` starts, once it knows where LibTorch is.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "installer/gpu_check/gpu_check.h"

namespace {

constexpr const char* kUsage =
    "Usage: run [--torch DIR] gpu-check [--json FILE] [--seconds N]\n"
    "\n"
    "Runs the tests of the GPU and its benchmarks, and writes one JSON about all of it (gpu-check.json).\n"
    "\n"
    "  --json FILE   where the JSON goes\n"
    "  --seconds N   for everything together, 10 to 3600 (460)\n"
    "\n"
    "Exit code 0 if everything ran and passed, else 1; 2 for a wrong command line.\n";

int usageError(std::string_view problem) {
    std::fprintf(stderr, "gpu-check: %.*s\nTry run gpu-check --help.\n", static_cast<int>(problem.size()), problem.data());
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    mofo::GpuCheckOptions options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--help" || name == "-h") {
            std::fputs(kUsage, stdout);
            return 0;
        }
        const bool known = name == "--json" || name == "--seconds" || name == "--bundle" || name == "--torch-folder" || name == "--torch-version";
        if (!known) return usageError("There is no \"" + std::string(name) + "\".");
        if (++i == argc) return usageError(std::string(name) + " needs a value.");
        const std::string_view value = argv[i];
        if (name == "--json") {
            options.output = value;
        } else if (name == "--bundle") {
            options.bundle = value;
        } else if (name == "--torch-folder") {
            options.torchFolder = value;
        } else if (name == "--torch-version") {
            options.torchVersion = value;
        } else {
            const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), options.seconds);
            if (problem != std::errc() || end != value.data() + value.size() || !(options.seconds >= 10 && options.seconds <= 3600)) {
                return usageError("--seconds needs a number from 10 to 3600, not \"" + std::string(value) + "\".");
            }
        }
    }
    if (options.bundle.empty()) return usageError("Start it by the bundle's run, which finds LibTorch: run gpu-check.");
    return mofo::runGpuCheck(options);
}
