#include "core/engine/training_step.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/engine/device.h"
#include "core/engine/schedule.h"
#include "core/engine/torch_guard.h"
#include "core/model/partition.h"

namespace mofo {

namespace {

std::string lossStateOf(double loss) { return std::isnan(loss) ? "nan" : std::isinf(loss) ? "inf" : "finite"; }

std::int64_t residentBytes() {
    std::int64_t pages = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    return resident * sysconf(_SC_PAGESIZE);
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

Result<void> TrainingStep::build(const RunConfig& config, const Progress& progress) {
    const auto& infos = m_pretrained->parameters();
    MOFO_CHECK(checkMethodFits(config));
    const std::string reading = "reading the weights";
    progress("load", 0, reading);
    MOFO_TRY(m_weights, loadWeights(*m_pretrained, m_device, [&](double share) { return progress("load", share, reading); }));
    return guardTorch([&]() -> Result<void> {
        m_gradients = ParameterArena(infos, m_device);
        m_decoder = std::make_unique<Decoder>(m_pretrained->description(), infos, m_weights);
        m_optimizer = std::make_unique<Optimizer>(*m_pretrained, config, m_weights, m_gradients, Optimizer::placeFor(m_device, config.offload));
        m_statistics = std::make_unique<TensorStatistics>(*m_pretrained, config.coverage);
        m_gradientNorm.emplace(infos);
        return {};
    });
}

Result<void> TrainingStep::resetToPretrained() {
    MOFO_TRY(const ParameterArena fresh, loadWeights(*m_pretrained, m_device));
    return guardTorch([&]() -> Result<void> {
        m_weights.flat().copy_(fresh.flat());
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
    std::vector<ParameterRow> rows;
    const auto& infos = m_pretrained->parameters();
    for (std::size_t i = 0; i < infos.size(); ++i) {
        rows.push_back({static_cast<std::int64_t>(i), infos[i].name, std::string(moduleKindName(infos[i].kind)), infos[i].layer,
                        infos[i].elementCount(), m_optimizer->filtered()[i], pretrainedL2[i]});
    }
    return rows;
}

Result<TrainingStep::Outcome> TrainingStep::run(std::int64_t step, std::int64_t total, const RunConfig& config) {
    const Stopwatch wholeClock;
    Stopwatch clock;
    Outcome result;
    StepRow& row = result.row;
    const std::vector<const TokenRow*> rows = m_data->batch(step);
    const std::vector<PackedBatch> pieces = packMicroBatches(rows, effectiveMicroBatch(config), config.lossMean);
    std::int64_t targets = 0, inputTokens = 0;
    for (const PackedBatch& piece : pieces) {
        targets += piece.targetCount();
        inputTokens += piece.tokenCount();
    }
    row.dataMs = clock.elapsedMs();

    clock.restart();
    m_gradients.flat().zero_();
    double loss = 0;
    for (const PackedBatch& piece : pieces) loss += m_decoder->addGradients(piece.to(m_device), m_gradients);
    const std::vector<bool>& frozen = m_optimizer->frozenAt(step);
    const double norm = (*m_gradientNorm)(m_gradients, frozen);
    if (config.optimizer == OptimizerKind::Hft && frozen != m_frozen) {
        m_frozen = frozen;
        result.noticeKind = "state";
        result.notice = "half fine-tuning freezes " + formatCount(std::count(frozen.begin(), frozen.end(), true)) + " of " +
                        formatCount(static_cast<std::int64_t>(frozen.size())) + " tensors from step " + std::to_string(step);
    }
    row.forwardBackwardMs = clock.elapsedMs();

    clock.restart();
    const bool finite = std::isfinite(loss) && std::isfinite(norm);
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
    } else if (finite) {
        MOFO_TRY(outcome, m_optimizer->step(step, row.lr, scale, true, {.updates = logged, .histograms = logged}));
        row.movedCount = outcome->selectedCount();
        if (outcome->nanFound) result.refusal = "a moment would become NaN at step " + std::to_string(step);
    } else {
        std::string lines;
        for (std::size_t i = 0; i < std::min<std::size_t>(rows.size(), 8); ++i) lines += (i == 0 ? "" : ", ") + std::to_string(rows[i]->line);
        result.refusal = (std::isfinite(loss) ? "the gradient norm is " + lossStateOf(norm) : "the loss is " + lossStateOf(loss)) + " at step " +
                         std::to_string(step) + " (rows of lines " + lines + ")";
    }
    row.optimizerMs = clock.elapsedMs();

    clock.restart();
    if (outcome != nullptr && result.refusal.empty() && logged) {
        MOFO_TRY(TensorStatistics::Measurement measured, m_statistics->measure(step, config, m_weights, *m_optimizer, *outcome));
        if (!m_parametersGiven) result.parameters = parameterRows(measured.pretrainedL2);
        m_parametersGiven = true;
        result.drift = measured.drift.relative();
        row.topGradientNorm = measured.topGradientNorm;
        result.measured = std::move(measured.rows);
    }
    row.statisticsMs = clock.elapsedMs();

    row.stepMs = wholeClock.elapsedMs();
    row.tokensPerSecond = static_cast<double>(targets) / row.stepMs * 1e3;
    row.memoryBytes = residentBytes();
    row.wallNs = wallNs();
    return result;
}

}  // namespace mofo
