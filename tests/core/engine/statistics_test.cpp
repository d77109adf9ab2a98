// What is logged about a step, against plain loops over the weights, moments and gradients it left.
#include "core/engine/statistics.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tests/core/engine/optimizer_support.h"

namespace mofo {
namespace {

using test::SteppedModel;

const float* values(const at::Tensor& tensor) { return tensor.const_data_ptr<float>(); }

class StatisticsTest : public test::OptimizerFixture {
protected:
    TensorStatistics::Measurement measure(TensorStatistics& statistics, SteppedModel& model, const RunConfig& config, std::int64_t step) {
        setGradient(model, step);
        // Rows that no token touched: nothing to move by.
        model.gradients.view(0).narrow(0, 0, 40).zero_();
        const StepOutcome& outcome = model.step(step, 1e-3, 0.25);
        auto measured = statistics.measure(step, config, model.weights, model.optimizer, outcome);
        EXPECT_OK(measured);
        return std::move(*measured);
    }
    /// Coordinates that the last step selected, per parameter, from m and the thresholds of a sort.
    std::vector<std::set<std::int64_t>> selected(SteppedModel& model, double alpha) {
        std::vector<std::set<std::int64_t>> sets(m_source->parameters().size());
        const auto add = [&](std::size_t parameter, std::int64_t i, float threshold) {
            const float m = std::fabs(values(model.optimizer.firstMoments().view(parameter))[i]);
            if (m != 0 && m >= threshold) sets[parameter].insert(i);
        };
        for (const Partition& partition : model.optimizer.partitions()) {
            std::vector<std::pair<std::size_t, std::int64_t>> places;
            for (const Slice& slice : partition.slices)
                for (std::int64_t r = 0; r < slice.rows; ++r)
                    for (std::int64_t j = 0; j < slice.length; ++j) places.emplace_back(slice.parameter, slice.begin + r * slice.stride + j);
            std::vector<float> ranks;
            for (const auto& [parameter, i] : places) ranks.push_back(std::fabs(values(model.optimizer.firstMoments().view(parameter))[i]));
            std::sort(ranks.rbegin(), ranks.rend());
            const float threshold = ranks[std::max<std::size_t>(1, static_cast<std::size_t>(alpha * static_cast<double>(ranks.size()))) - 1];
            for (const auto& [parameter, i] : places) add(parameter, i, threshold);
        }
        for (std::size_t p = 0; p < sets.size(); ++p) {
            if (model.optimizer.filtered()[p] && !model.optimizer.partitions().empty()) continue;
            for (std::int64_t i = 0; i < m_source->parameters()[p].elementCount(); ++i) add(p, i, 0);
        }
        return sets;
    }
    const RunConfig m_defaults;
};

class StatisticsOfMasks : public StatisticsTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(StatisticsOfMasks, ChurnCoverageAndRowCountsAreThoseOfTheMasks) {
    RunConfig config;
    ASSERT_OK(setConfigValue(config, "granularity", GetParam()));
    config.rowCounts = "*q_proj*,*embed*,*norm*";
    SteppedModel model(*m_source, config);
    TensorStatistics statistics(*m_source, true);
    const std::size_t count = m_source->parameters().size();
    std::vector<std::set<std::int64_t>> previous, ever(count);
    for (std::int64_t step = 1; step <= 4; ++step) {
        const auto measured = measure(statistics, model, config, step);
        const auto now = selected(model, 0.15);
        const TensorRow& row = measured.rows.tensors.front();
        for (std::size_t p = 0; p < count; ++p) {
            const std::string& name = m_source->parameters()[p].name;
            ASSERT_EQ(row.selected[p], now[p].size()) << name;
            ever[p].insert(now[p].begin(), now[p].end());
            EXPECT_FLOAT_EQ(row.coverage[p], static_cast<float>(ever[p].size()) / static_cast<float>(m_source->parameters()[p].elementCount()))
                << name;
            if (step == 1) {
                EXPECT_TRUE(std::isnan(row.churn[p])) << "nothing to compare with";
                continue;
            }
            const auto kept = std::count_if(now[p].begin(), now[p].end(), [&](std::int64_t i) { return previous[p].contains(i); });
            EXPECT_FLOAT_EQ(row.churn[p], 1.0f - static_cast<float>(kept) / static_cast<float>(now[p].size())) << name;
        }
        std::vector<std::string> counted;
        for (const RowCountsRow& matrix : measured.rows.rowCounts) {
            const auto p = static_cast<std::size_t>(matrix.parameter);
            const ParameterInfo& info = m_source->parameters()[p];
            counted.push_back(info.name);
            ASSERT_EQ(matrix.counts.size(), static_cast<std::size_t>(info.shape[0]));
            std::vector<std::uint32_t> expected(matrix.counts.size());
            for (const std::int64_t i : now[p]) ++expected[static_cast<std::size_t>(i / info.shape[1])];
            EXPECT_EQ(matrix.counts, expected) << info.name;
        }
        EXPECT_EQ(counted, (std::vector<std::string>{"model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight",
                                                     "model.layers.1.self_attn.q_proj.weight"}))
            << "matrices alone";
        previous = now;
    }
}

TEST_P(StatisticsOfMasks, PartitionsAndSpreadsAreThoseOfTheStep) {
    RunConfig config;
    ASSERT_OK(setConfigValue(config, "granularity", GetParam()));
    SteppedModel model(*m_source, config);
    TensorStatistics statistics(*m_source, true);
    const auto measured = measure(statistics, model, config, 1);
    const std::vector<Partition>& partitions = model.optimizer.partitions();
    const bool tensorwise = config.granularity.kind == GranularityKind::Tensor;
    ASSERT_EQ(measured.rows.partitions.size(), tensorwise ? 0u : 1u) << "tensors say it all";
    std::map<std::size_t, std::vector<float>> thresholds;
    std::uint64_t selectedInAll = 0;
    if (!tensorwise) {
        const PartitionRow& row = measured.rows.partitions.front();
        EXPECT_EQ(row.granularity, GetParam());
        ASSERT_EQ(row.selected.size(), partitions.size());
        for (std::size_t i = 0; i < partitions.size(); ++i) {
            selectedInAll += row.selected[i];
            EXPECT_EQ(row.squaredUpdate[i] > 0, row.selected[i] > 0);
            for (const Slice& slice : partitions[i].slices) thresholds[static_cast<std::size_t>(slice.parameter)].push_back(row.threshold[i]);
        }
        std::uint64_t selectedByTensor = 0;
        for (std::size_t p = 0; p < model.optimizer.filtered().size(); ++p)
            if (model.optimizer.filtered()[p]) selectedByTensor += measured.rows.tensors.front().selected[p];
        EXPECT_EQ(selectedInAll, selectedByTensor);
    }
    const bool several = std::any_of(thresholds.begin(), thresholds.end(), [](const auto& entry) { return entry.second.size() > 1; });
    ASSERT_EQ(measured.rows.thresholdSpreads.size(), several ? 1u : 0u);
    if (!several) return;
    const ThresholdSpreadRow& spread = measured.rows.thresholdSpreads.front();
    for (std::size_t p = 0; p < model.optimizer.filtered().size(); ++p) {
        if (!thresholds.contains(p)) {
            EXPECT_EQ(spread.maximum[p], 0);
            continue;
        }
        EXPECT_EQ(spread.minimum[p], *std::min_element(thresholds[p].begin(), thresholds[p].end()));
        EXPECT_EQ(spread.maximum[p], *std::max_element(thresholds[p].begin(), thresholds[p].end()));
        EXPECT_LE(spread.minimum[p], spread.firstQuartile[p]);
        EXPECT_LE(spread.firstQuartile[p], measured.rows.tensors.front().threshold[p]);
        EXPECT_LE(measured.rows.tensors.front().threshold[p], spread.thirdQuartile[p]);
        EXPECT_LE(spread.thirdQuartile[p], spread.maximum[p]);
    }
}

TEST_P(StatisticsOfMasks, TheTopGradientNormIsThatOfASortBeforeClipping) {
    RunConfig config;
    ASSERT_OK(setConfigValue(config, "granularity", GetParam()));
    SteppedModel model(*m_source, config);
    TensorStatistics statistics(*m_source, true);
    const auto measured = measure(statistics, model, config, 1);
    double expected = 0;
    for (const Partition& partition : model.optimizer.partitions()) {
        std::vector<double> sizes;
        for (const Slice& slice : partition.slices)
            for (std::int64_t r = 0; r < slice.rows; ++r)
                for (std::int64_t j = 0; j < slice.length; ++j)
                    sizes.push_back(std::fabs(values(model.gradients.view(slice.parameter))[slice.begin + r * slice.stride + j]));
        std::sort(sizes.rbegin(), sizes.rend());
        for (std::size_t i = 0; i < std::max<std::size_t>(1, static_cast<std::size_t>(0.15 * static_cast<double>(sizes.size()))); ++i)
            expected += sizes[i];
    }
    EXPECT_NEAR(measured.topGradientNorm, expected, 1e-6 * expected);
}

INSTANTIATE_TEST_SUITE_P(Granularities, StatisticsOfMasks,
                         ::testing::Values("model", "layer", "module", "tensor", "head", "row", "block:64", "shards:3"));

TEST_F(StatisticsTest, HistogramsCountEveryMomentInItsQuarterOctave) {
    SteppedModel model(*m_source, m_defaults);
    TensorStatistics statistics(*m_source, true);
    const auto measured = measure(statistics, model, m_defaults, 1);
    ASSERT_EQ(measured.rows.histograms.size(), m_source->parameters().size());
    for (std::size_t p = 0; p < measured.rows.histograms.size(); ++p) {
        const HistogramRow& row = measured.rows.histograms[p];
        const at::Tensor& m = model.optimizer.firstMoments().view(p);
        EXPECT_EQ(row.stepsPerOctave, 4);
        std::map<std::int64_t, std::uint32_t> expected;
        for (std::int64_t i = 0; i < m.numel(); ++i) {
            const float size = std::fabs(values(m)[i]);
            if (size == 0) continue;
            int exponent = 0;
            const float share = std::frexp(size, &exponent) * 2;  // in [1, 2)
            ++expected[4 * (exponent - 1) + static_cast<int>((share - 1) * 4)];
        }
        ASSERT_FALSE(row.counts.empty());
        EXPECT_NE(row.counts.front(), 0u);
        EXPECT_NE(row.counts.back(), 0u);
        for (std::size_t bin = 0; bin < row.counts.size(); ++bin)
            EXPECT_EQ(row.counts[bin], expected[row.firstBin + static_cast<std::int64_t>(bin)]) << m_source->parameters()[p].name << " bin " << bin;
        EXPECT_EQ(row.firstBin, expected.begin()->first);
    }
}

TEST_F(StatisticsTest, AMomentOfZerosHasAnEmptyHistogram) {
    SteppedModel model(*m_source, m_defaults);
    TensorStatistics statistics(*m_source, true);
    const StepOutcome& outcome = model.step(1, 1e-3);
    const auto measured = statistics.measure(1, m_defaults, model.weights, model.optimizer, outcome);
    ASSERT_OK(measured);
    for (const HistogramRow& row : measured->rows.histograms) EXPECT_TRUE(row.counts.empty());
    for (const std::uint32_t selected : measured->rows.tensors.front().selected) EXPECT_EQ(selected, 0u);
    EXPECT_EQ(measured->topGradientNorm, 0);
    EXPECT_TRUE(std::isnan(measured->rows.tensors.front().churn[0])) << "no share of nothing";
}

TEST_F(StatisticsTest, SquaredUpdatesAreTheDistancesMoved) {
    SteppedModel model(*m_source, m_defaults);
    TensorStatistics statistics(*m_source, true);
    for (std::int64_t step = 1; step <= 3; ++step) {
        const at::Tensor before = model.weights.flat().clone();
        const auto measured = measure(statistics, model, m_defaults, step);
        for (std::size_t p = 0; p < m_source->parameters().size(); ++p) {
            const std::int64_t n = m_source->parameters()[p].elementCount();
            const double moved =
                (model.weights.view(p).flatten() - before.narrow(0, model.weights.offset(p), n)).to(at::kDouble).square().sum().item<double>();
            // The weights round what they are moved by; the sum is of the exact updates.
            EXPECT_NEAR(measured.rows.tensors.front().squaredUpdate[p], moved, 1e-3 * moved) << m_source->parameters()[p].name;
        }
    }
}

TEST_F(StatisticsTest, AdamWHasNoPartitionsAndNoTopGradients) {
    RunConfig config;
    config.optimizer = OptimizerKind::AdamW;
    SteppedModel model(*m_source, config);
    TensorStatistics statistics(*m_source, true);
    const auto measured = measure(statistics, model, config, 1);
    EXPECT_TRUE(std::isnan(measured.topGradientNorm));
    EXPECT_TRUE(measured.rows.partitions.empty());
    EXPECT_TRUE(measured.rows.thresholdSpreads.empty());
    const auto now = selected(model, 1);
    for (std::size_t p = 0; p < now.size(); ++p) EXPECT_EQ(measured.rows.tensors.front().selected[p], now[p].size());
}

TEST_F(StatisticsTest, CoverageIsAnOption) {
    SteppedModel model(*m_source, m_defaults);
    TensorStatistics statistics(*m_source, false);
    static_cast<void>(measure(statistics, model, m_defaults, 1));
    const auto measured = measure(statistics, model, m_defaults, 2);
    EXPECT_TRUE(measured.rows.tensors.front().coverage.empty());
    EXPECT_FALSE(std::isnan(measured.rows.tensors.front().churn[0]));
    EXPECT_TRUE(measured.rows.rowCounts.empty());
}

TEST_F(StatisticsTest, DriftIsTheDistanceFromTheFileWhateverTheThreads) {
    ParameterArena weights = *loadWeights(*m_source, c10::kCPU);
    at::manual_seed(5);
    weights.flat().add_(at::randn_like(weights.flat()), 1e-4).narrow(0, 0, 100).add_(1);
    weights.flat()[7] = std::nan("");
    const int threads = at::get_num_threads();
    std::vector<std::vector<kernels::Drift>> all;
    for (const int count : {1, 2}) {
        at::set_num_threads(count);
        auto drifts = measureDrift(*m_source, weights);
        ASSERT_OK(drifts);
        all.push_back(*drifts);
    }
    at::set_num_threads(threads);
    for (std::size_t p = 0; p < all[0].size(); ++p) {
        const auto n = static_cast<std::size_t>(m_source->parameters()[p].elementCount());
        std::vector<float> p0(n);
        ASSERT_OK(m_source->readParameter(p, p0));
        double squares = 0, norm = 0, sum = 0, most = 0;
        std::int64_t changed = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const float now = values(weights.view(p))[i];
            const double d = now - p0[i];
            squares += d * d;
            norm += static_cast<double>(p0[i]) * p0[i];
            sum += std::fabs(d);
            most = std::max(most, std::fabs(d));
            changed += now != p0[i] ? 1 : 0;
        }
        const kernels::Drift& drift = all[0][p];
        EXPECT_EQ(drift.changed, changed);
        EXPECT_NEAR(drift.pretrainedL2, std::sqrt(norm), 1e-12 * std::sqrt(norm));
        if (p == 0) {
            EXPECT_TRUE(std::isnan(drift.l2) && std::isnan(drift.l1) && std::isnan(drift.linf)) << "a NaN is not hidden";
            continue;
        }
        EXPECT_NEAR(drift.l2, std::sqrt(squares), 1e-6 * std::sqrt(squares));
        EXPECT_NEAR(drift.l1, sum, 1e-6 * sum);
        EXPECT_NEAR(drift.linf, most, 1e-6 * most);
        EXPECT_EQ(drift.l2, all[1][p].l2);
        EXPECT_EQ(drift.l1, all[1][p].l1);
        EXPECT_EQ(drift.changedBf16, all[1][p].changedBf16);
    }
}

TEST(CoordinateBits, CountsWhatIsSetInARange) {
    std::vector<ParameterInfo> infos(3);
    infos[0].shape = {63};
    infos[1].shape = {200};
    infos[2].shape = {1};
    CoordinateBits bits(infos);
    ASSERT_EQ(bits.of(0).size(), 1u);
    ASSERT_EQ(bits.of(1).size(), 4u);
    for (const std::int64_t i : {0, 63, 64, 65, 127, 128, 199}) bits.of(1)[static_cast<std::size_t>(i / 64)] |= 1ull << (i % 64);
    EXPECT_EQ(bits.count(1, 0, 200), 7);
    EXPECT_EQ(bits.count(1, 0, 0), 0);
    EXPECT_EQ(bits.count(1, 63, 64), 1);
    EXPECT_EQ(bits.count(1, 1, 63), 0);
    EXPECT_EQ(bits.count(1, 64, 128), 3);
    EXPECT_EQ(bits.count(1, 65, 199), 3);
    EXPECT_EQ(bits.count(0, 0, 63), 0);
    EXPECT_EQ(bits.count(2, 0, 1), 0);
}

}  // namespace
}  // namespace mofo
