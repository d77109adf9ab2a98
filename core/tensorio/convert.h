// Element conversions: what a file stores to fp32 and back. Bit for bit those of NumPy, PyTorch and ggml's gguf-py (quants.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensorio/tensor_info.h"

namespace mofo {

/// IEEE binary16 to binary32; exact, NaN payloads kept.
[[nodiscard]] float halfToFloat(std::uint16_t bits);
/// Round to nearest even; overflow gives infinity, NaN stays NaN.
[[nodiscard]] std::uint16_t floatToHalf(float value);
[[nodiscard]] float bfloat16ToFloat(std::uint16_t bits);
[[nodiscard]] std::uint16_t floatToBfloat16(float value);

/// Turns whole blocks of `dtype` into fp32: in.size() / block bytes * block elements == out.size(), and canReadAsFloat(dtype).
/// `in` need not be aligned. F64 is rounded to nearest.
void convertToFloat(DType dtype, std::span<const std::byte> in, std::span<float> out);
/// fp32 to F32, F16, BF16 or F64; out.size() == in.size() * bytes per element. Rounds to nearest even.
void convertFromFloat(DType dtype, std::span<const float> in, std::span<std::byte> out);
/// How many of the values are infinite or not a number.
[[nodiscard]] std::int64_t countNonFinite(std::span<const float> values);

}  // namespace mofo
