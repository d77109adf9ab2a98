#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/hash.h"
#include "core/tensorio/convert.h"
#include "tests/core/tensorio/builders.h"

namespace mofo::test {
namespace {

std::string hashOf(std::span<const std::byte> bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.hex();
}

struct Golden {
    DType dtype;
    std::uint64_t seed;  ///< ggml's number of the type + 1
    std::size_t blocks;
    const char* sha256;  ///< of the fp32 values that gguf-py 0.19 (quants.py) or NumPy makes of the same bytes
};

class Dequantise : public testing::TestWithParam<Golden> {};

TEST_P(Dequantise, EqualsGgufPyBitForBit) {
    const Golden& golden = GetParam();
    const auto blockBytes = static_cast<std::size_t>(dtypeBlockBytes(golden.dtype));
    std::string bytes = noise(golden.seed, golden.blocks * blockBytes);
    for (std::size_t at = 0; at < bytes.size(); at += blockBytes) {
        // Two bits of the upper exponent byte cleared: scales stay finite.
        bytes[at + 1] = static_cast<char>(bytes[at + 1] & 0xBB);
        if (golden.dtype == DType::Q4_1) bytes[at + 3] = static_cast<char>(bytes[at + 3] & 0xBB);
    }
    std::vector<float> values(golden.blocks * static_cast<std::size_t>(dtypeBlockElements(golden.dtype)));
    convertToFloat(golden.dtype, std::as_bytes(std::span(bytes)), values);
    EXPECT_EQ(hashOf(std::as_bytes(std::span(values))), golden.sha256);
}

INSTANTIATE_TEST_SUITE_P(Of, Dequantise,
                         testing::Values(Golden{DType::Q4_0, 3, 4096, "a415c85aec3464e75db60213df938c3a11c5b5b51a3154aeefc40b576132235a"},
                                         Golden{DType::Q4_1, 4, 4096, "2a7453972d719bc271478eec0c798c26486680295b7f591fae0e5a9718342123"},
                                         Golden{DType::Q8_0, 9, 4096, "5f39c824ec68bd1b324328094585f4c4ddd97f2bf40212e7f39c77865ae29acf"},
                                         Golden{DType::F16, 2, 65536, "65a093e4557b28346bd25d2e1e55248a883064322c8d3ebba3dfc3d1b0320b63"},
                                         Golden{DType::BF16, 31, 65536, "d2a5f2e1c4fccb026b82a4860942ba46d9d1ac25935b55d1179bacc00c50fd5f"}),
                         [](const auto& info) { return std::string(dtypeName(info.param.dtype)); });

TEST(Convert, RoundsToHalvesAndBfloatsAsPyTorchDoes) {
    // Bit patterns of every kind, then numbers whose size runs over 60 octaves, so that subnormal halves and overflow are among them.
    std::vector<float> values;
    const std::string patterns = noise(99, 4 * 262144);
    for (std::size_t i = 0; i < 262144; ++i) {
        float value;
        std::memcpy(&value, patterns.data() + 4 * i, 4);
        values.push_back(std::isfinite(value) ? value : 1.5f);
    }
    const std::string integers = noise(7, 4 * 262144);
    for (std::size_t i = 0; i < 262144; ++i) {
        std::int32_t integer;
        std::memcpy(&integer, integers.data() + 4 * i, 4);
        values.push_back(static_cast<float>(integer / 2147483648.0 * 1e5 * std::exp2(static_cast<double>(i % 60) - 45)));
    }
    std::vector<std::byte> out(2 * values.size());
    convertFromFloat(DType::F16, values, out);
    EXPECT_EQ(hashOf(out), "b37de7ea392c6b06b8e9f119f1043c1225a9ca38305151eb96554e124d046fbe");
    convertFromFloat(DType::BF16, values, out);
    EXPECT_EQ(hashOf(out), "b649d8edb6e8e5ffa43e51dc2dd5d069ed516dcc8dd891ef4f78c129d3d8266f");
}

TEST(Convert, HalvesAndBfloatsSurviveTheRoundTrip) {
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const auto pattern = static_cast<std::uint16_t>(bits);
        const float half = halfToFloat(pattern);
        const float bfloat = bfloat16ToFloat(pattern);
        if (std::isnan(half)) {
            EXPECT_TRUE(std::isnan(halfToFloat(floatToHalf(half))));
        } else {
            ASSERT_EQ(floatToHalf(half), pattern);
        }
        if (std::isnan(bfloat)) {
            EXPECT_TRUE(std::isnan(bfloat16ToFloat(floatToBfloat16(bfloat))));
        } else {
            ASSERT_EQ(floatToBfloat16(bfloat), pattern);
        }
    }
    EXPECT_EQ(halfToFloat(0x0001), 0x1p-24f);
    EXPECT_EQ(halfToFloat(0x7BFF), 65504.0f);
    EXPECT_EQ(halfToFloat(0xFC00), -std::numeric_limits<float>::infinity());
    EXPECT_EQ(floatToHalf(65519.99f), 0x7BFF);
    EXPECT_EQ(floatToHalf(65520.0f), 0x7C00);
    EXPECT_EQ(floatToHalf(0x1p-25f), 0x0000);  // a tie, to even
    EXPECT_EQ(floatToHalf(0x1.8p-24f), 0x0002);
}

TEST(Convert, CountsWhatIsNotFinite) {
    std::vector<float> values(3'000'000, 1.0f);
    EXPECT_EQ(countNonFinite(values), 0);
    values[0] = std::numeric_limits<float>::quiet_NaN();
    values[1'500'000] = std::numeric_limits<float>::infinity();
    values.back() = -std::numeric_limits<float>::infinity();
    EXPECT_EQ(countNonFinite(values), 3);
    EXPECT_EQ(countNonFinite({}), 0);
}

TEST(DTypes, HaveTheSizesOfGguf) {
    EXPECT_EQ(dtypeBlockBytes(DType::Q6_K), 210);
    EXPECT_EQ(dtypeBlockBytes(DType::IQ3_XXS), 98);
    EXPECT_EQ(dtypeBlockElements(DType::NVFP4), 64);
    EXPECT_EQ(dtypeName(DType::Q1_0), "Q1_0");
    EXPECT_EQ(dtypeName(DType::F8E4M3), "F8_E4M3");
    EXPECT_TRUE(isQuantised(DType::Q8_0));
    EXPECT_FALSE(isQuantised(DType::F4));
}

}  // namespace
}  // namespace mofo::test
