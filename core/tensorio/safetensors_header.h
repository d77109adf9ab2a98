// The header of a safetensors file: parsing and every check on it; private to core/tensorio.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/tensorio/tensor_info.h"

namespace mofo {

struct SafetensorsHeader {
    std::vector<TensorInfo> tensors;  ///< in order of their offsets, which are from the start of the file
    std::unordered_map<std::string, std::size_t> index;
    std::map<std::string, std::string> metadata;
    std::vector<std::string> warnings;
};

/// `text` is the header without its length; `dataBegin` = 8 + its length, `fileBytes` the size of the whole file.
Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view text, std::uint64_t dataBegin, std::uint64_t fileBytes);

}  // namespace mofo
