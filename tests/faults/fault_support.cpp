#include "tests/faults/fault_support.h"

#include <signal.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "core/client/engine_process.h"
#include "core/store/run_metrics.h"
#include "tests/support/tiny_model.h"

namespace mofo::test {

int countOf(const char* variable, int usual) {
    const char* const text = std::getenv(variable);
    return text != nullptr ? std::atoi(text) : usual;
}

void reportFigure(const std::string& line) {
    std::printf("FIGURE %s\n", line.c_str());
    if (const char* const file = std::getenv("MOFO_FAULT_REPORT")) std::ofstream(file, std::ios::app) << line << '\n';
}

std::string difference(const Outcome& expected, const Outcome& actual) {
    for (const auto& [step, loss] : expected.losses) {
        const auto found = actual.losses.find(step);
        if (found == actual.losses.end()) return "step " + std::to_string(step) + " is missing";
        if (found->second != loss) return "step " + std::to_string(step) + ": " + loss + " became " + found->second;
    }
    if (actual.losses.size() != expected.losses.size()) return "there are steps that should not be";
    for (const auto& [name, hash] : expected.tensors) {
        const auto found = actual.tensors.find(name);
        if (found == actual.tensors.end() || found->second != hash) return "in the end " + name + " is another";
    }
    return actual.tensors.size() == expected.tensors.size() ? "" : "the last checkpoint holds something else";
}

void FaultTest::SetUp() {
    ClientTest::SetUp();
    m_environment.set("MOFO_ENGINE", (binFolder() / "mofo-engine").string());
    // One thread for two engines at once is quicker than their threads' waiting for one another.
    m_environment.set("OMP_NUM_THREADS", "1");
    writeTinyData(data(), 50);
}

FaultTest::Values FaultTest::values(int steps, const Values& more) {
    Values all = {{"steps", std::to_string(steps)},
                  {"batch", "4"},
                  {"micro_batch", "2"},
                  {"lr", "1e-3"},
                  {"max_length", "256"},
                  {"eval_split", "0.1"},
                  {"eval_every", "15"},
                  {"checkpoint_every", "6"},
                  {"keep", "3"},
                  {"stats_every", "10"},
                  {"probes", ""}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

bool FaultTest::finishes(const std::string& id, double seconds) {
    const auto over = [&] { return stateOf(id) == RunState::Finished || stateOf(id) == RunState::Failed || stateOf(id) == RunState::Stopped; };
    if (eventually(over, seconds) && stateOf(id) == RunState::Finished && awaitEngineExit(workspace(), id)) return true;
    const auto run = registry().findRun(id);
    ADD_FAILURE() << "the run is " << runStateName(stateOf(id)) << " at step " << stepOf(id) << (run.ok() ? ": " + run->endReason : "") << '\n'
                  << readFile(workspace().runFolder(id) / "engine.log");
    return false;
}

bool FaultTest::killEngine(const std::string& id) {
    const auto pid = lockHolder(workspace().runLock(id));
    if (!pid) return false;
    kill(static_cast<pid_t>(*pid), SIGKILL);
    return eventually([&] { return !FileLock::isHeld(workspace().runLock(id)); }, 10);
}

Outcome FaultTest::outcomeOf(const Workspace& workspace, const std::string& id) {
    Outcome outcome;
    const auto reader = MetricsReader::open(workspace.metricsFile(id));
    EXPECT_OK(reader);
    if (!reader.ok()) return outcome;
    const auto steps = reader->stepsAfter(0);
    EXPECT_OK(steps);
    for (const StepRow& step : *steps) {
        if (step.superseded) continue;
        char text[80];
        std::snprintf(text, sizeof text, "%a %a", step.loss, step.gradNorm);
        EXPECT_TRUE(outcome.losses.emplace(step.step, text).second) << "step " << step.step << " counts twice";
    }
    const auto checkpoints = reader->checkpoints();
    EXPECT_OK(checkpoints);
    const CheckpointRow* last = nullptr;
    for (const CheckpointRow& row : *checkpoints) {
        if (!row.superseded && row.kind == "full" && (last == nullptr || row.step > last->step)) last = &row;
    }
    EXPECT_NE(last, nullptr) << "no checkpoint";
    if (last == nullptr) return outcome;
    EXPECT_EQ(last->step, outcome.losses.empty() ? 0 : outcome.losses.rbegin()->first) << "the last checkpoint is not of the last step";
    const auto folder = workspace.checkpointsFolder(id) / last->folder;
    const Json manifest = Json::parse(readFile(folder / "manifest.json"));
    for (const auto& [file, tensors] : manifest["tensors"].items()) {
        for (const auto& [name, hash] : tensors.items()) outcome.tensors[file + ' ' + name] = hash;
    }
    EXPECT_GT(outcome.tensors.size(), 20u);
    return outcome;
}

std::vector<Change> FaultTest::changesOf(const std::string& id) {
    std::vector<Change> changes;
    const auto reader = MetricsReader::open(workspace().metricsFile(id));
    EXPECT_OK(reader);
    const auto commands = registry().commands(id);
    EXPECT_OK(commands);
    for (const CommandRow& command : *commands) {
        const auto acknowledged = reader->acknowledgement(command.uuid);
        EXPECT_OK(acknowledged);
        if (command.kind != "set" || !*acknowledged || !(*acknowledged)->accepted || (*acknowledged)->superseded) continue;
        changes.push_back({(*acknowledged)->appliedStep, command.payload});
    }
    std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.step < b.step; });
    return changes;
}

Outcome FaultTest::undisturbed(const Values& config, const std::vector<Change>& changes) {
    const auto run = start(config, /*supervised=*/false);
    EXPECT_OK(run);
    if (!run.ok()) return {};
    for (const Change& change : changes) EXPECT_OK(sendCommand(registry(), *run, "set", change.values, change.step, "cli"));
    EXPECT_OK(ensureSupervisor(workspace(), "cpu"));
    return finishes(run->id) ? outcomeOf(workspace(), run->id) : Outcome{};
}

}  // namespace mofo::test
