// Guard rails that cannot work are refused before a run exists, with the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "core/config/run_config.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;

using Values = std::vector<std::pair<const char*, const char*>>;

RunConfig with(const Values& values) {
    RunConfig config;
    for (const auto& [key, value] : values) EXPECT_OK(setConfigValue(config, key, value));
    return config;
}

struct Refused {
    Values values;
    const char* where;
    const char* reason;
};

TEST(Guards, ThatCannotWorkAreRefused) {
    const std::vector<Refused> cases{
        {{{"early_stop", "3"}}, "early_stop=3", "early_stop needs evaluations while the run is on, and eval_every is 0"},
        {{{"guard_eval", "0.1"}}, "guard_eval=0.1", "guard_eval needs evaluations"},
        {{{"guard_eval_start", "0.1"}, {"eval_split", "0.1"}}, "guard_eval_start=0.1", "guard_eval_start needs evaluations"},
        {{{"guard_drift_action", "pause"}}, "guard_drift_action=pause", "no effect while guard_drift is 0"},
        {{{"guard_spike", "0"}, {"guard_spike_action", "notify"}}, "guard_spike_action=notify", "no effect while guard_spike is 0"},
        {{{"optimizer", "adamw"}, {"guard_action", "lower_alpha"}}, "guard_action=lower_alpha", "no effect with optimizer=adamw"},
        {{{"optimizer", "hft"}, {"guard_drift", "0.1"}, {"guard_drift_action", "lower_alpha"}},
         "guard_drift_action=lower_alpha",
         "no effect with optimizer=hft"},
    };
    for (const Refused& one : cases) {
        const auto checked = checkConfig(with(one.values));
        ASSERT_FALSE(checked.ok()) << one.where;
        EXPECT_EQ(checked.error().code, ErrorCode::Usage);
        EXPECT_EQ(checked.error().where, one.where);
        EXPECT_THAT(checked.error().message, HasSubstr(one.reason));
        EXPECT_FALSE(checked.error().remedy.empty());
    }
}

TEST(Guards, ThatCanWorkAreTaken) {
    EXPECT_OK(checkConfig(with({})));
    EXPECT_OK(checkConfig(with({{"early_stop", "3"}, {"eval_every", "10"}})));
    EXPECT_OK(checkConfig(with({{"guard_eval", "0.1"}, {"guard_eval_start", "0.1"}, {"eval_every", "10"}, {"guard_eval_action", "back"}})));
    EXPECT_OK(checkConfig(with({{"guard_action", "lower_alpha"}, {"optimizer", "fixed_mask"}})));
    EXPECT_OK(checkConfig(with({{"guard_action", "back"}, {"optimizer", "adamw"}, {"guard_drift", "0.1"}})));
    // An action of its own goes before the common one.
    EXPECT_OK(checkConfig(with({{"guard_action", "lower_alpha"}, {"guard_spike_action", "pause"}, {"optimizer", "adamw"}})));
}

TEST(Guards, DoWhatTheirOwnActionOrTheCommonOneSays) {
    const RunConfig config = with({{"guard_action", "pause"}, {"guard_drift", "0.1"}, {"guard_drift_action", "lower_alpha"}});
    for (const GuardKeys& guard : guardKeys())
        EXPECT_EQ(guardActionOf(config, guard), guard.key == "guard_drift" ? GuardAction::LowerAlpha : GuardAction::Pause) << guard.key;
}

}  // namespace
}  // namespace mofo
