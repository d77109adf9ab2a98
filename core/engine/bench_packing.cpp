#include "core/engine/bench_packing.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "core/engine/device.h"
#include "core/engine/training_step.h"
#include "core/stats/spread.h"

namespace mofo {

namespace {

/// Every micro-batch's rows made as long as its longest one.
void pad(std::vector<TokenRow>& rows, std::int64_t microRows) {
    for (std::size_t begin = 0; begin < rows.size(); begin += static_cast<std::size_t>(microRows)) {
        const std::size_t end = std::min(rows.size(), begin + static_cast<std::size_t>(microRows));
        std::size_t longest = 0;
        for (std::size_t i = begin; i < end; ++i) longest = std::max(longest, rows[i].ids.size());
        for (std::size_t i = begin; i < end; ++i) {
            rows[i].ids.resize(longest, rows[i].ids.back());
            rows[i].trained.resize(longest, 0);
        }
    }
}

}  // namespace

Result<Json> benchPacking(const std::string& modelFolder, const std::string& device, const RunConfig& settings, int steps,
                          const std::function<bool(std::string_view phase, double share)>& progress) {
    RunConfig config = settings;
    config.statsEvery = 0;
    const auto loading = [&](std::string_view phase, double share, const std::string&) { return progress(phase, share); };
    TrainingStep training;
    MOFO_CHECK(training.load(modelFolder, device, config, loading));
    const std::int64_t updates = steps + 1;
    if (training.data().totalSteps() < updates)
        return Error{ErrorCode::InvalidInput, "the data are rows for " + std::to_string(training.data().totalSteps()) + " steps only", "",
                     "Ask for fewer steps, or give more rows", "RANGE"};
    // Packed, padded, packed, padded ...: one process, both under the same conditions.
    TokenDataset data;
    for (std::int64_t step = 1; step <= updates; ++step) {
        std::vector<TokenRow> rows;
        for (const TokenRow* row : training.data().batch(step)) rows.push_back(*row);
        data.rows.insert(data.rows.end(), rows.begin(), rows.end());
        pad(rows, effectiveMicroBatch(config));
        data.rows.insert(data.rows.end(), rows.begin(), rows.end());
    }
    config.shuffle = false;
    config.groupByLength = false;
    config.steps = 2 * updates;
    training.useRows(TrainingData::of(std::move(data), config));
    MOFO_CHECK(training.build(config, loading));
    MOFO_CHECK(training.configure(config));
    std::vector<double> packedMs, paddedMs;
    std::int64_t tokens = 0, paddedTokens = 0, targets = 0;
    for (std::int64_t step = 1; step <= config.steps; ++step) {
        if (!progress("packing", static_cast<double>(step - 1) / static_cast<double>(config.steps)))
            return Error{ErrorCode::Interrupted, "cancelled", "", "", ""};
        MOFO_TRY(const TrainingStep::Outcome outcome, training.run(step, config.steps + 1, config));
        if (!outcome.refusal.empty()) return Error{ErrorCode::InvalidInput, outcome.refusal, "bench packing", "", "NONFINITE"};
        if (step <= 2) continue;
        const bool isPacked = step % 2 == 1;
        (isPacked ? packedMs : paddedMs).push_back(outcome.row.stepMs);
        (isPacked ? tokens : paddedTokens) += outcome.row.inputTokens;
        if (isPacked) targets += outcome.row.tokens;
    }
    const auto seconds = [](const std::vector<double>& ms) {
        double sum = 0;
        for (const double one : ms) sum += one;
        return sum * 1e-3;
    };
    const double packed = static_cast<double>(targets) / seconds(packedMs), padded = static_cast<double>(targets) / seconds(paddedMs);
    return Json{{"batch", config.batch},
                {"micro_batch", effectiveMicroBatch(config)},
                {"precision", configValue(config, "precision")},
                {"steps", steps},
                {"threads", at::get_num_threads()},
                {"device", deviceLabel(training.device())},
                {"tokens", tokens},
                {"padded_tokens", paddedTokens},
                {"targets", targets},
                {"packed_ms", quantile(packedMs, 0.5)},
                {"padded_ms", quantile(paddedMs, 0.5)},
                {"packed_tokens_per_s", packed},
                {"padded_tokens_per_s", padded},
                {"speedup", packed / padded}};
}

}  // namespace mofo
