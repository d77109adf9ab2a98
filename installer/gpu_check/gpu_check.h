// `run gpu-check` of a bundle: the tests and benchmarks of the GPU, one after the other, and one JSON about all of it.
#pragma once

#include <filesystem>
#include <string>

namespace mofo {

struct GpuCheckOptions {
    std::filesystem::path bundle;  ///< holds bin/, VERSION and programs.txt
    std::filesystem::path output = "gpu-check.json";
    std::string torchVersion;           ///< "2.11.0+cu130", as the wrapper found it
    std::filesystem::path torchFolder;  ///< holds lib/libtorch_cpu.so
    double seconds = 460;               ///< for all parts together; what no time is left for fails
};

/// Runs everything, telling progress on stdout; returns the exit code: 0 if every part ran and passed, else 1. The report is written
/// anew after each part ("verdict": "unfinished"), so that a machine that is taken away leaves what was done.
///
/// {"verdict": "passed"|"failed"|"no_gpu"|"unfinished", "reason", "date", "seconds", "commit", "version", "card", "driver", "cuda", "glibc",
///  "torch", "gpus": [{"index", "name", "capability", "memory_bytes", "usable"}],
///  "tests": [{"program", "passed", "failed", "skipped", "failures": [{"test", "text"}], "seconds", "error"?}],
///  "benchmarks": [{"name", "arguments", "seconds", "result"? , "error"?}]}
int runGpuCheck(const GpuCheckOptions& options);

}  // namespace mofo
