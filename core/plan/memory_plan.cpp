#include "core/plan/memory_plan.h"

#include <algorithm>
#include <cmath>

#include "core/model/lora.h"
#include "core/model/partition.h"

namespace mofo {

namespace {

constexpr std::uint64_t fp32Bytes = 4, bf16Bytes = 2;
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
// kernels::cpu::stepWorkspaceBytes: at most so much, 5 % of the largest partition and 1 MiB a thread.
constexpr std::uint64_t selectionBaseBytes = 50 * mebibyte;
constexpr std::uint64_t selectionThreadBytes = mebibyte;
constexpr double selectionShare = 0.05;
// core/engine/decoder.cpp, kHeadChunk: positions whose logits exist at once.
constexpr std::uint64_t headChunk = 128;
// Resident memory of an engine that has loaded LibTorch and started its threads, and of a CUDA context with its libraries.
constexpr std::uint64_t cpuRuntimeBytes = 260 * mebibyte;
constexpr std::uint64_t cudaRuntimeBytes = 560 * mebibyte;

std::uint64_t u(std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)); }

/// Bytes that one token leaves behind in one layer for the backward pass (Decoder::LayerState); `each`: of an activation.
std::uint64_t savedPerToken(const ModelDescription& model, std::uint64_t each) {
    const std::uint64_t hidden = u(model.hiddenSize), heads = u(model.headCount), size = u(model.headSize);
    const std::uint64_t queries = heads * size, keysAndValues = 2 * u(model.kvHeadCount) * size;
    const std::uint64_t streams = 2 * hidden;                           // before the layer and between attention and MLP
    const std::uint64_t factors = 2 + heads;                            // of both norms, and log-sum-exp
    const std::uint64_t attention = queries + keysAndValues + queries;  // qkv, what was attended to
    return (streams + factors) * fp32Bytes + (2 * hidden + attention + 2 * u(model.intermediateSize)) * each;
}

/// Bytes that one token needs while one layer's gradient is computed, and the last layer's output with its gradient.
std::uint64_t passingPerToken(const ModelDescription& model, std::uint64_t each) {
    return 4 * u(model.intermediateSize) * each   // activated and its gradient, gradient of gate and up
           + 2 * u(model.hiddenSize) * fp32Bytes  // last hidden state, its gradient
           + u(model.hiddenSize) * each;          // a matrix product's result
}

std::uint64_t largestMatrix(const ModelDescription& model) {
    std::int64_t largest = 0;
    for (const ParameterInfo& info : parametersOf(model)) largest = std::max(largest, info.elementCount());
    return u(largest);
}

std::uint64_t largestPartition(const ModelDescription& model, const RunConfig& config) {
    const std::vector<ParameterInfo> parameters = trainedParameters(parametersOf(model), config);
    const std::vector<bool> filtered = filteredParameters(parameters, config.filterInclude, config.filterExclude);
    std::int64_t largest = 0, all = 0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (!filtered[i]) continue;
        largest = std::max(largest, parameters[i].elementCount());
        all += parameters[i].elementCount();
    }
    switch (config.granularity.kind) {
        case GranularityKind::Model: return u(all);
        case GranularityKind::Layer:
        case GranularityKind::Module: return u(std::max(largest, all / std::max<std::int64_t>(model.layerCount, 1)));
        default: return u(largest);
    }
}

}  // namespace

std::string_view memoryKindName(MemoryKind kind) {
    switch (kind) {
        case MemoryKind::Weights: return "weights";
        case MemoryKind::Masters: return "masters";
        case MemoryKind::Gradients: return "gradients";
        case MemoryKind::FirstMoment: return "m";
        case MemoryKind::SecondMoment: return "v";
        case MemoryKind::Pretrained: return "pretrained";
        case MemoryKind::Selection: return "selection";
        case MemoryKind::Statistics: return "statistics";
        case MemoryKind::Activations: return "activations";
        case MemoryKind::Logits: return "logits";
        case MemoryKind::Runtime: return "runtime";
    }
    return "";
}

std::uint64_t MemoryPlan::deviceBytes() const {
    std::uint64_t sum = 0;
    for (const MemoryTerm& term : terms) sum += term.onHost ? 0 : term.bytes;
    return sum;
}

std::uint64_t MemoryPlan::hostBytes() const {
    std::uint64_t sum = 0;
    for (const MemoryTerm& term : terms) sum += term.onHost ? term.bytes : 0;
    return sum;
}

std::uint64_t MemoryPlan::bytesOf(MemoryKind kind) const {
    for (const MemoryTerm& term : terms) {
        if (term.kind == kind) return term.bytes;
    }
    return 0;
}

MemoryPlan forecastMemory(const ModelDescription& model, const RunConfig& config, const BatchLengths& lengths, bool isCuda, int threads) {
    std::uint64_t trained = 0;
    for (const ParameterInfo& info : trainedParameters(parametersOf(model), config)) trained += u(info.elementCount());
    const bool lora = trainsLora(config.optimizer);
    const std::uint64_t arena = trained * fp32Bytes, frozen = lora ? u(model.parameterCount()) * fp32Bytes : 0;
    const std::uint64_t rows = u(effectiveMicroBatch(config)), length = u(lengths.longestRow);
    const std::uint64_t tokens = lengths.microBatchTokens > 0 ? std::min(u(lengths.microBatchTokens), rows * length) : rows * length;
    const std::uint64_t layers = u(model.layerCount);
    const bool rounds = config.precision == Precision::Bf16;
    const std::uint64_t each = rounds ? bf16Bytes : fp32Bytes;
    // Computed again, one layer's are there at a time, and the input of every one.
    const std::uint64_t kept = config.recompute == Recompute::Layer ? layers * u(model.hiddenSize) * fp32Bytes + savedPerToken(model, each)
                                                                    : layers * savedPerToken(model, each);
    std::uint64_t activations = tokens * (kept + passingPerToken(model, each));
    // What is left of the inputs of A, and its gradient.
    if (lora) activations += tokens * 2 * std::max(u(model.intermediateSize), u(model.hiddenSize)) * each;
    // Where attention is composed of ATen operations its probabilities are kept: [heads, length, length] a row and layer.
    if (isCuda) activations += layers * rows * u(model.headCount) * length * length * each;
    const bool selects = selectsCoordinates(config.optimizer);
    std::uint64_t selection = 0;
    if (selects) {
        selection = selectionBaseBytes +
                    static_cast<std::uint64_t>(selectionShare * static_cast<double>(largestPartition(model, config) * fp32Bytes)) +
                    u(threads) * selectionThreadBytes;
    }
    const std::uint64_t bits = (trained + 7) / 8;
    const bool momentsOnHost = isCuda && config.offload == Offload::Optimizer;
    const bool pulls = config.l1 > 0 || config.l2 > 0;
    MemoryPlan plan;
    const auto add = [&](MemoryKind kind, std::uint64_t bytes, bool onHost = false) { plan.terms.push_back({kind, bytes, onHost}); };
    add(MemoryKind::Weights, frozen + arena + (rounds ? u(model.parameterCount()) * bf16Bytes : 0));
    add(MemoryKind::Masters, momentsOnHost ? 2 * arena : 0, momentsOnHost);
    // A product that is rounded to bf16 is added to the gradient after it is whole.
    add(MemoryKind::Gradients, arena + (rounds && !lora ? largestMatrix(model) * bf16Bytes : 0));
    add(MemoryKind::FirstMoment, arena, momentsOnHost);
    add(MemoryKind::SecondMoment, arena, momentsOnHost);
    add(MemoryKind::Pretrained, pulls ? arena : 0, momentsOnHost);
    add(MemoryKind::Selection, selection, momentsOnHost);
    add(MemoryKind::Statistics, (config.coverage ? 3 : 2) * bits, isCuda);
    add(MemoryKind::Activations, activations);
    // A chunk, and the exponentials of its log-sum-exp; rounded, the product and its gradient, and the head as oneDNN packs it.
    add(MemoryKind::Logits, headChunk * u(model.vocabularySize) * (2 * fp32Bytes + (rounds ? 2 * bf16Bytes : 0)) +
                                (rounds ? u(model.vocabularySize) * u(model.hiddenSize) * bf16Bytes : 0));
    add(MemoryKind::Runtime, isCuda ? cudaRuntimeBytes : cpuRuntimeBytes);
    return plan;
}

MemoryFit memoryFit(std::uint64_t neededBytes, std::uint64_t freeBytes) {
    if (neededBytes > freeBytes) return MemoryFit::DoesNotFit;
    return static_cast<double>(neededBytes) > 0.9 * static_cast<double>(freeBytes) ? MemoryFit::Tight : MemoryFit::Fits;
}

StepPlan planSteps(const RunConfig& config, std::int64_t rows) {
    StepPlan plan;
    if (rows <= 0) return plan;
    if (const double split = effectiveEvalSplit(config); split > 0 && config.evalData.empty()) {
        plan.heldOutRows = std::clamp<std::int64_t>(std::llround(split * static_cast<double>(rows)), 1, rows);
    }
    plan.trainRows = rows - plan.heldOutRows;
    if (plan.trainRows == 0) return plan;
    const auto stream = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(static_cast<double>(plan.trainRows) * config.epochs)));
    plan.steps = config.steps > 0 ? config.steps : (stream + config.batch - 1) / config.batch;
    return plan;
}

Result<SelectionPlan> planSelection(const ModelDescription& model, const RunConfig& config) {
    const std::vector<ParameterInfo> parameters = trainedParameters(parametersOf(model), config);
    const std::vector<bool> filtered = filteredParameters(parameters, config.filterInclude, config.filterExclude);
    SelectionPlan plan;
    MOFO_TRY(const std::vector<Partition> partitions, partitionsOf(model, parameters, config.granularity, filtered));
    const double alpha = config.alpha.common.at(1);
    for (const Partition& partition : partitions) {
        plan.filtered += partition.elementCount;
        // mofo.md: k = max(1, floor(alpha n)).
        plan.selected += std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(alpha * static_cast<double>(partition.elementCount))));
    }
    plan.partitions = static_cast<std::int64_t>(partitions.size());
    plan.unfilteredTensors = std::count(filtered.begin(), filtered.end(), false);
    return plan;
}

}  // namespace mofo
