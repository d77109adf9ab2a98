#include "core/engine/statistics.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include "kernels/include/statistics.h"

namespace mofo {

namespace {

std::uint32_t count32(std::int64_t value) {
    return static_cast<std::uint32_t>(std::min<std::int64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

void setBit(std::vector<std::uint64_t>& bits, std::int64_t i) { bits[static_cast<std::size_t>(i >> 6)] |= 1ull << (i & 63); }

}  // namespace

TensorStatistics::TensorStatistics(const ModelSource& pretrained, const std::vector<ParameterInfo>& infos)
    : m_pretrained(pretrained), m_infos(infos), m_previous(infos.size()), m_ever(infos.size()) {
    std::int64_t largest = 0;
    for (const ParameterInfo& info : infos) {
        m_sizes.push_back(info.elementCount());
        largest = std::max(largest, info.elementCount());
    }
    m_buffer.resize(static_cast<std::size_t>(largest));
    m_workspace.resize(kernels::cpu::statisticsWorkspaceBytes(m_sizes) + 64);
}

Result<TensorStatistics::Measurement> TensorStatistics::measure(std::int64_t step, const ParameterArena& weights, Optimizer& optimizer,
                                                                const StepOutcome& outcome) {
    const kernels::Execution execution = torchExecution();
    const std::size_t count = m_infos.size();
    Measurement result;
    TensorRow& row = result.row;
    row.step = step;
    row.threshold = optimizer.medianThresholds(outcome);
    double sumSquares = 0, sumPretrained = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto size = static_cast<std::size_t>(m_sizes[i]);
        const std::span<float> pretrained(m_buffer.data(), size);
        MOFO_CHECK(m_pretrained.readParameter(i, pretrained));
        const at::Tensor p = weights.view(i).to(at::kCPU).contiguous();
        const kernels::ArrayPair pair{p.const_data_ptr<float>(), pretrained.data(), m_sizes[i]};
        kernels::Drift drift;
        if (!kernels::cpu::drifts({&pair, 1}, {&drift, 1}, m_workspace, execution)) {
            return Error{ErrorCode::Internal, "the drift kernel refused its arguments", "", "", ""};
        }
        row.driftL2.push_back(static_cast<float>(drift.l2));
        row.driftL1.push_back(static_cast<float>(drift.l1));
        row.driftMax.push_back(static_cast<float>(drift.linf));
        row.changed.push_back(count32(drift.changed));
        row.changedBf16.push_back(count32(drift.changedBf16));
        row.selected.push_back(count32(outcome.tensors[i].selected));
        row.masked.push_back(count32(outcome.tensors[i].masked));
        result.pretrainedL2.push_back(drift.pretrainedL2);
        sumSquares += drift.l2 * drift.l2;
        sumPretrained += drift.pretrainedL2 * drift.pretrainedL2;

        const at::Tensor m = optimizer.firstMoments().view(i).to(at::kCPU).contiguous();
        const kernels::Array array{m.const_data_ptr<float>(), m_sizes[i]};
        kernels::LogHistogram histogram;
        if (!kernels::cpu::logHistograms({&array, 1}, {&histogram, 1}, execution)) {
            return Error{ErrorCode::Internal, "the histogram kernel refused its arguments", "", "", ""};
        }
        HistogramRow bins{step, static_cast<std::int64_t>(i), {}};
        for (const std::int64_t bin : histogram.bins) bins.bins.push_back(count32(bin));
        result.histograms.push_back(std::move(bins));
    }
    result.drift = {std::sqrt(sumSquares), std::sqrt(sumPretrained)};
    measureMasks(optimizer, outcome, row);
    return result;
}

void TensorStatistics::measureMasks(Optimizer& optimizer, const StepOutcome& outcome, TensorRow& row) {
    const std::size_t count = m_infos.size();
    // The mask is not kept by the step; it follows from m and the thresholds, as the step itself derived it.
    std::vector<std::vector<std::uint64_t>> masks(count);
    std::vector<at::Tensor> moments(count);
    for (std::size_t i = 0; i < count; ++i) {
        masks[i].assign(static_cast<std::size_t>((m_sizes[i] + 63) / 64), 0);
        moments[i] = optimizer.firstMoments().view(i).to(at::kCPU).contiguous();
    }
    struct Piece {
        Slice slice;
        float threshold;
    };
    std::vector<std::vector<Piece>> pieces(count);
    for (std::size_t i = 0; i < outcome.partitions.size(); ++i)
        for (const Slice& slice : optimizer.partitions()[i].slices)
            pieces[static_cast<std::size_t>(slice.parameter)].push_back({slice, outcome.partitions[i].threshold});
    for (std::size_t i = 0; i < count; ++i)
        if (pieces[i].empty()) pieces[i].push_back({{static_cast<std::int32_t>(i), 0, 1, m_sizes[i], m_sizes[i]}, 0.0f});
    row.churn.assign(count, std::numeric_limits<float>::quiet_NaN());
    row.coverage.assign(count, 0.0f);
    at::parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            const float* m = moments[i].const_data_ptr<float>();
            for (const Piece& piece : pieces[i]) {
                for (std::int64_t r = 0; r < piece.slice.rows; ++r) {
                    const std::int64_t first = piece.slice.begin + r * piece.slice.stride;
                    for (std::int64_t j = first; j < first + piece.slice.length; ++j) {
                        if (m[j] != 0.0f && std::fabs(m[j]) >= piece.threshold) setBit(masks[i], j);
                    }
                }
            }
            std::int64_t now = 0, common = 0, ever = 0;
            const bool hadPrevious = !m_previous[i].empty();
            if (m_ever[i].empty()) m_ever[i].assign(masks[i].size(), 0);
            for (std::size_t w = 0; w < masks[i].size(); ++w) {
                now += std::popcount(masks[i][w]);
                if (hadPrevious) common += std::popcount(masks[i][w] & m_previous[i][w]);
                m_ever[i][w] |= masks[i][w];
                ever += std::popcount(m_ever[i][w]);
            }
            if (hadPrevious && now > 0) row.churn[i] = static_cast<float>(1.0 - static_cast<double>(common) / static_cast<double>(now));
            row.coverage[i] = static_cast<float>(static_cast<double>(ever) / static_cast<double>(m_sizes[i]));
        }
    });
    m_previous = std::move(masks);
}

}  // namespace mofo
