// Turns tokenizer rules into the files of an HF folder, and into a hash.
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/text/tokenizer_files.h"

namespace mofo {

namespace {

using OrderedJson = nlohmann::ordered_json;

/// Text of a token as JSON may hold it; bytes that are no UTF-8 get a name of their own, which no text can match.
std::string jsonText(const std::string& token, std::size_t id) { return isValidUtf8(token) ? token : "<unusable_token_" + std::to_string(id) + ">"; }

OrderedJson splitterJson(const SplitStep& step) {
    const std::string_view pattern = step.splitter == SplitStep::Splitter::Llama3 ? kLlama3Pattern : step.splitter == SplitStep::Splitter::Qwen2 ? kQwen2Pattern : std::string_view(step.regex ? step.regex->text() : "");
    return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

OrderedJson preTokenizerJson(const TokenizerRules& rules) {
    OrderedJson steps = OrderedJson::array();
    bool usesGpt2 = false;
    for (const PreTokenizerStep& step : rules.preTokenizer) {
        if (const auto* digits = std::get_if<DigitsStep>(&step)) {
            steps.push_back({{"type", "Digits"}, {"individual_digits", digits->individual}});
        } else if (std::get<SplitStep>(step).splitter == SplitStep::Splitter::Gpt2) {
            usesGpt2 = true;  // ByteLevel's own pattern
        } else {
            steps.push_back(splitterJson(std::get<SplitStep>(step)));
        }
    }
    steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", rules.addPrefixSpace}, {"trim_offsets", true}, {"use_regex", usesGpt2}});
    if (steps.size() == 1) return steps[0];
    return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

OrderedJson postProcessorJson(const TokenizerRules& rules) {
    OrderedJson single = OrderedJson::array(), pair = OrderedJson::array(), table = OrderedJson::object();
    const auto sequence = [](const char* name, int type) { return OrderedJson{{"Sequence", {{"id", name}, {"type_id", type}}}}; };
    const auto put = [&](OrderedJson& list, const std::vector<TokenId>& ids, int type) {
        for (const TokenId id : ids) {
            const std::string text = jsonText(*rules.tokens[static_cast<std::size_t>(id)], static_cast<std::size_t>(id));
            list.push_back({{"SpecialToken", {{"id", text}, {"type_id", type}}}});
            table[text] = {{"id", text}, {"ids", {id}}, {"tokens", {text}}};
        }
    };
    const TemplateStep* around = nullptr;
    for (const PostProcessorStep& step : rules.postProcessor) {
        if (std::holds_alternative<TemplateStep>(step)) around = &std::get<TemplateStep>(step);
    }
    for (const int type : {0, 1}) {
        for (OrderedJson* list : {&single, &pair}) {
            if (list == &single && type == 1) continue;
            if (around != nullptr) put(*list, around->before, type);
            list->push_back(sequence(type == 0 ? "A" : "B", type));
            if (around != nullptr) put(*list, around->after, type);
        }
    }
    return {{"type", "TemplateProcessing"}, {"single", std::move(single)}, {"pair", std::move(pair)}, {"special_tokens", std::move(table)}};
}

OrderedJson addedTokenJson(const AddedToken& token) {
    return {{"id", token.id}, {"content", token.content}, {"single_word", token.singleWord}, {"lstrip", token.leftStrip}, {"rstrip", token.rightStrip}, {"normalized", token.normalized}, {"special", token.special}};
}

/// Objects and arrays of a hundred thousand entries are written by hand, one entry a line.
std::string modelText(const TokenizerRules& rules) {
    std::string out = "{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":";
    out += rules.ignoreMerges ? "true" : "false";
    out += ",\n\"vocab\":{";
    const auto text = [&](TokenId id) { return OrderedJson(jsonText(*rules.tokens[static_cast<std::size_t>(id)], static_cast<std::size_t>(id))).dump(); };
    const char* separator = "\n";
    for (std::size_t id = 0; id < rules.tokens.size(); ++id) {
        if (!rules.tokens[id]) continue;
        out += separator;
        separator = ",\n";
        out += text(static_cast<TokenId>(id)) + ":" + std::to_string(id);
    }
    out += "\n},\n\"merges\":[";
    separator = "\n";
    for (const BpeMerge& merge : rules.merges) {
        out += separator;
        separator = ",\n";
        out += "[" + text(merge.left) + "," + text(merge.right) + "]";
    }
    return out + "\n]}";
}

std::string describeStep(const PreTokenizerStep& step) {
    if (const auto* digits = std::get_if<DigitsStep>(&step)) return digits->individual ? "digits 1" : "digits 0";
    const auto& split = std::get<SplitStep>(step);
    return "split " + std::to_string(static_cast<int>(split.splitter)) + " " + std::to_string(static_cast<int>(split.behavior)) + (split.invert ? " not " : " ") + split.literal + (split.regex ? split.regex->text() : "");
}

}  // namespace

Result<HfTokenizerFiles> makeHfTokenizerFiles(const TokenizerRules& rules) {
    HfTokenizerFiles files;
    OrderedJson added = OrderedJson::array();
    for (const AddedToken& token : rules.addedTokens) added.push_back(addedTokenJson(token));
    files.tokenizerJson = "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\n\"added_tokens\":" + added.dump(1) + ",\n\"normalizer\":null,\n\"pre_tokenizer\":" + preTokenizerJson(rules).dump() +
                          ",\n\"post_processor\":" + postProcessorJson(rules).dump() + ",\n\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true},\n\"model\":" + modelText(rules) + "}\n";

    OrderedJson map = OrderedJson::object();
    const auto role = [&](const char* name, const std::optional<TokenId>& id) {
        if (id && rules.tokens[static_cast<std::size_t>(*id)]) map[name] = jsonText(*rules.tokens[static_cast<std::size_t>(*id)], static_cast<std::size_t>(*id));
    };
    role("bos_token", rules.bosId);
    role("eos_token", rules.eosId);
    role("unk_token", rules.unknownId);
    role("pad_token", rules.padId);
    files.specialTokensMapJson = map.dump(2) + "\n";
    OrderedJson config = map;
    config["clean_up_tokenization_spaces"] = false;
    config["model_max_length"] = 1000000000000000019884624838656.0;
    config["tokenizer_class"] = "PreTrainedTokenizerFast";
    files.tokenizerConfigJson = config.dump(2) + "\n";
    files.chatTemplate = rules.chatTemplate;
    return files;
}

std::string hashTokenizerRules(const TokenizerRules& rules) {
    Sha256 hash;
    const auto put = [&](std::string_view text) {
        hash.update(std::to_string(text.size()) + ":");
        hash.update(text);
    };
    const auto number = [&](std::int64_t value) { put(std::to_string(value)); };
    put("mofo-tokenizer-1");
    for (std::size_t id = 0; id < rules.tokens.size(); ++id) {
        if (!rules.tokens[id]) continue;
        number(static_cast<std::int64_t>(id));
        put(*rules.tokens[id]);
    }
    put("merges");
    for (const BpeMerge& merge : rules.merges) {
        number(merge.left);
        number(merge.right);
    }
    put("rules");
    for (const std::int64_t value : {static_cast<std::int64_t>(rules.ignoreMerges), static_cast<std::int64_t>(rules.fuseUnknown), static_cast<std::int64_t>(rules.modelUnknownId.value_or(-1)),
                                     static_cast<std::int64_t>(rules.normalizeNfc), static_cast<std::int64_t>(rules.addPrefixSpace)}) {
        number(value);
    }
    for (const PreTokenizerStep& step : rules.preTokenizer) put(describeStep(step));
    put("post");
    for (const PostProcessorStep& step : rules.postProcessor) {
        if (const auto* trim = std::get_if<TrimOffsetsStep>(&step)) {
            put(trim->addPrefixSpace ? "trim 1" : "trim 0");
            continue;
        }
        for (const TokenId id : std::get<TemplateStep>(step).before) number(id);
        put("text");
        for (const TokenId id : std::get<TemplateStep>(step).after) number(id);
    }
    put("added");
    for (const AddedToken& token : rules.addedTokens) {
        number(token.id);
        put(token.content);
        number(token.singleWord + 2 * token.leftStrip + 4 * token.rightStrip + 8 * token.normalized + 16 * token.special);
    }
    for (const auto& id : {rules.bosId, rules.eosId, rules.padId}) number(id.value_or(-1));
    return hash.hex();
}

}  // namespace mofo
