// mofo-engine: trains one run or does one job of a workspace. Started by `mofo supervise`, not by people.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>

#include "build_facts.h"
#include "core/base/file.h"
#include "core/engine/device.h"
#include "core/engine/device_fault.h"
#include "core/engine/jobs.h"
#include "core/engine/trainer.h"
#include "core/store/registry.h"

namespace {

constexpr const char* kUsage =
    "usage: mofo-engine --workspace DIR (--run ID | --job ID)\n"
    "       mofo-engine --version\n"
    "\n"
    "Does the work of one run or job. `mofo supervise` starts it; people use `mofo` or mofo-workbench.\n";

void onSignal(int) {
    // The first asks the trainer to stop after its step and save; the second ends the process where it stands, which the store survives.
    if (++mofo::g_stopSignals >= 2) _exit(130);
}

int finish(const mofo::Result<void>& result) {
    if (result.ok()) return 0;
    spdlog::error("{}", result.error().text());
    return result.error().exitCode();
}

}  // namespace

int main(int argc, char** argv) {
    std::string workspaceFolder, run, job;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const auto value = [&]() -> std::string { return i + 1 < argc ? argv[++i] : ""; };
        if (argument == "--workspace")
            workspaceFolder = value();
        else if (argument == "--run")
            run = value();
        else if (argument == "--job")
            job = value();
        else if (argument == "--version") {
            std::printf("mofo-engine %s, LibTorch %s\n", MOFO_VERSION, TORCH_VERSION);
            return 0;
        } else if (argument == "--help" || argument == "-h") {
            std::fputs(kUsage, stdout);
            return 0;
        } else {
            std::fputs(kUsage, stderr);
            return 2;
        }
    }
    if (workspaceFolder.empty() || run.empty() == job.empty()) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    spdlog::set_default_logger(spdlog::stderr_logger_mt("engine"));
    spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
    struct sigaction action {};
    action.sa_handler = onSignal;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);

    auto workspace = mofo::Workspace::open(workspaceFolder);
    if (!workspace.ok()) return finish(std::move(workspace).error());
    auto registry = mofo::Registry::open(*workspace, mofo::Registry::Access::ReadWrite);
    if (!registry.ok()) return finish(std::move(registry).error());
    mofo::endAtDeviceFaults((run.empty() ? workspace->jobFolder(job) : workspace->runFolder(run)) / "device-fault.json");
    std::string device;
    if (!run.empty()) {
        auto row = registry->findRun(run);
        if (!row.ok()) return finish(std::move(row).error());
        device = row->device;
    } else {
        auto row = registry->findJob(job);
        if (!row.ok()) return finish(std::move(row).error());
        device = row->device;
    }
    // Before the first call into LibTorch: loading its CUDA libraries later would not register them.
    if (auto prepared = mofo::prepareDevice(device); !prepared.ok()) {
        const std::string text = prepared.error().text();
        // A second engine has nothing to say about the run of the first.
        if (!run.empty() && mofo::FileLock::isHeld(workspace->runLock(run))) return finish(prepared);
        const auto noted =
            run.empty() ? registry->setJobState(job, mofo::JobState::Failed, text) : registry->setRunState(run, mofo::RunState::Failed, text);
        if (!noted.ok()) spdlog::error("{}", noted.error().text());
        return finish(prepared);
    }
    return finish(run.empty() ? mofo::runJobById(*workspace, job) : mofo::trainRun(*workspace, run, {MOFO_VERSION, MOFO_COMMIT}));
}
