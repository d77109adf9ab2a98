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
    ChatFormat{"phi3", "Phi-3 mini", "<s>", "<|endoftext|>", "", SystemRule::Turn, "<|system|>\n", "<|end|>\n", "", "<|user|>\n", "<|end|>\n", "<|assistant|>\n", "<|end|>\n",
               "<|end|>\n", "<|assistant|>\n", "{eos}", false, false, false, false, false},
    ChatFormat{"phi3.5", "Phi-3.5 mini: as phi3, but an empty system message is left out", "<s>", "<|endoftext|>", "", SystemRule::Turn, "<|system|>\n", "<|end|>\n", "", "<|user|>\n", "<|end|>\n",
               "<|assistant|>\n", "<|end|>\n", "<|end|>\n", "<|assistant|>\n", "{eos}", false, false, false, false, false, true},
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
    {"a86b1ac96cc7c1e3974d68ac94b0f4d418e5e686475fa3561034d525d7c29857", "chatml"},
    {"ca01158d2530509b6960c008c375012c68a055ddd00f7497e2d6165a425ab65e", "chatml"},
    {"37833e6dda6890123dc00c525646f7a308b26da838f8b7200fdb9d0132eb0e09", "chatml"},
    {"888a7ac277c7877655a8a50ec82f8a483ea8e2665447eaffc3885842204025cb", "smollm2"},
    {"38d3f20b87aee2dc9974245f9a047a20a76e8cbc3c6c107f7ed1fe52a3eb3c58", "qwen2"},
    {"994858ca8f2e9a5196ff5d39aca599a631611c7224c881c2988b9d9398e18bc9", "qwen1.5"},
    {"6635a6c0fb6034035a36eb5fd94b0194968fca517afa89ba7785801d56432c04", "llama2"},
    {"47c15e36eb0ff2e98f8651480dc3911689f5c7502631663b0b232be5e75741a2", "llama3"},
    {"a2103402c358fce50630169358142f64f298cd1c7f8bd792b734e838bae789e8", "llama3"},
    {"1a8c4c9b6568ac90e90e0cb8feb0145d9febf5d2651891df49296d2ae7ce4a8a", "gemma"},
    {"85b71299ff27c54ec44b449eea15a52b662adbc7244a7446e8da7e74c0716b8c", "gemma3"},
    {"cd3270c1a2156176e992d93054b04145b69c3c28d6579d6e50cb10dc69a67232", "mistral"},
    {"733763e8bdb835895dc2443dd658a1cf38abb79ad6da7eae086b4e2803408634", "mistral-v0.1"},
    {"e78094d2b6ecee1499c2a0edf42492e749d223483f4edc9720d949ac5d8afa95", "zephyr"},
    {"57aad6e49f473ff87633421cd17bfd011479084ed5211f0e91fb4c3d7fd73743", "phi3"},
    {"8656dc139a3c9656c2809602eecb47bd8fc7fae97f9fc7674b5a3ebeeecce0b9", "phi3-v0"},
    {"3068c8c6dd39600c7e8eee8a0a0ea513a05d3d37b2b433cd28efd65370619c12", "tulu"},
    {"27d61811574eb58f118a236e4011ce58ce4a63bc395ca79cd8a1404d49b8ede2", "tulu3"},
    {"2c9c59f0c7653338c4ca47a876ccd75a0bea94719231d12d44e79cfbbcc8ed90", "alpaca"},
    {"4db707ff700a2600882615ef40e66ea0ba6c4e8ef6561d5b1c1a33f439ce9653", "vicuna"},
    {"d1294a0dd789db3281e0467f4222a281f1b64a9f15363879da0961e947c3a582", "vicuna"},
    {"cd80f66bb063934391b1d797066f8ceed613b9fd61027fe31a483d85fff2b7f4", "llama3.1"},
    {"8b9b88e47302f630533afccb5b30ae4b9ab44a0530e334f8944c369846a6a900", "phi3.5"},
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
