#include "core/engine/live_chat.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/engine/generation.h"
#include "core/engine/trainer.h"

namespace mofo {

Result<void> answerGenerate(const CommandRow& command, const Decoder& decoder, const Tokenizer& tokenizer, std::string_view templateName,
                            c10::Device device, MetricsQueue& queue) {
    const Stopwatch clock;
    MOFO_TRY(const std::vector<ChatMessage> messages, messagesOf(command.payload));
    MOFO_TRY(const GenerationSettings settings, GenerationSettings::from(command.payload));
    MOFO_TRY(const std::optional<ChatTemplate> chatTemplate, chooseChatTemplate(tokenizer, templateName));
    MOFO_TRY(const std::vector<TokenId> prompt, encodePrompt(tokenizer, chatTemplate ? &*chatTemplate : nullptr, messages));
    const auto send = [&](std::string_view text, bool last, Json details) {
        GenerationRow row;
        row.uuid = command.uuid;
        row.text = text;
        row.last = last;
        row.details = std::move(details);
        MetricsBatch batch;
        batch.generations.push_back(std::move(row));
        queue.add(std::move(batch));
    };
    std::size_t sent = 0;
    MOFO_TRY(const Generation generation, generate(decoder, tokenizer, prompt, settings, device, [&](std::string_view text) {
                 send(text, false, nullptr);
                 sent += text.size();
                 return g_stopSignals.load() == 0;
             }));
    send(std::string_view(generation.text).substr(std::min(sent, generation.text.size())), true,
         {{"tokens", generation.ids.size()},
          {"seconds", generation.seconds},
          {"stop_reason", generation.stopReason},
          {"waited_seconds", clock.elapsedMs() * 1e-3}});
    return {};
}

}  // namespace mofo
