#include "app/cli/context.h"

#include <signal.h>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "app/cli/terminal.h"
#include "core/base/clock.h"
#include "core/base/paths.h"
#include "core/base/text.h"

namespace mofo::cli {

namespace {

volatile sig_atomic_t g_interrupts = 0;

void countInterrupt(int) { g_interrupts = g_interrupts + 1; }

}  // namespace

Result<Workspace> Context::openWorkspace() const {
    return Workspace::open(workspacePath.empty() ? defaultWorkspacePath() : std::filesystem::path(workspacePath));
}

Result<Workspace> Context::openOrCreateWorkspace() const {
    const bool named = !workspacePath.empty();
    const char* variable = std::getenv("MOFO_WORKSPACE");
    const bool isDefaultPlace = !named && (variable == nullptr || *variable == '\0');
    return Workspace::openOrCreate(named ? std::filesystem::path(workspacePath) : defaultWorkspacePath(), isDefaultPlace);
}

Result<Store> openStore(const Context& context, Registry::Access access) {
    MOFO_TRY(Workspace workspace, context.openWorkspace());
    MOFO_TRY(Registry registry, Registry::open(workspace, access));
    return Store{std::move(workspace), std::move(registry)};
}

Result<Store> openOrCreateStore(const Context& context) {
    MOFO_TRY(Workspace workspace, context.openOrCreateWorkspace());
    MOFO_TRY(Registry registry, Registry::open(workspace, Registry::Access::ReadWrite));
    return Store{std::move(workspace), std::move(registry)};
}

CLI::App* addCommand(CLI::App& app, const std::string& name, const std::string& help, const std::string& examples) {
    CLI::App* command = app.add_subcommand(name, help);
    command->fallthrough();
    command->footer("Examples:\n" + examples);
    return command;
}

CLI::Validator wholeNumberFrom(std::int64_t least) {
    const auto check = [least](std::string& text) -> std::string {
        std::int64_t value = 0;
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
        if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && value >= least) return {};
        return "\"" + text.substr(0, 40) + "\" is not a whole number from " + std::to_string(least) + " on";
    };
    return {check, "", "whole number"};
}

CLI::Validator notNegative() {
    const auto check = [](std::string& text) -> std::string {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        return !text.empty() && *end == '\0' && value >= 0 ? std::string() : "\"" + text.substr(0, 40) + "\" is not a number from 0 on";
    };
    return {check, "", "number"};
}

void printError(const Error& error) { fmt::print(stderr, "mofo: {}\n", error.text()); }
void printNote(std::string_view text) { fmt::print(stderr, "{}\n", text); }

std::string jsonText(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void printJson(const Json& json) { fmt::print("{}\n", jsonText(json)); }

void printJsonArray(const Json& array) {
    if (array.empty()) {
        fmt::print("[]\n");
        return;
    }
    const char* before = "[\n";
    for (const Json& element : array) {
        fmt::print("{}{}", before, jsonText(element));
        before = ",\n";
    }
    fmt::print("\n]\n");
}

void watchInterrupts() {
    struct sigaction action {};
    action.sa_handler = countInterrupt;
    sigemptyset(&action.sa_mask);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
}

int interruptCount() { return g_interrupts; }

ImportProgress importProgress(std::string_view title) {
    auto line = std::make_shared<ProgressLine>();
    auto watch = std::make_shared<Stopwatch>();
    return [line, watch, title = std::string(title)](std::string_view phase, double share) {
        constexpr double redrawMs = 50;
        if (watch->elapsedMs() > redrawMs) {
            line->show(fmt::format("{}  {} {} {:3.0f} %", title, barText(share, 24), phase, share * 100));
            watch->restart();
        }
        return !interrupted();
    };
}

}  // namespace mofo::cli
