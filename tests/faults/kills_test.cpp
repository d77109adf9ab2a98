// reliability.md, rows 1, 18 and 28: an engine or a client may die at any moment.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/faults/fault_support.h"

namespace mofo::test {
namespace {

using std::chrono::milliseconds;

class Kills : public FaultTest {
protected:
    Json randomChange() {
        static constexpr const char* granularities[] = {"tensor", "row", "head", "block:64", "module"};
        if (draw(0, 1) == 0) return Json{{"alpha", std::to_string(draw(2, 60)) + "e-2"}};
        return Json{{"granularity", granularities[draw(0, 4)]}};
    }
    pid_t startClient(const std::vector<std::string>& arguments) {
        std::vector<std::string> all = arguments;
        std::vector<char*> pointers;
        for (std::string& argument : all) pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        const pid_t pid = fork();
        if (pid == 0) {
            if (std::freopen("/dev/null", "w", stdout) == nullptr || std::freopen("/dev/null", "w", stderr) == nullptr) _exit(126);
            execv(pointers[0], pointers.data());
            _exit(127);
        }
        return pid;
    }
};

TEST_F(Kills, ARunWhoseEngineIsKilledAtRandomEndsBitForBit) {
    const int wanted = countOf("MOFO_FAULT_KILLS", 25);
    constexpr int perRun = 25;
    int kills = 0, changes = 0, atStart = 0;
    while (kills < wanted) {
        const Values config = values(400, {{"seed", std::to_string(kills + 1)}});
        const auto run = start(config);
        ASSERT_OK(run);
        for (int inThisRun = 0; inThisRun < perRun && kills < wanted;) {
            if (!eventually([&] { return engineOf(run->id) != 0 || stateOf(run->id) == RunState::Finished; })) FAIL() << "no engine came";
            if (stateOf(run->id) == RunState::Finished) break;
            // One in ten dies while it starts.
            const bool early = draw(0, 9) == 0;
            if (!early) {
                const std::int64_t from = stepOf(run->id);
                static_cast<void>(eventually([&] { return stepOf(run->id) != from || stateOf(run->id) == RunState::Finished; }, 20));
                if (draw(0, 1) == 0) {
                    const auto current = registry().findRun(run->id);
                    ASSERT_OK(current);
                    if (sendCommand(registry(), *current, "set", randomChange(), std::nullopt, "cli").ok()) ++changes;
                }
            }
            std::this_thread::sleep_for(milliseconds(draw(0, early ? 150 : 250)));
            if (killEngine(run->id)) {
                ++kills;
                ++inThisRun;
                atStart += early ? 1 : 0;
            }
            const auto lost = registry().findRun(run->id);
            ASSERT_OK(lost);
            if (lost->state == RunState::Finished) break;
            // The supervisor may still be noting the death.
            ASSERT_TRUE(eventually([&] {
                const auto now = registry().findRun(run->id);
                return now.ok() && (now->state == RunState::Finished || resumeRun(workspace(), registry(), *now, true).ok());
            }));
        }
        ASSERT_TRUE(finishes(run->id));
        const std::vector<Change> journal = changesOf(run->id);
        const Outcome expected = undisturbed(config, journal);
        ASSERT_EQ(difference(expected, outcomeOf(workspace(), run->id)), "") << "after " << kills << " kills";
    }
    reportFigure(std::to_string(kills) + " of " + std::to_string(kills) + " kills of the engine (" + std::to_string(atStart) + " while it started, " +
                 std::to_string(changes) + " live changes on the way) ended bit for bit");
}

TEST_F(Kills, KilledClientsChangeNothing) {
    const int wanted = countOf("MOFO_FAULT_CLIENT_KILLS", 12);
    const Values config = values(3000, {{"checkpoint_every", "200"}, {"eval_every", "200"}});
    const auto run = start(config);
    ASSERT_OK(run);
    const std::string mofo = (binFolder() / "mofo").string();
    std::vector<std::vector<std::string>> clients = {
        {mofo, "follow", run->id}, {mofo, "show", run->id, "--json"}, {mofo, "follow", run->id, "--json"}};
    const auto window = binFolder() / "mofo-workbench";
    if (std::filesystem::exists(window)) {
        m_environment.set("QT_QPA_PLATFORM", "offscreen");
        clients.push_back({window.string(), "--run", run->id});
    }
    ASSERT_TRUE(eventually([&] { return stepOf(run->id) > 0; }));
    int kills = 0;
    for (; kills < wanted; ++kills) {
        const pid_t client = startClient(clients[static_cast<std::size_t>(kills) % clients.size()]);
        std::this_thread::sleep_for(milliseconds(draw(0, 300)));
        kill(client, SIGKILL);
        waitpid(client, nullptr, 0);
        if (stateOf(run->id) == RunState::Finished) break;
        ASSERT_NE(engineOf(run->id), 0) << "client kill " << kills << " took the engine with it";
    }
    ASSERT_EQ(kills, wanted) << "the run ended before the clients were killed";
    const auto live = registry().findRun(run->id);
    ASSERT_OK(live);
    ASSERT_OK(sendCommand(registry(), *live, "stop", Json{{"save", true}}, std::nullopt, "cli"));
    ASSERT_TRUE(reaches(run->id, RunState::Stopped));
    ASSERT_TRUE(awaitEngineExit(workspace(), run->id));
    const Outcome actual = outcomeOf(workspace(), run->id);
    const std::int64_t last = actual.losses.rbegin()->first;
    // The schedule depends on the number of steps: the same config, stopped after the same step.
    const auto again = start(config, /*supervised=*/false);
    ASSERT_OK(again);
    ASSERT_OK(sendCommand(registry(), *again, "stop", Json{{"save", true}}, last + 1, "cli"));
    ASSERT_OK(ensureSupervisor(workspace(), "cpu"));
    ASSERT_TRUE(reaches(again->id, RunState::Stopped, 120));
    ASSERT_TRUE(awaitEngineExit(workspace(), again->id));
    EXPECT_EQ(difference(outcomeOf(workspace(), again->id), actual), "");
    reportFigure(std::to_string(kills) + " of " + std::to_string(kills) + " kills of clients (window, follow, show) changed nothing in the run");
}

}  // namespace
}  // namespace mofo::test
