#include "core/engine/rehearsal.h"

#include <algorithm>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/training_step.h"

namespace mofo {

Result<Json> rehearse(const std::string& modelFolder, const std::string& device, const RunConfig& config,
                      const std::function<bool(std::string_view phase, double share)>& progress) {
    constexpr std::int64_t most = 3;
    constexpr double enoughMs = 20'000;
    const auto loading = [&](std::string_view phase, double share, const std::string&) { return progress(phase, share); };
    TrainingStep training;
    MOFO_CHECK(training.load(modelFolder, device, config, loading));
    MOFO_CHECK(training.build(config, loading));
    MOFO_CHECK(training.configure(config));
    MOFO_TRY(const TrainingStep::MemoryReading memory, training.rehearseLongest(1, config));
    const std::int64_t total = training.data().totalSteps();
    const Stopwatch clock;
    std::vector<double> perToken, each;
    std::int64_t tokens = 0;
    for (std::int64_t step = 1; step <= std::min(most, total); ++step) {
        if (!progress("rehearse", static_cast<double>(step - 1) / static_cast<double>(most)))
            return Error{ErrorCode::Interrupted, "cancelled", "", "", ""};
        // As if there were many more: the first and the last step of a run measure more than others.
        MOFO_TRY(const TrainingStep::Outcome outcome, training.run(step, total + most, config));
        if (outcome.row.inputTokens == 0) continue;
        each.push_back(outcome.row.stepMs - outcome.row.statisticsMs);
        perToken.push_back(each.back() / static_cast<double>(outcome.row.inputTokens));
        tokens += outcome.row.inputTokens;
        if (clock.elapsedMs() > enoughMs) break;
    }
    if (each.empty()) return Error{ErrorCode::InvalidInput, "the first rows have nothing to train on", "", "", "EMPTY"};
    // The first one also makes buffers and wakes threads.
    const auto least = [](const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); };
    return Json{{"ms_per_token", least(perToken)},
                {"step_ms", least(each)},
                {"steps", each.size()},
                {"input_tokens", tokens},
                {"forecast_bytes", memory.forecast.deviceBytes()},
                {"measured_bytes", memory.measuredBytes > 0 ? Json(memory.measuredBytes) : Json()}};
}

}  // namespace mofo
