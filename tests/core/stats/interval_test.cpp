#include "core/stats/interval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/stats/spread.h"

namespace mofo {
namespace {

// Expected values: NumPy, from the formulas of the sources that the headers name.

TEST(WilsonInterval, EqualsTheFormula) {
    const Interval interval = wilsonInterval(195, 300);
    EXPECT_NEAR(interval.low, 0.5944391111549903, 1e-14);
    EXPECT_NEAR(interval.high, 0.7017679974776458, 1e-14);
    EXPECT_EQ(interval.n, 300);
    EXPECT_EQ(interval.method, "Wilson");
}

TEST(WilsonInterval, EqualsNewcombesPublishedTable) {  // Statistics in Medicine 17 (1998) 857, table I, method 3
    EXPECT_NEAR(wilsonInterval(81, 263).low, 0.2553, 5e-5);
    EXPECT_NEAR(wilsonInterval(81, 263).high, 0.3662, 5e-5);
    EXPECT_NEAR(wilsonInterval(15, 148).low, 0.0624, 5e-5);
    EXPECT_NEAR(wilsonInterval(15, 148).high, 0.1605, 5e-5);
    EXPECT_NEAR(wilsonInterval(0, 20).high, 0.1611, 5e-5);
}

TEST(WilsonInterval, ReachesButNeverPassesItsEnds) {
    EXPECT_EQ(wilsonInterval(0, 20).low, 0.0);
    EXPECT_EQ(wilsonInterval(20, 20).high, 1.0);
    EXPECT_EQ(wilsonInterval(25, 20).high, 1.0);
    for (std::int64_t n = 1; n < 60; ++n) {
        for (std::int64_t hits = 0; hits <= n; ++hits) {
            const Interval interval = wilsonInterval(hits, n);
            const double share = static_cast<double>(hits) / static_cast<double>(n);
            EXPECT_TRUE(interval.low >= 0 && interval.high <= 1 && interval.holds(share)) << hits << "/" << n;
        }
    }
}

TEST(WilsonInterval, OfNothingIsUnknown) {
    EXPECT_FALSE(wilsonInterval(0, 0).known());
    EXPECT_FALSE(wilsonInterval(0, 0).holds(0.5));
}

TEST(StudentT, EqualsTables) {
    EXPECT_NEAR(studentT975(1), 12.706, 1e-3);
    EXPECT_NEAR(studentT975(4), 2.776, 1e-3);
    EXPECT_NEAR(studentT975(30), 2.042, 1e-3);
    EXPECT_NEAR(studentT975(31), 2.0395, 1e-4);
    EXPECT_NEAR(studentT975(60), 2.0003, 1e-4);
    EXPECT_NEAR(studentT975(1000), 1.9623, 1e-4);
    EXPECT_TRUE(std::isnan(studentT975(0)));
}

TEST(Quantile, EqualsNumPys) {
    const std::vector<double> values = {3, 1, 4, 1, 5, 9, 2, 6};
    EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
    EXPECT_DOUBLE_EQ(quantile(values, 0.025), 1);
    EXPECT_DOUBLE_EQ(quantile(values, 0.25), 1.75);
    EXPECT_DOUBLE_EQ(quantile(values, 0.5), 3.5);
    EXPECT_DOUBLE_EQ(quantile(values, 0.9), 6.9);
    EXPECT_DOUBLE_EQ(quantile(values, 1), 9);
    EXPECT_DOUBLE_EQ(quantile(std::vector<double>{7}, 0.975), 7);
    EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

TEST(Spread, OfThreeSeeds) {
    const Spread spread = spreadOf(std::vector<double>{1.2, 1.5, 0.9});
    EXPECT_EQ(spread.n, 3);
    EXPECT_DOUBLE_EQ(spread.mean, 1.2);
    EXPECT_NEAR(spread.deviation, 0.3, 1e-15);
    EXPECT_DOUBLE_EQ(spread.minimum, 0.9);
    EXPECT_DOUBLE_EQ(spread.maximum, 1.5);
    EXPECT_NEAR(spread.interval.low, 1.2 - 4.3027 * 0.3 / std::sqrt(3.0), 1e-12);
    EXPECT_EQ(spread.interval.method, "Student's t");
}

TEST(Spread, OfOneSeedHasNoInterval) {
    const Spread spread = spreadOf(std::vector<double>{1.2});
    EXPECT_DOUBLE_EQ(spread.mean, 1.2);
    EXPECT_TRUE(std::isnan(spread.deviation));
    EXPECT_FALSE(spread.interval.known());
    EXPECT_EQ(spread.interval.n, 1);
}

TEST(Spread, OfNothingOrOfNaNIsUnknown) {
    EXPECT_TRUE(std::isnan(spreadOf({}).mean));
    EXPECT_TRUE(std::isnan(spreadOf(std::vector<double>{1.0, std::nan("")}).mean));
    EXPECT_FALSE(spreadOf(std::vector<double>{1.0, std::nan("")}).interval.known());
}

}  // namespace
}  // namespace mofo
