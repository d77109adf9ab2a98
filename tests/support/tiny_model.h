// A two-layer Llama with a byte-level tokenizer, small enough to train hundreds of steps in a second. Weights are a fixed function of
// tensor name and index.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace mofo::test {

/// Writes config.json, model.safetensors, tokenizer.json, tokenizer_config.json (with SmolLM2's chat template) into `folder`, which it makes.
/// Hidden size 32, 4 heads over 2 kv heads, vocabulary 259 (256 bytes + 3 special), tied head.
struct TinyModelOptions {
    std::uint64_t seed = 1;      ///< other seeds give other weights
    std::string poisonedTensor;  ///< the first value of this tensor is NaN
    bool withTokenizer = true;   ///< false: no tokenizer files, as a broken download has it
};
void writeTinyModel(const std::filesystem::path& folder, const TinyModelOptions& options = {});

/// A JSONL file of `rows` question/answer rows of different lengths.
void writeTinyData(const std::filesystem::path& file, int rows);

}  // namespace mofo::test
