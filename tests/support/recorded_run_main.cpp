// record_run --replay SAMPLE RUN DIR [MS_PER_STEP]: tells a recorded run again, live.
// record_run DIR [STEPS [TOTAL [MS_PER_STEP]]]: fills a workspace with a recorded run and, with MS_PER_STEP, lets it go on live.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "tests/support/recorded_run.h"
#include "tests/support/replayed_run.h"

namespace {

int fail(const mofo::Error& error) {
    std::fprintf(stderr, "record_run: %s\n", error.text().c_str());
    return 1;
}

mofo::Result<void> record(const std::string& folder, std::int64_t steps, std::int64_t total, int msPerStep) {
    using namespace mofo;
    MOFO_TRY(const Workspace workspace, Workspace::openOrCreate(folder, false));
    test::RecordedRunOptions baseline;
    baseline.name = "maths-adamw";
    baseline.optimizer = "adamw";
    baseline.totalSteps = 200;
    baseline.seed = 4;
    MOFO_TRY(test::RecordedRun adamw, test::RecordedRun::create(workspace, baseline));
    MOFO_CHECK(adamw.begin());
    MOFO_CHECK(adamw.advance(200, false));
    MOFO_CHECK(adamw.end(RunState::Finished, ""));
    test::RecordedRunOptions failing;
    failing.name = "maths-a05-layer";
    failing.alpha = 0.05;
    failing.granularity = "layer";
    failing.nanSteps = {77, 78};
    failing.spikes = {{76, 4.2}};
    MOFO_TRY(test::RecordedRun failed, test::RecordedRun::create(workspace, failing));
    MOFO_CHECK(failed.begin());
    MOFO_CHECK(failed.advance(78, false));
    MOFO_CHECK(failed.end(RunState::Failed, "the loss of step 77 is not a number; nothing after step 76 was applied"));
    test::RecordedRunOptions options;
    options.totalSteps = total;
    options.evalEvery = std::max<std::int64_t>(10, total / 8);
    options.checkpointEvery = std::max<std::int64_t>(20, total / 5);
    options.histograms = options.machine = options.probes = true;
    if (msPerStep > 0) options.stepSeconds = msPerStep * 1e-3;
    MOFO_TRY(test::RecordedRun run, test::RecordedRun::create(workspace, options));
    std::printf("%s\n", run.id().c_str());
    std::fflush(stdout);
    if (msPerStep > 0) {
        for (int i = 0; i <= 10; ++i) {
            MOFO_CHECK(run.writePhase("load", i / 10.0, "model.safetensors, 538 MB"));
            std::this_thread::sleep_for(std::chrono::milliseconds(150));
        }
    }
    MOFO_CHECK(run.begin());
    const std::int64_t middle = steps / 2;
    MOFO_CHECK(run.advance(middle, false));
    if (steps > 0 && msPerStep == 0) {
        CommandRow command;
        command.uuid = "00000000-0000-4000-8000-000000000001";
        command.runId = run.id();
        command.kind = "set";
        command.payload = Json{{"alpha", "0.05"}, {"granularity", "layer"}};
        command.who = "cli";
        MOFO_CHECK(run.registry().addCommand(command));
        MOFO_CHECK(run.obeyCommands());
    }
    MOFO_CHECK(run.advance(steps - middle, false));
    while (msPerStep > 0 && !run.isStopped() && run.step() < total) {
        std::this_thread::sleep_for(std::chrono::milliseconds(msPerStep));
        MOFO_CHECK(run.advance(1));
    }
    if (run.step() >= total && !run.isStopped()) MOFO_CHECK(run.end(RunState::Finished, ""));
    return {};
}

mofo::Result<void> replay(const std::string& source, const std::string& name, const std::string& folder, int msPerStep) {
    using namespace mofo;
    MOFO_TRY(const Workspace recorded, Workspace::open(source));
    MOFO_TRY(const Workspace workspace, Workspace::openOrCreate(folder, false));
    MOFO_TRY(test::ReplayedRun run, test::ReplayedRun::create(workspace, recorded, name));
    for (std::int64_t step = 0; step < run.lastStep(); ++step) {
        MOFO_CHECK(run.advanceTo(step));
        std::this_thread::sleep_for(std::chrono::milliseconds(msPerStep));
    }
    return run.finish();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc >= 5 && std::string(argv[1]) == "--replay") {
        const auto told = replay(argv[2], argv[3], argv[4], argc > 5 ? std::atoi(argv[5]) : 0);
        return told.ok() ? 0 : fail(told.error());
    }
    if (argc < 2) {
        std::fprintf(stderr, "usage: record_run DIR [STEPS [TOTAL [MS_PER_STEP]]]\n       record_run --replay SAMPLE RUN DIR [MS_PER_STEP]\n");
        return 2;
    }
    const auto number = [&](int i, std::int64_t otherwise) { return argc > i ? std::atoll(argv[i]) : otherwise; };
    const auto done = record(argv[1], number(2, 120), number(3, 200), static_cast<int>(number(4, 0)));
    return done.ok() ? 0 : fail(done.error());
}
