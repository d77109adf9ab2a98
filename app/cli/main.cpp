// mofo: the command line of MoFO Workbench. Parses, wires, maps a Result to an exit code.

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "app/cli/context.h"
#include "core/base/text.h"

namespace {

constexpr int kExitUsage = 2;

// CLI11's sentence, with the nearest right command where the first word is none.
int refuseCommandLine(CLI::App& app, const CLI::ParseError& problem, int argc, char** argv) {
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    std::string text = mofo::escapeForDisplay(problem.what());
    if (at == &app && argc > 1 && argv[1][0] != '-') {
        std::vector<std::string> names;
        for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
        text = "there is no command \"" + mofo::escapeForDisplay(argv[1]) + "\"";
        if (const std::string near = mofo::nearestName(argv[1], names); !near.empty()) text += "; did you mean \"" + near + "\"?";
    }
    std::string help = "mofo";
    if (at != &app) help = at->get_parent() == &app ? "mofo " + at->get_name() : "mofo " + at->get_parent()->get_name() + ' ' + at->get_name();
    fmt::print(stderr, "mofo: {}\nSee {} --help\n", text, help);
    return kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
    mofo::cli::Context context;
    CLI::App app("Fine-tune language models with MoFO, see what the optimizer does, keep what the model knew.", "mofo");
    app.set_version_flag("--version", "mofo " MOFO_VERSION);
    app.add_option("--workspace", context.workspacePath, "Folder that holds runs and models (default: $MOFO_WORKSPACE, else ~/.local/share/mofo)")
        ->type_name("DIR");
    app.require_subcommand(1);
    app.footer("Examples:\n"
               "  mofo train --model SmolLM2-135M-Instruct.Q4_1.gguf --data gsm8k.jsonl --set alpha=0.15 --set steps=40\n"
               "  mofo runs\n"
               "  mofo set maths-a15 alpha=0.05\n"
               "  mofo train --help");
    mofo::cli::addTrainCommands(app, context);
    mofo::cli::addRunCommands(app, context);
    mofo::cli::addControlCommands(app, context);
    mofo::cli::addEvaluateCommands(app, context);
    mofo::cli::addBranchCommands(app, context);
    mofo::cli::addCheckpointCommands(app, context);
    mofo::cli::addModelCommands(app, context);
    mofo::cli::addGetCommand(app, context);
    mofo::cli::addJobCommands(app, context);
    mofo::cli::addSweepCommands(app, context);
    mofo::cli::addInterpolateCommands(app, context);
    mofo::cli::addChatCommand(app, context);
    mofo::cli::addCompareCommand(app, context);
    mofo::cli::addPlanCommand(app, context);
    mofo::cli::addBenchCommand(app, context);
    mofo::cli::addProfileCommand(app, context);
    mofo::cli::addDoctorCommand(app, context);

    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        fmt::print("{}", app.help());
        return 0;
    } catch (const CLI::CallForVersion&) {
        fmt::print("mofo {}\n", MOFO_VERSION);
        return 0;
    } catch (const CLI::ParseError& problem) {
        return refuseCommandLine(app, problem, argc, argv);
    }
    const mofo::Result<int> code = context.action();
    if (!code.ok()) {
        std::fflush(stdout);
        mofo::cli::printError(code.error());
        return code.error().exitCode();
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        fmt::print(stderr, "mofo: cannot write to the standard output: {}\n", std::strerror(errno));
        return 1;
    }
    return *code;
}
