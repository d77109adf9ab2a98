// Chatting with a model while it trains.
#pragma once

#include <c10/core/Device.h>

#include <string_view>

#include "core/base/result.h"
#include "core/engine/decoder.h"
#include "core/engine/metrics_queue.h"
#include "core/store/registry.h"
#include "core/text/tokenizer.h"

namespace mofo {

/// Answers a `generate` command with the model as it is now. The text goes into `queue` piece by piece, the last one with its counts and times. A
/// signal to stop ends it early. Throws what LibTorch throws.
Result<void> answerGenerate(const CommandRow& command, const Decoder& decoder, const Tokenizer& tokenizer, std::string_view templateName,
                            c10::Device device, MetricsQueue& queue);

}  // namespace mofo
