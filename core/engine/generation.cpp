#include "core/engine/generation.h"

#include <algorithm>
#include <cmath>

#include "core/base/clock.h"
#include "core/base/mix.h"
#include "core/base/text.h"
#include "core/engine/torch_guard.h"

namespace mofo {

namespace {

Result<double> numberOf(const Json& json, const char* key, double fallback, double least, double most) {
    if (!json.contains(key) || json[key].is_null()) return fallback;
    if (!json[key].is_number()) return Error{ErrorCode::Usage, std::string(key) + " must be a number", "", "", "TYPE"};
    const double value = json[key].get<double>();
    if (!(value >= least && value <= most)) {
        return Error{ErrorCode::Usage, std::string(key) + " must lie between " + formatShortest(least) + " and " + formatShortest(most), "", "",
                     "RANGE"};
    }
    return value;
}

/// A uniform number in [0, 1) that depends on (seed, index) alone.
double uniform(std::uint64_t seed, std::uint64_t index) { return static_cast<double>(splitMix(seed + index * kSplitMixStep) >> 11) * 0x1.0p-53; }

TokenId chooseToken(const at::Tensor& logits, const GenerationSettings& settings, std::uint64_t index) {
    if (settings.temperature <= 0) return static_cast<TokenId>(logits.argmax().item<std::int64_t>());
    auto [values, ids] = logits.to(at::kCPU, at::kDouble).div(settings.temperature).softmax(0).sort(/*stable=*/true, 0, /*descending=*/true);
    const auto* probability = values.const_data_ptr<double>();
    std::int64_t count = settings.topK > 0 ? std::min(settings.topK, values.size(0)) : values.size(0);
    double mass = 0;
    std::int64_t kept = 0;
    while (kept < count && (kept == 0 || mass < settings.topP)) mass += probability[kept++];
    double left = uniform(settings.seed, index) * mass;
    std::int64_t chosen = 0;
    while (chosen + 1 < kept && left >= probability[chosen]) left -= probability[chosen++];
    return static_cast<TokenId>(ids[chosen].item<std::int64_t>());
}

}  // namespace

Result<GenerationSettings> GenerationSettings::from(const Json& json) {
    GenerationSettings settings;
    MOFO_TRY(const double tokens, numberOf(json, "max_new_tokens", 256, 1, 1'000'000));
    MOFO_TRY(settings.temperature, numberOf(json, "temperature", 0, 0, 100));
    MOFO_TRY(settings.topP, numberOf(json, "top_p", 1, 0, 1));
    MOFO_TRY(const double topK, numberOf(json, "top_k", 0, 0, 1e9));
    MOFO_TRY(const double seed, numberOf(json, "seed", 7, 0, 9e15));
    settings.maxNewTokens = static_cast<std::int64_t>(tokens);
    settings.topK = static_cast<std::int64_t>(topK);
    settings.seed = static_cast<std::uint64_t>(seed);
    return settings;
}

Result<std::vector<ChatMessage>> messagesOf(const Json& parameters) {
    const auto text = [](const Json& object, const char* key) -> Result<std::string> {
        if (object.is_object() && object.contains(key) && object[key].is_string()) return object[key].get<std::string>();
        return Error{ErrorCode::Usage, std::string("a chat without ") + key, "", "", "MISSING"};
    };
    std::vector<ChatMessage> messages;
    if (parameters.is_object() && parameters.contains("messages") && parameters["messages"].is_array()) {
        for (const Json& message : parameters["messages"]) {
            MOFO_TRY(std::string role, text(message, "role"));
            MOFO_TRY(std::string content, text(message, "content"));
            messages.push_back({std::move(role), std::move(content)});
        }
        return messages;
    }
    MOFO_TRY(std::string prompt, text(parameters, "prompt"));
    messages.push_back({"user", std::move(prompt)});
    return messages;
}

Result<std::vector<TokenId>> encodePrompt(const Tokenizer& tokenizer, const ChatTemplate* chatTemplate, const std::vector<ChatMessage>& messages) {
    if (chatTemplate == nullptr) {
        std::string text;
        for (const ChatMessage& message : messages) text += message.content;
        MOFO_TRY(Encoding encoding, tokenizer.encode(text, true));
        return std::move(encoding.ids);
    }
    MOFO_TRY(const std::string text, chatTemplate->render(messages, true));
    MOFO_TRY(Encoding encoding, tokenizer.encode(text, false));
    return std::move(encoding.ids);
}

Result<Generation> generate(const Decoder& decoder, const Tokenizer& tokenizer, const std::vector<TokenId>& prompt,
                            const GenerationSettings& settings, c10::Device device, const std::function<bool(std::string_view)>& onText) {
    if (prompt.empty()) return Error{ErrorCode::Usage, "the prompt is empty", "", "Say something with --prompt", ""};
    const auto promptLength = static_cast<std::int64_t>(prompt.size());
    if (decoder.model().maxPositions > 0 && promptLength >= decoder.model().maxPositions) {
        return Error{
            ErrorCode::InvalidInput,
            "the prompt has " + std::to_string(promptLength) + " tokens, the model reads at most " + std::to_string(decoder.model().maxPositions), "",
            "Shorten it", "LIMIT"};
    }
    return guardTorch([&]() -> Result<Generation> {
        const Stopwatch clock;
        Generation result;
        std::int64_t most = settings.maxNewTokens;
        if (decoder.model().maxPositions > 0) most = std::min(most, decoder.model().maxPositions - promptLength);
        KvCache cache(decoder, promptLength + most);
        const auto& stops = decoder.model().eosIds;
        at::Tensor next = at::tensor(std::vector<std::int64_t>(prompt.begin(), prompt.end()), at::kLong).to(device);
        std::size_t shown = 0;
        result.stopReason = "length";
        for (std::int64_t i = 0; i < most; ++i) {
            const TokenId token = chooseToken(decoder.nextLogits(next, cache), settings, static_cast<std::uint64_t>(i));
            if (std::find(stops.begin(), stops.end(), token) != stops.end() || token == tokenizer.eosId()) {
                result.stopReason = "end of turn";
                break;
            }
            result.ids.push_back(token);
            result.text = tokenizer.decode(result.ids, true);
            // A character can be spread over several tokens: hold back an unfinished one (decoded as U+FFFD) until it is whole.
            if (onText && !result.text.ends_with("\xEF\xBF\xBD") && result.text.size() > shown) {
                if (!onText(std::string_view(result.text).substr(shown))) {
                    result.stopReason = "cancelled";
                    break;
                }
                shown = result.text.size();
            }
            next = at::full({1}, static_cast<std::int64_t>(token), at::TensorOptions().dtype(at::kLong).device(device));
        }
        result.seconds = clock.elapsedMs() * 1e-3;
        return result;
    });
}

}  // namespace mofo
