// What a file says about one tensor, and the element types of both file formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mofo {

/// Element types of safetensors and GGUF files. The block-quantised ones exist only in GGUF; those that this build cannot
/// dequantise are known by name and size so that they can be measured, and refused by name.
enum class DType {
    F64,
    F32,
    F16,
    BF16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
    C64,
    F8E4M3,
    F8E5M2,
    F8E8M0,
    F8E4M3FNUZ,
    F8E5M2FNUZ,
    F6E2M3,
    F6E3M2,
    F4,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q8_1,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    Q8_K,
    IQ2_XXS,
    IQ2_XS,
    IQ3_XXS,
    IQ1_S,
    IQ4_NL,
    IQ3_S,
    IQ2_S,
    IQ4_XS,
    IQ1_M,
    TQ1_0,
    TQ2_0,
    MXFP4,
    NVFP4,
    Q1_0,
};

/// The name the formats use: "F32", "F8_E4M3", "Q4_K".
[[nodiscard]] std::string_view dtypeName(DType dtype);
/// Elements per block (1 for plain types; F4 packs 2 into a byte, F6 4 into three) and bytes per block.
[[nodiscard]] std::int64_t dtypeBlockElements(DType dtype);
[[nodiscard]] std::int64_t dtypeBlockBytes(DType dtype);
/// Whether readFloats of GgufFile or SafetensorsFile can turn it into fp32.
[[nodiscard]] bool canReadAsFloat(DType dtype);
/// Whether it is one of GGUF's block formats.
[[nodiscard]] bool isQuantised(DType dtype);

struct TensorInfo {
    std::string name;
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;  ///< outermost dimension first (GGUF's `ne` reversed); empty = scalar
    std::uint64_t offset = 0;         ///< of the first byte, from the start of the file
    std::uint64_t sizeBytes = 0;
    std::int64_t elementCount = 0;
};

/// "[49152, 576]"
[[nodiscard]] std::string shapeText(const std::vector<std::int64_t>& shape);

}  // namespace mofo
