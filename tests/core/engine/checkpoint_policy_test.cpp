// Retention checked against its promises over random histories, and what checkpoints are said to cost.
#include "core/engine/checkpoint_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace mofo {
namespace {

using ::testing::HasSubstr;

/// A run's checkpoints without any file.
class FakeRun {
public:
    explicit FakeRun(unsigned seed) : m_random(seed), m_keep(1 + seed % 5) {}

    void live(int operations) {
        for (int i = 0; i < operations; ++i) {
            switch (m_random() % 8) {
                case 0: undo(); break;
                case 1: togglePin(); break;
                case 2: fail(); break;
                default: save(); break;
            }
            if (::testing::Test::HasFailure()) return;
        }
        retain(true);
    }

private:
    static std::vector<const KnownCheckpoint*> usable(const std::vector<KnownCheckpoint>& all) {
        std::vector<const KnownCheckpoint*> list;
        for (const KnownCheckpoint& one : all) {
            if (one.full && !one.superseded) list.push_back(&one);
        }
        return list;
    }
    void save() {
        m_step += 1 + static_cast<std::int64_t>(m_random() % 3);
        KnownCheckpoint one;
        one.step = m_step;
        one.folder = std::to_string(m_step) + "#" + std::to_string(++m_saved);
        if (m_random() % 2 == 0) one.evalLoss = static_cast<double>(m_random() % 1000);
        m_all.push_back(one);
        retain(false);
    }
    /// A failed save asks for nothing: retention never runs without a newer one.
    void fail() { ++m_step; }
    void undo() {
        const auto list = usable(m_all);
        if (list.empty()) return;
        const std::int64_t to = list[m_random() % list.size()]->step;
        for (KnownCheckpoint& one : m_all) one.superseded = one.superseded || one.step > to;
        m_step = to;
    }
    void togglePin() {
        if (m_all.empty()) return;
        KnownCheckpoint& one = m_all[m_random() % m_all.size()];
        one.kept = !one.kept;
    }
    void retain(bool finished) {
        const std::vector<KnownCheckpoint> before = m_all;
        const Retention retention = retentionOf(before, m_keep, finished);
        std::set<std::string> removed(retention.remove.begin(), retention.remove.end()), reduced(retention.reduce.begin(), retention.reduce.end());
        const KnownCheckpoint* best = nullptr;
        const KnownCheckpoint* first = nullptr;
        for (const KnownCheckpoint& one : before) {
            if (one.superseded) continue;
            if (first == nullptr) first = &one;
            if (one.evalLoss && (best == nullptr || *one.evalLoss < *best->evalLoss)) best = &one;
            ASSERT_FALSE(one.kept && (removed.contains(one.folder) || reduced.contains(one.folder))) << "a pinned one goes";
        }
        if (first != nullptr) {
            ASSERT_FALSE(removed.contains(first->folder) || reduced.contains(first->folder)) << "the first goes";
        }
        if (best != nullptr) {
            ASSERT_FALSE(removed.contains(best->folder)) << "the best goes";
            ASSERT_TRUE(finished || !reduced.contains(best->folder)) << "the best is reduced while a guard may go back to it";
        }
        ASSERT_TRUE(finished || reduced.empty());
        for (KnownCheckpoint& one : m_all) one.full = one.full && !reduced.contains(one.folder);
        std::erase_if(m_all, [&](const KnownCheckpoint& one) { return removed.contains(one.folder); });
        auto then = usable(before), now = usable(m_all);
        ASSERT_GE(now.size(), std::min<std::size_t>(then.size(), 2)) << "fewer than two are left";
        const auto byStep = [](const KnownCheckpoint* a, const KnownCheckpoint* b) { return a->step < b->step; };
        std::stable_sort(then.begin(), then.end(), byStep);
        const std::size_t last = std::min<std::size_t>(then.size(), static_cast<std::size_t>(std::max<std::int64_t>(m_keep, 2)));
        for (std::size_t i = then.size() - last; i < then.size(); ++i) ASSERT_FALSE(removed.contains(then[i]->folder)) << "one of the last goes";
        // Bounded: the last, the first, the best, what is pinned, and one superseded.
        const auto pinned = std::count_if(m_all.begin(), m_all.end(), [](const KnownCheckpoint& one) { return one.kept; });
        ASSERT_LE(static_cast<std::int64_t>(m_all.size()), std::max<std::int64_t>(m_keep, 2) + 3 + pinned) << "more than the policy says";
        // Asked again at once, it takes nothing more.
        ASSERT_TRUE(retentionOf(m_all, m_keep, finished).remove.empty());
    }

    std::mt19937 m_random;
    std::int64_t m_keep, m_step = 0;
    int m_saved = 0;
    std::vector<KnownCheckpoint> m_all;
};

TEST(CheckpointPolicy, KeepsItsPromisesOverTenThousandHistories) {
    for (unsigned seed = 0; seed < 10'000 && !::testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE(seed);
        FakeRun(seed).live(30);
    }
}

TEST(CheckpointPolicy, TheBestIsReducedOnlyOnceTheRunHasFinished) {
    std::vector<KnownCheckpoint> all;
    for (std::int64_t step = 1; step <= 8; ++step) {
        all.push_back({.step = step, .folder = std::to_string(step), .evalLoss = std::abs(static_cast<double>(step) - 3.0)});
    }
    EXPECT_EQ(retentionOf(all, 2, false).remove, (std::vector<std::string>{"2", "4", "5", "6"}));
    EXPECT_TRUE(retentionOf(all, 2, false).reduce.empty());
    EXPECT_EQ(retentionOf(all, 2, true).reduce, (std::vector<std::string>{"3"}));
    all[2].kept = true;
    EXPECT_TRUE(retentionOf(all, 2, true).reduce.empty());
}

TEST(CheckpointPolicy, SaysWhatIsTooDearAndWhatIsNot) {
    RunConfig config;
    config.checkpointEvery = 10;
    config.keep = 5;
    // 2 s each, every 10 steps of 1 s: 2 of 12 s.
    CheckpointCost cost = checkpointCost(config, 1000, 1 << 30, 2.0, 1.0);
    EXPECT_EQ(cost.written, 100);
    EXPECT_EQ(cost.kept, 7);
    ASSERT_TRUE(cost.shareOfTime);
    EXPECT_NEAR(*cost.shareOfTime, 2.0 / 12, 1e-12);
    EXPECT_THAT(timeWarning(config, cost, 1.0), HasSubstr("16.7 % of the run's time"));
    EXPECT_THAT(timeWarning(config, cost, 1.0), HasSubstr("checkpoint_every=38 would take 5 %"));
    config.checkpointEvery = 38;
    cost = checkpointCost(config, 38'000, 1 << 30, 2.0, 1.0);
    EXPECT_LE(*cost.shareOfTime, mostTimeShare);
    EXPECT_EQ(timeWarning(config, cost, 1.0), "");

    config.checkpointEvery = 10;
    cost = checkpointCost(config, 1000, 1 << 30, 2.0, 0);
    EXPECT_FALSE(cost.shareOfTime);
    EXPECT_EQ(diskWarning(config, cost, std::uint64_t{20} << 30), "");
    EXPECT_THAT(diskWarning(config, cost, std::uint64_t{8} << 30), HasSubstr("keep=4 would fit"));
    EXPECT_THAT(diskWarning(config, cost, std::uint64_t{3} << 30), HasSubstr("only the one at the end would fit"));
    EXPECT_THAT(diskWarning(config, cost, std::uint64_t{1} << 30), HasSubstr("free at least 1.25 GiB"));

    RunConfig minutes;
    minutes.checkpointMinutes = 1;
    cost = checkpointCost(minutes, 3600, 1 << 30, 6.0, 1.0);
    EXPECT_EQ(cost.written, 61);
    EXPECT_THAT(timeWarning(minutes, cost, 1.0), HasSubstr("checkpoint_minutes=1.9 would take 5 %"));
}

}  // namespace
}  // namespace mofo
