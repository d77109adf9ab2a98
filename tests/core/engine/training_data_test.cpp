#include "core/engine/training_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace mofo {
namespace {

TokenDataset rowsOfManyLengths(std::uint64_t count) {
    TokenDataset data;
    for (std::uint64_t i = 0; i < count; ++i) {
        TokenRow row;
        row.line = i + 1;
        row.ids.assign(3 + (i * 7919) % 211, 1);
        row.trained.assign(row.ids.size(), 1);
        data.rows.push_back(std::move(row));
    }
    return data;
}

RunConfig grouped() {
    RunConfig config;
    config.batch = 4;
    config.epochs = 2;
    config.groupByLength = true;
    return config;
}

std::vector<std::vector<std::uint64_t>> batchesOf(const TrainingData& data, std::int64_t from = 1) {
    std::vector<std::vector<std::uint64_t>> batches;
    for (std::int64_t step = from; step <= data.totalSteps(); ++step) {
        batches.emplace_back();
        for (const TokenRow* row : data.batch(step)) batches.back().push_back(row->line);
    }
    return batches;
}

double meanSpread(const TrainingData& data) {
    double sum = 0;
    for (std::int64_t step = 1; step <= data.totalSteps(); ++step) {
        const auto rows = data.batch(step);
        const auto [least, most] =
            std::minmax_element(rows.begin(), rows.end(), [](const TokenRow* a, const TokenRow* b) { return a->ids.size() < b->ids.size(); });
        sum += static_cast<double>((*most)->ids.size() - (*least)->ids.size());
    }
    return sum / static_cast<double>(data.totalSteps());
}

TEST(GroupByLength, TakesEveryRowOncePerEpochAndLikeLengthsTogether) {
    RunConfig plain = grouped();
    plain.groupByLength = false;
    const TrainingData data = TrainingData::of(rowsOfManyLengths(1003), grouped());
    std::multiset<std::uint64_t> lines;
    for (const auto& batch : batchesOf(data)) lines.insert(batch.begin(), batch.end());
    EXPECT_EQ(lines.size(), 2006u);
    for (std::uint64_t line = 1; line <= 1003; ++line) EXPECT_EQ(lines.count(line), 2u) << line;
    EXPECT_LT(meanSpread(data), meanSpread(TrainingData::of(rowsOfManyLengths(1003), plain)) / 5);
}

TEST(GroupByLength, IsAFunctionOfTheSeedAndGoesOnFromAnyStep) {
    const TrainingData data = TrainingData::of(rowsOfManyLengths(300), grouped());
    const auto whole = batchesOf(data);
    EXPECT_EQ(batchesOf(TrainingData::of(rowsOfManyLengths(300), grouped())), whole);
    RunConfig other = grouped();
    other.seed = 43;
    EXPECT_NE(batchesOf(TrainingData::of(rowsOfManyLengths(300), other)), whole);
    TrainingData later = TrainingData::of(rowsOfManyLengths(300), grouped());
    ASSERT_TRUE(later.startAfter(37, 37 * 4).ok());
    EXPECT_EQ(batchesOf(later, 38), std::vector(whole.begin() + 37, whole.end()));
    // The batches are not taken from the shortest to the longest.
    std::vector<std::size_t> lengths;
    for (std::int64_t step = 1; step <= 32; ++step) lengths.push_back(data.batch(step).front()->ids.size());
    EXPECT_FALSE(std::is_sorted(lengths.begin(), lengths.end()));
}

TEST(LongestMicroBatch, IsTheOneWithMostTokens) {
    RunConfig config = grouped();
    config.groupByLength = false;
    const TrainingData data = TrainingData::of(rowsOfManyLengths(50), config);
    const auto tokensOf = [](const std::vector<const TokenRow*>& rows) {
        std::size_t tokens = 0;
        for (const TokenRow* row : rows) tokens += row->ids.size();
        return tokens;
    };
    std::size_t most = 0;
    for (std::int64_t step = 1; step <= 13; ++step) {
        const auto rows = data.batch(step);
        for (std::size_t begin = 0; begin < rows.size(); begin += 2)
            most = std::max(most, tokensOf({rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                            rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), begin + 2))}));
    }
    EXPECT_EQ(tokensOf(data.longestMicroBatch(1, 2)), most);
    EXPECT_EQ(data.lengths(1, 2).longestRow, 211);
    EXPECT_EQ(data.lengths(1, 2).microBatchTokens, static_cast<std::int64_t>(most));
}

}  // namespace
}  // namespace mofo
