#include "core/engine/training_step.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "core/base/clock.h"
#include "core/base/failpoint.h"
#include "core/base/process_memory.h"
#include "core/base/text.h"
#include "core/config/schedule.h"
#include "core/engine/device.h"
#include "core/engine/part_timer.h"
#include "core/engine/torch_guard.h"
#include "core/model/partition.h"
#include "core/plan/memory_advice.h"

namespace mofo {

namespace {

std::string lossStateOf(double loss) { return std::isnan(loss) ? "nan" : std::isinf(loss) ? "inf" : "finite"; }

/// The squares of no larger gradients overflow fp32 in the second moment.
constexpr double largestNorm = 1e18;

/// "lines 3, 8 and 12 more": of micro-batch `piece` of those with anything to train on, or of all rows where there is no such piece.
std::string linesOf(const std::vector<const TokenRow*>& rows, std::int64_t microRows, std::size_t piece) {
    constexpr std::size_t most = 16;
    std::vector<const TokenRow*> chosen = rows;
    for (std::size_t begin = 0, found = 0; begin < rows.size(); begin += static_cast<std::size_t>(microRows)) {
        const auto first = rows.begin() + static_cast<std::ptrdiff_t>(begin);
        const std::vector<const TokenRow*> some(first, first + std::min<std::ptrdiff_t>(microRows, rows.end() - first));
        const bool useful = std::any_of(some.begin(), some.end(), [](const TokenRow* row) { return row->targetCount() > 0; });
        if (useful && found++ == piece) chosen = some;
    }
    std::string text = chosen.size() == 1 ? "line " : "lines ";
    for (std::size_t i = 0; i < std::min(most, chosen.size()); ++i) text += (i == 0 ? "" : ", ") + std::to_string(chosen[i]->line);
    return text + (chosen.size() > most ? " and " + std::to_string(chosen.size() - most) + " more" : "");
}

}  // namespace

Result<void> TrainingStep::load(const std::string& modelFolder, const std::string& device, const RunConfig& config, const Progress& progress) {
    progress("load", 0, "opening the model");
    MOFO_TRY(m_pretrained, ModelSource::open(modelFolder));
    MOFO_TRY(m_tokenizer, m_pretrained->loadTokenizer());
    MOFO_TRY(m_device, torchDevice(device));
    const std::string reading = "reading " + escapeForDisplay(config.data);
    progress("scan", 0, reading);
    MOFO_TRY(m_data, TrainingData::load(config, *m_tokenizer, [&](double share) { return progress("scan", share, reading); }));
    return {};
}

void TrainingStep::use(std::unique_ptr<ModelSource> pretrained, TrainingData data, c10::Device device) {
    m_pretrained = std::move(pretrained);
    m_data = std::move(data);
    m_device = device;
}

Result<void> TrainingStep::build(const RunConfig& config, const Progress& progress) {
    MOFO_CHECK(checkMethodFits(config));
    MOFO_CHECK(checkMemory(config));
    const std::string reading = "reading the weights";
    progress("load", 0, reading);
    MOFO_TRY(ParameterArena pretrained, loadWeights(*m_pretrained, m_device, [&](double share) { return progress("load", share, reading); }));
    if (trainsLora(config.optimizer)) {
        m_lora = std::make_unique<LoraTraining>(*m_pretrained, std::move(pretrained), LoraSettings::from(config));
        MOFO_TRY(m_weights, loadWeights(m_lora->source(), m_device));
    } else {
        m_weights = std::move(pretrained);
    }
    return guardTorch([&]() -> Result<void> {
        m_gradients = ParameterArena(trained().parameters(), m_device);
        if (m_lora) m_lora->use(m_weights);
        m_decoder = std::make_unique<Decoder>(m_pretrained->description(), m_pretrained->parameters(), m_lora ? m_lora->frozen() : m_weights,
                                              m_lora ? &m_lora->adapter() : nullptr, DecoderOptions{config.precision, config.recompute});
        m_optimizer = std::make_unique<Optimizer>(trained(), config, m_weights, m_gradients, Optimizer::placeFor(m_device, config.offload));
        m_statistics = std::make_unique<TensorStatistics>(trained(), config.coverage);
        m_gradientNorm.emplace(trained().parameters());
        return {};
    });
}

Result<void> TrainingStep::resetToPretrained() {
    MOFO_TRY(const ParameterArena fresh, loadWeights(trained(), m_device));
    return guardTorch([&]() -> Result<void> {
        weights().flat().copy_(fresh.flat());
        m_optimizer->firstMoments().flat().zero_();
        m_optimizer->secondMoments().flat().zero_();
        m_statistics->restoreState({}, {});
        return m_optimizer->stateReplaced();
    });
}

Result<void> TrainingStep::checkMethodFits(const RunConfig& config) const {
    return checkMethod(config, m_pretrained->description(), m_pretrained->parameters());
}

OptimizerSettings TrainingStep::settingsOf(const RunConfig& config) const {
    return OptimizerSettings::from(config, (m_data->rowCount() + config.batch - 1) / config.batch);
}

Result<void> TrainingStep::configure(const RunConfig& config) {
    MOFO_CHECK(checkMethodFits(config));
    return guardTorch([&] { return m_optimizer->configure(settingsOf(config)); });
}

std::vector<ParameterRow> TrainingStep::parameterRows(const std::vector<double>& pretrainedL2) const {
    if (m_lora) return m_lora->parameterRows(pretrainedL2, m_optimizer->filtered());
    std::vector<ParameterRow> rows;
    const auto& infos = m_pretrained->parameters();
    for (std::size_t i = 0; i < infos.size(); ++i) {
        rows.push_back({static_cast<std::int64_t>(i), infos[i].name, std::string(moduleKindName(infos[i].kind)), infos[i].layer,
                        infos[i].elementCount(), m_optimizer->filtered()[i], pretrainedL2[i]});
    }
    return rows;
}

Result<TensorStatistics::Measurement> TrainingStep::measure(std::int64_t step, const RunConfig& config, const StepOutcome& outcome) {
    MOFO_TRY(TensorStatistics::Measurement measured, m_statistics->measure(step, config, m_weights, *m_optimizer, outcome));
    if (m_lora) m_lora->tellOfModel(measured);
    return measured;
}

MemoryPlan TrainingStep::forecast(std::int64_t step, const RunConfig& config) const {
    return forecastMemory(m_pretrained->description(), config, m_data->lengths(step, effectiveMicroBatch(config)), m_device.is_cuda(),
                          at::get_num_threads());
}

Result<void> TrainingStep::checkMemory(const RunConfig& config) const {
    if (!m_device.is_cpu()) return {};
    return requireMemory(
        m_pretrained->description(), config,
        {m_data->lengths(1, effectiveMicroBatch(config)), false, at::get_num_threads(), machineMemory().availableBytes + residentBytes()});
}

Result<TrainingStep::MemoryReading> TrainingStep::rehearseLongest(std::int64_t step, const RunConfig& config) {
    return guardTorch([&]() -> Result<MemoryReading> {
        const std::vector<const TokenRow*> rows = m_data->longestMicroBatch(step, effectiveMicroBatch(config));
        MemoryReading reading;
        reading.forecast = forecast(step, config);
        reading.rows = static_cast<std::int64_t>(rows.size());
        const bool isMeasured = m_device.is_cpu() && resetPeakResident();
        for (const PackedBatch& batch : packMicroBatches(rows, std::max<std::int64_t>(1, reading.rows), config.lossMean)) {
            if (failpoint("step.memory") != 0) throw std::bad_alloc();
            reading.tokens += batch.tokenCount();
            const PackedBatch piece = batch.to(m_device);
            const std::optional<LoraDropout> dropout = m_lora ? std::optional(m_lora->dropout(piece, step)) : std::nullopt;
            m_decoder->addGradients(piece, m_gradients, dropout ? &*dropout : nullptr);
        }
        if (isMeasured) reading.measuredBytes = peakResidentBytes();
        return reading;
    });
}

Result<TrainingStep::Outcome> TrainingStep::run(std::int64_t step, std::int64_t total, const RunConfig& config) {
    const Stopwatch wholeClock;
    Outcome result;
    StepRow& row = result.row;
    Parts& parts = result.parts;
    std::optional<PartTimer> timer;
    timer.emplace("data", &parts.dataMs);
    const std::vector<const TokenRow*> rows = m_data->batch(step);
    const std::vector<PackedBatch> pieces = packMicroBatches(rows, effectiveMicroBatch(config), config.lossMean);
    std::int64_t targets = 0, inputTokens = 0;
    for (const PackedBatch& piece : pieces) {
        targets += piece.targetCount();
        inputTokens += piece.tokenCount();
    }
    timer.emplace("backward", &parts.pass.backwardMs);
    m_gradients.flat().zero_();
    timer.reset();
    double loss = 0;
    std::size_t badPiece = pieces.size();
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (failpoint("step.memory") != 0) throw std::bad_alloc();
        const PackedBatch piece = pieces[i].to(m_device);
        const std::optional<LoraDropout> dropout = m_lora ? std::optional(m_lora->dropout(piece, step)) : std::nullopt;
        double part = m_decoder->addGradients(piece, m_gradients, dropout ? &*dropout : nullptr, &parts.pass);
        if (failpoint("step.loss") != 0) part = std::numeric_limits<double>::quiet_NaN();
        if (!std::isfinite(part) && badPiece == pieces.size()) badPiece = i;
        loss += part;
    }
    if (failpoint("step.gradient") != 0) m_gradients.flat().narrow(0, 0, 1).fill_(std::numeric_limits<float>::quiet_NaN());
    const std::vector<bool>& frozen = m_optimizer->frozenAt(step);
    timer.emplace("clip", &parts.clipMs);
    const double norm = (*m_gradientNorm)(m_gradients, frozen);
    if (config.optimizer == OptimizerKind::Hft && frozen != m_frozen) {
        m_frozen = frozen;
        result.noticeKind = "state";
        result.notice = "half fine-tuning freezes " + formatCount(std::count(frozen.begin(), frozen.end(), true)) + " of " +
                        formatCount(static_cast<std::int64_t>(frozen.size())) + " tensors from step " + std::to_string(step);
    }
    timer.emplace("optimizer", &parts.optimizerMs);
    const double scale = config.clip > 0 && norm > config.clip ? config.clip / (norm + 1e-6) : 1.0;
    row.step = step;
    row.lossState = lossStateOf(loss);
    row.loss = loss;
    row.gradNorm = norm;
    row.clippedNorm = norm * scale;
    row.lr = learningRate(config, step, total);
    row.alpha = selectsCoordinates(config.optimizer) ? config.alpha.common.at(step) : 1.0;
    row.granularity = config.granularity.text();
    row.tokens = targets;
    row.inputTokens = inputTokens;
    row.epoch = m_data->epochAfter(step);
    const bool logged = step == 1 || step == total || (config.statsEvery > 0 && step % config.statsEvery == 0);
    const StepOutcome* outcome = nullptr;
    if (pieces.empty()) {
        result.noticeKind = "warning";
        result.notice = "none of the rows of step " + std::to_string(step) + " has anything to train on; nothing was updated";
    } else if (std::binary_search(config.skipSteps.begin(), config.skipSteps.end(), step)) {
        result.withheld = true;
        result.noticeKind = "skip";
        result.notice = "the update of step " + std::to_string(step) + " is left out, as skip_steps asks";
    } else if (std::isfinite(loss) && row.clippedNorm <= largestNorm) {
        MOFO_TRY(outcome, m_optimizer->step(step, row.lr, scale, true, {.updates = logged, .histograms = logged}));
        if (!m_lora) m_decoder->weightsChanged();
        row.movedCount = outcome->selectedCount();
        if (outcome->nanFound) result.refusal = "a moment would become NaN at step " + std::to_string(step);
    } else {
        std::string what = "the loss is " + lossStateOf(loss);
        if (std::isfinite(norm) && std::isfinite(loss)) what = "the gradient norm " + formatShortest(norm) + " is too large for fp32";
        if (!std::isfinite(norm) && std::isfinite(loss)) {
            what = "the gradient norm is " + lossStateOf(norm);
            for (std::size_t i = 0; i < trained().parameters().size(); ++i) {
                if (frozen[i] || m_gradients.view(i).isfinite().all().item<bool>()) continue;
                what += ", first in " + trained().parameters()[i].name + ",";
                break;
            }
        }
        result.refusal = what + " at step " + std::to_string(step) + " (rows of " + linesOf(rows, effectiveMicroBatch(config), badPiece) + ")";
    }
    timer.emplace("statistics", &parts.statisticsMs);
    if (outcome != nullptr && result.refusal.empty() && logged) {
        MOFO_TRY(TensorStatistics::Measurement measured, measure(step, config, *outcome));
        result.drift = measured.drift.relative();
        row.topGradientNorm = measured.topGradientNorm;
        result.measured = std::move(measured.rows);
        if (!m_parametersGiven) result.measured.parameters = parameterRows(measured.pretrainedL2);
        m_parametersGiven = true;
    }
    timer.reset();
    row.dataMs = parts.dataMs;
    row.forwardBackwardMs = parts.pass.forwardMs + parts.pass.lossMs + parts.pass.backwardMs + parts.clipMs;
    row.optimizerMs = parts.optimizerMs;
    row.statisticsMs = parts.statisticsMs;

    row.stepMs = wholeClock.elapsedMs();
    row.tokensPerSecond = static_cast<double>(targets) / row.stepMs * 1e3;
    row.memoryBytes = static_cast<std::int64_t>(residentBytes());
    row.wallNs = wallNs();
    return result;
}

}  // namespace mofo
