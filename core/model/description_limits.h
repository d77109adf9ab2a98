// Bounds that every model description is held to, whichever file it comes from; private to core/model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/model_description.h"

namespace mofo {

/// Beyond these no model exists; they keep every product of sizes far below 2^63.
struct DescriptionLimits {
    static constexpr std::int64_t hiddenSize = 1 << 20;
    static constexpr std::int64_t intermediateSize = 1 << 22;
    static constexpr std::int64_t vocabularySize = 1 << 24;
    static constexpr std::int64_t layers = 1024;
    static constexpr std::int64_t heads = 4096;
    static constexpr std::int64_t headSize = 4096;
};

/// Names of the keys of the source, for messages.
struct DescriptionKeys {
    std::string_view heads, kvHeads, headSize, epsilon, theta, eos, bos;
};

/// One refused field: `where` = key "<key>".
Error fieldError(std::string_view key, const char* tag, std::string message);
Error unsupportedError(std::string_view key, std::string message, std::string remedy = {});
/// 1 <= value <= limit, else RANGE or LIMIT.
Result<void> checkSize(std::string_view key, std::int64_t value, std::int64_t limit);
/// What holds between fields: kv heads divide heads, even head size, epsilon, theta, token ids inside the vocabulary.
Result<void> checkDescription(const ModelDescription& model, const DescriptionKeys& keys, std::vector<std::string>& warnings);

}  // namespace mofo
