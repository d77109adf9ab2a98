// What a GGUF file says about its model: the part of corpus G that concerns the model, names, and llama.cpp's order of rows.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/model/model_source.h"
#include "tests/core/model/tiny_model.h"

namespace mofo::test {
namespace {

struct ModelCase {
    const char* id;
    const char* expected;
    std::string (*build)();
};

void PrintTo(const ModelCase& item, std::ostream* out) { *out << item.id << " expects " << item.expected; }

/// The tiny model with one key replaced.
std::string withU32(const char* key, std::uint32_t value) {
    return tinyGguf({key}, [&](GgufBuilder& builder) { builder.u32(key, value); });
}
std::string withF32(const char* key, float value) {
    return tinyGguf({key}, [&](GgufBuilder& builder) { builder.f32(key, value); });
}
std::string withText(const char* key, const char* value) {
    return tinyGguf({key}, [&](GgufBuilder& builder) { builder.text(key, value); });
}
std::string headCounts(const std::vector<std::int32_t>& counts) {
    return tinyGguf({"llama.attention.head_count_kv"}, [&](GgufBuilder& builder) {
        std::string bytes;
        for (const std::int32_t count : counts) bytes += raw(count);
        builder.array("llama.attention.head_count_kv", ggufI32, counts.size(), bytes);
    });
}

const ModelCase cases[] = {
    {"sound", "A", [] { return tinyGguf(); }},
    {"G15", "R:MISSING", [] { return GgufBuilder().build(); }},
    {"G73_bos", "R:RANGE", [] { return withU32("tokenizer.ggml.bos_token_id", 6); }},
    {"G73_eos", "R:RANGE", [] { return withU32("tokenizer.ggml.eos_token_id", 6); }},
    {"G73_pad", "W", [] { return withU32("tokenizer.ggml.padding_token_id", 6); }},
    {"G77", "R:MISSING", [] { return tinyGguf({"general.architecture"}); }},
    {"G78", "R:unsupported", [] { return withText("general.architecture", "mamba"); }},
    {"G79", "R:RANGE", [] { return withU32("llama.block_count", 0); }},
    {"G80", "R:LIMIT", [] { return withU32("llama.block_count", 0xFFFFFFFFu); }},
    {"G81", "R:RANGE", [] { return withU32("llama.attention.head_count", 0); }},
    {"G82", "R:SEM", [] { return withU32("llama.attention.head_count_kv", 3); }},
    {"G83", "R:SEM", [] { return withU32("llama.rope.dimension_count", 7); }},
    {"G83_partial", "R:unsupported", [] { return withU32("llama.rope.dimension_count", 4); }},
    {"G84", "R:RANGE", [] { return withF32("llama.attention.layer_norm_rms_epsilon", NAN); }},
    {"G84_theta", "R:RANGE", [] { return withF32("llama.rope.freq_base", NAN); }},
    {"G85", "R:MISSING", [] { return tinyGguf({}, [](GgufBuilder& builder) { builder.pair("split.count", ggufU16, raw<std::uint16_t>(2)); }); }},
    {"G86", "R:SIZE", [] { return headCounts({2}); }},
    {"G86_equal", "A",
     [] {
         return headCounts({2, 2});
     }},
    {"G86_different", "R:unsupported",
     [] {
         return headCounts({2, 4});
     }},
    {"key_missing", "R:MISSING", [] { return tinyGguf({"llama.embedding_length"}); }},
    {"key_of_wrong_type", "R:TYPE", [] { return withText("llama.embedding_length", "32"); }},
    {"experts", "R:unsupported", [] { return withU32("llama.expert_count", 8); }},
    {"yarn", "R:unsupported", [] { return withText("llama.rope.scaling.type", "yarn"); }},
    {"tensor_missing", "R:MISSING", [] { return tinyGguf({"blk.1.ffn_up.weight"}); }},
    {"tensor_of_wrong_shape", "R:SIZE", [] { return withU32("llama.feed_forward_length", 32); }},
    {"vocabulary_of_wrong_size", "R:SIZE", [] { return withU32("llama.vocab_size", 7); }},
    {"vocabulary_unsaid", "A", [] { return tinyGguf({"llama.vocab_size"}); }},
    {"tensor_of_no_use", "W", [] { return tinyGguf({}, [](GgufBuilder& builder) { builder.tensor("blk.0.strange", {4}, 0, zeros(16)); }); }},
    {"biases", "R:MISSING", [] { return tinyGguf({}, [](GgufBuilder& builder) { builder.tensor("blk.0.attn_q.bias", {32}, 0, zeros(128)); }); }},
    {"type_unreadable", "R:DTYPE",
     [] {
         return tinyGguf({"blk.0.ffn_gate.weight"}, [](GgufBuilder& builder) {
             builder.tensor("blk.0.ffn_gate.weight", {32, 64}, 6, zeros(64 * 22));
         });
     }},
};

class GgufModelCorpus : public testing::TestWithParam<ModelCase> {};

TEST_P(GgufModelCorpus, EndsAsItMust) {
    const ModelCase& item = GetParam();
    TemporaryFolder folder;
    writeFile(folder / "tiny.gguf", item.build());
    const auto source = ModelSource::open((folder / "tiny.gguf").string());
    const std::string_view expected = item.expected;
    if (expected.starts_with("R:")) {
        ASSERT_FALSE(source.ok());
        EXPECT_EQ(source.error().tag, expected.substr(2)) << source.error().text();
        EXPECT_NE(source.error().where.find("tiny.gguf"), std::string::npos) << source.error().text();
        EXPECT_EQ(source.error().where.find("tiny.gguf"), source.error().where.rfind("tiny.gguf"))
            << "the file is named once: " << source.error().text();
        EXPECT_EQ(source.error().exitCode(), 3);
        return;
    }
    ASSERT_OK(source);
    EXPECT_EQ((*source)->warnings().empty(), expected == "A") << (*source)->warnings().front();
}

INSTANTIATE_TEST_SUITE_P(G, GgufModelCorpus, testing::ValuesIn(cases), [](const auto& info) { return std::string(info.param.id); });

TEST(GgufModel, PutsTheRowsOfQAndKBack) {
    TemporaryFolder folder;
    writeFile(folder / "tiny.gguf", tinyGguf({}, {}, false));
    const auto opened = ModelSource::open((folder / "tiny.gguf").string());
    ASSERT_OK(opened);
    const ModelSource& source = **opened;
    EXPECT_FALSE(source.description().tiedHead);
    EXPECT_EQ(source.formatName(), "GGUF F32");
    EXPECT_FALSE(source.isQuantised());
    EXPECT_EQ(source.parameters().back().name, "lm_head.weight");
    for (std::size_t i = 0; i < source.parameters().size(); ++i) {
        const std::int64_t count = source.parameters()[i].elementCount();
        std::vector<float> values(static_cast<std::size_t>(count));
        ASSERT_OK(source.readParameter(i, values));
        for (std::int64_t k = 0; k < count; ++k)
            ASSERT_EQ(values[static_cast<std::size_t>(k)], tinyValue(i, k)) << source.parameters()[i].name << " element " << k;
        // The same in the smallest pieces.
        const std::int64_t piece = source.pieceElements(i);
        ASSERT_EQ(count % piece, 0);
        for (std::int64_t first = 0; first < count; first += piece) {
            std::vector<float> part(static_cast<std::size_t>(piece));
            ASSERT_OK(source.readPiece(i, first, part));
            ASSERT_EQ(part.front(), tinyValue(i, first));
            ASSERT_EQ(part.back(), tinyValue(i, first + piece - 1));
        }
    }
}

TEST(GgufModel, CountsValuesThatAreNotFinite_G87) {
    TemporaryFolder folder;
    // Q8_0 blocks of 32 with an infinite scale: all but the zeros become infinite, those not a number.
    std::string blocks;
    for (int row = 0; row < 64; ++row) blocks += raw<std::uint16_t>(row == 3 ? 0x7C00 : 0x3C00) + std::string(32, '\1');
    writeFile(folder / "tiny.gguf", tinyGguf({"blk.0.ffn_up.weight"}, [&](GgufBuilder& builder) {
                  builder.tensor("blk.0.ffn_up.weight", {32, 64}, 8, blocks);
              }));
    const auto source = ModelSource::open((folder / "tiny.gguf").string());
    ASSERT_OK(source);
    EXPECT_TRUE((*source)->isQuantised());
    EXPECT_TRUE((*source)->warnings().empty());
    std::vector<float> values(64 * 32);
    for (std::size_t i = 0; i < (*source)->parameters().size(); ++i) {
        if ((*source)->parameters()[i].name != "model.layers.0.mlp.up_proj.weight") continue;
        ASSERT_OK((*source)->readParameter(i, values));
        ASSERT_OK((*source)->readParameter(i, values));
    }
    ASSERT_EQ((*source)->warnings().size(), 1u);
    EXPECT_EQ((*source)->warnings()[0], "model.layers.0.mlp.up_proj.weight: 32 of 2,048 values are not finite");
}

/// The divisors that convert_hf_to_gguf.py writes for Llama 3's scaling.
std::vector<float> llama3Divisors(double theta, std::int64_t headSize, double factor, double originalLength) {
    std::vector<float> divisors;
    for (std::int64_t i = 0; i < headSize; i += 2) {
        const double frequency = 1 / std::pow(theta, static_cast<double>(i) / static_cast<double>(headSize));
        const double wavelength = 2 * std::numbers::pi / frequency;
        if (wavelength < originalLength / 4) {
            divisors.push_back(1);
        } else if (wavelength > originalLength) {
            divisors.push_back(static_cast<float>(factor));
        } else {
            const double smooth = (originalLength / wavelength - 1) / 3;
            divisors.push_back(static_cast<float>(1 / ((1 - smooth) / factor + smooth)));
        }
    }
    return divisors;
}

/// The tiny model with heads of 64 (4 of them in 256), so that the divisors have a middle part.
Result<std::unique_ptr<ModelSource>> openWithDivisors(const TemporaryFolder& folder, const std::vector<float>& divisors) {
    ModelDescription model = tinyDescription();
    model.hiddenSize = 256;
    model.headSize = 64;
    GgufBuilder builder;
    builder.text("general.architecture", "llama").u32("llama.block_count", 2).u32("llama.context_length", 131072).u32("llama.embedding_length", 256);
    builder.u32("llama.feed_forward_length", 64)
        .u32("llama.attention.head_count", 4)
        .u32("llama.attention.head_count_kv", 2)
        .f32("llama.rope.freq_base", 500000.0f);
    builder.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    std::string bytes;
    for (const float divisor : divisors) bytes += raw(divisor);
    builder.tensor("rope_freqs.weight", {static_cast<std::int64_t>(divisors.size())}, 0, bytes);
    for (const ParameterInfo& parameter : parametersOf(model)) {
        builder.tensor(ggufNameOf(parameter.name), {parameter.shape.rbegin(), parameter.shape.rend()}, 0,
                       zeros(static_cast<std::size_t>(parameter.elementCount()) * 4));
    }
    writeFile(folder / "rope.gguf", builder.build());
    return ModelSource::open((folder / "rope.gguf").string());
}

TEST(GgufModel, RecognisesLlama3ScalingInItsDivisors) {
    TemporaryFolder folder;
    for (const double factor : {8.0, 32.0}) {
        const auto source = openWithDivisors(folder, llama3Divisors(500000, 64, factor, 8192));
        ASSERT_OK(source);
        const RopeDescription& rope = (*source)->description().rope;
        EXPECT_EQ(rope.scaling, RopeDescription::Scaling::Llama3);
        EXPECT_EQ(rope.factor, factor);
        EXPECT_EQ(rope.originalLength, 8192);
        EXPECT_EQ(rope.lowFrequencyFactor, 1);
        EXPECT_EQ(rope.highFrequencyFactor, 4);
        EXPECT_TRUE((*source)->warnings().empty());
    }
    const auto none = openWithDivisors(folder, std::vector<float>(32, 1.0f));
    ASSERT_OK(none);
    EXPECT_EQ((*none)->description().rope.scaling, RopeDescription::Scaling::None);
}

TEST(GgufModel, RefusesDivisorsOfAnyOtherScaling) {
    TemporaryFolder folder;
    std::vector<float> divisors = llama3Divisors(500000, 64, 8, 8192);
    divisors[20] *= 1.01f;
    const auto strange = openWithDivisors(folder, divisors);
    ASSERT_FALSE(strange.ok());
    EXPECT_EQ(strange.error().tag, "unsupported");
    EXPECT_NE(strange.error().text().find("rope_freqs"), std::string::npos);
    EXPECT_EQ(openWithDivisors(folder, {1, 1, 1}).error().tag, "SIZE");
    divisors[20] = NAN;
    EXPECT_EQ(openWithDivisors(folder, divisors).error().tag, "RANGE");
}

TEST(GgufNames, AreThoseOfLlamaCpp) {
    EXPECT_EQ(ggufNameOf("model.embed_tokens.weight"), "token_embd.weight");
    EXPECT_EQ(ggufNameOf("model.layers.12.self_attn.o_proj.weight"), "blk.12.attn_output.weight");
    EXPECT_EQ(ggufNameOf("model.layers.0.post_attention_layernorm.weight"), "blk.0.ffn_norm.weight");
    EXPECT_EQ(ggufNameOf("model.layers.3.self_attn.q_proj.bias"), "blk.3.attn_q.bias");
    EXPECT_EQ(ggufNameOf("model.norm.weight"), "output_norm.weight");
    EXPECT_EQ(ggufNameOf("lm_head.weight"), "output.weight");
    EXPECT_EQ(ggufNameOf("model.layers.0.strange.weight"), "");
    EXPECT_EQ(ggufNameOf("model.layers."), "");
}

}  // namespace
}  // namespace mofo::test
