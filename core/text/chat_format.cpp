// The known chat templates. A format was entered by comparing its text with what Jinja makes of the published template, for chats with
// and without a system message, of several turns, with white space around the content; a hash is that of the template's canonical text.
#include "core/text/chat_format.h"

#include <algorithm>
#include <array>

namespace mofo {

namespace {

constexpr ChatFormat chatml(std::string_view name, std::string_view description, std::string_view withoutSystem) {
    return {name, description, "<|im_start|>", "<|im_end|>", "", SystemRule::Turn, "<|im_start|>system\n", "<|im_end|>\n", withoutSystem, "<|im_start|>user\n", "<|im_end|>\n",
            "<|im_start|>assistant\n", "<|im_end|>\n", "<|im_end|>\n", "<|im_start|>assistant\n", "", false, false, false, false, false};
}

constexpr ChatFormat mistral(std::string_view name, std::string_view description, std::string_view assistantAfter) {
    return {name, description, "<s>", "</s>", "{bos}", SystemRule::Refused, "", "", "", "[INST] ", " [/INST]", "", assistantAfter, assistantAfter, "", "", false, false, false, false, true};
}

constexpr ChatFormat llama3(std::string_view name, std::string_view description, SystemRule rule, std::string_view systemBefore, std::string_view withoutSystem) {
    return {name, description, "<|begin_of_text|>", "<|eot_id|>", "{bos}", rule, systemBefore, "<|eot_id|>", withoutSystem,
            "<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>", "<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>", "<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n", "", true, true, false, true, false};
}

constexpr ChatFormat gemma(std::string_view name, std::string_view description, SystemRule rule, bool trimUserAlone) {
    return {name, description, "<bos>", "<eos>", "{bos}", rule, "", "\n\n", "", "<start_of_turn>user\n", "<end_of_turn>\n", "<start_of_turn>model\n", "<end_of_turn>\n", "<end_of_turn>\n",
            "<start_of_turn>model\n", "", false, true, trimUserAlone, true, true};
}

constexpr std::array kFormats = {
    chatml("chatml", "ChatML", ""),
    chatml("smollm2", "ChatML; SmolLM2's system prompt where there is none",
           "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"),
    chatml("qwen2", "ChatML; Qwen 2's system prompt where there is none", "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"),
    chatml("qwen1.5", "ChatML; Qwen 1.5's system prompt where there is none", "<|im_start|>system\nYou are a helpful assistant<|im_end|>\n"),
    ChatFormat{"llama2", "Llama 2 chat", "<s>", "</s>", "", SystemRule::FirstUser, "<<SYS>>\n", "\n<</SYS>>\n\n", "", "{bos}[INST] ", " [/INST]", " ", " {eos}", " {eos}", "", "",
               false, true, false, true, true},
    llama3("llama3", "Llama 3 instruct", SystemRule::Turn, "<|start_header_id|>system<|end_header_id|>\n\n", ""),
    llama3("llama3.1", "Llama 3.1 instruct, dated 26 Jul 2024", SystemRule::Header,
           "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n",
           "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|>"),
    gemma("gemma", "Gemma and Gemma 2", SystemRule::Refused, false),
    gemma("gemma3", "Gemma 3, the system message in front of the first question", SystemRule::FirstUser, true),
    mistral("mistral", "Mistral instruct 0.2, Mixtral", "{eos}"),
    mistral("mistral-v0.1", "Mistral instruct 0.1", "{eos} "),
    ChatFormat{"zephyr", "Zephyr, TinyLlama chat", "<s>", "</s>", "", SystemRule::Turn, "<|system|>\n", "{eos}\n", "", "<|user|>\n", "{eos}\n", "<|assistant|>\n", "{eos}\n", "{eos}\n",
               "<|assistant|>\n", "", false, false, false, false, false},
    ChatFormat{"phi3", "Phi-3 and Phi-3.5 mini", "<s>", "<|endoftext|>", "", SystemRule::Turn, "<|system|>\n", "<|end|>\n", "", "<|user|>\n", "<|end|>\n", "<|assistant|>\n", "<|end|>\n",
               "<|end|>\n", "<|assistant|>\n", "{eos}", false, false, false, false, false},
    ChatFormat{"phi3-v0", "Phi-3 mini as first published", "<s>", "<|endoftext|>", "{bos}", SystemRule::Dropped, "", "", "", "<|user|>\n", "<|end|>\n<|assistant|>\n", "", "<|end|>\n",
               "<|end|>\n", "", "", false, false, false, false, false},
    ChatFormat{"tulu", "Tulu 2", "<s>", "</s>", "", SystemRule::Dropped, "", "", "", "<|user|>\n", "\n", "<|assistant|>\n", "{eos}\n", "{eos}\n", "<|assistant|>\n", "", false, false, false,
               false, false},
    ChatFormat{"tulu3", "Tulu 3", "<|begin_of_text|>", "<|end_of_text|>", "", SystemRule::Turn, "<|system|>\n", "\n", "", "<|user|>\n", "\n", "<|assistant|>\n", "{eos}\n", "{eos}",
               "<|assistant|>\n", "", false, false, false, false, false},
    ChatFormat{"alpaca", "Alpaca's instruction and response", "<s>", "</s>", "{bos}", SystemRule::Front, "", "\n\n", "", "### Instruction:\n", "\n\n", "### Response:\n", "{eos}\n\n", "{eos}\n\n",
               "### Response:\n", "", true, true, false, true, true},
    ChatFormat{"vicuna", "Vicuna's USER and ASSISTANT", "<s>", "</s>", "{bos}", SystemRule::Front, "", "\n\n", "", "USER: ", "\n", "ASSISTANT: ", "{eos}\n", "{eos}\n", "ASSISTANT:", "",
               true, true, false, true, true},
};

struct KnownHash {
    std::string_view sha256;
    std::string_view name;
};

constexpr KnownHash kHashes[] = {
    {"", "chatml"},
};

}  // namespace

std::span<const ChatFormat> chatFormats() { return kFormats; }

const ChatFormat* chatFormatOfHash(std::string_view sha256) {
    const auto* known = std::find_if(std::begin(kHashes), std::end(kHashes), [&](const KnownHash& entry) { return entry.sha256 == sha256; });
    if (known == std::end(kHashes)) return nullptr;
    return std::find_if(kFormats.begin(), kFormats.end(), [&](const ChatFormat& format) { return format.name == known->name; });
}

const ChatFormat* chatFormatResembling(std::string_view jinja) {
    // The rarer mark first: several families write <|user|> or [INST].
    static constexpr std::pair<std::string_view, std::string_view> kMarks[] = {{"SmolLM, trained by Hugging Face", "smollm2"}, {"Cutting Knowledge Date", "llama3.1"}, {"<|start_header_id|>", "llama3"},
        {"<|im_start|>", "chatml"}, {"<start_of_turn>", "gemma"}, {"<<SYS>>", "llama2"}, {"[INST]", "mistral"}, {"<|end|>", "phi3"}, {"### Instruction", "alpaca"}, {"ASSISTANT:", "vicuna"},
        {"<|user|>", "zephyr"}};
    for (const auto& [mark, name] : kMarks) {
        if (jinja.find(mark) == std::string_view::npos) continue;
        return std::find_if(kFormats.begin(), kFormats.end(), [&, wanted = name](const ChatFormat& format) { return format.name == wanted; });
    }
    return nullptr;
}

}  // namespace mofo
