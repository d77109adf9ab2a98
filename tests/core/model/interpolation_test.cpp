// A + w (B - A), whole and by kind.
#include "core/model/interpolation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

using ::testing::HasSubstr;

class Interpolation : public ::testing::Test {
protected:
    void SetUp() override {
        test::writeTinyModel(m_folder / "a", {.seed = 1});
        test::writeTinyModel(m_folder / "b", {.seed = 2});
    }
    std::unique_ptr<ModelSource> open(const char* name) const { return std::move(*ModelSource::open((m_folder / name).string())); }
    static std::vector<float> values(const ModelSource& source, std::size_t index) {
        std::vector<float> out(static_cast<std::size_t>(source.parameters()[index].elementCount()));
        EXPECT_OK(source.readParameter(index, out));
        return out;
    }
    std::unique_ptr<ModelSource> mixed(const char* weight) const {
        auto result = interpolate(open("a"), open("b"), *MergeWeights::parse(weight));
        EXPECT_OK(result);
        return std::move(*result);
    }
    test::TemporaryFolder m_folder;
};

TEST_F(Interpolation, IsExactAtBothEnds) {
    for (const auto& [weight, name] : {std::pair("0", "a"), std::pair("1", "b")}) {
        const auto source = mixed(weight);
        const auto end = open(name);
        for (std::size_t i = 0; i < source->parameters().size(); ++i) EXPECT_EQ(values(*source, i), values(*end, i)) << weight;
    }
}

TEST_F(Interpolation, GoesTheWeightedWayBetween) {
    const auto source = mixed("0.25"), a = open("a"), b = open("b");
    for (std::size_t i = 0; i < source->parameters().size(); ++i) {
        const auto x = values(*a, i), y = values(*b, i), z = values(*source, i);
        for (std::size_t j = 0; j < z.size(); ++j) ASSERT_FLOAT_EQ(z[j], x[j] + 0.25f * (y[j] - x[j]));
    }
}

TEST_F(Interpolation, ByKindLeavesOthersAsInA) {
    const auto source = mixed("attention=1,mlp=0.5"), a = open("a"), b = open("b");
    for (std::size_t i = 0; i < source->parameters().size(); ++i) {
        const ParameterInfo& info = source->parameters()[i];
        const bool attention = info.name.find("self_attn") != std::string::npos, mlp = info.name.find("mlp") != std::string::npos;
        if (mlp) {
            EXPECT_NE(values(*source, i), values(*a, i));
            EXPECT_NE(values(*source, i), values(*b, i));
        } else {
            EXPECT_EQ(values(*source, i), values(attention ? *b : *a, i)) << info.name;
        }
    }
}

TEST_F(Interpolation, WrittenOutIsReadBackAsItIs) {
    const auto source = mixed("0.5");
    ASSERT_OK(writeHfFolder(*source, m_folder / "mixed", DType::F32));
    const auto written = open("mixed");
    for (std::size_t i = 0; i < source->parameters().size(); ++i) EXPECT_EQ(values(*source, i), values(*written, i));
    EXPECT_EQ((*written->loadTokenizer()).sha256(), (*open("a")->loadTokenizer()).sha256());
}

TEST_F(Interpolation, RefusesOtherArchitecturesWithTheReason) {
    ModelDescription a = open("a")->description();
    EXPECT_EQ(architectureDifference(a, a), std::nullopt);
    ModelDescription b = a;
    b.layerCount = 3;
    EXPECT_EQ(architectureDifference(a, b), "A has 2 layers, B has 3");
    b = a;
    b.tiedHead = false;
    EXPECT_THAT(*architectureDifference(a, b), HasSubstr("the head of A is its embedding"));
    b = a;
    b.rope.theta = 5e5;
    EXPECT_THAT(*architectureDifference(a, b), HasSubstr("positions"));
    auto other = ModelSource::open("random:smollm2");
    ASSERT_OK(other);
    const auto refused = interpolate(open("a"), std::move(*other), *MergeWeights::parse("0.5"));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidInput);
    EXPECT_THAT(refused.error().text(), HasSubstr("A has 2 layers, B has 30"));
}

TEST(MergeWeights, AreReadAndToldAgain) {
    for (const char* text : {"0.5", "-1", "1.5", "attention=0.3,mlp=0.5", "head=0,0.5"}) {
        const auto weights = MergeWeights::parse(text);
        ASSERT_OK(weights);
        EXPECT_EQ(weights->text(), text);
        EXPECT_EQ(*MergeWeights::fromJson(weights->toJson()), *weights);
    }
    EXPECT_EQ(MergeWeights::parse("0.5,head=0")->of(ModuleKind::Query), 0.5);
    EXPECT_EQ(MergeWeights::parse("0.5,head=0")->of(ModuleKind::Head), 0.0);
    EXPECT_EQ(MergeWeights::parse("mlp=0.5")->of(ModuleKind::Norm), 0.0);
}

TEST(MergeWeights, OfAnotherFormAreRefused) {
    for (const auto& [text, why] :
         {std::pair("", "not a number"), std::pair("half", "not a number"), std::pair("nan", "not a number"), std::pair("11", "from -10 to 10"),
          std::pair("0.5,0.6", "two weights"), std::pair("mlp=0.5,mlp=0.5", "two weights"), std::pair("atention=0.5", "did you mean \"attention\"?"),
          std::pair("mlp=", "not a number"), std::pair("0.5,", "not a number")}) {
        const auto refused = MergeWeights::parse(text);
        ASSERT_FALSE(refused.ok()) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::Usage);
        EXPECT_THAT(refused.error().text(), HasSubstr(why)) << text;
    }
}

}  // namespace
}  // namespace mofo
