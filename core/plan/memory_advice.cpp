#include "core/plan/memory_advice.h"

#include <algorithm>
#include <vector>

#include "core/base/text.h"

namespace mofo {

namespace {

std::uint64_t neededBytes(const ModelDescription& model, const RunConfig& config, const MemoryPlace& place) {
    return forecastMemory(model, config, place.lengths, place.isCuda, place.threads).deviceBytes();
}

/// Fewer rows at a time until it fits, down to one.
bool fitByMicroBatch(const ModelDescription& model, RunConfig& config, const MemoryPlace& place) {
    // What a mean over micro-batches comes to depends on how many there are.
    const bool mayShrink = config.lossMean != LossMean::MicroBatch;
    while (neededBytes(model, config, place) > place.freeBytes) {
        const std::int64_t rows = effectiveMicroBatch(config);
        if (!mayShrink || rows <= 1) return false;
        config.microBatch = rows / 2;
    }
    return true;
}

}  // namespace

std::optional<MemoryChange> cheapestFit(const ModelDescription& model, const RunConfig& config, const MemoryPlace& place) {
    std::vector<RunConfig> tried{config};
    const auto also = [&](const auto& change) {
        RunConfig next = tried.back();
        change(next);
        tried.push_back(std::move(next));
    };
    also([](RunConfig& next) { next.recompute = Recompute::Layer; });
    also([](RunConfig& next) { next.coverage = false; });
    for (std::int64_t length = place.lengths.longestRow / 2; length >= 64; length /= 2) also([length](RunConfig& next) { next.maxLength = length; });
    if (!trainsLora(config.optimizer)) {
        RunConfig lora = config;
        lora.optimizer = ranksCoordinates(config.optimizer) ? OptimizerKind::LoraMofo : OptimizerKind::Lora;
        lora.l1 = lora.l2 = 0;
        tried.push_back(lora);
        also([](RunConfig& next) { next.recompute = Recompute::Layer; });
    }
    for (RunConfig& one : tried) {
        MemoryPlace there = place;
        if (one.maxLength > 0) there.lengths.longestRow = std::min(place.lengths.longestRow, one.maxLength);
        if (!checkConfig(one).ok() || !fitByMicroBatch(model, one, there)) continue;
        MemoryChange change{one, {}, neededBytes(model, one, there)};
        std::vector<std::string> words;
        for (const ConfigDifference& difference : configDifferences(config, one)) words.push_back(difference.key + "=" + difference.b);
        change.changes = joinText(words, " ");
        return change;
    }
    return std::nullopt;
}

Result<void> requireMemory(const ModelDescription& model, const RunConfig& config, const MemoryPlace& place) {
    const MemoryPlan plan = forecastMemory(model, config, place.lengths, place.isCuda, place.threads);
    if (place.freeBytes == 0 || plan.deviceBytes() <= place.freeBytes) return {};
    const auto change = cheapestFit(model, config, place);
    return Error{ErrorCode::OutOfMemory,
                 "the run needs " + formatBytes(plan.deviceBytes()) + " of memory (" + memoryTermsText(plan) + "), and " +
                     formatBytes(place.freeBytes) + " are free",
                 "",
                 change ? "With " + change->changes + " it needs " + formatBytes(change->bytes) : "Train a smaller model, or close other programs",
                 "MEMORY"};
}

std::string memoryTermsText(const MemoryPlan& plan) {
    std::vector<MemoryTerm> terms = plan.terms;
    std::erase_if(terms, [](const MemoryTerm& term) { return term.onHost || term.bytes == 0; });
    std::stable_sort(terms.begin(), terms.end(), [](const MemoryTerm& a, const MemoryTerm& b) { return a.bytes > b.bytes; });
    std::vector<std::string> words;
    for (const MemoryTerm& term : terms) words.push_back(std::string(memoryKindName(term.kind)) + " " + formatBytes(term.bytes));
    return joinText(words, ", ");
}

}  // namespace mofo
