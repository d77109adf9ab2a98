// What an update computes with, and the update: rows, forward and backward, norm, clipping, optimizer, measurements.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/decoder.h"
#include "core/engine/gradient_norm.h"
#include "core/engine/lora_training.h"
#include "core/engine/optimizer.h"
#include "core/engine/parameter_set.h"
#include "core/engine/statistics.h"
#include "core/engine/training_data.h"
#include "core/model/model_source.h"
#include "core/plan/memory_plan.h"
#include "core/store/run_metrics.h"

namespace mofo {

/// Members in the order in which they come to life. Not movable: they refer to one another.
class TrainingStep {
public:
    TrainingStep() = default;
    TrainingStep(const TrainingStep&) = delete;
    TrainingStep& operator=(const TrainingStep&) = delete;

    using Progress = std::function<bool(std::string_view phase, double progress, const std::string& detail)>;
    /// Model and data. `progress`: false cancels.
    Result<void> load(const std::string& modelFolder, const std::string& device, const RunConfig& config, const Progress& progress);
    /// The same of what is there already; there is no tokenizer then.
    void use(std::unique_ptr<ModelSource> pretrained, TrainingData data, c10::Device device);
    /// Other rows than were loaded; before build().
    void useRows(TrainingData data) { m_data = std::move(data); }
    /// Weights and optimizer, which need the method to fit the model. On the CPU OutOfMemory, with nothing taken yet, where the forecast does not fit
    /// into what is free.
    Result<void> build(const RunConfig& config, const Progress& progress);
    /// Weights of the sealed model (LoRA: A and B as they begin) and moments of zero, as after build().
    Result<void> resetToPretrained();
    /// Settings that the next update is the first to use; nothing changes where they are refused.
    Result<void> configure(const RunConfig& config);
    [[nodiscard]] Result<void> checkMethodFits(const RunConfig& config) const;

    /// Where an update's time went.
    struct Parts {
        double dataMs = 0, clipMs = 0, optimizerMs = 0, statisticsMs = 0;
        PassTimes pass;  ///< with zeroing the gradients, which the backward pass adds to
    };
    /// What the run takes at most, found out before the first update: a forward and backward pass over the longest micro-batch from update `step`
    /// on, whose gradients nobody keeps.
    struct MemoryReading {
        MemoryPlan forecast;                ///< of that micro-batch
        std::uint64_t measuredBytes = 0;    ///< resident at most; 0 where it could not be told
        std::int64_t rows = 0, tokens = 0;  ///< of the micro-batch
    };
    [[nodiscard]] MemoryPlan forecast(std::int64_t step, const RunConfig& config) const;
    Result<MemoryReading> rehearseLongest(std::int64_t step, const RunConfig& config);

    struct Outcome {
        StepRow row;
        Parts parts;
        MetricsBatch measured;        ///< the parameters with the first measurement
        std::optional<double> drift;  ///< where it was measured
        std::string notice;           ///< something to say: rows without anything to train on, frozen tensors
        std::string noticeKind;
        std::string refusal;    ///< why nothing was updated, or empty
        bool withheld = false;  ///< nothing was updated, as skip_steps asks
    };
    /// Update `step`, 1-based, of `total`.
    Result<Outcome> run(std::int64_t step, std::int64_t total, const RunConfig& config);

    [[nodiscard]] const ModelSource& pretrained() const { return *m_pretrained; }
    /// What the optimizer moves, as it is before the first step: the model, or LoRA's matrices. weights(), moments and checkpoints have its
    /// parameters.
    [[nodiscard]] const ModelSource& trained() const { return m_lora ? m_lora->source() : *m_pretrained; }
    [[nodiscard]] const Tokenizer& tokenizer() const { return *m_tokenizer; }
    [[nodiscard]] TrainingData& data() { return *m_data; }
    [[nodiscard]] const TrainingData& data() const { return *m_data; }
    [[nodiscard]] c10::Device device() const { return m_device; }
    /// Whoever asks may change them.
    [[nodiscard]] ParameterArena& weights() {
        if (!m_lora) m_decoder->weightsChanged();
        return m_weights;
    }
    [[nodiscard]] const Decoder& decoder() const { return *m_decoder; }
    [[nodiscard]] Optimizer& optimizer() { return *m_optimizer; }
    [[nodiscard]] TensorStatistics& statistics() { return *m_statistics; }

private:
    [[nodiscard]] Result<void> checkMemory(const RunConfig& config) const;
    [[nodiscard]] OptimizerSettings settingsOf(const RunConfig& config) const;
    [[nodiscard]] std::vector<ParameterRow> parameterRows(const std::vector<double>& pretrainedL2) const;
    Result<TensorStatistics::Measurement> measure(std::int64_t step, const RunConfig& config, const StepOutcome& outcome);

    std::unique_ptr<ModelSource> m_pretrained;
    std::optional<Tokenizer> m_tokenizer;
    std::optional<TrainingData> m_data;
    c10::Device m_device = c10::kCPU;
    std::unique_ptr<LoraTraining> m_lora;
    ParameterArena m_weights, m_gradients;
    std::unique_ptr<Decoder> m_decoder;
    std::unique_ptr<Optimizer> m_optimizer;
    std::unique_ptr<TensorStatistics> m_statistics;
    std::optional<GradientNorm> m_gradientNorm;
    std::vector<bool> m_frozen;  ///< as last said
    bool m_parametersGiven = false;
};

}  // namespace mofo
