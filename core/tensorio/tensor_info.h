// What a file says about one tensor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mofo {

/// Element types of safetensors and GGUF files. The block-quantised ones exist only in GGUF; those that this build cannot
/// dequantise are known by name so that they can be refused by name.
enum class DType { F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, Bool, F8E4M3, F8E5M2,
                   Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q8_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, Q8_K, OtherQuantized };

[[nodiscard]] std::string_view dtypeName(DType dtype);
/// Elements per block (1 for plain types) and bytes per block.
[[nodiscard]] std::int64_t dtypeBlockElements(DType dtype);
[[nodiscard]] std::int64_t dtypeBlockBytes(DType dtype);

struct TensorInfo {
    std::string name;
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;  ///< outermost dimension first (GGUF's `ne` reversed); empty = scalar
    std::uint64_t offset = 0;         ///< of the first byte, from the start of the file
    std::uint64_t sizeBytes = 0;
    std::int64_t elementCount = 0;
};

}  // namespace mofo
