#include "core/engine/bench_training.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mix.h"
#include "core/base/process_memory.h"
#include "core/engine/device.h"
#include "core/engine/training_step.h"
#include "core/stats/spread.h"
#include "core/store/run_metrics.h"

namespace mofo {

namespace {

/// Rows of random tokens, for so many steps.
TokenDataset randomRows(std::int64_t rows, std::int64_t length, std::int64_t vocabulary) {
    TokenDataset data;
    std::uint64_t state = 1;
    for (std::int64_t r = 0; r < rows; ++r) {
        TokenRow row;
        row.line = static_cast<std::uint64_t>(r + 1);
        for (std::int64_t i = 0; i < length; ++i) row.ids.push_back(static_cast<TokenId>(splitMix(state++) % static_cast<std::uint64_t>(vocabulary)));
        row.trained.assign(static_cast<std::size_t>(length), 1);
        data.rows.push_back(std::move(row));
    }
    data.fileRows = static_cast<std::uint64_t>(rows);
    data.formatName = "random";
    return data;
}

struct Timing {
    double ms = 0, unaccounted = 0;
    Json parts = Json::object();
    std::uint64_t peakBytes = 0;
};

constexpr const char* kStatistics = "statistics";

Result<Timing> timeSteps(TrainingStep& training, const RunConfig& config, const TrainingBenchSettings& settings, const std::filesystem::path& folder,
                         const std::function<bool(int)>& before) {
    const std::string runId = "bench-" + configValue(config, "precision");
    MOFO_TRY(MetricsWriter store, MetricsWriter::open(folder / (runId + ".db"), runId));
    std::map<std::string, std::vector<double>> parts;
    std::vector<double> whole, unaccounted;
    const std::int64_t count = settings.warmUp + settings.steps;
    for (std::int64_t step = 1; step <= count; ++step) {
        if (!before(static_cast<int>(step))) return Error{ErrorCode::Interrupted, "cancelled", "", "", ""};
        // The last one is a logged step, of which only the statistics are taken.
        const bool isLogged = step == count;
        const Stopwatch clock;
        MOFO_TRY(TrainingStep::Outcome outcome, training.run(step, isLogged ? count : count + 1, config));
        const Stopwatch committing;
        MetricsBatch batch = std::move(outcome.measured);
        batch.steps.push_back(outcome.row);
        MOFO_CHECK(store.write(batch));
        const double storeMs = committing.elapsedMs(), wholeMs = clock.elapsedMs();
        if (!outcome.refusal.empty()) return Error{ErrorCode::InvalidInput, outcome.refusal, "bench step", "", "NONFINITE"};
        const TrainingStep::Parts& times = outcome.parts;
        if (isLogged) parts[kStatistics].push_back(times.statisticsMs);
        if (isLogged || step <= settings.warmUp) continue;
        const std::array<std::pair<const char*, double>, 7> named{{{"data", times.dataMs},
                                                                   {"forward", times.pass.forwardMs},
                                                                   {"loss", times.pass.lossMs},
                                                                   {"backward", times.pass.backwardMs},
                                                                   {"clip", times.clipMs},
                                                                   {"optimizer", times.optimizerMs},
                                                                   {"store", storeMs}}};
        double sum = times.statisticsMs;
        for (const auto& [name, ms] : named) {
            parts[name].push_back(ms);
            sum += ms;
        }
        whole.push_back(wholeMs);
        unaccounted.push_back((wholeMs - sum) / wholeMs);
    }
    Timing timing;
    timing.ms = quantile(whole, 0.5);
    timing.unaccounted = quantile(unaccounted, 0.5);
    for (const auto& [name, values] : parts) timing.parts[name] = quantile(values, 0.5);
    timing.peakBytes = peakResidentBytes();
    return timing;
}

}  // namespace

Result<Json> benchTraining(const std::function<Result<std::unique_ptr<ModelSource>>()>& open, const std::string& device,
                           const TrainingBenchSettings& settings, const std::filesystem::path& folder,
                           const std::function<bool(std::string_view, double)>& progress) {
    MOFO_CHECK(makeFolder(folder, true));
    Json result = {{"batch", settings.config.batch},
                   {"length", settings.length},
                   {"optimizer", configValue(settings.config, "optimizer")},
                   {"steps", settings.steps},
                   {"tokens", settings.config.batch * (settings.length - 1)},
                   {"threads", at::get_num_threads()}};
    double unaccounted = 0;
    for (const Precision precision : {Precision::Fp32, Precision::Bf16}) {
        RunConfig config = settings.config;
        config.precision = precision;
        config.statsEvery = 0;
        const std::string name = configValue(config, "precision");
        const int count = settings.warmUp + settings.steps + 1;
        TrainingBenchSettings with = settings;
        with.steps = settings.steps + 1;
        MOFO_TRY(std::unique_ptr<ModelSource> source, open());
        const std::int64_t vocabulary = source->description().vocabularySize;
        MOFO_TRY(const c10::Device place, torchDevice(device));
        result["parameters"] = source->description().parameterCount();
        result["device"] = deviceLabel(place);
        TrainingStep training;
        training.use(std::move(source), TrainingData::of(randomRows(config.batch * count, settings.length, vocabulary), config), place);
        MOFO_CHECK(training.build(config, [&](std::string_view, double share, const std::string&) { return progress("load " + name, share); }));
        MOFO_CHECK(training.configure(config));
        MOFO_TRY(const Timing timing, timeSteps(training, config, with, folder, [&](int step) {
                     return progress(name, static_cast<double>(step - 1) / static_cast<double>(count));
                 }));
        result[name + "_ms"] = timing.ms;
        result["parts"][name] = timing.parts;
        result["peak_bytes"][name] = timing.peakBytes;
        unaccounted = std::max(unaccounted, timing.unaccounted);
    }
    const double fp32 = result["fp32_ms"], bf16 = result["bf16_ms"];
    result["speedup_bf16"] = fp32 / bf16;
    result["precision"] = bf16 < fp32 ? "bf16" : "fp32";
    result["tokens_per_s"] = result["tokens"].get<double>() / std::min(fp32, bf16) * 1e3;
    result["unaccounted"] = unaccounted;
    return result;
}

}  // namespace mofo
