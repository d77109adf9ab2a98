// branch, twin: runs that begin where another one was.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/attend.h"
#include "app/cli/context.h"
#include "app/cli/hub_argument.h"
#include "core/base/text.h"
#include "core/client/branch.h"
#include "core/client/supervisor.h"

namespace mofo::cli {

namespace {

struct Options {
    std::string run, at, name;
    std::vector<std::string> assignments;
    AttendOptions attend;
};

Result<BranchOptions> branchOptions(const Options& options) {
    BranchOptions branch;
    MOFO_TRY(branch.assignments, withLocalPaths(options.assignments));
    branch.name = options.name;
    branch.startSupervisor = !options.attend.foreground;
    return branch;
}

Result<std::optional<FileLock>> lockFor(Store& store, const RunRow& parent, const Options& options) {
    watchInterrupts();
    if (!options.attend.foreground) return std::optional<FileLock>();
    MOFO_TRY(FileLock lock, claimDevice(store.workspace, store.registry, parent.device, 10, interrupted));
    return std::optional<FileLock>(std::move(lock));
}

Result<int> branch(const Context& context, const Options& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow parent, store.registry.findRun(options.run));
    MOFO_TRY(const std::int64_t step, resumableStep(store.workspace, parent, options.at, true));
    MOFO_TRY(const BranchOptions wanted, branchOptions(options));
    MOFO_TRY(std::optional<FileLock> lock, lockFor(store, parent, options));
    MOFO_TRY(const BranchedRun made, branchRun(store.workspace, store.registry, parent, step, wanted));
    printNote(fmt::format("{} begins after step {} of {}", escapeForDisplay(made.run.name), step, escapeForDisplay(parent.name)));
    return attendRun(store, made.run, options.attend, std::move(lock));
}

Result<int> twin(const Context& context, const Options& options) {
    MOFO_TRY(Store store, openStore(context, Registry::Access::ReadWrite));
    MOFO_TRY(const RunRow parent, store.registry.findRun(options.run));
    MOFO_TRY(const BranchOptions wanted, branchOptions(options));
    MOFO_TRY(std::optional<FileLock> lock, lockFor(store, parent, options));
    MOFO_TRY(const BranchedRun made, twinRun(store.workspace, store.registry, parent, wanted));
    for (const std::string& warning : made.warnings) printNote("warning: " + warning);
    return attendRun(store, made.run, options.attend, std::move(lock));
}

}  // namespace

void addBranchCommands(CLI::App& app, Context& context) {
    const auto add = [&](const char* name, const char* help, const char* examples, Result<int> (*act)(const Context&, const Options&)) {
        auto options = std::make_shared<Options>();
        CLI::App* command = addCommand(app, name, help, examples);
        command->add_option("run", options->run, "Id, unique prefix or name")->required()->type_name("RUN");
        command->add_option("--name", options->name, "How to call the new run (default: made from the old one's)");
        addAttendOptions(*command, options->attend);
        command->callback([&context, options, act] { context.action = [&context, options, act] { return act(context, *options); }; });
        return std::pair(command, options);
    };
    {
        auto [command, options] =
            add("branch", "Start a new run from a checkpoint of another, which goes on by itself",
                "  mofo branch maths-a15 --at 200 --set alpha=0.05\n  mofo branch maths-a15 --at best --name gentle --detach", branch);
        command->add_option("--at", options->at, "Step of a checkpoint in digits, best or last; 0 = the pretrained weights")
            ->required()
            ->type_name("STEP");
        command->add_option("--set", options->assignments, "key=value that differs from what the run had at that step")->type_name("KEY=VALUE");
    }
    {
        auto [command, options] = add("twin", "Start a run that differs from another in the named values only: same seed, order and micro-batch",
                                      "  mofo twin maths-a15 --set optimizer=adamw\n  mofo twin maths-a15 --set alpha=0.05 --detach", twin);
        command->add_option("--set", options->assignments, "key=value that differs")->required()->type_name("KEY=VALUE");
    }
}

}  // namespace mofo::cli
