// What a run that trains LoRA's matrices has beside them: the frozen model, and statistics that tell of the model that comes of both.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/engine/lora.h"
#include "core/engine/parameter_set.h"
#include "core/engine/statistics.h"
#include "core/model/lora.h"
#include "core/model/model_source.h"
#include "core/store/run_metrics.h"

namespace mofo {

class LoraTraining {
public:
    /// `frozen`: the weights of `pretrained`, which must outlive it.
    LoraTraining(const ModelSource& pretrained, ParameterArena frozen, const LoraSettings& settings);
    /// `weights`: of source(), which must outlive it. To be called once.
    void use(const ParameterArena& weights);

    [[nodiscard]] const ModelSource& source() const { return *m_source; }  ///< A and B as they begin
    [[nodiscard]] const ParameterArena& frozen() const { return m_frozen; }
    [[nodiscard]] const LoraAdapter& adapter() const { return *m_adapter; }
    [[nodiscard]] LoraDropout dropout(const PackedBatch& batch, std::int64_t update) const;

    /// The model's parameters come first: of them the drift of W + scale B A from W is told, and that no step selects any. A and B follow (kinds
    /// "q.A", "q.B" ...), of which selection, thresholds and |m| are told; their drift is part of the former, and told as 0.
    [[nodiscard]] std::vector<ParameterRow> parameterRows(const std::vector<double>& pretrainedL2, const std::vector<bool>& filtered) const;
    /// Turns what was measured of A and B into that.
    void tellOfModel(TensorStatistics::Measurement& measured) const;

private:
    const ModelSource& m_pretrained;
    ParameterArena m_frozen;
    LoraSettings m_settings;
    std::unique_ptr<ModelSource> m_source;
    std::optional<LoraAdapter> m_adapter;
};

}  // namespace mofo
