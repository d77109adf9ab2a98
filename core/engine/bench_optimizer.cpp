#include "core/engine/bench_optimizer.h"

#include <ATen/Parallel.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <optional>
#include <sstream>

#include "core/base/clock.h"
#include "core/base/process_memory.h"
#include "core/base/text.h"
#include "core/engine/bench_rivals.h"
#include "core/engine/bench_step.h"
#include "core/engine/device.h"
#include "core/engine/torch_guard.h"
#include "core/stats/spread.h"

namespace mofo {

namespace {

constexpr kernels::Hyperparameters kValues{.lr = 1e-5, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weightDecay = 0};
constexpr int kWarmUpRounds = 2, kMostRounds = 101, kMostComposed = 3;
constexpr int kDefaultCadence = 10;
constexpr double kComposedNsPerCoordinate = 25;  ///< a first guess; corrected by every case that is measured
constexpr std::int64_t kSpareBytes = 512ll << 20;
constexpr double kSteadySpread = 1.15;  ///< between the quartiles of a side; a machine that does nothing else stays well below

Error cancelled() { return Error{ErrorCode::Interrupted, "cancelled", "", "", ""}; }

double median(const std::vector<double>& values) { return quantile(values, 0.5); }
double spread(const std::vector<double>& values) { return quantile(values, 0.75) / quantile(values, 0.25); }

/// Milliseconds that `work` keeps the device busy.
template <class Work>
double timed(c10::Device device, Work&& work) {
    if (device.is_cpu()) {
        const Stopwatch clock;
        work();
        return clock.elapsedMs();
    }
    const c10::impl::VirtualGuardImpl guard(device.type());
    const c10::Stream stream = guard.getStream(device);
    c10::Event begin(device.type(), c10::EventFlag::BACKEND_DEFAULT), end(device.type(), c10::EventFlag::BACKEND_DEFAULT);
    begin.record(stream);
    work();
    end.record(stream);
    end.synchronize();
    return begin.elapsedTime(end);
}

std::string processorName() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("model name")) return std::string(trimText(std::string_view(line).substr(line.find(':') + 1)));
    }
    return "unknown processor";
}

/// Bytes that AdamW reads and writes for each parameter.
double bytesPerParameter(kernels::Format format) { return format == kernels::Format::Bf16 ? 22 : 28; }

const char* precisionName(kernels::Format format) {
    switch (format) {
        case kernels::Format::Fp32: return "fp32";
        case kernels::Format::Bf16: return "bf16-pure";
        case kernels::Format::Bf16Master: return "bf16";
    }
    return "";
}

/// Milliseconds of every round, in order.
struct Rounds {
    std::vector<double> ours, fused, measured;
};

class Bench {
public:
    Bench(const BenchModel& model, const BenchSettings& settings, BenchWorkload& work, const std::function<bool(std::string_view, double)>& progress)
        : m_model(model), m_settings(settings), m_work(work), m_fused(work), m_progress(progress) {}

    Result<Json> run();

private:
    Result<void> warmUp();
    Result<Rounds> measure(BenchStep& ours);
    Result<Json> caseJson(const BenchCase& which, kernels::Rule rule);
    Result<void> compose(const BenchCase& which, Json& entry);
    /// Says how far it is; false where the user cancelled.
    bool advance(std::string_view phase) {
        return !m_progress || m_progress(phase, static_cast<double>(m_partsDone) / static_cast<double>(2 * m_settings.cases.size() + 1));
    }
    Result<std::unique_ptr<BenchStep>> makeStep(const BenchCase& which, kernels::Rule rule) {
        return BenchStep::make(m_work, m_model.source->description(),
                               {which.granularity, which.alpha, rule, m_settings.format, kValues, m_settings.cuda});
    }
    [[nodiscard]] double parameterCount() const { return static_cast<double>(m_model.parameterCount()); }

    const BenchModel& m_model;
    const BenchSettings& m_settings;
    BenchWorkload& m_work;
    FusedAdamW m_fused;
    const std::function<bool(std::string_view, double)>& m_progress;
    std::int64_t m_step = 0;  ///< of all sides together: they share the moments
    double m_composedNs = kComposedNsPerCoordinate;
    std::size_t m_partsDone = 0;  ///< cases measured, AdamW, cases composed
    Stopwatch m_clock;
};

// Moments as ten steps leave them, and everything paged in.
Result<void> Bench::warmUp() {
    for (int i = 0; i < 10; ++i) {
        m_work.nextGradients();
        m_fused.setStep(++m_step);
        m_fused.step(kValues);
        if (!advance("warm up")) return cancelled();
    }
    return {};
}

Result<Rounds> Bench::measure(BenchStep& ours) {
    Rounds rounds;
    const Stopwatch clock;
    const c10::Device device = m_work.device();
    for (int round = -kWarmUpRounds; round < kMostRounds; ++round) {
        if (round >= m_settings.leastRounds && clock.elapsedMs() >= m_settings.secondsPerCase * 1e3) break;
        m_work.nextGradients();
        double ms[3] = {};
        for (int turn = 0; turn < 3; ++turn) {
            const int side = (turn + round + kWarmUpRounds) % 3;
            ++m_step;
            if (side == 1) {
                m_fused.setStep(m_step);
                ms[side] = timed(device, [&] { m_fused.step(kValues); });
                continue;
            }
            const bool measured = side == 2;
            MOFO_CHECK(ours.prepare(m_step));
            Result<void> done;
            ms[side] = timed(device, [&] { done = ours.run(measured); });
            MOFO_CHECK(done);
            MOFO_CHECK(ours.finish(measured));
        }
        if (!advance("measure")) return cancelled();
        if (round < 0) continue;
        rounds.ours.push_back(ms[0]);
        rounds.fused.push_back(ms[1]);
        rounds.measured.push_back(ms[2]);
    }
    return rounds;
}

Result<Json> Bench::caseJson(const BenchCase& which, kernels::Rule rule) {
    MOFO_TRY(const std::unique_ptr<BenchStep> ours, makeStep(which, rule));
    MOFO_TRY(const Rounds rounds, measure(*ours));
    ++m_partsDone;
    const bool rival = m_settings.format == kernels::Format::Fp32;
    const double ms = median(rounds.ours), fusedMs = median(rounds.fused), measuredMs = median(rounds.measured);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < rounds.ours.size(); ++i) ratios.push_back(rounds.ours[i] / rounds.fused[i]);
    const double rate = parameterCount() * bytesPerParameter(m_settings.format) / ms * 1e3;
    const double fusedRate = parameterCount() * bytesPerParameter(kernels::Format::Fp32) / fusedMs * 1e3;
    const double atCadence = ms + (measuredMs - ms) / kDefaultCadence;
    const double limit = costLimit(which, m_settings.format, !m_work.device().is_cpu());
    const auto onlyWithRival = [&](double value) { return rival ? Json(value) : Json(nullptr); };
    Json entry = {{"granularity", which.granularity.text()},
                  {"alpha", which.alpha},
                  {"ms", ms},
                  {"fused_adamw_ms", onlyWithRival(fusedMs)},
                  {"ratio", onlyWithRival(ms / fusedMs)},
                  {"composed_ms", nullptr},
                  {"speedup", nullptr},
                  {"limit", limit > 0 && rule != kernels::Rule::None ? Json(limit) : Json(nullptr)},
                  {"rounds", rounds.ours.size()},
                  {"ms_low", quantile(rounds.ours, 0.25)},
                  {"ms_high", quantile(rounds.ours, 0.75)},
                  {"fused_adamw_ms_low", onlyWithRival(quantile(rounds.fused, 0.25))},
                  {"fused_adamw_ms_high", onlyWithRival(quantile(rounds.fused, 0.75))},
                  {"ratio_low", onlyWithRival(quantile(ratios, 0.25))},
                  {"ratio_high", onlyWithRival(quantile(ratios, 0.75))},
                  {"bytes_per_second", rate},
                  {"fused_fp32_adamw_ms", fusedMs},
                  {"fused_fp32_bytes_per_second", fusedRate},
                  {"rate_ratio", rate / fusedRate},
                  {"statistics_ms", measuredMs},
                  {"statistics_ratio", onlyWithRival(measuredMs / fusedMs)},
                  {"statistics_ratio_at_cadence", onlyWithRival(atCadence / fusedMs)},
                  {"unsteady", spread(rounds.ours) > kSteadySpread || spread(rounds.fused) > kSteadySpread},
                  {"selected_share", ours->selectedShare()},
                  {"repaired", ours->repaired()},
                  {"steps", ours->steps()},
                  {"partitions", rule == kernels::Rule::None ? 0 : ours->plan().partitionCount()},
                  {"largest_partition", ours->largestPartition()},
                  {"scratch_bytes", ours->scratchBytes()},
                  {"scratch_limit_bytes", (64ll << 20) + static_cast<std::int64_t>(0.05 * 4 * static_cast<double>(ours->largestPartition()))}};
    return entry;
}

Result<void> Bench::compose(const BenchCase& which, Json& entry) {
    if (m_settings.format != kernels::Format::Fp32) return {};
    const double expected = m_composedNs * 1e-9 * parameterCount();
    const double left = m_settings.secondsInAll - m_clock.elapsedMs() * 1e-3;
    if (expected > m_settings.composedStepLimit || expected > left) {
        const bool tooLong = expected > m_settings.composedStepLimit;
        entry["composed_note"] =
            (tooLong ? "left out: a step would take about " : "left out: no time was left for a step of about ") + formatDuration(expected);
        return {};
    }
    MOFO_TRY(const std::unique_ptr<BenchStep> ours, makeStep(which, kernels::Rule::Momentum));
    const bool batched = which.granularity.kind == GranularityKind::Row || which.granularity.kind == GranularityKind::Block;
    ComposedMofo composed(m_work, ours->plan(), ours->k(), batched);
    const std::int64_t available = m_settings.availableBytes > 0 ? m_settings.availableBytes : static_cast<std::int64_t>(machineMemory().availableBytes);
    if (m_work.device().is_cpu() && composed.scratchBytes() > available) {
        entry["composed_note"] = "left out: its topk needs " + formatBytes(static_cast<std::uint64_t>(composed.scratchBytes()));
        return {};
    }
    std::vector<double> times;
    const Stopwatch clock;
    // The first step counts only where no other can be afforded: it also allocates.
    for (int i = 0; i <= kMostComposed; ++i) {
        const double spent = clock.elapsedMs() * 1e-3;
        if (i > 1 && spent + spent / i > m_settings.secondsComposed) break;
        m_work.nextGradients();
        ++m_step;
        times.push_back(timed(m_work.device(), [&] { composed.step(kValues, m_step); }));
        if (!advance("compose")) return cancelled();
    }
    ++m_partsDone;
    if (times.size() > 1) times.erase(times.begin());
    const double ms = median(times);
    m_composedNs = std::max(m_composedNs, ms * 1e6 / parameterCount());
    entry["composed_ms"] = ms;
    entry["speedup"] = ms / entry["ms"].get<double>();
    entry["composed_steps"] = times.size();
    return {};
}

Result<Json> Bench::run() {
    MOFO_CHECK(warmUp());
    Json cases = Json::array();
    for (const BenchCase& which : m_settings.cases) {
        MOFO_TRY(Json entry, caseJson(which, kernels::Rule::Momentum));
        spdlog::info("{} at {}: {:.1f} ms", which.granularity.text(), which.alpha, entry["ms"].get<double>());
        cases.push_back(std::move(entry));
    }
    MOFO_TRY(Json adamw, caseJson({{}, 1.0}, kernels::Rule::None));
    adamw["granularity"] = "none";
    for (std::size_t i = 0; i < m_settings.cases.size(); ++i) MOFO_CHECK(compose(m_settings.cases[i], cases[i]));
    const c10::Device device = m_work.device();
    return Json{{"cases", std::move(cases)},
                {"adamw", std::move(adamw)},
                {"device", device.is_cpu() ? processorName() : deviceLabel(device)},
                {"threads", at::get_num_threads()},
                {"instruction_set", m_settings.cuda != nullptr ? "cuda" : kernels::instructionSetName(kernels::bestInstructionSet())},
                {"libtorch", TORCH_VERSION},
                {"model", m_model.name},
                {"parameters", m_model.parameterCount()},
                {"tensors", m_model.parameters.size()},
                {"precision", precisionName(m_settings.format)},
                {"statistics_every", kDefaultCadence},
                {"seconds", m_clock.elapsedMs() * 1e-3}};
}

}  // namespace

std::vector<BenchCase> BenchSettings::defaultCases() {
    using Kind = GranularityKind;
    return {{{Kind::Tensor}, 0.15}, {{Kind::Tensor}, 0.05}, {{Kind::Tensor}, 0.03}, {{Kind::Layer}, 0.15},       {{Kind::Module}, 0.15},
            {{Kind::Model}, 0.15},  {{Kind::Head}, 0.15},   {{Kind::Row}, 0.15},    {{Kind::Block, 4096}, 0.15}, {{Kind::Shards, 4}, 0.15}};
}

Result<kernels::Format> parseBenchPrecision(std::string_view text) {
    if (text.empty() || text == "fp32") return kernels::Format::Fp32;
    if (text == "bf16-pure") return kernels::Format::Bf16;
    if (text == "bf16") return kernels::Format::Bf16Master;
    return Error{ErrorCode::Usage, "there is no precision " + escapeForDisplay(text.substr(0, 40)), "precision", "Use fp32, bf16-pure or bf16",
                 "VALUE"};
}

double costLimit(const BenchCase& which, kernels::Format format, bool onGpu) {
    if (format != kernels::Format::Fp32) return 0;
    if (onGpu) return 1.15;
    switch (which.granularity.kind) {
        case GranularityKind::Tensor: return which.alpha <= 0.03 ? 1.2 : 1.25;
        case GranularityKind::Row:
        case GranularityKind::Block: return 1.5;
        default: return 1.4;
    }
}

Result<Json> benchOptimizer(const BenchModel& model, const BenchSettings& settings, const std::function<bool(std::string_view, double)>& progress) {
    if (!settings.device.is_cpu() && settings.cuda == nullptr)
        return Error{ErrorCode::Unsupported, "the optimizer cannot be measured on " + settings.device.str() + " by this build", "",
                     "Use --device cpu", ""};
    const std::int64_t needed = BenchWorkload::bytesOf(model.parameterCount(), settings.format) + kSpareBytes;
    const std::int64_t available = settings.availableBytes > 0 ? settings.availableBytes : static_cast<std::int64_t>(machineMemory().availableBytes);
    if (settings.device.is_cpu() && needed > available) {
        return Error{ErrorCode::OutOfMemory,
                     "parameters, gradients and moments of " + escapeForDisplay(model.name) + " need " +
                         formatBytes(static_cast<std::uint64_t>(needed)) + ", and " + formatBytes(static_cast<std::uint64_t>(available)) +
                         " of memory are free",
                     "", "Use a smaller --model, such as random:llama-1b-layer", "MEMORY"};
    }
    return guardTorch([&]() -> Result<Json> {
        MOFO_TRY(BenchWorkload work,
                 BenchWorkload::make(model, settings.format, settings.device, [&](double share) { return !progress || progress("load", share); }));
        return Bench(model, settings, work, progress).run();
    });
}

}  // namespace mofo
