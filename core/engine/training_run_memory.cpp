// What a training run needs of the machine's memory, and what it does when there is not enough.
#include "core/base/process_memory.h"
#include "core/base/text.h"
#include "core/engine/torch_guard.h"
#include "core/engine/training_run.h"
#include "core/plan/memory_advice.h"

namespace mofo {

namespace {

Json termsOf(const MemoryPlan& plan) {
    Json terms = Json::object();
    for (const MemoryTerm& term : plan.terms) {
        if (!term.onHost) terms[std::string(memoryKindName(term.kind))] = term.bytes;
    }
    return terms;
}

}  // namespace

Result<void> TrainingRun::shrinkMicroBatch(const Error& outOfMemory) {
    releaseFreedMemory();
    const std::int64_t rows = effectiveMicroBatch(config());
    const std::string step = std::to_string(m_state.step + 1);
    const std::string terms = memoryTermsText(m_training.forecast(m_state.step + 1, config()));
    const auto candidates = m_keeper.candidates();
    const std::string kept =
        candidates.empty() ? "there is no checkpoint yet" : "the checkpoint of step " + std::to_string(candidates.front().step) + " is whole";
    if (!config().oomRetry || rows <= 1) {
        Error error = outOfMemory;
        error.message = "step " + step + " ran " + error.message + " (forecast: " + terms + "); " + kept;
        error.remedy = rows > 1 ? "Set micro_batch=" + std::to_string(rows / 2) + ", or oom_retry=true to let it do so by itself; or recompute=layer"
                                : "Set recompute=layer or a smaller max_length, or close other programs";
        m_log.event("error", "engine", error.message);
        return error;
    }
    RunConfig changed = config();
    changed.microBatch = rows / 2;
    m_log.event("memory", "guard",
                "step " + step + " ran " + outOfMemory.message + " with " + formatCount(rows) + " rows at a time (forecast: " + terms +
                    "); it is tried again with " + formatCount(changed.microBatch) + ", as oom_retry asks",
                "micro_batch", std::to_string(rows), std::to_string(changed.microBatch));
    return changeByGuard(changed);
}

Result<void> TrainingRun::trainStepInMemory() {
    while (true) {
        Result<void> done = guardTorch([&] { return trainStep(); });
        if (done.ok() || done.error().code != ErrorCode::OutOfMemory) return done;
        MOFO_CHECK(shrinkMicroBatch(done.error()));
    }
}

Result<void> TrainingRun::rehearseMemory() {
    if (m_state.step >= m_total) return {};
    m_log.status("load", 1, "rehearsing the longest micro-batch");
    while (true) {
        const auto reading = m_training.rehearseLongest(m_state.step + 1, config());
        if (!reading.ok() && reading.error().code != ErrorCode::OutOfMemory) return reading.error();
        if (!reading.ok()) {
            MOFO_CHECK(shrinkMicroBatch(reading.error()));
            continue;
        }
        Json fact = {{"forecast", termsOf(reading->forecast)},
                     {"forecast_bytes", reading->forecast.deviceBytes()},
                     {"measured_bytes", nullptr},
                     {"rows", reading->rows},
                     {"tokens", reading->tokens}};
        std::string text = "memory: " + formatBytes(reading->forecast.deviceBytes()) + " forecast";
        releaseFreedMemory();
        if (reading->measuredBytes > 0) {
            fact["measured_bytes"] = reading->measuredBytes;
            text += ", " + formatBytes(reading->measuredBytes) + " measured";
        }
        m_log.event("memory", "engine",
                    text + " with the longest micro-batch (" + formatCount(reading->rows) + (reading->rows == 1 ? " row, " : " rows, ") +
                        formatCount(reading->tokens) + " tokens)");
        return m_queue.writeFact("memory", fact);
    }
}

}  // namespace mofo
