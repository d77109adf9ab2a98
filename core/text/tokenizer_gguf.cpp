// Tokenizers of GGUF files: the tokenizer.ggml.* metadata. Sources: ggml/docs/gguf.md, llama.cpp's llama-vocab.cpp.
#include <algorithm>
#include <charconv>

#include "core/base/text.h"
#include "core/tensorio/gguf.h"
#include "core/text/byte_alphabet.h"
#include "core/text/tokenizer_files.h"

namespace mofo {

namespace {

enum class TokenType : std::int64_t { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };

constexpr std::size_t kTokenBytesLimit = 64 * 1024;
constexpr std::size_t kTokenLimit = 4'000'000;

std::string shown(std::string_view text) { return "\"" + escapeForDisplay(text.substr(0, 80)) + (text.size() > 80 ? "...\"" : "\""); }

Error refuse(std::string_view key, std::string_view tag, std::string message, ErrorCode code = ErrorCode::InvalidInput) {
    return Error{code, std::move(message), "key " + std::string(key), "", std::string(tag)};
}

Result<std::optional<TokenId>> readTokenId(const GgufFile& file, std::string_view key, std::size_t size) {
    if (file.find(key) == nullptr) return std::optional<TokenId>();
    MOFO_TRY(const std::int64_t id, file.getInt(key));
    // Some writers say "none" by -1, as 32 bits without a sign.
    if (id == -1 || id == 0xFFFFFFFFll) return std::optional<TokenId>();
    if (id < 0 || id >= static_cast<std::int64_t>(size)) return refuse(key, "RANGE", "the id " + std::to_string(id) + " is not in the vocabulary of " + formatCount(static_cast<std::int64_t>(size)));
    return std::optional(static_cast<TokenId>(id));
}

Result<std::optional<bool>> readFlag(const GgufFile& file, std::string_view key) {
    if (file.find(key) == nullptr) return std::optional<bool>();
    MOFO_TRY(const bool value, file.getBool(key));
    return std::optional(value);
}

Result<void> checkByteToken(std::string_view token, std::size_t id) {
    unsigned value = 0;
    const bool shaped = token.size() == 6 && token.starts_with("<0x") && token.ends_with('>');
    if (!shaped || std::from_chars(token.data() + 3, token.data() + 5, value, 16).ptr != token.data() + 5) {
        return refuse("tokenizer.ggml.tokens", "RANGE", "token " + std::to_string(id) + " is a byte token but spelt " + shown(token));
    }
    return {};
}

Result<void> readTokens(const GgufFile& file, TokenizerRules& rules, std::unordered_map<std::string, TokenId>& ids) {
    MOFO_TRY(const auto tokens, file.getStrings("tokenizer.ggml.tokens"));
    if (tokens.empty()) return refuse("tokenizer.ggml.tokens", "RANGE", "the vocabulary is empty");
    if (tokens.size() > kTokenLimit) return refuse("tokenizer.ggml.tokens", "LIMIT", "more than " + formatCount(kTokenLimit) + " tokens");
    std::span<const std::int64_t> types;
    if (file.find("tokenizer.ggml.token_type") != nullptr) {
        MOFO_TRY(types, file.getInts("tokenizer.ggml.token_type"));
        if (types.size() != tokens.size()) return refuse("tokenizer.ggml.token_type", "SIZE", formatCount(static_cast<std::int64_t>(types.size())) + " types for " + formatCount(static_cast<std::int64_t>(tokens.size())) + " tokens");
    }
    if (file.find("tokenizer.ggml.scores") != nullptr) {
        MOFO_TRY(const auto scores, file.getFloats("tokenizer.ggml.scores"));
        if (scores.size() != tokens.size()) return refuse("tokenizer.ggml.scores", "SIZE", formatCount(static_cast<std::int64_t>(scores.size())) + " scores for " + formatCount(static_cast<std::int64_t>(tokens.size())) + " tokens");
    }
    rules.tokens.resize(tokens.size());
    ids.reserve(tokens.size());
    std::size_t repeated = 0;
    for (std::size_t id = 0; id < tokens.size(); ++id) {
        std::string token = tokens[id];
        if (token.size() > kTokenBytesLimit) return refuse("tokenizer.ggml.tokens", "LIMIT", "token " + std::to_string(id) + " is longer than " + formatBytes(kTokenBytesLimit));
        const auto type = types.empty() ? TokenType::Normal : static_cast<TokenType>(types[id]);
        if (type == TokenType::Byte) MOFO_CHECK(checkByteToken(token, id));
        const bool added = (type == TokenType::Control || type == TokenType::UserDefined) && isValidUtf8(token) && !token.empty();
        // A token that is not spelt in the byte alphabet is meant as the bytes it shows.
        if (!added && !bytesOfToken(token)) token = tokenOfBytes(token);
        if (const auto [known, isNew] = ids.try_emplace(token, static_cast<TokenId>(id)); !isNew) {
            // The later one counts, as in llama.cpp and in Transformers' conversion.
            rules.tokens[static_cast<std::size_t>(known->second)].reset();
            std::erase_if(rules.addedTokens, [&](const AddedToken& other) { return other.id == known->second; });
            known->second = static_cast<TokenId>(id);
            ++repeated;
        }
        if (added) rules.addedTokens.push_back({static_cast<TokenId>(id), token, false, false, false, false, type == TokenType::Control});
        rules.tokens[id] = std::move(token);
    }
    if (repeated > 0) rules.warnings.push_back(formatCount(static_cast<std::int64_t>(repeated)) + " tokens stand twice in the vocabulary; the last one counts");
    return {};
}

Result<void> readMerges(const GgufFile& file, TokenizerRules& rules, const std::unordered_map<std::string, TokenId>& ids) {
    MOFO_TRY(const auto merges, file.getStrings("tokenizer.ggml.merges"));
    rules.merges.reserve(merges.size());
    for (std::size_t i = 0; i < merges.size(); ++i) {
        const std::string& text = merges[i];
        const auto blank = text.find(' ', 1);
        if (blank == std::string::npos || blank + 1 == text.size()) return refuse("tokenizer.ggml.merges", "REF", "merge " + std::to_string(i) + " " + shown(text) + " is not two tokens with one blank between them");
        const std::string left = text.substr(0, blank), right = text.substr(blank + 1);
        const auto leftId = ids.find(left), rightId = ids.find(right), joinedId = ids.find(left + right);
        if (leftId == ids.end() || rightId == ids.end() || joinedId == ids.end()) {
            return refuse("tokenizer.ggml.merges", "REF", "merge " + std::to_string(i) + " " + shown(text) + " speaks of a token that is not in the vocabulary");
        }
        rules.merges.push_back({leftId->second, rightId->second, joinedId->second});
    }
    return {};
}

/// Transformers makes the tokens that have a role special, whatever type the file gives them.
void makeSpecial(std::optional<TokenId> id, TokenizerRules& rules) {
    if (!id || !rules.tokens[static_cast<std::size_t>(*id)]) return;
    const auto known = std::find_if(rules.addedTokens.begin(), rules.addedTokens.end(), [&](const AddedToken& token) { return token.id == *id; });
    if (known != rules.addedTokens.end()) {
        known->special = true;
    } else {
        rules.addedTokens.push_back({*id, *rules.tokens[static_cast<std::size_t>(*id)], false, false, false, false, true});
    }
}

Result<TokenizerRules> readRules(const GgufFile& file) {
    TokenizerRules rules;
    MOFO_TRY(const std::string model, file.getString("tokenizer.ggml.model"));
    if (model != "gpt2") {
        return refuse("tokenizer.ggml.model", "DTYPE", "the tokenizer model " + shown(model) + " is not supported; known is gpt2 (byte-level BPE)", ErrorCode::Unsupported);
    }
    std::string pre = "gpt-2";
    if (file.find("tokenizer.ggml.pre") != nullptr) {
        MOFO_TRY(pre, file.getString("tokenizer.ggml.pre"));
    } else {
        rules.warnings.push_back("the file names no pre-tokenizer (tokenizer.ggml.pre); GPT-2's is used");
    }
    MOFO_CHECK(setNamedPreTokenizer(pre, rules));
    std::unordered_map<std::string, TokenId> ids;
    MOFO_CHECK(readTokens(file, rules, ids));
    MOFO_CHECK(readMerges(file, rules, ids));
    const std::size_t size = rules.tokens.size();
    MOFO_TRY(rules.bosId, readTokenId(file, "tokenizer.ggml.bos_token_id", size));
    MOFO_TRY(rules.eosId, readTokenId(file, "tokenizer.ggml.eos_token_id", size));
    MOFO_TRY(rules.unknownId, readTokenId(file, "tokenizer.ggml.unknown_token_id", size));
    MOFO_TRY(rules.padId, readTokenId(file, "tokenizer.ggml.padding_token_id", size));
    for (const auto& id : {rules.bosId, rules.eosId, rules.unknownId, rules.padId}) makeSpecial(id, rules);
    std::sort(rules.addedTokens.begin(), rules.addedTokens.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    MOFO_TRY(rules.addBos, readFlag(file, "tokenizer.ggml.add_bos_token"));
    MOFO_TRY(rules.addEos, readFlag(file, "tokenizer.ggml.add_eos_token"));
    TemplateStep around;
    // Files of Llama 3 that do not say whether to add BOS mean it, as in llama.cpp.
    if (rules.bosId && rules.addBos.value_or(rules.preTokenizerName == "llama-bpe")) around.before.push_back(*rules.bosId);
    if (rules.eosId && rules.addEos.value_or(false)) around.after.push_back(*rules.eosId);
    if (!around.before.empty() || !around.after.empty()) rules.postProcessor.push_back(std::move(around));
    if (file.find("tokenizer.ggml.add_space_prefix") != nullptr) {
        MOFO_TRY(rules.addPrefixSpace, file.getBool("tokenizer.ggml.add_space_prefix"));
    }
    if (file.find("tokenizer.chat_template") != nullptr) {
        MOFO_TRY(std::string text, file.getString("tokenizer.chat_template"));
        if (text.size() > (1u << 20)) return refuse("tokenizer.chat_template", "LIMIT", "the chat template is longer than 1 MiB");
        if (!isValidUtf8(text)) return refuse("tokenizer.chat_template", "UTF8", "the chat template is not valid UTF-8");
        rules.chatTemplate = std::move(text);
    }
    return rules;
}

}  // namespace

Result<TokenizerRules> readTokenizerGguf(const GgufFile& file) {
    auto rules = readRules(file);
    // Look-ups of the file name it themselves; our own refusals do not.
    if (!rules.ok() && rules.error().where.find(file.path().string()) == std::string::npos) return std::move(rules).error().in(file.path().string());
    return rules;
}

}  // namespace mofo
