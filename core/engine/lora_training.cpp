#include "core/engine/lora_training.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace mofo {

namespace {

/// `count` times `value` before what is there, if anything is.
template <class T>
void putBefore(std::vector<T>& values, std::size_t count, T value) {
    if (!values.empty()) values.insert(values.begin(), count, value);
}

template <class T>
T narrowed(std::int64_t value) {
    return static_cast<T>(std::min<std::int64_t>(value, std::numeric_limits<T>::max()));
}

}  // namespace

LoraTraining::LoraTraining(const ModelSource& pretrained, ParameterArena frozen, const LoraSettings& settings)
    : m_pretrained(pretrained), m_frozen(std::move(frozen)), m_settings(settings), m_source(openLora(pretrained, settings)) {}

void LoraTraining::use(const ParameterArena& weights) { m_adapter.emplace(m_pretrained.parameters(), weights, m_settings); }

LoraDropout LoraTraining::dropout(const PackedBatch& batch, std::int64_t update) const {
    return LoraDropout(batch, m_settings, update, m_frozen.flat().device());
}

std::vector<ParameterRow> LoraTraining::parameterRows(const std::vector<double>& pretrainedL2, const std::vector<bool>& filtered) const {
    std::vector<ParameterRow> rows;
    const auto add = [&](const ParameterInfo& info, const std::string& kind, bool isFiltered) {
        const std::size_t index = rows.size();
        rows.push_back({static_cast<std::int64_t>(index), info.name, kind, info.layer, info.elementCount(), isFiltered, pretrainedL2[index]});
    };
    for (const ParameterInfo& info : m_pretrained.parameters()) add(info, std::string(moduleKindName(info.kind)), false);
    const std::vector<ParameterInfo>& trained = m_source->parameters();
    for (std::size_t i = 0; i < trained.size(); ++i)
        add(trained[i], std::string(moduleKindName(trained[i].kind)) + (i % 2 == 0 ? ".A" : ".B"), filtered[i]);
    return rows;
}

void LoraTraining::tellOfModel(TensorStatistics::Measurement& measured) const {
    const std::vector<kernels::Drift> drifts = measureMergedDrift(m_frozen, *m_adapter);
    const std::size_t before = drifts.size(), after = m_source->parameters().size();
    constexpr float none = std::numeric_limits<float>::quiet_NaN();
    for (TensorRow& row : measured.rows.tensors) {
        putBefore(row.selected, before, std::uint32_t{0});
        putBefore(row.masked, before, std::uint32_t{0});
        putBefore(row.squaredUpdate, before, 0.0f);
        putBefore(row.threshold, before, 0.0f);
        putBefore(row.churn, before, none);
        putBefore(row.coverage, before, 0.0f);
        row.driftL2.assign(before + after, 0);
        row.driftL1.assign(before + after, 0);
        row.driftMax.assign(before + after, 0);
        row.changed.assign(before + after, 0);
        row.changedBf16.assign(before + after, 0);
        for (std::size_t i = 0; i < before; ++i) {
            row.driftL2[i] = static_cast<float>(drifts[i].l2);
            row.driftL1[i] = static_cast<float>(drifts[i].l1);
            row.driftMax[i] = static_cast<float>(drifts[i].linf);
            row.changed[i] = narrowed<std::uint32_t>(drifts[i].changed);
            row.changedBf16[i] = narrowed<std::uint32_t>(drifts[i].changedBf16);
        }
    }
    for (HistogramRow& row : measured.rows.histograms) row.parameter += static_cast<std::int64_t>(before);
    for (RowCountsRow& row : measured.rows.rowCounts) row.parameter += static_cast<std::int64_t>(before);
    for (ThresholdSpreadRow& row : measured.rows.thresholdSpreads) {
        for (auto* values : {&row.minimum, &row.firstQuartile, &row.thirdQuartile, &row.maximum}) putBefore(*values, before, 0.0f);
    }
    double squares = 0, pretrainedSquares = 0;
    measured.pretrainedL2.assign(before + after, 0);
    for (std::size_t i = 0; i < before; ++i) {
        measured.pretrainedL2[i] = drifts[i].pretrainedL2;
        squares += drifts[i].l2 * drifts[i].l2;
        pretrainedSquares += drifts[i].pretrainedL2 * drifts[i].pretrainedL2;
    }
    measured.drift = {std::sqrt(squares), std::sqrt(pretrainedSquares)};
}

}  // namespace mofo
