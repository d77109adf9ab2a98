#include <gtest/gtest.h>

#include <set>

#include "core/model/partition.h"
#include "tests/core/model/tiny_model.h"

namespace mofo::test {
namespace {

Granularity granularityOf(std::string_view text) {
    const auto parsed = Granularity::parse(text);
    EXPECT_OK(parsed);
    return *parsed;
}

struct Tiny {
    ModelDescription model = tinyDescription(false);
    std::vector<ParameterInfo> parameters = parametersOf(model);
    std::vector<bool> filtered = filteredParameters(parameters, "", "");

    std::vector<Partition> of(std::string_view granularity) const {
        auto partitions = partitionsOf(model, parameters, granularityOf(granularity), filtered);
        EXPECT_OK(partitions);
        return std::move(*partitions);
    }
    std::vector<std::string> namesOf(std::string_view granularity) const {
        std::vector<std::string> names;
        for (const Partition& partition : of(granularity)) names.push_back(partitionName(partition, parameters, granularityOf(granularity)));
        return names;
    }
    std::size_t indexOf(std::string_view name) const {
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            if (parameters[i].name == name) return i;
        }
        ADD_FAILURE() << name;
        return 0;
    }
};

class EveryGranularity : public testing::TestWithParam<const char*> {};

TEST_P(EveryGranularity, CoversEachFilteredElementOnce) {
    for (const bool biased : {false, true}) {
        Tiny tiny;
        if (biased) {
            tiny.model.attentionBias = tiny.model.mlpBias = true;
            tiny.parameters = parametersOf(tiny.model);
            tiny.filtered = filteredParameters(tiny.parameters, "*", "model.layers.1.mlp.up*");
        }
        std::vector<std::vector<int>> seen;
        for (const ParameterInfo& parameter : tiny.parameters) seen.emplace_back(parameter.elementCount());
        std::set<std::string> names;
        const auto partitions = tiny.of(GetParam());
        for (const Partition& partition : partitions) {
            ASSERT_FALSE(partition.slices.empty());
            std::int64_t count = 0;
            for (const Slice& slice : partition.slices) {
                auto& elements = seen[static_cast<std::size_t>(slice.parameter)];
                if (slice.rows == 1) {
                    EXPECT_EQ(slice.stride, slice.length);
                }
                for (std::int64_t row = 0; row < slice.rows; ++row) {
                    for (std::int64_t i = 0; i < slice.length; ++i) ++elements.at(static_cast<std::size_t>(slice.begin + row * slice.stride + i));
                }
                count += slice.rows * slice.length;
            }
            EXPECT_EQ(count, partition.elementCount);
            EXPECT_TRUE(names.insert(partitionName(partition, tiny.parameters, granularityOf(GetParam()))).second) << "two partitions have one name";
        }
        for (std::size_t i = 0; i < seen.size(); ++i) {
            for (const int times : seen[i]) ASSERT_EQ(times, tiny.filtered[i] ? 1 : 0) << tiny.parameters[i].name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Of, EveryGranularity,
                         testing::Values("model", "layer", "module", "tensor", "head", "row", "block:64", "block:100", "block:100000", "shards:1",
                                         "shards:4", "shards:7", "shards:500"),
                         [](const auto& info) {
                             std::string name = info.param;
                             if (const auto at = name.find(':'); at != std::string::npos) name[at] = '_';
                             return name;
                         });

TEST(Partitions, OfModelAndLayer) {
    const Tiny tiny;
    const auto whole = tiny.of("model");
    ASSERT_EQ(whole.size(), 1u);
    EXPECT_EQ(whole[0].slices.size(), 16u);  // embedding, head, 2 x 7
    EXPECT_EQ(whole[0].layer, -1);
    EXPECT_FALSE(whole[0].kind.has_value());
    EXPECT_EQ(tiny.namesOf("layer"), (std::vector<std::string>{"model.embed_tokens.weight", "layer 0", "layer 1", "lm_head.weight"}));
    const auto layers = tiny.of("layer");
    EXPECT_EQ(layers[2].layer, 1);
    EXPECT_EQ(layers[2].slices.size(), 7u);
    EXPECT_EQ(layers[0].kind, ModuleKind::Embedding);
}

TEST(Partitions, OfModules) {
    const Tiny tiny;
    EXPECT_EQ(tiny.namesOf("module"), (std::vector<std::string>{"model.embed_tokens.weight", "layer 0 attention", "layer 0 MLP", "layer 1 attention",
                                                                "layer 1 MLP", "lm_head.weight"}));
    const auto modules = tiny.of("module");
    EXPECT_EQ(modules[1].elementCount, 32 * 32 + 2 * 16 * 32 + 32 * 32);
    EXPECT_EQ(modules[2].elementCount, 3 * 64 * 32);
}

TEST(Partitions, OfHeadsAreRowsOfQkvAndColumnsOfO) {
    const Tiny tiny;
    const auto heads = tiny.of("head");
    // embedding, 2 x (4 q, 2 k, 2 v, 4 o, gate, up, down), head
    EXPECT_EQ(heads.size(), 1u + 2u * (4 + 2 + 2 + 4 + 3) + 1u);
    const auto q = static_cast<std::int32_t>(tiny.indexOf("model.layers.0.self_attn.q_proj.weight"));
    const auto k = static_cast<std::int32_t>(tiny.indexOf("model.layers.0.self_attn.k_proj.weight"));
    const auto o = static_cast<std::int32_t>(tiny.indexOf("model.layers.0.self_attn.o_proj.weight"));
    EXPECT_EQ(heads[2].slices[0], (Slice{q, 8 * 32, 1, 8 * 32, 8 * 32}));
    EXPECT_EQ(heads[6].slices[0], (Slice{k, 8 * 32, 1, 8 * 32, 8 * 32}));
    EXPECT_EQ(heads[10].slices[0], (Slice{o, 8, 32, 8, 32}));
    EXPECT_EQ(partitionName(heads[10], tiny.parameters, granularityOf("head")), "model.layers.0.self_attn.o_proj.weight head 1");
    EXPECT_EQ(partitionName(heads[13], tiny.parameters, granularityOf("head")), "model.layers.0.mlp.gate_proj.weight");
    EXPECT_EQ(heads[10].kind, ModuleKind::Output);
}

TEST(Partitions, OfRowsBlocksAndShards) {
    const Tiny tiny;
    const auto rows = tiny.of("row");
    EXPECT_EQ(rows.size(), 6u + 2u * (32 + 16 + 16 + 32 + 64 + 64 + 32) + 6u);
    EXPECT_EQ(partitionName(rows[5], tiny.parameters, granularityOf("row")), "model.embed_tokens.weight row 5");
    const auto blocks = tiny.of("block:100");  // 192 elements of the embedding: 100 and 92
    EXPECT_EQ(blocks[0].elementCount, 100);
    EXPECT_EQ(blocks[1].elementCount, 92);
    EXPECT_EQ(partitionName(blocks[1], tiny.parameters, granularityOf("block:100")), "model.embed_tokens.weight block 1");
    const auto shards = tiny.of("shards:5");  // 192 = 39 + 39 + 38 + 38 + 38
    EXPECT_EQ(shards[1].slices[0], (Slice{0, 39, 1, 39, 39}));
    EXPECT_EQ(shards[2].slices[0], (Slice{0, 78, 1, 38, 38}));
    EXPECT_EQ(partitionName(shards[4], tiny.parameters, granularityOf("shards:5")), "model.embed_tokens.weight shard 4");
}

TEST(Partitions, RefuseToBeTooMany) {
    const auto model = describeRandom("random:llama-1b");
    ASSERT_OK(model);
    const auto parameters = parametersOf(*model);
    const auto filtered = filteredParameters(parameters, "", "");
    const auto refused = partitionsOf(*model, parameters, granularityOf("block:64"), filtered);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Usage);
    EXPECT_NE(refused.error().text().find("block:1024"), std::string::npos) << refused.error().text();
    EXPECT_OK(partitionsOf(*model, parameters, granularityOf("block:1024"), filtered));
    EXPECT_OK(partitionsOf(*model, parameters, granularityOf("row"), filtered));
}

TEST(Partitions, OfHeadsNeedHeads) {
    Tiny tiny;
    tiny.model.headSize = 0;
    const auto refused = partitionsOf(tiny.model, tiny.parameters, granularityOf("head"), tiny.filtered);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::Usage);
    EXPECT_NE(refused.error().text().find("no attention heads"), std::string::npos);
    EXPECT_OK(partitionsOf(tiny.model, tiny.parameters, granularityOf("row"), tiny.filtered));
    Tiny withoutAttention;
    std::erase_if(withoutAttention.parameters, [](const ParameterInfo& info) {
        return info.kind == ModuleKind::Query || info.kind == ModuleKind::Key || info.kind == ModuleKind::Value || info.kind == ModuleKind::Output;
    });
    withoutAttention.filtered = filteredParameters(withoutAttention.parameters, "", "");
    EXPECT_FALSE(partitionsOf(withoutAttention.model, withoutAttention.parameters, granularityOf("head"), withoutAttention.filtered).ok());
}

TEST(CheckMethod, RefusesWhatDoesNotFitTheModel) {
    struct Case {
        std::vector<std::pair<const char*, const char*>> values;
        const char* says;  ///< empty: accepted
    };
    for (const Case& one : std::vector<Case>{{{}, ""},
                                             {{{"filter_include", "*.mlp.*"}}, ""},
                                             {{{"filter_include", "*.mpl.*"}}, "matches none of the model's"},
                                             {{{"filter_include", "MODEL.*"}}, "names such as model.layers."},
                                             {{{"filter_exclude", "*"}}, "no parameter is left"},
                                             {{{"filter_exclude", "lm_head.weight"}}, ""},  // what a model does not have may be left out of it
                                             {{{"filter_include", "*.mlp.*"}, {"filter_exclude", "model.*"}}, "no parameter is left"},
                                             {{{"optimizer", "fixed_mask"}, {"filter_exclude", "*"}}, "no parameter is left"},
                                             {{{"optimizer", "adamw"}, {"filter_exclude", "*"}}, ""},
                                             {{{"optimizer", "adamw"}, {"filter_include", "x"}}, "matches none"},
                                             {{{"row_counts", "*.o_proj.weight"}}, ""},
                                             {{{"row_counts", "o_proj"}}, "row_counts=o_proj"},
                                             {{{"granularity", "head"}}, ""}}) {
        const Tiny tiny;
        RunConfig config;
        for (const auto& [key, value] : one.values) ASSERT_OK(setConfigValue(config, key, value));
        const auto checked = checkMethod(config, tiny.model, tiny.parameters);
        EXPECT_EQ(checked.ok(), *one.says == '\0') << configToJson(config).dump();
        if (checked.ok()) continue;
        EXPECT_EQ(checked.error().code, ErrorCode::Usage);
        EXPECT_NE(checked.error().text().find(one.says), std::string::npos) << checked.error().text();
        EXPECT_FALSE(checked.error().remedy.empty());
    }
    Tiny headless;
    headless.model.headSize = 0;
    RunConfig heads;
    heads.granularity = granularityOf("head");
    EXPECT_FALSE(checkMethod(heads, headless.model, headless.parameters).ok());
    heads.optimizer = OptimizerKind::AdamW;
    EXPECT_OK(checkMethod(heads, headless.model, headless.parameters));
}

TEST(Parameters, AreFilteredAndDecayedByTheirNames) {
    const Tiny tiny;
    const auto decayed = decayedParameters(tiny.parameters);
    for (std::size_t i = 0; i < tiny.parameters.size(); ++i) {
        const bool norm = tiny.parameters[i].name.find("norm") != std::string::npos;
        EXPECT_EQ(tiny.filtered[i], !norm);
        EXPECT_EQ(decayed[i], !norm);
    }
    const auto chosen = filteredParameters(tiny.parameters, "model.layers.*", "*.k_proj.*,*norm*");
    EXPECT_FALSE(chosen[tiny.indexOf("model.embed_tokens.weight")]);
    EXPECT_TRUE(chosen[tiny.indexOf("model.layers.1.mlp.down_proj.weight")]);
    EXPECT_FALSE(chosen[tiny.indexOf("model.layers.1.self_attn.k_proj.weight")]);
    EXPECT_FALSE(chosen[tiny.indexOf("model.layers.1.input_layernorm.weight")]);
}

}  // namespace
}  // namespace mofo::test
