// Answers: tokens drawn one after another with a KV cache.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/engine/decoder.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

namespace mofo {

struct GenerationSettings {
    std::int64_t maxNewTokens = 256;
    double temperature = 0.0;  ///< 0 = greedy
    double topP = 1.0;
    std::int64_t topK = 0;  ///< 0 = off
    std::uint64_t seed = 7;
    /// From {"max_new_tokens", "temperature", "top_p", "top_k", "seed"}; a wrong value is a Usage error that names the key.
    static Result<GenerationSettings> from(const Json& json);
};

struct Generation {
    std::string text;
    std::vector<TokenId> ids;
    std::string stopReason;  ///< "end of turn", "length", "cancelled"
    double seconds = 0;
};

/// The chat that a generate job or command carries: {"messages": [{"role", "content"}, ...]}, or {"prompt": text} for one user message.
Result<std::vector<ChatMessage>> messagesOf(const Json& parameters);

/// Ids of a chat with the generation prompt, or of plain text where there is no template.
Result<std::vector<TokenId>> encodePrompt(const Tokenizer& tokenizer, const ChatTemplate* chatTemplate, const std::vector<ChatMessage>& messages);

/// Equal settings, weights and prompt give equal answers. `onText` gets each new piece of whole characters and stops by returning false.
Result<Generation> generate(const Decoder& decoder, const Tokenizer& tokenizer, const std::vector<TokenId>& prompt,
                            const GenerationSettings& settings, c10::Device device, const std::function<bool(std::string_view)>& onText = {});

}  // namespace mofo
