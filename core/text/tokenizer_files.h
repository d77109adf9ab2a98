// Where tokenizer rules come from and go to; private to core/text.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/result.h"
#include "core/text/tokenizer_rules.h"

namespace mofo {

class GgufFile;

/// Reads the tokenizer files of an HF folder.
Result<TokenizerRules> readTokenizerFolder(const std::filesystem::path& folder);
/// Reads the tokenizer.ggml.* metadata of a GGUF.
Result<TokenizerRules> readTokenizerGguf(const GgufFile& file);
/// Writes rules.files as they are, or, where there are none, the files that makeHfTokenizerFiles makes. The folder must exist.
Result<void> writeTokenizerFolder(const TokenizerRules& rules, const std::filesystem::path& folder);
/// SHA-256 over everything in the rules that decides ids.
[[nodiscard]] std::string hashTokenizerRules(const TokenizerRules& rules);

}  // namespace mofo
