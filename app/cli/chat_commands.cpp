#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "app/cli/context.h"
#include "app/cli/model_argument.h"
#include "app/cli/shown_job.h"
#include "app/cli/terminal.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/client/run_reference.h"
#include "core/config/run_config.h"
#include "core/hub/reference.h"

namespace mofo::cli {

namespace {

struct ChatOptions {
    std::string model, prompt, system, chatTemplate, device = "cpu";
    std::int64_t maxNewTokens = 256, seed = 0;
    double temperature = 0, topP = 1;
    bool json = false, hasPrompt = false;
};

struct Answer {
    std::string text;
    Json details;
};

/// Whoever answers: an engine of its own, or the training engine between two steps.
using Answerer = std::function<Result<Answer>(const Json& messages)>;

Json samplingOf(const ChatOptions& options) {
    Json json = {{"max_new_tokens", options.maxNewTokens}, {"temperature", options.temperature}, {"top_p", options.topP}, {"seed", options.seed}};
    if (!options.chatTemplate.empty()) json["chat_template"] = options.chatTemplate;
    return json;
}

// `now`: the training engine answers and its pieces arrive in the run's own measurements.
Result<Answer> askLiveEngine(Store& store, const RunRow& run, const ChatOptions& options, const Json& messages,
                             const std::function<void(const std::string&)>& piece) {
    Json payload = samplingOf(options);
    payload["messages"] = messages;
    MOFO_TRY(const std::string uuid, sendCommand(store.registry, run, "generate", payload, std::nullopt, "cli"));
    MOFO_TRY(const AcknowledgementRow taken, awaitAcknowledgement(store.workspace, run.id, uuid, 600, interrupted));
    if (!taken.accepted) return Error{ErrorCode::Conflict, "the engine refused it: " + escapeForDisplay(taken.reason), run.id, "", ""};
    MOFO_TRY(const MetricsReader reader, MetricsReader::open(store.workspace.metricsFile(run.id)));
    Answer answer;
    std::int64_t seq = 0;
    while (true) {
        MOFO_TRY(const RunRow now, store.registry.findRun(run.id));
        MOFO_TRY(const std::vector<GenerationRow> rows, reader.generationsAfter(uuid, seq));
        for (const GenerationRow& row : rows) {
            seq = row.seq;
            answer.text += row.text;
            piece(row.text);
            if (!row.last) continue;
            answer.details = row.details;
            return answer;
        }
        if (isEnded(now.state) && rows.empty())
            return Error{ErrorCode::Conflict, "the run ended before it had answered", run.id, "Ask its last checkpoint: mofo chat " + run.id, ""};
        if (interrupted()) return Error{ErrorCode::Interrupted, "interrupted", "", "", ""};
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

Result<Answer> askJob(Store& store, const JobModel& model, const std::string& device, const ChatOptions& options, const Json& messages) {
    Json parameters = model.parameters;
    parameters.update(samplingOf(options));
    parameters["messages"] = messages;
    MOFO_TRY(const Json result, runShown(store, escapeForDisplay(model.shown), "generate", parameters, device, model.runId));
    if (!result.is_object() || !result.contains("text") || !result["text"].is_string()) {
        return Error{ErrorCode::Internal, "the engine's result holds no text", "generate", "", ""};
    }
    return Answer{result["text"].get<std::string>(), result};
}

// What a model says is foreign text; its line breaks are kept.
std::string shownAnswer(const std::string& text) {
    std::vector<std::string> lines = splitText(text, '\n');
    for (std::string& line : lines) line = escapeForDisplay(line);
    return joinText(lines, "\n");
}

Result<int> converse(const ChatOptions& options, Json messages, const Answerer& ask, bool streams) {
    if (options.hasPrompt) {
        messages.push_back({{"role", "user"}, {"content", options.prompt}});
        MOFO_TRY(const Answer answer, ask(messages));
        if (options.json) {
            Json json = answer.details.is_object() ? answer.details : Json::object();
            json["text"] = answer.text;
            printJson(json);
        } else if (streams) {
            fmt::print("\n");
        } else {
            fmt::print("{}\n", shownAnswer(answer.text));
        }
        return 0;
    }
    const bool people = stdinIsTerminal();
    if (people) printNote("Write a message and press Return; an empty line or Ctrl-D ends the chat.");
    std::string line;
    while (!interrupted()) {
        if (people) fmt::print(stderr, "> ");
        if (!std::getline(std::cin, line)) break;
        if (trimText(line).empty()) {
            if (people) break;
            continue;
        }
        if (!isValidUtf8(line)) return Error{ErrorCode::InvalidInput, "the message is not valid UTF-8", "stdin", "", "UTF8"};
        messages.push_back({{"role", "user"}, {"content", line}});
        MOFO_TRY(const Answer answer, ask(messages));
        messages.push_back({{"role", "assistant"}, {"content", answer.text}});
        fmt::print("{}\n", streams ? std::string() : shownAnswer(answer.text));
        std::fflush(stdout);
    }
    return interrupted() ? 130 : 0;
}

Result<int> chat(const Context& context, const ChatOptions& options) {
    if (options.hasPrompt && !isValidUtf8(options.prompt))
        return Error{ErrorCode::InvalidInput, "the prompt is not valid UTF-8", "--prompt", "", "UTF8"};
    MOFO_TRY(Store store, openOrCreateStore(context));
    Json messages = Json::array();
    if (!options.system.empty()) messages.push_back({{"role", "system"}, {"content", options.system}});
    watchInterrupts();
    if (options.model.ends_with("@now") && !looksLikeHubReference(options.model)) {
        MOFO_TRY(const RunReference reference, findRunReference(store.registry, options.model));
        if (isEnded(reference.run.state)) {
            return Error{ErrorCode::Conflict, "the run has ended, so there is no model of now", reference.run.id,
                         "Ask its last checkpoint: mofo chat " + reference.run.id, ""};
        }
        const bool streams = !options.json;
        const auto piece = [&](const std::string& text) {
            if (!streams) return;
            fmt::print("{}", shownAnswer(text));
            std::fflush(stdout);
        };
        return converse(
            options, messages, [&](const Json& all) { return askLiveEngine(store, reference.run, options, all, piece); }, streams);
    }
    MOFO_TRY(const JobModel model, jobModelOf(store, options.model));
    MOFO_TRY(const ResolvedDevice device, resolveDevice(options.device));
    return converse(
        options, messages, [&](const Json& all) { return askJob(store, model, device.device, options, all); }, false);
}

}  // namespace

void addChatCommand(CLI::App& app, Context& context) {
    auto options = std::make_shared<ChatOptions>();
    CLI::App* command = addCommand(app, "chat", "Talk to a model, a checkpoint, or a run as it is now",
                                   "  mofo chat maths-a15 --prompt \"What is 3 x 14?\"\n  mofo chat maths-a15@now --prompt \"What is 3 x 14?\"\n  "
                                   "mofo chat SmolLM2-135M-Instruct.Q4_1.gguf");
    command
        ->add_option("model", options->model,
                     "GGUF file, Hugging Face folder, workspace model, hf:owner/name, or RUN[@STEP] with digits, best, last, now")
        ->required()
        ->type_name("M");
    CLI::Option* prompt = command->add_option("--prompt", options->prompt, "One message; prints the answer alone");
    command->add_option("--system", options->system, "A system message");
    command->add_option("--max-new-tokens", options->maxNewTokens, "At most so many tokens of answer")
        ->check(wholeNumberFrom(1))
        ->capture_default_str();
    command->add_option("--temperature", options->temperature, "0 takes the likeliest token")->check(notNegative())->capture_default_str();
    command->add_option("--top-p", options->topP, "Share of the probability that is drawn from")->check(CLI::Range(0.0, 1.0))->capture_default_str();
    command->add_option("--seed", options->seed, "Of the draws, with a temperature")->check(wholeNumberFrom(0))->capture_default_str();
    command->add_option("--chat-template", options->chatTemplate, "A known template, where the model's own is not recognised");
    command->add_option("--device", options->device, "cpu, auto, cuda:N")->capture_default_str();
    command->add_flag("--json", options->json, "Answer in JSON")->needs(prompt);
    command->callback([&context, options, prompt] {
        options->hasPrompt = prompt->count() > 0;
        context.action = [&context, options] { return chat(context, *options); };
    });
}

}  // namespace mofo::cli
