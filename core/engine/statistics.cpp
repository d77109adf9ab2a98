#include "core/engine/statistics.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <mutex>
#include <optional>

#include "core/config/name_pattern.h"

namespace mofo {

namespace {

/// Coordinates of the pretrained weights that a thread reads at a time: they stay in its cache until they are compared.
constexpr std::int64_t kDriftPiece = 8 * kernels::statisticsChunk;
constexpr std::int64_t kMaskWords = 1 << 14;  ///< that a thread counts at a time

std::uint32_t count32(std::int64_t value) {
    return static_cast<std::uint32_t>(std::min<std::int64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

/// Coordinates [first, first + count) of a parameter, and where its weights are.
struct DriftPiece {
    std::size_t parameter = 0;
    std::int64_t first = 0, count = 0;
    const float* weights = nullptr;
};

void addPieces(const ModelSource& pretrained, std::size_t parameter, const float* weights, std::vector<DriftPiece>& pieces) {
    const std::int64_t size = pretrained.parameters()[parameter].elementCount(), least = pretrained.pieceElements(parameter);
    const std::int64_t length = (kDriftPiece + least - 1) / least * least;
    for (std::int64_t first = 0; first < size; first += length) pieces.push_back({parameter, first, std::min(length, size - first), weights});
}

Result<void> driftOf(const ModelSource& pretrained, const DriftPiece& piece, std::vector<float>& buffer, std::vector<std::byte>& workspace,
                     kernels::Drift& drift) {
    const auto count = static_cast<std::size_t>(piece.count);
    if (buffer.size() < count) buffer.resize(count);
    workspace.resize(std::max(workspace.size(), kernels::cpu::statisticsWorkspaceBytes({&piece.count, 1})));
    MOFO_CHECK(pretrained.readPiece(piece.parameter, piece.first, std::span(buffer.data(), count)));
    const kernels::ArrayPair pair{piece.weights + piece.first, buffer.data(), piece.count};
    if (!kernels::cpu::drifts({&pair, 1}, {&drift, 1}, workspace, {}))
        return Error{ErrorCode::Internal, "the drift kernel refused its arguments", "", "", ""};
    return {};
}

/// Each piece by one thread; added up in their order, so that the sums have the same bits however many threads there are.
Result<void> addDrifts(const ModelSource& pretrained, const std::vector<DriftPiece>& pieces, std::vector<kernels::Drift>& sums) {
    std::vector<kernels::Drift> drifts(pieces.size());
    std::mutex mutex;
    std::optional<Error> error;
    at::parallel_for(0, static_cast<std::int64_t>(pieces.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> buffer;
        std::vector<std::byte> workspace;
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            auto done = driftOf(pretrained, pieces[i], buffer, workspace, drifts[i]);
            if (done.ok()) continue;
            const std::lock_guard lock(mutex);
            if (!error) error = std::move(done).error();
            return;
        }
    });
    if (error) return *error;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        kernels::Drift& sum = sums[pieces[i].parameter];
        sum.l2 += drifts[i].l2 * drifts[i].l2;  // a square until all are added
        sum.pretrainedL2 += drifts[i].pretrainedL2 * drifts[i].pretrainedL2;
        sum.l1 += drifts[i].l1;
        sum.linf = std::isnan(sum.linf) || drifts[i].linf < sum.linf ? sum.linf : drifts[i].linf;
        sum.changed += drifts[i].changed;
        sum.changedBf16 += drifts[i].changedBf16;
    }
    return {};
}

HistogramRow histogramRow(std::int64_t step, std::size_t parameter, const kernels::LogHistogram& histogram) {
    HistogramRow row{.step = step, .parameter = static_cast<std::int64_t>(parameter), .stepsPerOctave = kernels::histogramStepsPerOctave};
    const auto occupied = [](std::int64_t count) { return count != 0; };
    const auto first = std::find_if(histogram.bins.begin(), histogram.bins.end(), occupied);
    if (first == histogram.bins.end()) return row;
    row.firstBin = kernels::histogramStepsPerOctave * kernels::histogramLowestExponent + (first - histogram.bins.begin());
    for (auto bin = first; bin != std::find_if(histogram.bins.rbegin(), histogram.bins.rend(), occupied).base(); ++bin)
        row.counts.push_back(count32(*bin));
    return row;
}

}  // namespace

Result<std::vector<kernels::Drift>> measureDrift(const ModelSource& pretrained, const ParameterArena& weights) {
    std::vector<kernels::Drift> sums(weights.count());
    std::vector<DriftPiece> pieces;
    for (std::size_t i = 0; i < weights.count(); ++i) {
        const at::Tensor host = weights.view(i).to(at::kCPU);
        addPieces(pretrained, i, host.const_data_ptr<float>(), pieces);
        // Of another device one tensor at a time is here.
        if (!weights.flat().is_cpu() || i + 1 == weights.count()) {
            MOFO_CHECK(addDrifts(pretrained, pieces, sums));
            pieces.clear();
        }
    }
    for (kernels::Drift& drift : sums) {
        drift.l2 = std::sqrt(drift.l2);
        drift.pretrainedL2 = std::sqrt(drift.pretrainedL2);
    }
    return sums;
}

CoordinateBits::CoordinateBits(const std::vector<ParameterInfo>& infos) {
    std::size_t words = 0;
    for (const ParameterInfo& info : infos) {
        m_first.push_back(words);
        words += static_cast<std::size_t>((info.elementCount() + 63) / 64);
    }
    m_first.push_back(words);
    m_words.assign(words, 0);
}

std::span<std::uint64_t> CoordinateBits::of(std::size_t parameter) {
    return std::span(m_words).subspan(m_first[parameter], m_first[parameter + 1] - m_first[parameter]);
}

std::span<const std::uint64_t> CoordinateBits::of(std::size_t parameter) const {
    return std::span(m_words).subspan(m_first[parameter], m_first[parameter + 1] - m_first[parameter]);
}

std::int64_t CoordinateBits::count(std::size_t parameter, std::int64_t begin, std::int64_t end) const {
    if (begin >= end) return 0;
    const std::span<const std::uint64_t> words = of(parameter);
    const auto first = static_cast<std::size_t>(begin / 64), last = static_cast<std::size_t>((end - 1) / 64);
    const std::uint64_t fromBegin = ~0ull << (begin % 64), toEnd = ~0ull >> (63 - (end - 1) % 64);
    if (first == last) return std::popcount(words[first] & fromBegin & toEnd);
    std::int64_t sum = std::popcount(words[first] & fromBegin) + std::popcount(words[last] & toEnd);
    for (std::size_t w = first + 1; w < last; ++w) sum += std::popcount(words[w]);
    return sum;
}

TensorStatistics::TensorStatistics(const ModelSource& pretrained, bool coverage)
    : m_pretrained(pretrained), m_infos(pretrained.parameters()), m_now(m_infos), m_previous(m_infos) {
    if (coverage) m_ever = CoordinateBits(m_infos);
}

void TensorStatistics::addStateTo(std::vector<StateBytes>& bytes) {
    if (m_hasPrevious) bytes.push_back({previousName, m_previous.bytes()});
    if (!m_ever.empty()) bytes.push_back({everName, m_ever.bytes()});
}

void TensorStatistics::restoreState(std::span<const std::byte> previous, std::span<const std::byte> ever) {
    const auto fill = [](CoordinateBits& bits, std::span<const std::byte> from) {
        const std::span<std::byte> to = bits.bytes();
        const bool fits = from.size() == to.size() && !to.empty();
        if (fits) {
            std::copy(from.begin(), from.end(), to.begin());
        } else {
            std::fill(to.begin(), to.end(), std::byte{0});
        }
        return fits;
    };
    m_hasPrevious = fill(m_previous, previous);
    fill(m_ever, ever);
}

Result<TensorStatistics::Measurement> TensorStatistics::measure(std::int64_t step, const RunConfig& config, const ParameterArena& weights,
                                                                const Optimizer& optimizer, const StepOutcome& outcome) {
    Measurement result;
    TensorRow row;
    row.step = step;
    for (const kernels::TensorResult& tensor : outcome.tensors) {
        row.selected.push_back(count32(tensor.selected));
        row.masked.push_back(count32(tensor.masked));
        row.squaredUpdate.push_back(static_cast<float>(tensor.squaredUpdate));
    }
    for (std::size_t i = 0; i < outcome.histograms.size(); ++i) result.rows.histograms.push_back(histogramRow(step, i, outcome.histograms[i]));
    addThresholds(optimizer, outcome, row, result.rows);

    if (const kernels::StepArguments* const lastStep = optimizer.lastStep()) {
        if (!outcome.partitions.empty()) {
            std::vector<double> sums(outcome.partitions.size());
            MOFO_CHECK(optimizer.topGradientSums(sums));
            result.topGradientNorm = 0;
            for (const double sum : sums) result.topGradientNorm += sum;
            result.topGradientNorm /= static_cast<double>(lastStep->scalars->gradScale);
        }
        MOFO_CHECK(addMasks(optimizer, config, row, result.rows));
    }

    MOFO_TRY(const std::vector<kernels::Drift> drifts, measureDrift(m_pretrained, weights));
    double squares = 0, pretrainedSquares = 0;
    for (const kernels::Drift& drift : drifts) {
        row.driftL2.push_back(static_cast<float>(drift.l2));
        row.driftL1.push_back(static_cast<float>(drift.l1));
        row.driftMax.push_back(static_cast<float>(drift.linf));
        row.changed.push_back(count32(drift.changed));
        row.changedBf16.push_back(count32(drift.changedBf16));
        result.pretrainedL2.push_back(drift.pretrainedL2);
        squares += drift.l2 * drift.l2;
        pretrainedSquares += drift.pretrainedL2 * drift.pretrainedL2;
    }
    result.drift = {std::sqrt(squares), std::sqrt(pretrainedSquares)};
    result.rows.tensors.push_back(std::move(row));
    return result;
}

void TensorStatistics::addThresholds(const Optimizer& optimizer, const StepOutcome& outcome, TensorRow& row, MetricsBatch& rows) const {
    row.threshold = optimizer.medianThresholds(outcome);
    const std::vector<Partition>& partitions = optimizer.partitions();
    const std::size_t count = outcome.partitions.size();
    if (count == 0) return;
    if (optimizer.settings().granularity.kind != GranularityKind::Tensor && count <= PartitionRow::most) {
        PartitionRow all{.step = row.step, .granularity = optimizer.settings().granularity.text()};
        for (const kernels::PartitionResult& partition : outcome.partitions) {
            all.selected.push_back(count32(partition.selected));
            all.threshold.push_back(partition.threshold);
            all.squaredUpdate.push_back(static_cast<float>(partition.squaredUpdate));
        }
        rows.partitions.push_back(std::move(all));
    }
    std::vector<std::vector<float>> ofTensor(m_infos.size());
    bool several = false;
    for (std::size_t i = 0; i < count; ++i) {
        for (const Slice& slice : partitions[i].slices) {
            auto& values = ofTensor[static_cast<std::size_t>(slice.parameter)];
            values.push_back(outcome.partitions[i].threshold);
            several = several || values.size() > 1;
        }
    }
    if (!several) return;
    ThresholdSpreadRow spread{.step = row.step};
    for (std::vector<float>& values : ofTensor) {
        std::sort(values.begin(), values.end());
        const auto at = [&](std::size_t quarter) { return values.empty() ? 0.0f : values[std::min(values.size() - 1, values.size() * quarter / 4)]; };
        spread.minimum.push_back(at(0));
        spread.firstQuartile.push_back(at(1));
        spread.thirdQuartile.push_back(at(3));
        spread.maximum.push_back(at(4));
    }
    rows.thresholdSpreads.push_back(std::move(spread));
}

Result<void> TensorStatistics::addMasks(const Optimizer& optimizer, const RunConfig& config, TensorRow& row, MetricsBatch& rows) {
    const std::size_t count = m_infos.size();
    std::vector<std::uint64_t*> places;
    for (std::size_t i = 0; i < count; ++i) places.push_back(m_now.of(i).data());
    MOFO_CHECK(optimizer.selectedBits(places));
    row.churn.assign(count, std::numeric_limits<float>::quiet_NaN());
    if (!m_ever.empty()) row.coverage.assign(count, 0);
    for (std::size_t i = 0; i < count; ++i) {
        const std::span<const std::uint64_t> now = m_now.of(i), previous = m_previous.of(i);
        const std::span<std::uint64_t> ever = m_ever.empty() ? std::span<std::uint64_t>() : m_ever.of(i);
        struct Counts {
            std::int64_t selected = 0, common = 0, ever = 0;
        };
        const Counts counts = at::parallel_reduce(
            0, static_cast<std::int64_t>(now.size()), kMaskWords, Counts(),
            [&](std::int64_t begin, std::int64_t end, Counts sum) {
                for (auto w = static_cast<std::size_t>(begin); w < static_cast<std::size_t>(end); ++w) {
                    sum.selected += std::popcount(now[w]);
                    sum.common += std::popcount(now[w] & previous[w]);
                    if (ever.empty()) continue;
                    ever[w] |= now[w];
                    sum.ever += std::popcount(ever[w]);
                }
                return sum;
            },
            [](const Counts& a, const Counts& b) {
                return Counts{a.selected + b.selected, a.common + b.common, a.ever + b.ever};
            });
        if (m_hasPrevious && counts.selected > 0)
            row.churn[i] = static_cast<float>(1.0 - static_cast<double>(counts.common) / static_cast<double>(counts.selected));
        if (!ever.empty()) row.coverage[i] = static_cast<float>(static_cast<double>(counts.ever) / static_cast<double>(m_infos[i].elementCount()));
    }
    for (std::size_t i = 0; i < count; ++i) {
        const ParameterInfo& info = m_infos[i];
        if (info.shape.size() != 2 || !matchesNamePattern(config.rowCounts, info.name)) continue;
        RowCountsRow matrix{.step = row.step, .parameter = static_cast<std::int64_t>(i)};
        for (std::int64_t r = 0; r < info.shape[0]; ++r) matrix.counts.push_back(count32(m_now.count(i, r * info.shape[1], (r + 1) * info.shape[1])));
        rows.rowCounts.push_back(std::move(matrix));
    }
    std::swap(m_now, m_previous);
    m_hasPrevious = true;
    return {};
}

}  // namespace mofo
