// A tokenizer's HF folder: reading its files, and writing them again.
#include <algorithm>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/text/tokenizer_files.h"
#include "core/text/tokenizer_rules.h"

namespace mofo {

namespace {

constexpr std::uint64_t kTokenizerJsonLimit = 64ull << 20;
constexpr std::uint64_t kSmallFileLimit = 16ull << 20;
constexpr std::uint64_t kTemplateLimit = 1ull << 20;
/// What is kept to be written back, in this order.
constexpr const char* kFileNames[] = {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "vocab.json", "merges.txt"};

Result<std::optional<std::string>> readIfThere(const std::filesystem::path& folder, const char* name, std::uint64_t limit) {
    std::error_code ignored;
    if (!std::filesystem::exists(std::filesystem::symlink_status(folder / name, ignored))) return std::optional<std::string>();
    // Through openBeneath, so that a link out of the folder is refused.
    MOFO_TRY(const FileReader file, FileReader::openBeneath(folder, name));
    if (file.sizeBytes() > limit) return Error{ErrorCode::InvalidInput, "the file is larger than " + formatBytes(limit), (folder / name).string(), "", "LIMIT"};
    std::string bytes(file.sizeBytes(), '\0');
    MOFO_CHECK(file.readAt(0, std::as_writable_bytes(std::span(bytes))));
    return std::optional(std::move(bytes));
}

Result<Json> parseFile(const std::filesystem::path& path, std::string_view text, std::uint64_t limit, TokenizerRules& rules) {
    JsonLimits limits;
    limits.sizeBytes = limit;
    limits.allowByteOrderMark = true;
    if (text.starts_with("\xEF\xBB\xBF")) rules.warnings.push_back(path.filename().string() + " begins with a byte order mark");
    auto json = parseJson(text, limits);
    if (!json.ok()) return std::move(json).error().in(path.string());
    return json;
}

}  // namespace

Result<TokenizerRules> readTokenizerFolder(const std::filesystem::path& folder) {
    TokenizerRules rules;
    for (const char* name : kFileNames) {
        const std::string_view fileName = name;
        const std::uint64_t limit = fileName == "tokenizer.json" ? kTokenizerJsonLimit : fileName == "chat_template.jinja" ? kTemplateLimit : kSmallFileLimit;
        MOFO_TRY(std::optional<std::string> bytes, readIfThere(folder, name, limit));
        if (bytes) rules.files.emplace_back(name, std::move(*bytes));
    }
    const auto file = [&](std::string_view name) -> const std::string* {
        const auto at = std::find_if(rules.files.begin(), rules.files.end(), [&](const auto& entry) { return entry.first == name; });
        return at == rules.files.end() ? nullptr : &at->second;
    };
    const std::string* tokenizerJson = file("tokenizer.json");
    if (tokenizerJson == nullptr) {
        return Error{ErrorCode::InvalidInput, "there is no tokenizer.json", folder.string(), "Save the tokenizer with Transformers' save_pretrained first", "MISSING"};
    }
    const auto path = folder / "tokenizer.json";
    MOFO_TRY(const Json json, parseFile(path, *tokenizerJson, kTokenizerJsonLimit, rules));
    if (auto read = readTokenizerJson(json, rules); !read.ok()) return std::move(read).error().in(path.string());
    Json config = Json::object();
    const auto configPath = folder / "tokenizer_config.json";
    if (const std::string* text = file("tokenizer_config.json")) {
        MOFO_TRY(config, parseFile(configPath, *text, kSmallFileLimit, rules));
        if (!config.is_object()) return Error{ErrorCode::InvalidInput, "an object is due", configPath.string(), "", "TYPE"};
    }
    // Transformers still reads the older file where the config has no added_tokens_decoder; its entries win.
    if (const std::string* text = file("special_tokens_map.json"); text != nullptr && !config.contains("added_tokens_decoder")) {
        MOFO_TRY(const Json map, parseFile(folder / "special_tokens_map.json", *text, kSmallFileLimit, rules));
        if (!map.is_object()) return Error{ErrorCode::InvalidInput, "an object is due", (folder / "special_tokens_map.json").string(), "", "TYPE"};
        for (const auto& [key, value] : map.items()) {
            if (key.ends_with("_token")) config[key] = value;
        }
    }
    if (auto read = readTokenizerConfig(config, rules); !read.ok()) return std::move(read).error().in(configPath.string());
    if (const std::string* text = file("chat_template.jinja")) {
        if (!isValidUtf8(*text)) return Error{ErrorCode::InvalidInput, "not valid UTF-8", (folder / "chat_template.jinja").string(), "", "UTF8"};
        rules.chatTemplate = *text;
    }
    return rules;
}

Result<void> writeTokenizerFolder(const TokenizerRules& rules, const std::filesystem::path& folder) {
    if (!rules.files.empty()) {
        for (const auto& [name, bytes] : rules.files) MOFO_CHECK(writeFileAtomic(folder / name, bytes, 0644));
        return {};
    }
    MOFO_TRY(const HfTokenizerFiles files, makeHfTokenizerFiles(rules));
    MOFO_CHECK(writeFileAtomic(folder / "tokenizer.json", files.tokenizerJson, 0644));
    MOFO_CHECK(writeFileAtomic(folder / "tokenizer_config.json", files.tokenizerConfigJson, 0644));
    MOFO_CHECK(writeFileAtomic(folder / "special_tokens_map.json", files.specialTokensMapJson, 0644));
    if (files.chatTemplate) MOFO_CHECK(writeFileAtomic(folder / "chat_template.jinja", *files.chatTemplate, 0644));
    return {};
}

}  // namespace mofo
