#include "core/config/name_pattern.h"

#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "tests/support/test_support.h"

namespace mofo {
namespace {

TEST(NamePattern, MatchesWholeNames) {
    EXPECT_TRUE(matchesNamePattern("*", ""));
    EXPECT_TRUE(matchesNamePattern("lm_head.weight", "lm_head.weight"));
    EXPECT_FALSE(matchesNamePattern("lm_head", "lm_head.weight"));
    EXPECT_TRUE(matchesNamePattern("*.mlp.*", "model.layers.3.mlp.up_proj.weight"));
    EXPECT_TRUE(matchesNamePattern("model.layers.?.mlp.*", "model.layers.3.mlp.up_proj.weight"));
    EXPECT_FALSE(matchesNamePattern("model.layers.?.mlp.*", "model.layers.13.mlp.up_proj.weight"));
    EXPECT_TRUE(matchesNamePattern("lm_head.*, *.q_proj.*", "model.layers.0.self_attn.q_proj.weight"));
    EXPECT_FALSE(matchesNamePattern("", "anything"));
}

TEST(NamePattern, TakesNoLongerForHostilePatterns) {
    std::string pattern;
    for (int i = 0; i < 1000; ++i) pattern += "*a";
    const Stopwatch watch;
    EXPECT_FALSE(matchesNamePattern(pattern + "b", std::string(3000, 'a')));
    EXPECT_LT(watch.elapsedMs(), 1000);
}

TEST(NamePattern, RefusesEmptyParts) {
    EXPECT_OK(checkNamePattern(""));
    EXPECT_OK(checkNamePattern("a,b"));
    EXPECT_FALSE(checkNamePattern("a,,b").ok());
    EXPECT_FALSE(checkNamePattern("a,").ok());
    EXPECT_FALSE(checkNamePattern(" ").ok());
}

TEST(FilteredParameter, FollowsThePapersRule) {
    const RunConfig config;
    EXPECT_TRUE(isFilteredParameter(config, "model.embed_tokens.weight"));
    EXPECT_TRUE(isFilteredParameter(config, "lm_head.weight"));
    EXPECT_TRUE(isFilteredParameter(config, "model.layers.0.self_attn.q_proj.weight"));
    EXPECT_FALSE(isFilteredParameter(config, "model.layers.0.input_layernorm.weight"));
    EXPECT_FALSE(isFilteredParameter(config, "model.norm.weight"));
    EXPECT_FALSE(isFilteredParameter(config, "model.layers.0.self_attn.q_proj.bias"));
}

TEST(FilteredParameter, IncludeReplacesTheRuleAndExcludeTakesAway) {
    RunConfig config;
    config.filterInclude = "*.mlp.*,model.norm.weight";
    EXPECT_TRUE(isFilteredParameter(config, "model.norm.weight"));
    EXPECT_TRUE(isFilteredParameter(config, "model.layers.0.mlp.up_proj.weight"));
    EXPECT_FALSE(isFilteredParameter(config, "lm_head.weight"));
    config.filterExclude = "*.up_proj.*";
    EXPECT_FALSE(isFilteredParameter(config, "model.layers.0.mlp.up_proj.weight"));
    EXPECT_TRUE(isFilteredParameter(config, "model.layers.0.mlp.down_proj.weight"));
    config.filterInclude.clear();
    EXPECT_TRUE(isFilteredParameter(config, "lm_head.weight"));
    EXPECT_FALSE(isFilteredParameter(config, "model.layers.0.mlp.up_proj.weight"));
}

}  // namespace
}  // namespace mofo
