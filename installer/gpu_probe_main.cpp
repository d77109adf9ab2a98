// What installer/bootstrap asks before it downloads anything of CUDA: prints the state's name, then the sentence for the user.
// Compiled by bootstrap itself, from core/base alone: g++ -std=c++20 -I. installer/gpu_probe_main.cpp core/base/{gpu_probe,gpu_driver,text}.cpp
#include <cstdio>

#include "core/base/gpu_probe.h"

int main() {
    const mofo::GpuFinding finding = mofo::probeGpu();
    const std::string_view name = mofo::gpuStateName(finding.state);
    std::printf("%.*s\n%s\n", static_cast<int>(name.size()), name.data(), finding.sentence().c_str());
    return 0;
}
