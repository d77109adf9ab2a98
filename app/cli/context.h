// What every command shares: the workspace it works in, how it answers, how it is interrupted.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/library/model_library.h"
#include "core/store/registry.h"
#include "core/store/workspace.h"

namespace mofo::cli {

/// Exit code 0 or 1 of a command that did what it could; errors have codes of their own.
using Action = std::function<Result<int>()>;

struct Context {
    std::string workspacePath;  ///< of --workspace, or empty
    Action action;              ///< what the parsed command line asks for

    /// The workspace that is there; NotFound where there is none.
    [[nodiscard]] Result<Workspace> openWorkspace() const;
    /// For commands that write: made if need be.
    [[nodiscard]] Result<Workspace> openOrCreateWorkspace() const;
};

/// A workspace and its registry.
struct Store {
    Workspace workspace;
    Registry registry;
};
[[nodiscard]] Result<Store> openStore(const Context& context, Registry::Access access);
[[nodiscard]] Result<Store> openOrCreateStore(const Context& context);

/// Adds a subcommand; `examples` stand at the end of its --help, one per line.
CLI::App* addCommand(CLI::App& app, const std::string& name, const std::string& help, const std::string& examples);

/// For CLI::Option::check: digits of a number from `least` on (0 or 1) that fits into 64 bits.
[[nodiscard]] CLI::Validator wholeNumberFrom(std::int64_t least);
/// Any number that is not below zero.
[[nodiscard]] CLI::Validator notNegative();

/// Prints an error on stderr: one sentence with place and remedy, at most four lines.
void printError(const Error& error);
void printNote(std::string_view text);

/// One line of JSON on stdout; invalid UTF-8 replaced.
[[nodiscard]] std::string jsonText(const Json& json);
/// An array on stdout, one element per line.
void printJsonArray(const Json& array);
void printJson(const Json& json);

/// From now on Ctrl-C, SIGTERM and SIGHUP are counted instead of ending the program at once.
void watchInterrupts();
[[nodiscard]] int interruptCount();
[[nodiscard]] inline bool interrupted() { return interruptCount() > 0; }

/// `mofo evaluate RUN`: asks the engine of a live run to measure now, and prints what it found.
Result<int> evaluateLiveRun(const Context& context, const std::string& run, bool json);

/// Progress of an import as one line on stderr; false after Ctrl-C.
[[nodiscard]] ImportProgress importProgress(std::string_view title);

void addModelCommands(CLI::App& app, Context& context);        ///< import, models, tokens, score
void addTrainCommands(CLI::App& app, Context& context);        ///< train, follow, resume, supervise
void addRunCommands(CLI::App& app, Context& context);          ///< runs, show, log, rename, note, tag, baseline, trash, restore
void addBranchCommands(CLI::App& app, Context& context);       ///< branch, twin
void addCheckpointCommands(CLI::App& app, Context& context);   ///< pin, unpin, verify
void addControlCommands(CLI::App& app, Context& context);      ///< set, withdraw, pause, stop, checkpoint, undo
void addEvaluateCommands(CLI::App& app, Context& context);     ///< evaluate, tasks
void addJobCommands(CLI::App& app, Context& context);          ///< export, jobs, queue
void addInterpolateCommands(CLI::App& app, Context& context);  ///< interpolate, landscape
void addSweepCommands(CLI::App& app, Context& context);        ///< sweep and its list, show, follow, stop, resume
void addChatCommand(CLI::App& app, Context& context);
void addCompareCommand(CLI::App& app, Context& context);
void addPlanCommand(CLI::App& app, Context& context);
void addBenchCommand(CLI::App& app, Context& context);
void addProfileCommand(CLI::App& app, Context& context);
void addGetCommand(CLI::App& app, Context& context);
void addDoctorCommand(CLI::App& app, Context& context);

}  // namespace mofo::cli
