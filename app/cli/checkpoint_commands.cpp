// pin, unpin, verify: checkpoints that stay, and checkpoints that are as they were written.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/context.h"
#include "app/cli/terminal.h"
#include "core/base/text.h"
#include "core/client/run_reference.h"
#include "core/library/verify_checkpoint.h"

namespace mofo::cli {

namespace {

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

Result<int> verify(const Context& context, const Options& options) {
    MOFO_TRY(const Store store, openStore(context, Registry::Access::ReadOnly));
    MOFO_TRY(const RunReference reference, findRunReference(store.registry, options.run));
    const RunRow& run = reference.run;
    std::vector<CheckpointRow> rows;
    if (reference.named) {
        MOFO_TRY(const CheckpointPlace place, chooseCheckpoint(store.workspace, reference));
        rows.push_back(place.row);
    } else {
        MOFO_CHECK(chooseCheckpoint(store.workspace, reference));  // says so where there is none
        MOFO_TRY(const MetricsReader reader, MetricsReader::open(store.workspace.metricsFile(run.id)));
        MOFO_TRY(rows, reader.checkpoints());
    }
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
        answers.push_back({{"step", row.step},
                           {"folder", row.folder},
                           {"ok", checked.ok()},
                           {"files", checked.ok() ? Json(checked->files) : Json(nullptr)},
                           {"tensors", checked.ok() ? Json(checked->tensors) : Json(nullptr)},
                           {"error", checked.ok() ? Json(nullptr) : Json(checked.error().text())}});
        if (options.json) continue;
        if (checked.ok()) {
            fmt::print("{}  as written: {} files, {} tensors, {}\n", row.folder, checked->files, checked->tensors,
                       formatBytes(static_cast<std::uint64_t>(checked->sizeBytes)));
        } else {
            fmt::print("{}  damaged\n", row.folder);
            printError(checked.error());
        }
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
