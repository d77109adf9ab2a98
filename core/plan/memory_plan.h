// What a run will need, said before it starts: memory term by term from the shapes, and the number of its steps.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/config/run_config.h"
#include "core/model/model_description.h"

namespace mofo {

/// One part of the engine's memory. The order is that of forecasts, bars and tables.
enum class MemoryKind {
    Weights,  ///< with bf16 also the copy that products read; with LoRA the frozen ones and the matrices beside them, of which alone there are
              ///< gradients and moments
    Masters,  ///< the host's copies of weights and gradients under offload=optimizer; else 0: fp32 weights are their own masters
    Gradients,
    FirstMoment,
    SecondMoment,
    Pretrained,   ///< p0, held only while l1 or l2 pull to it; drift reads it from its file a piece at a time
    Selection,    ///< workspace of the optimizer step
    Statistics,   ///< one bit a parameter each: this mask, the one before, ever selected
    Activations,  ///< what the backward pass needs of the longest micro-batch, and the buffers of one layer's backward pass
    Logits,       ///< of 128 positions at a time, never of all
    Runtime       ///< libraries, threads, and on a GPU the CUDA context
};
[[nodiscard]] std::string_view memoryKindName(MemoryKind kind);  ///< "weights", "activations" ...

struct MemoryTerm {
    MemoryKind kind = MemoryKind::Weights;
    std::uint64_t bytes = 0;
    bool onHost = true;  ///< on a GPU run: whether this part is in host memory (offload=optimizer)
};

/// What is counted and where.
struct MemoryPlan {
    std::vector<MemoryTerm> terms;  ///< every kind once, in the order of MemoryKind
    /// Bytes on the device that trains (on the CPU: all of them).
    [[nodiscard]] std::uint64_t deviceBytes() const;
    [[nodiscard]] std::uint64_t hostBytes() const;
    [[nodiscard]] std::uint64_t bytesOf(MemoryKind kind) const;
};

/// Of the rows that a run trains on, in tokens after max_length.
struct BatchLengths {
    std::int64_t longestRow = 0;
    std::int64_t microBatchTokens = 0;  ///< of the micro-batch that has most; 0: not known, then as many rows of the longest one's length
};

/// Forecast from shapes: core/engine's tensors, each counted where it is allocated (decoder.cpp, parameter_set.cpp, optimizer.cpp,
/// statistics.cpp). `lengths`: of the micro-batch that is forecast, with the configuration's rows or more of them. `isCuda`: whether the run trains on a GPU; attention keeps its probabilities there. `threads`: of the CPU.
[[nodiscard]] MemoryPlan forecastMemory(const ModelDescription& model, const RunConfig& config, const BatchLengths& lengths, bool isCuda, int threads);

/// How a forecast stands against what is free.
enum class MemoryFit { Fits, Tight, DoesNotFit };
/// Tight is above 90 % of `freeBytes`.
[[nodiscard]] MemoryFit memoryFit(std::uint64_t neededBytes, std::uint64_t freeBytes);

/// Rows that are held out, and the optimizer steps of a run over the others: the engine's own rules (core/engine/training_data.cpp).
struct StepPlan {
    std::int64_t trainRows = 0;
    std::int64_t heldOutRows = 0;
    std::int64_t steps = 0;  ///< 0 where there are no rows
};
/// `rows`: of the data file, refused ones left out.
[[nodiscard]] StepPlan planSteps(const RunConfig& config, std::int64_t rows);

/// Filtered coordinates that one step moves, and all that are filtered, with the names of what is not.
struct SelectionPlan {
    std::int64_t filtered = 0, selected = 0, partitions = 0, unfilteredTensors = 0;
};
/// At alpha of step 1. Usage where the granularity does not fit the model (core/model/partition.h).
Result<SelectionPlan> planSelection(const ModelDescription& model, const RunConfig& config);

}  // namespace mofo
