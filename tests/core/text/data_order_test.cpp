#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/text/dataset.h"

namespace mofo::test {
namespace {

std::vector<std::uint64_t> rows(const DataOrder& order, std::uint64_t first, std::uint64_t count) {
    std::vector<std::uint64_t> out;
    for (std::uint64_t i = 0; i < count; ++i) out.push_back(order.rowAt(first + i));
    return out;
}

TEST(DataOrder, takesFileOrderAndWrapsAround) {
    const DataOrder order(3, 7, false);
    EXPECT_EQ(rows(order, 0, 7), (std::vector<std::uint64_t>{0, 1, 2, 0, 1, 2, 0}));
}

TEST(DataOrder, shufflesEachEpochAnewAndWhole) {
    const DataOrder order(100, 7, true);
    std::vector<std::uint64_t> expected(100);
    std::iota(expected.begin(), expected.end(), 0);
    const auto first = rows(order, 0, 100), second = rows(order, 100, 100);
    EXPECT_TRUE(std::is_permutation(first.begin(), first.end(), expected.begin()));
    EXPECT_TRUE(std::is_permutation(second.begin(), second.end(), expected.begin()));
    EXPECT_NE(first, expected);
    EXPECT_NE(first, second);
}

// The algorithm is stored with checkpoints by name: these numbers may only change with the name. Computed by an independent
// implementation of its description.
TEST(DataOrder, isTheAlgorithmOfItsName) {
    EXPECT_EQ(DataOrder::kAlgorithm, "fy-splitmix64-1");
    EXPECT_EQ(rows(DataOrder(10, 0, true), 0, 10), (std::vector<std::uint64_t>{4, 7, 0, 5, 9, 3, 6, 2, 8, 1}));
    EXPECT_EQ(rows(DataOrder(10, 0, true), 10, 10), (std::vector<std::uint64_t>{4, 3, 6, 2, 8, 0, 9, 7, 1, 5}));
    EXPECT_EQ(rows(DataOrder(10, 42, true), 0, 10), (std::vector<std::uint64_t>{5, 1, 9, 6, 7, 2, 4, 0, 8, 3}));
}

TEST(DataOrder, isAPureFunctionOfSeedAndEpoch) {
    const DataOrder forward(50, 3, true), backward(50, 3, true);
    const auto all = rows(forward, 0, 200);
    for (std::uint64_t i = 200; i-- > 0;) EXPECT_EQ(backward.rowAt(i), all[i]);
}

TEST(DataOrder, isEvenlySpread) {
    // Where row 0 goes in 4,000 epochs of 8 rows: 500 each, five standard deviations are 105.
    const DataOrder order(8, 1, true);
    int counts[8] = {};
    for (std::uint64_t epoch = 0; epoch < 4000; ++epoch) {
        for (std::uint64_t i = 0; i < 8; ++i) {
            if (order.rowAt(epoch * 8 + i) == 0) ++counts[i];
        }
    }
    for (const int count : counts) EXPECT_NEAR(count, 500, 105);
}

TEST(DataOrder, takesOneRowAndNone) {
    EXPECT_EQ(rows(DataOrder(1, 5, true), 0, 3), (std::vector<std::uint64_t>{0, 0, 0}));
    EXPECT_EQ(DataOrder(0, 5, true).rowAt(9), 0u);
}

}  // namespace
}  // namespace mofo::test
