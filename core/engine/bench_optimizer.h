// `mofo bench optimizer`: what a step costs, by granularity and alpha, against LibTorch's fused AdamW and against MoFO composed of LibTorch's
// operations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/granularity.h"
#include "core/engine/bench_workload.h"
#include "core/engine/cuda_plugin.h"

namespace mofo {

struct BenchCase {
    Granularity granularity;
    double alpha = 0.15;
};

struct BenchSettings {
    kernels::Format format = kernels::Format::Fp32;
    c10::Device device = c10::kCPU;
    const CudaPlugin* cuda = nullptr;  ///< whose kernels step where `device` is a GPU
    std::vector<BenchCase> cases = defaultCases();
    int leastRounds = 15;             ///< a round is one step of each side
    double secondsPerCase = 10;       ///< rounds go on for so long
    double secondsComposed = 10;      ///< the same for the composition, of which one step takes seconds
    double composedStepLimit = 60;    ///< seconds; where a step would take longer there is no composition
    double secondsInAll = 540;        ///< compositions that would end later are left out
    std::int64_t availableBytes = 0;  ///< of host memory; 0 asks the system

    /// Shares out so many seconds, where the defaults would take longer: half to the cases, a third to the compositions, the rest for what is
    /// around them.
    void fitInto(double seconds) {
        const double perCase = seconds / static_cast<double>(cases.size() + 1);
        leastRounds = std::min(leastRounds, 9);
        secondsPerCase = std::min(secondsPerCase, perCase / 2);
        secondsComposed = std::min(secondsComposed, perCase / 3);
        secondsInAll = std::min(secondsInAll, seconds);
    }
    /// tensor at 0.15, 0.05 and 0.03; layer, module, model, head, row, block:4096 and shards:4 at 0.15.
    [[nodiscard]] static std::vector<BenchCase> defaultCases();
};

/// "fp32", "bf16-pure" (bf16 parameters, rounded stochastically) or "bf16" (fp32 masters beside them); Usage otherwise.
Result<kernels::Format> parseBenchPrecision(std::string_view text);

/// The most that a step may cost, as a multiple of fused AdamW's (the project's own limits); 0 where none is set.
[[nodiscard]] double costLimit(const BenchCase& which, kernels::Format format, bool onGpu);

/// Measures all cases in this thread, with LibTorch's threads. Every round gives new gradients; within it each side steps once over the same
/// arrays, in an order that changes from round to round; gradients are made outside of what is timed. `ms` are medians; `ratio` and `speedup` are
/// quotients of them, and `ratio_low` .. `ratio_high` the quartiles of the rounds' own ratios. `unsteady` says that another program used the
/// processor or its memory meanwhile, as far as quartiles show it. Refuses (OutOfMemory) what does not fit. `progress`: phase and share 0..1; false
/// cancels.
Result<Json> benchOptimizer(const BenchModel& model, const BenchSettings& settings, const std::function<bool(std::string_view, double)>& progress);

}  // namespace mofo
