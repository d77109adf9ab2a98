// Everything that decides what a tokenizer does, as read from tokenizer.json or from a GGUF; private to core/text.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/text/added_tokens.h"
#include "core/text/bpe_model.h"
#include "core/text/pre_tokenizer.h"

namespace mofo {

/// Post-processor that takes white space out of offsets (ByteLevel with trim_offsets).
struct TrimOffsetsStep {
    bool addPrefixSpace = false;
};

/// Post-processor that puts special tokens around the text (TemplateProcessing): ids before and behind it.
struct TemplateStep {
    std::vector<TokenId> before;
    std::vector<TokenId> after;
};

using PostProcessorStep = std::variant<TrimOffsetsStep, TemplateStep>;

struct TokenizerRules {
    std::vector<std::optional<std::string>> tokens;  ///< by id, in the byte alphabet's spelling; gaps are empty
    std::vector<BpeMerge> merges;
    bool ignoreMerges = false;
    bool fuseUnknown = false;
    std::optional<TokenId> modelUnknownId;  ///< BPE's own unk_token
    bool normalizeNfc = false;
    bool addPrefixSpace = false;            ///< ByteLevel's: a space goes before each text that does not begin with one
    std::vector<PreTokenizerStep> preTokenizer;
    std::string preTokenizerName;           ///< of a GGUF: smollm, gpt-2, llama-bpe
    std::vector<PostProcessorStep> postProcessor;
    std::vector<AddedToken> addedTokens;
    bool byteLevelDecoder = true;
    std::optional<TokenId> bosId, eosId, padId, unknownId;
    std::optional<bool> addBos, addEos;     ///< as a GGUF says
    std::optional<std::string> chatTemplate;
    std::vector<std::string> warnings;
    /// Files of the HF folder, name and bytes, to be written back as they are; empty from a GGUF.
    std::vector<std::pair<std::string, std::string>> files;
};

/// Reads tokenizer.json. Errors carry the key and a tag of the malformed-file corpus. `rules` keeps what it held beside.
Result<void> readTokenizerJson(const Json& json, TokenizerRules& rules);
/// Reads `normalizer`, `pre_tokenizer`, `post_processor` and `decoder` of tokenizer.json; vocabulary and added tokens must be read already.
Result<void> readPipeline(const Json& json, TokenizerRules& rules);
/// Special tokens, add_bos_token and the chat template of tokenizer_config.json.
Result<void> readTokenizerConfig(const Json& config, TokenizerRules& rules);
/// The steps of the pre-tokenizer that a GGUF names; an unknown one is refused with the list of known ones.
Result<void> setNamedPreTokenizer(std::string_view name, TokenizerRules& rules);
[[nodiscard]] std::vector<std::string> namedPreTokenizers();
/// Id of a token, added tokens first (slow: looks through all of them).
[[nodiscard]] std::optional<TokenId> findToken(const TokenizerRules& rules, std::string_view token);

/// The texts of the four files that make Transformers do what `rules` say.
struct HfTokenizerFiles {
    std::string tokenizerJson;
    std::string tokenizerConfigJson;
    std::string specialTokensMapJson;
    std::optional<std::string> chatTemplate;
};
Result<HfTokenizerFiles> makeHfTokenizerFiles(const TokenizerRules& rules);

}  // namespace mofo
