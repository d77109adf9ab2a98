// tokenizer.json: vocabulary, merges and added tokens. Format: github.com/huggingface/tokenizers, tokenizers/src.
#include <algorithm>

#include "core/base/text.h"
#include "core/text/byte_alphabet.h"
#include "core/text/json_view.h"
#include "core/text/tokenizer_rules.h"

namespace mofo {

namespace {

constexpr std::int64_t kIdLimit = 4'000'000;
constexpr std::size_t kMergeLimit = 4'000'000;
constexpr std::size_t kAddedTokenLimit = 100'000;
constexpr std::size_t kTokenBytesLimit = 64 * 1024;
const char* const kKnownModels = "this build reads byte-level BPE";

std::string shown(std::string_view text) { return "\"" + escapeForDisplay(text.substr(0, 80)) + (text.size() > 80 ? "...\"" : "\""); }

using IdMap = std::unordered_map<std::string_view, TokenId>;

Result<TokenId> readId(const JsonView& where, const Json& value, const std::string& what) {
    if (!value.is_number_integer()) return where.refuse("TYPE", "the id of " + what + " is not a whole number");
    if (value.is_number_unsigned() ? false : value.get<std::int64_t>() < 0) return where.refuse("RANGE", "the id of " + what + " is negative");
    if (value.is_number_unsigned() && value.get<std::uint64_t>() >= static_cast<std::uint64_t>(kIdLimit)) {
        return where.refuse("LIMIT", "the id of " + what + " is beyond " + formatCount(kIdLimit));
    }
    return static_cast<TokenId>(value.get<std::int64_t>());
}

Result<void> readVocabulary(const JsonView& model, TokenizerRules& rules, IdMap& ids) {
    MOFO_TRY(const JsonView vocabulary, model.member("vocab"));
    MOFO_CHECK(vocabulary.requireObject());
    if (vocabulary.value().empty()) return vocabulary.refuse("RANGE", "the vocabulary is empty");
    TokenId highest = -1;
    ids.reserve(vocabulary.value().size());
    for (const auto& [token, value] : vocabulary.value().items()) {
        if (token.size() > kTokenBytesLimit) return vocabulary.refuse("LIMIT", "the token " + shown(token) + " is longer than " + formatBytes(kTokenBytesLimit));
        MOFO_TRY(const TokenId id, readId(vocabulary, value, shown(token)));
        highest = std::max(highest, id);
    }
    rules.tokens.assign(static_cast<std::size_t>(highest) + 1, std::nullopt);
    for (const auto& item : vocabulary.value().get_ref<const Json::object_t&>()) {
        const auto id = item.second.get<TokenId>();
        auto& slot = rules.tokens[static_cast<std::size_t>(id)];
        if (slot) return vocabulary.refuse("DUP", "the tokens " + shown(*slot) + " and " + shown(item.first) + " have the same id " + std::to_string(id));
        slot = item.first;
        ids.emplace(item.first, id);
    }
    if (ids.size() != rules.tokens.size()) rules.warnings.push_back("the vocabulary has " + formatCount(static_cast<std::int64_t>(rules.tokens.size() - ids.size())) + " gaps in its ids");
    if (ids.contains("")) rules.warnings.push_back("the vocabulary has an empty token, which nothing can become");
    return {};
}

Result<void> readMerges(const JsonView& model, TokenizerRules& rules, const IdMap& ids) {
    MOFO_TRY(const JsonView merges, model.member("merges"));
    MOFO_CHECK(merges.requireArray());
    if (merges.value().size() > kMergeLimit) return merges.refuse("LIMIT", "more than " + formatCount(kMergeLimit) + " merges");
    rules.merges.reserve(merges.value().size());
    std::unordered_map<std::uint64_t, std::size_t> seen;
    seen.reserve(merges.value().size());
    std::size_t repeated = 0;
    std::string joined;
    for (std::size_t i = 0; i < merges.value().size(); ++i) {
        const Json& item = merges.value()[i];
        std::string_view left, right;
        if (item.is_string()) {
            const std::string_view text = item.get_ref<const std::string&>();
            if (text.starts_with("#version")) continue;
            const auto blank = text.find(' ');
            if (blank == std::string_view::npos || text.find(' ', blank + 1) != std::string_view::npos) {
                return merges.element(i).refuse("REF", "the merge " + shown(text) + " is not two tokens with one blank between them");
            }
            left = text.substr(0, blank);
            right = text.substr(blank + 1);
        } else if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
            left = item[0].get_ref<const std::string&>();
            right = item[1].get_ref<const std::string&>();
        } else {
            return merges.element(i).refuse("TYPE", "a merge is a string or an array of two strings");
        }
        joined.assign(left).append(right);
        const auto leftId = ids.find(left), rightId = ids.find(right), joinedId = ids.find(joined);
        for (const auto& [part, id] : {std::pair(left, leftId), std::pair(right, rightId), std::pair(std::string_view(joined), joinedId)}) {
            if (part.empty()) return merges.element(i).refuse("REF", "the merge has an empty part");
            if (id == ids.end()) return merges.element(i).refuse("REF", "the merge speaks of " + shown(part) + ", which is not in the vocabulary");
        }
        const auto key = (static_cast<std::uint64_t>(leftId->second) << 32) | static_cast<std::uint32_t>(rightId->second);
        if (!seen.emplace(key, rules.merges.size()).second) ++repeated;
        rules.merges.push_back({leftId->second, rightId->second, joinedId->second});
    }
    if (repeated > 0) rules.warnings.push_back(formatCount(static_cast<std::int64_t>(repeated)) + " merges stand twice; the last one counts");
    return {};
}

Result<void> readModel(const JsonView& root, TokenizerRules& rules) {
    MOFO_TRY(const JsonView model, root.member("model"));
    MOFO_CHECK(model.requireObject());
    if (model.has("type")) {
        MOFO_TRY(const std::string type, model.text("type"));
        if (type == "Unigram" && model.has("merges")) return model.refuse("SEM", "the model is called Unigram but has merges");
        if (type != "BPE") return model.refuse("DTYPE", "the tokenizer model " + shown(type) + " is not supported; " + kKnownModels, ErrorCode::Unsupported);
    }
    if (model.has("dropout")) {
        MOFO_TRY(const JsonView dropout, model.member("dropout"));
        if (!dropout.value().is_number()) return dropout.refuse("TYPE", "a number is due");
        const auto share = dropout.value().get<double>();
        if (!(share >= 0 && share <= 1)) return dropout.refuse("RANGE", "dropout must lie between 0 and 1");
        if (share > 0) rules.warnings.push_back("the dropout of the merges (" + formatShortest(share) + ") is ignored");
    }
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        if (!model.has(key)) continue;
        MOFO_TRY(const std::string text, model.text(key));
        if (!text.empty()) return model.refuse("DTYPE", std::string(key) + " is not supported; " + kKnownModels, ErrorCode::Unsupported);
    }
    MOFO_TRY(rules.ignoreMerges, model.flag("ignore_merges", false));
    MOFO_TRY(rules.fuseUnknown, model.flag("fuse_unk", false));
    MOFO_TRY(const bool byteFallback, model.flag("byte_fallback", false));
    IdMap ids;
    MOFO_CHECK(readVocabulary(model, rules, ids));
    MOFO_CHECK(readMerges(model, rules, ids));
    if (model.has("unk_token")) {
        MOFO_TRY(const std::string unknown, model.text("unk_token"));
        const auto id = ids.find(unknown);
        if (id == ids.end()) return model.refuse("REF", "the unknown token " + shown(unknown) + " is not in the vocabulary");
        rules.modelUnknownId = id->second;
    }
    if (byteFallback) {
        if (ids.contains("<0x41>")) return model.refuse("DTYPE", "byte_fallback is not supported; " + std::string(kKnownModels), ErrorCode::Unsupported);
        rules.warnings.push_back("byte_fallback has no <0xNN> tokens to fall back to");
    }
    return {};
}

Result<void> readAddedTokens(const JsonView& root, TokenizerRules& rules) {
    if (!root.has("added_tokens")) return {};
    MOFO_TRY(const JsonView list, root.member("added_tokens"));
    MOFO_CHECK(list.requireArray());
    if (list.value().size() > kAddedTokenLimit) return list.refuse("LIMIT", "more than " + formatCount(kAddedTokenLimit) + " added tokens");
    IdMap ids;
    TokenId count = 0;
    for (std::size_t id = 0; id < rules.tokens.size(); ++id) {
        if (!rules.tokens[id]) continue;
        ids.emplace(*rules.tokens[id], static_cast<TokenId>(id));
        ++count;
    }
    std::unordered_map<TokenId, std::size_t> byId;
    std::vector<AddedToken> tokens;
    tokens.reserve(list.value().size());
    for (std::size_t i = 0; i < list.value().size(); ++i) {
        const JsonView item = list.element(i);
        AddedToken token;
        MOFO_TRY(token.content, item.text("content"));
        if (token.content.empty()) return item.refuse("NAME", "an added token without text would match everywhere");
        if (token.content.size() > kTokenBytesLimit) return item.refuse("LIMIT", "the added token " + shown(token.content) + " is longer than " + formatBytes(kTokenBytesLimit));
        MOFO_TRY(const JsonView idView, item.member("id"));
        MOFO_TRY(token.id, readId(idView, idView.value(), shown(token.content)));
        MOFO_TRY(token.singleWord, item.flag("single_word", false));
        MOFO_TRY(token.leftStrip, item.flag("lstrip", false));
        MOFO_TRY(token.rightStrip, item.flag("rstrip", false));
        MOFO_TRY(token.normalized, item.flag("normalized", true));
        MOFO_TRY(token.special, item.flag("special", false));
        if (!byId.emplace(token.id, i).second) return item.refuse("DUP", "two added tokens have the id " + std::to_string(token.id));
        const auto known = ids.find(token.content);
        if (known != ids.end() && known->second != token.id) {
            return item.refuse("DUP", "the added token " + shown(token.content) + " has the id " + std::to_string(token.id) + " here and " + std::to_string(known->second) + " in the vocabulary");
        }
        if (known == ids.end()) {
            const auto index = static_cast<std::size_t>(token.id);
            if (index < rules.tokens.size() && rules.tokens[index]) return item.refuse("DUP", "the id of " + shown(token.content) + " is that of " + shown(*rules.tokens[index]) + " already");
            // The reference numbers new tokens itself, from the size of the vocabulary on.
            if (token.id != count) {
                return item.refuse(token.id > count + static_cast<TokenId>(kAddedTokenLimit) ? "LIMIT" : "SEM", "the added token " + shown(token.content) + " has the id " + std::to_string(token.id) + ", but the next free one is " + std::to_string(count));
            }
            ++count;
        }
        tokens.push_back(std::move(token));
    }
    rules.addedTokens = std::move(tokens);
    return {};
}

void warnAboutForeignTokens(TokenizerRules& rules) {
    std::vector<bool> added(rules.tokens.size(), false);
    for (const AddedToken& token : rules.addedTokens) {
        if (static_cast<std::size_t>(token.id) < added.size()) added[static_cast<std::size_t>(token.id)] = true;
    }
    std::size_t foreign = 0;
    std::string first;
    for (std::size_t id = 0; id < rules.tokens.size(); ++id) {
        if (!rules.tokens[id] || added[id] || bytesOfToken(*rules.tokens[id])) continue;
        if (foreign++ == 0) first = *rules.tokens[id];
    }
    if (foreign > 0) rules.warnings.push_back(formatCount(static_cast<std::int64_t>(foreign)) + " tokens are not of the byte alphabet and never occur, the first is " + shown(first));
}

}  // namespace

std::optional<TokenId> findToken(const TokenizerRules& rules, std::string_view token) {
    for (const AddedToken& added : rules.addedTokens) {
        if (added.content == token) return added.id;
    }
    for (std::size_t id = 0; id < rules.tokens.size(); ++id) {
        if (rules.tokens[id] && *rules.tokens[id] == token) return static_cast<TokenId>(id);
    }
    return std::nullopt;
}

Result<void> readTokenizerJson(const Json& json, TokenizerRules& rules) {
    const JsonView root(json, "");
    MOFO_CHECK(root.requireObject());
    if (root.has("version") && root.value().at("version") != "1.0") rules.warnings.push_back("tokenizer.json says version " + escapeForDisplay(root.value().at("version").dump()) + "; 1.0 is known");
    MOFO_CHECK(readModel(root, rules));
    MOFO_CHECK(readAddedTokens(root, rules));
    warnAboutForeignTokens(rules);
    return readPipeline(json, rules);
}

}  // namespace mofo
