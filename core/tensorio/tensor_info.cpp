#include "core/tensorio/tensor_info.h"

#include <array>

namespace mofo {

namespace {

struct Row {
    std::string_view name;
    int blockElements;
    int blockBytes;
};

// In the order of the enum. Sizes of the block formats: GGML_QUANT_SIZES of ggml's gguf-py (gguf/constants.py).
constexpr std::array rows = {
    Row{"F64", 1, 8},         Row{"F32", 1, 4},      Row{"F16", 1, 2},      Row{"BF16", 1, 2},      Row{"I64", 1, 8},        Row{"I32", 1, 4},
    Row{"I16", 1, 2},         Row{"I8", 1, 1},       Row{"U64", 1, 8},      Row{"U32", 1, 4},       Row{"U16", 1, 2},        Row{"U8", 1, 1},
    Row{"BOOL", 1, 1},        Row{"C64", 1, 8},      Row{"F8_E4M3", 1, 1},  Row{"F8_E5M2", 1, 1},   Row{"F8_E8M0", 1, 1},    Row{"F8_E4M3FNUZ", 1, 1},
    Row{"F8_E5M2FNUZ", 1, 1}, Row{"F6_E2M3", 4, 3},  Row{"F6_E3M2", 4, 3},  Row{"F4", 2, 1},        Row{"Q4_0", 32, 18},     Row{"Q4_1", 32, 20},
    Row{"Q5_0", 32, 22},      Row{"Q5_1", 32, 24},   Row{"Q8_0", 32, 34},   Row{"Q8_1", 32, 40},    Row{"Q2_K", 256, 84},    Row{"Q3_K", 256, 110},
    Row{"Q4_K", 256, 144},    Row{"Q5_K", 256, 176}, Row{"Q6_K", 256, 210}, Row{"Q8_K", 256, 292},  Row{"IQ2_XXS", 256, 66}, Row{"IQ2_XS", 256, 74},
    Row{"IQ3_XXS", 256, 98},  Row{"IQ1_S", 256, 50}, Row{"IQ4_NL", 32, 18}, Row{"IQ3_S", 256, 110}, Row{"IQ2_S", 256, 82},   Row{"IQ4_XS", 256, 136},
    Row{"IQ1_M", 256, 56},    Row{"TQ1_0", 256, 54}, Row{"TQ2_0", 256, 66}, Row{"MXFP4", 32, 17},   Row{"NVFP4", 64, 36},    Row{"Q1_0", 128, 18},
};
static_assert(rows.size() == static_cast<std::size_t>(DType::Q1_0) + 1);

const Row& rowOf(DType dtype) { return rows[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::string_view dtypeName(DType dtype) { return rowOf(dtype).name; }
std::int64_t dtypeBlockElements(DType dtype) { return rowOf(dtype).blockElements; }
std::int64_t dtypeBlockBytes(DType dtype) { return rowOf(dtype).blockBytes; }

bool canReadAsFloat(DType dtype) {
    switch (dtype) {
        case DType::F64:
        case DType::F32:
        case DType::F16:
        case DType::BF16:
        case DType::Q4_0:
        case DType::Q4_1:
        case DType::Q8_0: return true;
        default: return false;
    }
}

bool isQuantised(DType dtype) { return dtype >= DType::Q4_0; }

std::string shapeText(const std::vector<std::int64_t>& shape) {
    std::string out = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return out + "]";
}

}  // namespace mofo
