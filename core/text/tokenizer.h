// Turns text into token ids exactly as Transformers' fast tokenizers do, and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mofo {

class GgufFile;

using TokenId = std::int32_t;

/// The ids of a text, and for each the bytes [begin, end) of the input that it covers. Where a character is spread over several
/// tokens each of them covers the whole character, as in Transformers' offsets.
struct Encoding {
    std::vector<TokenId> ids;
    std::vector<std::uint32_t> begin;
    std::vector<std::uint32_t> end;
};

/// Immutable after loading; encode and decode may be called from any thread.
class Tokenizer {
public:
    /// From tokenizer.json, tokenizer_config.json and chat_template.jinja (or the template inside the config) of an HF folder.
    static Result<Tokenizer> fromHfFolder(const std::filesystem::path& folder);
    /// From the tokenizer.ggml.* metadata of a GGUF; its pre-tokenizer is the one that tokenizer.ggml.pre names.
    static Result<Tokenizer> fromGguf(const GgufFile& file);
    Tokenizer(Tokenizer&&) noexcept;
    Tokenizer& operator=(Tokenizer&&) noexcept;
    ~Tokenizer();

    /// `text` must be valid UTF-8 (else InvalidInput, tag UTF8). Special tokens written inside the text become their ids.
    /// `addSpecialTokens` puts the model's own BOS/EOS around it where its post-processor says so.
    Result<Encoding> encode(std::string_view text, bool addSpecialTokens) const;
    /// Bytes of the ids; invalid UTF-8 in the result is replaced by U+FFFD. Unknown ids give nothing.
    [[nodiscard]] std::string decode(std::span<const TokenId> ids, bool skipSpecialTokens) const;
    /// The piece of one token for showing (its bytes decoded, special tokens as written).
    [[nodiscard]] std::string piece(TokenId id) const;

    [[nodiscard]] std::int32_t vocabularySize() const;  ///< highest id + 1
    [[nodiscard]] std::optional<TokenId> bosId() const;
    [[nodiscard]] std::optional<TokenId> eosId() const;
    [[nodiscard]] std::optional<TokenId> padId() const;
    [[nodiscard]] bool isSpecial(TokenId id) const;
    /// Whether special tokens stand written in the text, so that encode would make them tokens.
    [[nodiscard]] bool spellsSpecialToken(std::string_view text) const;
    [[nodiscard]] std::optional<TokenId> idOf(std::string_view token) const;
    /// The model's chat template (Jinja text, never executed), if it has one.
    [[nodiscard]] const std::optional<std::string>& chatTemplateText() const;
    [[nodiscard]] const std::vector<std::string>& warnings() const;

    /// Writes tokenizer.json, tokenizer_config.json, special_tokens_map.json and chat_template.jinja such that Transformers'
    /// AutoTokenizer gives the same ids. A tokenizer that came from an HF folder is written back byte for byte.
    Result<void> writeHfFiles(const std::filesystem::path& folder) const;
    /// Content hash of everything that decides the ids (vocabulary, merges, rules, special tokens).
    [[nodiscard]] std::string sha256() const;

private:
    struct State;
    explicit Tokenizer(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

}  // namespace mofo
