// tokenizer.json: normaliser, pre-tokenizer, post-processor and decoder.
#include <algorithm>

#include "core/base/text.h"
#include "core/text/json_view.h"
#include "core/text/tokenizer_rules.h"

namespace mofo {

namespace {

Error unsupported(const JsonView& where, std::string_view what, std::string_view type, std::string_view known) {
    return where.refuse("DTYPE", "the " + std::string(what) + " \"" + escapeForDisplay(type.substr(0, 80)) + "\" is not supported; known are " + std::string(known), ErrorCode::Unsupported);
}

/// Checks the fields of parts that this build knows but does not do, so that damage is named before the lack of support.
Result<void> checkUnsupportedPart(const JsonView& part, std::string_view type) {
    if (type == "Replace") {
        MOFO_TRY(const JsonView pattern, part.member("pattern"));
        if (pattern.has("Regex")) {
            MOFO_TRY(const std::string text, pattern.text("Regex"));
            MOFO_CHECK(RegexPattern::compile(text));
        } else {
            MOFO_TRY(const std::string text, pattern.text("String"));
            if (text.empty()) return pattern.refuse("REGEX", "an empty pattern matches everywhere");
        }
    } else if (type == "Metaspace") {
        MOFO_TRY(const std::string replacement, part.text("replacement"));
        if (replacement.empty() || std::count_if(replacement.begin(), replacement.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }) != 1) {
            return part.refuse("RANGE", "the replacement must be one character");
        }
    } else if (type == "Precompiled") {
        MOFO_TRY(const std::string map, part.text("precompiled_charsmap"));
        const auto isBase64 = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '='; };
        if (map.size() % 4 != 0 || !std::all_of(map.begin(), map.end(), isBase64)) return part.refuse("TYPE", "the character map is not base64");
        if (map.size() < 8) return part.refuse("TRUNC", "the character map is cut off");
    }
    return {};
}

Result<void> readNormalizer(const JsonView& part, TokenizerRules& rules) {
    MOFO_CHECK(part.requireObject());
    MOFO_TRY(const std::string type, part.text("type"));
    if (type == "NFC") {
        rules.normalizeNfc = true;
        return {};
    }
    if (type == "Sequence") {
        MOFO_TRY(const JsonView list, part.member("normalizers"));
        MOFO_CHECK(list.requireArray());
        for (std::size_t i = 0; i < list.value().size(); ++i) MOFO_CHECK(readNormalizer(list.element(i), rules));
        return {};
    }
    MOFO_CHECK(checkUnsupportedPart(part, type));
    return unsupported(part, "normalizer", type, "NFC and Sequence");
}

Result<SplitStep> readSplit(const JsonView& part) {
    static const std::pair<const char*, SplitBehavior> kBehaviors[] = {{"Removed", SplitBehavior::Removed}, {"Isolated", SplitBehavior::Isolated},
        {"MergedWithPrevious", SplitBehavior::MergedWithPrevious}, {"MergedWithNext", SplitBehavior::MergedWithNext}, {"Contiguous", SplitBehavior::Contiguous}};
    MOFO_TRY(const std::string behaviorName, part.text("behavior"));
    const auto* behavior = std::find_if(std::begin(kBehaviors), std::end(kBehaviors), [&](const auto& known) { return behaviorName == known.first; });
    if (behavior == std::end(kBehaviors)) return part.refuse("TYPE", "the split behavior \"" + escapeForDisplay(behaviorName.substr(0, 80)) + "\" is unknown");
    MOFO_TRY(const bool invert, part.flag("invert", false));
    MOFO_TRY(const JsonView pattern, part.member("pattern"));
    if (pattern.has("Regex")) {
        MOFO_TRY(const std::string text, pattern.text("Regex"));
        auto split = makeRegexSplit(text, behavior->second, invert);
        if (!split.ok()) return std::move(split).error().in("key " + pattern.path());
        return split;
    }
    SplitStep step;
    step.splitter = SplitStep::Splitter::Literal;
    step.behavior = behavior->second;
    step.invert = invert;
    MOFO_TRY(step.literal, pattern.text("String"));
    if (step.literal.empty()) return pattern.refuse("REGEX", "an empty pattern matches everywhere");
    return step;
}

Result<void> readPreTokenizer(const JsonView& part, TokenizerRules& rules, bool& sawByteLevel) {
    MOFO_CHECK(part.requireObject());
    MOFO_TRY(const std::string type, part.text("type"));
    if (type == "Sequence") {
        MOFO_TRY(const JsonView list, part.member("pretokenizers"));
        MOFO_CHECK(list.requireArray());
        for (std::size_t i = 0; i < list.value().size(); ++i) MOFO_CHECK(readPreTokenizer(list.element(i), rules, sawByteLevel));
        return {};
    }
    if (sawByteLevel) return part.refuse("DTYPE", "a pre-tokenizer behind ByteLevel is not supported", ErrorCode::Unsupported);
    if (type == "Digits") {
        MOFO_TRY(const bool individual, part.flag("individual_digits", false));
        rules.preTokenizer.push_back(DigitsStep{individual});
        return {};
    }
    if (type == "Split") {
        MOFO_TRY(SplitStep step, readSplit(part));
        rules.preTokenizer.push_back(std::move(step));
        return {};
    }
    if (type == "ByteLevel") {
        sawByteLevel = true;
        MOFO_TRY(rules.addPrefixSpace, part.flag("add_prefix_space", true));
        MOFO_TRY(const bool useRegex, part.flag("use_regex", true));
        if (rules.addPrefixSpace && !rules.preTokenizer.empty()) return part.refuse("DTYPE", "add_prefix_space behind another pre-tokenizer is not supported", ErrorCode::Unsupported);
        if (useRegex) {
            MOFO_TRY(SplitStep step, makeRegexSplit(kGpt2Pattern, SplitBehavior::Isolated, false));
            rules.preTokenizer.push_back(std::move(step));
        }
        return {};
    }
    MOFO_CHECK(checkUnsupportedPart(part, type));
    return unsupported(part, "pre-tokenizer", type, "ByteLevel, Digits, Split and Sequence");
}

Result<TemplateStep> readTemplate(const JsonView& part, const TokenizerRules& rules) {
    MOFO_TRY(const JsonView single, part.member("single"));
    MOFO_CHECK(single.requireArray());
    TemplateStep step;
    bool sawText = false;
    for (std::size_t i = 0; i < single.value().size(); ++i) {
        const JsonView item = single.element(i);
        MOFO_CHECK(item.requireObject());
        if (item.has("Sequence")) {
            if (sawText) return item.refuse("DTYPE", "a template that takes the text twice is not supported", ErrorCode::Unsupported);
            sawText = true;
            continue;
        }
        MOFO_TRY(const JsonView special, item.member("SpecialToken"));
        MOFO_TRY(const std::string name, special.text("id"));
        MOFO_TRY(const JsonView table, part.member("special_tokens"));
        if (!table.has(name)) return special.refuse("REF", "the template speaks of \"" + escapeForDisplay(name.substr(0, 80)) + "\", which special_tokens does not have");
        MOFO_TRY(const JsonView entry, table.member(name));
        MOFO_TRY(const JsonView ids, entry.member("ids"));
        MOFO_TRY(const JsonView tokens, entry.member("tokens"));
        MOFO_CHECK(ids.requireArray());
        MOFO_CHECK(tokens.requireArray());
        if (ids.value().size() != tokens.value().size()) return entry.refuse("SEM", "ids and tokens differ in number");
        for (std::size_t n = 0; n < ids.value().size(); ++n) {
            if (!ids.value()[n].is_number_integer() || !tokens.value()[n].is_string()) return entry.refuse("TYPE", "ids are whole numbers and tokens are strings");
            const auto& token = tokens.value()[n].get_ref<const std::string&>();
            const auto known = findToken(rules, token);
            if (!known) return entry.refuse("REF", "the token \"" + escapeForDisplay(token.substr(0, 80)) + "\" is not in the vocabulary");
            if (ids.value()[n] != *known) return entry.refuse("SEM", "the token \"" + escapeForDisplay(token.substr(0, 80)) + "\" has the id " + std::to_string(*known) + " in the vocabulary, not " + ids.value()[n].dump());
            (sawText ? step.after : step.before).push_back(*known);
        }
    }
    if (!sawText) return single.refuse("SEM", "the template leaves the text out");
    return step;
}

Result<void> readPostProcessor(const JsonView& part, TokenizerRules& rules) {
    MOFO_CHECK(part.requireObject());
    MOFO_TRY(const std::string type, part.text("type"));
    if (type == "Sequence") {
        MOFO_TRY(const JsonView list, part.member("processors"));
        MOFO_CHECK(list.requireArray());
        for (std::size_t i = 0; i < list.value().size(); ++i) MOFO_CHECK(readPostProcessor(list.element(i), rules));
        return {};
    }
    if (type == "ByteLevel") {
        MOFO_TRY(const bool addPrefixSpace, part.flag("add_prefix_space", true));
        MOFO_TRY(const bool trim, part.flag("trim_offsets", true));
        if (trim) rules.postProcessor.push_back(TrimOffsetsStep{addPrefixSpace});
        return {};
    }
    if (type == "TemplateProcessing") {
        MOFO_TRY(TemplateStep step, readTemplate(part, rules));
        if (!step.before.empty() || !step.after.empty()) rules.postProcessor.push_back(std::move(step));
        return {};
    }
    return unsupported(part, "post-processor", type, "ByteLevel, TemplateProcessing and Sequence");
}

Result<void> readDecoder(const JsonView& part, TokenizerRules& rules) {
    MOFO_CHECK(part.requireObject());
    MOFO_TRY(const std::string type, part.text("type"));
    if (type == "ByteLevel") {
        rules.byteLevelDecoder = true;
        return {};
    }
    if (type == "Sequence") {
        MOFO_TRY(const JsonView list, part.member("decoders"));
        MOFO_CHECK(list.requireArray());
        for (std::size_t i = 0; i < list.value().size(); ++i) MOFO_CHECK(readDecoder(list.element(i), rules));
        return {};
    }
    if (type == "Fuse") return {};
    return unsupported(part, "decoder", type, "ByteLevel, Fuse and Sequence");
}

Result<void> readPadding(const JsonView& root, TokenizerRules& rules) {
    for (const char* key : {"truncation", "padding"}) {
        if (root.has(key)) rules.warnings.push_back(std::string("the ") + key + " of tokenizer.json is ignored");
    }
    if (!root.has("padding")) return {};
    MOFO_TRY(const JsonView padding, root.member("padding"));
    MOFO_CHECK(padding.requireObject());
    if (!padding.has("pad_id")) return {};
    const Json& id = padding.value().at("pad_id");
    std::size_t size = rules.tokens.size();
    for (const AddedToken& token : rules.addedTokens) size = std::max(size, static_cast<std::size_t>(token.id) + 1);
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() >= static_cast<std::int64_t>(size)) {
        return padding.refuse("RANGE", "pad_id " + id.dump() + " is not in the vocabulary of " + formatCount(static_cast<std::int64_t>(size)));
    }
    return {};
}

}  // namespace

Result<void> readPipeline(const Json& json, TokenizerRules& rules) {
    const JsonView root(json, "");
    MOFO_CHECK(readPadding(root, rules));
    if (root.has("normalizer")) {
        MOFO_TRY(const JsonView part, root.member("normalizer"));
        MOFO_CHECK(readNormalizer(part, rules));
    }
    bool sawByteLevel = false;
    if (root.has("pre_tokenizer")) {
        MOFO_TRY(const JsonView part, root.member("pre_tokenizer"));
        MOFO_CHECK(readPreTokenizer(part, rules, sawByteLevel));
    }
    if (!sawByteLevel) return root.refuse("DTYPE", "the tokenizer is not byte-level (its pre_tokenizer has no ByteLevel part); this build reads byte-level BPE", ErrorCode::Unsupported);
    if (root.has("post_processor")) {
        MOFO_TRY(const JsonView part, root.member("post_processor"));
        MOFO_CHECK(readPostProcessor(part, rules));
    }
    rules.byteLevelDecoder = false;
    if (root.has("decoder")) {
        MOFO_TRY(const JsonView part, root.member("decoder"));
        MOFO_CHECK(readDecoder(part, rules));
    }
    return {};
}

std::vector<std::string> namedPreTokenizers() { return {"smollm", "gpt-2", "llama-bpe"}; }

Result<void> setNamedPreTokenizer(std::string_view name, TokenizerRules& rules) {
    rules.preTokenizer.clear();
    rules.preTokenizerName = name;
    if (name == "llama-bpe" || name == "llama3" || name == "llama-v3") {
        MOFO_TRY(SplitStep step, makeRegexSplit(kLlama3Pattern, SplitBehavior::Isolated, false));
        rules.preTokenizer.push_back(std::move(step));
        rules.ignoreMerges = true;
        rules.preTokenizerName = "llama-bpe";
        return {};
    }
    if (name == "smollm") {
        rules.preTokenizer.push_back(DigitsStep{true});
    } else if (name != "gpt-2") {
        const auto known = namedPreTokenizers();
        return Error{ErrorCode::Unsupported, "the pre-tokenizer \"" + escapeForDisplay(name.substr(0, 80)) + "\" is not supported; known are " + joinText(known, ", "), "key tokenizer.ggml.pre",
                     "Use the model's Hugging Face folder instead", "DTYPE"};
    }
    MOFO_TRY(SplitStep step, makeRegexSplit(kGpt2Pattern, SplitBehavior::Isolated, false));
    rules.preTokenizer.push_back(std::move(step));
    return {};
}

}  // namespace mofo
