#include "core/tensorio/convert.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

// One build runs on every x86-64; the loader picks the wide twin where the CPU has it. Products and sums must be rounded one by one
// (the reference does), so this file is compiled with -ffp-contract=off.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define MOFO_CLONES __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define MOFO_CLONES
#endif

namespace mofo {

namespace {

std::uint16_t loadU16(const std::byte* at) {
    std::uint16_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

constexpr std::size_t quantElements = 32;

MOFO_CLONES void dequantiseQ4_0(const std::byte* in, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, in += 18, out += quantElements) {
        const float scale = halfToFloat(loadU16(in));
        const auto* q = reinterpret_cast<const unsigned char*>(in + 2);
        for (std::size_t i = 0; i < 16; ++i) {
            out[i] = scale * static_cast<float>(static_cast<int>(q[i] & 15) - 8);
            out[i + 16] = scale * static_cast<float>(static_cast<int>(q[i] >> 4) - 8);
        }
    }
}

MOFO_CLONES void dequantiseQ4_1(const std::byte* in, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, in += 20, out += quantElements) {
        const float scale = halfToFloat(loadU16(in));
        const float minimum = halfToFloat(loadU16(in + 2));
        const auto* q = reinterpret_cast<const unsigned char*>(in + 4);
        for (std::size_t i = 0; i < 16; ++i) {
            out[i] = scale * static_cast<float>(q[i] & 15) + minimum;
            out[i + 16] = scale * static_cast<float>(q[i] >> 4) + minimum;
        }
    }
}

MOFO_CLONES void dequantiseQ8_0(const std::byte* in, std::size_t blocks, float* out) {
    for (std::size_t b = 0; b < blocks; ++b, in += 34, out += quantElements) {
        const float scale = halfToFloat(loadU16(in));
        const auto* q = reinterpret_cast<const signed char*>(in + 2);
        for (std::size_t i = 0; i < quantElements; ++i) out[i] = scale * static_cast<float>(q[i]);
    }
}

MOFO_CLONES void halvesToFloat(const std::byte* in, std::size_t count, float* out) {
    for (std::size_t i = 0; i < count; ++i) out[i] = halfToFloat(loadU16(in + 2 * i));
}

MOFO_CLONES void bfloatsToFloat(const std::byte* in, std::size_t count, float* out) {
    for (std::size_t i = 0; i < count; ++i) out[i] = bfloat16ToFloat(loadU16(in + 2 * i));
}

MOFO_CLONES void floatsToBfloat(const float* in, std::size_t count, std::byte* out) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint16_t bits = floatToBfloat16(in[i]);
        std::memcpy(out + 2 * i, &bits, sizeof bits);
    }
}

MOFO_CLONES std::int64_t countNonFiniteOf(const float* in, std::size_t count) {
    std::uint32_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::uint32_t bits;
        std::memcpy(&bits, in + i, sizeof bits);
        found += (bits & 0x7F800000u) == 0x7F800000u ? 1u : 0u;
    }
    return found;
}

}  // namespace

float halfToFloat(std::uint16_t bits) {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t magnitude = bits & 0x7FFFu;
    if (magnitude >= 0x7C00u) return std::bit_cast<float>(sign | 0x7F800000u | (magnitude & 0x3FFu) << 13);
    // Shifting gives the right number with an exponent bias of 15 instead of 127, subnormals included; the product with 2^112 is exact.
    const float unscaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(unscaled));
}

std::uint16_t floatToHalf(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) return static_cast<std::uint16_t>(sign | 0x7E00u | (magnitude >> 13 & 0x1FFu));
    if (magnitude >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u);  // from halfway between 65504 and 65536 on
    if (magnitude < 0x38800000u) {
        // Below 2^-14 the result is a multiple of 2^-24: adding 0.5 leaves exactly those bits in the mantissa, rounded by the FPU.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5f)));
    }
    const std::uint32_t odd = magnitude >> 13 & 1u;
    return static_cast<std::uint16_t>(sign | (magnitude - 0x38000000u + 0xFFFu + odd) >> 13);
}

float bfloat16ToFloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

std::uint16_t floatToBfloat16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    const std::uint32_t quiet = bits >> 16 | 0x40u;
    return static_cast<std::uint16_t>((bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded);
}

void convertToFloat(DType dtype, std::span<const std::byte> in, std::span<float> out) {
    assert(in.size() / static_cast<std::size_t>(dtypeBlockBytes(dtype)) * static_cast<std::size_t>(dtypeBlockElements(dtype)) == out.size());
    if (out.empty()) return;
    switch (dtype) {
        case DType::F32: std::memcpy(out.data(), in.data(), in.size()); return;
        case DType::F64:
            for (std::size_t i = 0; i < out.size(); ++i) {
                double value;
                std::memcpy(&value, in.data() + 8 * i, sizeof value);
                out[i] = static_cast<float>(value);
            }
            return;
        case DType::F16: return halvesToFloat(in.data(), out.size(), out.data());
        case DType::BF16: return bfloatsToFloat(in.data(), out.size(), out.data());
        case DType::Q4_0: return dequantiseQ4_0(in.data(), out.size() / quantElements, out.data());
        case DType::Q4_1: return dequantiseQ4_1(in.data(), out.size() / quantElements, out.data());
        case DType::Q8_0: return dequantiseQ8_0(in.data(), out.size() / quantElements, out.data());
        default: assert(false && "canReadAsFloat() was not asked");
    }
}

void convertFromFloat(DType dtype, std::span<const float> in, std::span<std::byte> out) {
    assert(in.size() * static_cast<std::size_t>(dtypeBlockBytes(dtype)) == out.size());
    if (in.empty()) return;
    switch (dtype) {
        case DType::F32: std::memcpy(out.data(), in.data(), out.size()); return;
        case DType::F64:
            for (std::size_t i = 0; i < in.size(); ++i) {
                const double value = in[i];
                std::memcpy(out.data() + 8 * i, &value, sizeof value);
            }
            return;
        case DType::F16:
            for (std::size_t i = 0; i < in.size(); ++i) {
                const std::uint16_t bits = floatToHalf(in[i]);
                std::memcpy(out.data() + 2 * i, &bits, sizeof bits);
            }
            return;
        case DType::BF16: return floatsToBfloat(in.data(), in.size(), out.data());
        default: assert(false && "only F32, F64, F16 and BF16 are written");
    }
}

std::int64_t countNonFinite(std::span<const float> values) {
    std::int64_t found = 0;
    // Pieces, so that the inner counter is a 32-bit one, which vectorises.
    for (std::size_t at = 0; at < values.size(); at += 1u << 20) {
        found += countNonFiniteOf(values.data() + at, std::min<std::size_t>(1u << 20, values.size() - at));
    }
    return found;
}

}  // namespace mofo
