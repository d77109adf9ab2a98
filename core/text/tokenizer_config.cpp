// tokenizer_config.json and special_tokens_map.json, read as Transformers 5 does beside a tokenizer.json.
#include <algorithm>

#include "core/base/text.h"
#include "core/text/chat_template.h"
#include "core/text/json_view.h"
#include "core/text/tokenizer_rules.h"

namespace mofo {

namespace {

constexpr std::size_t kTemplateBytesLimit = 1 << 20;

/// A token as a string or as an object with `content`; nothing where the key is missing.
Result<std::optional<std::string>> readTokenText(const JsonView& config, std::string_view key) {
    if (!config.has(key)) return std::optional<std::string>();
    MOFO_TRY(const JsonView value, config.member(key));
    if (value.value().is_string()) return std::optional(value.value().get<std::string>());
    if (value.value().is_object()) {
        MOFO_TRY(std::string content, value.text("content"));
        return std::optional(std::move(content));
    }
    return value.refuse("TYPE", std::string("a token is a string or an object, not ") + value.value().type_name());
}

std::size_t nextFreeId(const TokenizerRules& rules) {
    std::size_t next = static_cast<std::size_t>(std::count_if(rules.tokens.begin(), rules.tokens.end(), [](const auto& token) { return token.has_value(); }));
    for (const AddedToken& token : rules.addedTokens) next = std::max(next, static_cast<std::size_t>(token.id) + 1);
    return next;
}

/// The config may give an added token other properties than tokenizer.json does; the config wins, but for the id.
Result<void> readAddedTokensDecoder(const JsonView& config, TokenizerRules& rules) {
    if (!config.has("added_tokens_decoder")) return {};
    MOFO_TRY(const JsonView table, config.member("added_tokens_decoder"));
    MOFO_CHECK(table.requireObject());
    for (const auto& [key, unused] : table.value().items()) {
        MOFO_TRY(const JsonView item, table.member(key));
        AddedToken token;
        MOFO_TRY(token.content, item.text("content"));
        if (token.content.empty()) continue;
        MOFO_TRY(token.special, item.flag("special", false));
        MOFO_TRY(token.normalized, item.flag("normalized", !token.special));
        MOFO_TRY(token.singleWord, item.flag("single_word", false));
        MOFO_TRY(token.leftStrip, item.flag("lstrip", false));
        MOFO_TRY(token.rightStrip, item.flag("rstrip", false));
        const auto known = std::find_if(rules.addedTokens.begin(), rules.addedTokens.end(), [&](const AddedToken& added) { return added.content == token.content; });
        if (known != rules.addedTokens.end()) {
            token.id = known->id;
            *known = std::move(token);
            continue;
        }
        const auto id = findToken(rules, token.content);
        token.id = id ? *id : static_cast<TokenId>(nextFreeId(rules));
        if (key != std::to_string(token.id)) return item.refuse("SEM", "the token \"" + escapeForDisplay(token.content.substr(0, 80)) + "\" has the id " + std::to_string(token.id) + " in tokenizer.json");
        rules.addedTokens.push_back(std::move(token));
    }
    return {};
}

Result<std::optional<TokenId>> readSpecialToken(const JsonView& config, std::string_view key, TokenizerRules& rules) {
    MOFO_TRY(const std::optional<std::string> text, readTokenText(config, key));
    if (!text || text->empty()) return std::optional<TokenId>();
    const auto isIt = [&](const AddedToken& added) { return added.content == *text; };
    if (const auto known = std::find_if(rules.addedTokens.begin(), rules.addedTokens.end(), isIt); known != rules.addedTokens.end()) return std::optional(known->id);
    AddedToken token;
    token.content = *text;
    token.special = true;
    const auto id = findToken(rules, *text);
    token.id = id ? *id : static_cast<TokenId>(nextFreeId(rules));
    if (!id) rules.warnings.push_back("the " + std::string(key) + " \"" + escapeForDisplay(text->substr(0, 80)) + "\" is not in the vocabulary and gets the id " + std::to_string(token.id));
    rules.addedTokens.push_back(token);
    return std::optional(token.id);
}

Result<void> readChatTemplate(const JsonView& config, TokenizerRules& rules) {
    if (!config.has("chat_template")) return {};
    MOFO_TRY(const JsonView value, config.member("chat_template"));
    if (value.value().is_string()) {
        rules.chatTemplate = value.value().get<std::string>();
    } else if (value.value().is_array()) {
        for (std::size_t i = 0; i < value.value().size(); ++i) {
            MOFO_TRY(const std::string name, value.element(i).text("name"));
            if (name != "default") continue;
            MOFO_TRY(rules.chatTemplate, value.element(i).text("template"));
        }
    } else {
        return value.refuse("TYPE", "a chat template is a string or a list of named ones");
    }
    if (rules.chatTemplate && rules.chatTemplate->size() > kTemplateBytesLimit) return value.refuse("LIMIT", "the chat template is longer than " + formatBytes(kTemplateBytesLimit));
    return {};
}

}  // namespace

Result<void> readTokenizerConfig(const Json& json, TokenizerRules& rules) {
    const JsonView config(json, "");
    MOFO_CHECK(config.requireObject());
    MOFO_CHECK(readAddedTokensDecoder(config, rules));
    MOFO_TRY(rules.bosId, readSpecialToken(config, "bos_token", rules));
    MOFO_TRY(rules.eosId, readSpecialToken(config, "eos_token", rules));
    MOFO_TRY(rules.unknownId, readSpecialToken(config, "unk_token", rules));
    MOFO_TRY([[maybe_unused]] const auto separator, readSpecialToken(config, "sep_token", rules));
    MOFO_TRY(rules.padId, readSpecialToken(config, "pad_token", rules));
    MOFO_TRY([[maybe_unused]] const auto classToken, readSpecialToken(config, "cls_token", rules));
    MOFO_TRY([[maybe_unused]] const auto mask, readSpecialToken(config, "mask_token", rules));
    if (config.has("split_special_tokens") && json.at("split_special_tokens") == true) rules.warnings.push_back("split_special_tokens is ignored: special tokens in text become their ids");
    if (config.has("tokenizer_class") && rules.preTokenizer.size() > 1) {
        MOFO_TRY(const std::string name, config.text("tokenizer_class"));
        if (name.starts_with("GPT2Tokenizer")) {
            rules.warnings.push_back("tokenizer_config.json names " + escapeForDisplay(name.substr(0, 40)) + ", with which Transformers 5 drops the pre-tokenizer of tokenizer.json; the one of the file is used here");
        }
    }
    return readChatTemplate(config, rules);
}

}  // namespace mofo
