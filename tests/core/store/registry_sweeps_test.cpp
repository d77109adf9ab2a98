#include <gtest/gtest.h>

#include "core/base/ids.h"
#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

using test::exampleRun;

class RegistrySweepsTest : public ::testing::Test, public test::StoreFixture {};

TEST_F(RegistrySweepsTest, AGroupAndItsRunsAreThereTogether) {
    ASSERT_OK(registry.addRun(exampleRun("alone", "alone")));
    const SweepRow sweep{.id = "s1", .name = "alphas", .plan = {{"grid", {{"alpha", {"0.05", "0.15"}}}}}, .createdNs = 7, .unreadable = {}};
    ASSERT_OK(registry.addSweep(sweep, {exampleRun("one", "a05"), exampleRun("two", "a15")}));
    const auto sweeps = registry.sweeps();
    ASSERT_OK(sweeps);
    ASSERT_EQ(sweeps->size(), 1u);
    EXPECT_EQ(sweeps->front().name, "alphas");
    EXPECT_EQ(sweeps->front().plan, sweep.plan);
    EXPECT_EQ(sweeps->front().createdNs, 7);
    EXPECT_EQ(registry.findRun("one")->sweepId, "s1");
    EXPECT_EQ(registry.findRun("alone")->sweepId, "");
    EXPECT_LT(registry.findRun("one")->queuePlace, registry.findRun("two")->queuePlace);
}

TEST_F(RegistrySweepsTest, ARunThatCannotBeAddedLeavesNothingOfTheGroup) {
    ASSERT_OK(registry.addRun(exampleRun("one", "there already")));
    const SweepRow sweep{.id = "s1", .name = "alphas", .plan = Json::object(), .createdNs = 7, .unreadable = {}};
    EXPECT_FALSE(registry.addSweep(sweep, {exampleRun("new", "a05"), exampleRun("one", "a15")}).ok());
    EXPECT_TRUE(registry.sweeps()->empty());
    EXPECT_EQ(registry.runs()->size(), 1u);
}

TEST_F(RegistrySweepsTest, ThePlanIsKeptUpToDate) {
    const SweepRow sweep{.id = "s1", .name = "alphas", .plan = Json::object(), .createdNs = 7, .unreadable = {}};
    ASSERT_OK(registry.addSweep(sweep, {exampleRun("one", "a05")}));
    ASSERT_OK(registry.setSweepPlan("s1", {{"report", "r.html"}}));
    EXPECT_EQ(registry.sweeps()->front().plan, Json({{"report", "r.html"}}));
    EXPECT_EQ(registry.setSweepPlan("s2", Json::object()).error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace mofo
