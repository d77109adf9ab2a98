// pin, unpin, verify: checkpoints that stay, and checkpoints that are as they were written.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/context.h"
#include "app/cli/terminal.h"
#include "core/base/text.h"
#include "core/client/commands.h"
#include "core/client/damage.h"
#include "core/client/run_reference.h"
#include "core/library/verify_checkpoint.h"

namespace mofo::cli {

namespace {

// Its answer comes after its step, and after it has read the checkpoint.
constexpr double kEngineSeconds = 600;

struct Options {
    std::string run;
    bool json = false;
};

Result<int> setPinned(const Context& context, const Options& options, bool pinned) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunReference reference, findRunReference(store.registry, options.run));
    const RunRow& run = reference.run;
    MOFO_TRY(const std::vector<std::int64_t> before, store.registry.pinnedSteps(run.id));
    // A pin can be taken back although its checkpoint is gone.
    std::int64_t step = reference.step;
    if (pinned || reference.at != RunReference::At::Step) {
        MOFO_TRY(const CheckpointPlace place, chooseCheckpoint(store.workspace, reference));
        step = place.row.step;
    }
    const bool was = std::find(before.begin(), before.end(), step) != before.end();
    if (was == pinned) {
        printNote(fmt::format("the checkpoint of step {} is {}", step, pinned ? "pinned already" : "not pinned"));
        return 0;
    }
    MOFO_CHECK(store.registry.setCheckpointPinned(run.id, step, pinned));
    fmt::print("{} step {} of {}\n", pinned ? "pinned" : "unpinned", step, escapeForDisplay(run.name));
    return 0;
}

// What there is to read: those found damaged before, too.
Result<std::vector<CheckpointRow>> rowsToVerify(const Store& store, const RunReference& reference) {
    std::vector<CheckpointRow> rows;
    if (const auto reader = MetricsReader::open(store.workspace.metricsFile(reference.run.id)); reader.ok()) {
        MOFO_TRY(rows, reader->checkpoints(true));
    }
    std::erase_if(rows, [](const CheckpointRow& row) { return row.removed || row.state == "failed"; });
    if (reference.named && reference.at == RunReference::At::Step) {
        std::erase_if(rows, [&](const CheckpointRow& row) { return row.step != reference.step || row.superseded; });
        if (!rows.empty()) return std::vector<CheckpointRow>{rows.back()};
    }
    if (!reference.named && !rows.empty()) return rows;
    MOFO_TRY(const CheckpointPlace place, chooseCheckpoint(store.workspace, reference));  // says so where there is none
    return std::vector<CheckpointRow>{place.row};
}

// Remembers the damage, and says what follows from it; false where it could not be remembered.
bool remember(const Context& context, const RunRow& run, const CheckpointRow& row, const Error& damage) {
    auto store = openStore(context, Registry::Access::ReadWrite);
    auto mark = store.ok() ? markDamaged(store->workspace, store->registry, run, row, damage.text()) : Result<DamageMark>(store.error());
    if (!mark.ok()) {
        printNote("that could not be noted down: " + mark.error().text());
        return false;
    }
    const bool live = run.state == RunState::Running || run.state == RunState::Paused || run.state == RunState::Stopping;
    if (!mark->marked && !live) {
        printNote(fmt::format("the run's next engine looks at step {} again before anything else", row.step));
        return true;
    }
    if (!mark->marked) {
        const auto answer = awaitAcknowledgement(store->workspace, run.id, mark->uuid, kEngineSeconds, interrupted);
        if (!answer.ok() || !answer->accepted) {
            printNote(answer.ok() ? "the engine looked again: " + escapeForDisplay(answer->reason) : answer.error().text());
            return false;
        }
    }
    printNote(fmt::format("step {} counts no more for resume, export and retention", row.step));
    return true;
}

Result<int> verify(const Context& context, const Options& options) {
    MOFO_TRY(const Store store, openStore(context, Registry::Access::ReadOnly));
    MOFO_TRY(const RunReference reference, findRunReference(store.registry, options.run));
    const RunRow& run = reference.run;
    MOFO_TRY(const std::vector<CheckpointRow> rows, rowsToVerify(store, reference));
    watchInterrupts();
    ProgressLine line;
    Json answers = Json::array();
    int damaged = 0;
    for (const CheckpointRow& row : rows) {
        const auto checked = verifyCheckpoint(store.workspace.checkpointsFolder(run.id) / row.folder, row, [&](std::int64_t bytes) {
            line.show(fmt::format("verify  {}  {}", row.folder, formatBytes(static_cast<std::uint64_t>(bytes))));
            return !interrupted();
        });
        line.clear();
        if (!checked.ok() && checked.error().code == ErrorCode::Interrupted) return checked.error();
        if (!checked.ok()) ++damaged;
        const bool known = row.state == "lost";
        answers.push_back({{"step", row.step},
                           {"folder", row.folder},
                           {"ok", checked.ok()},
                           {"known", known},
                           {"files", checked.ok() ? Json(checked->files) : Json(nullptr)},
                           {"tensors", checked.ok() ? Json(checked->tensors) : Json(nullptr)},
                           {"error", checked.ok() ? Json(nullptr) : Json(checked.error().text())}});
        if (!options.json && checked.ok()) {
            fmt::print("{}  as written: {} files, {} tensors, {}{}\n", row.folder, checked->files, checked->tensors,
                       formatBytes(static_cast<std::uint64_t>(checked->sizeBytes)),
                       known ? "; it was damaged, and counts again from the run's next start on" : "");
        } else if (!options.json) {
            fmt::print("{}  damaged{}\n", row.folder, known ? ", as is known" : "");
            std::fflush(stdout);
            printError(checked.error());
        }
        if (!checked.ok() && !known) remember(context, run, row, checked.error());
    }
    if (options.json) printJsonArray(answers);
    return damaged > 0 ? 1 : 0;
}

}  // namespace

void addCheckpointCommands(CLI::App& app, Context& context) {
    const auto add = [&](const char* name, const char* help, const char* examples, Result<int> (*act)(const Context&, const Options&)) {
        auto options = std::make_shared<Options>();
        CLI::App* command = addCommand(app, name, help, examples);
        command->add_option("run", options->run, "Run, or RUN@STEP with digits, best or last")->required()->type_name("RUN[@STEP]");
        command->callback([&context, options, act] { context.action = [&context, options, act] { return act(context, *options); }; });
        return std::pair(command, options);
    };
    add("pin", "Keep a checkpoint for good (default: the newest)", "  mofo pin maths-a15@200\n  mofo pin maths-a15@best",
        [](const Context& c, const Options& o) { return setPinned(c, o, true); });
    add("unpin", "Let a checkpoint go when its turn comes", "  mofo unpin maths-a15@200",
        [](const Context& c, const Options& o) { return setPinned(c, o, false); });
    auto [command, options] = add("verify", "Read checkpoints again and compare every file and tensor with the hashes of when they were written",
                                  "  mofo verify maths-a15\n  mofo verify maths-a15@200 --json", verify);
    command->add_flag("--json", options->json, "Answer in JSON");
}

}  // namespace mofo::cli
