#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

using test::exampleCommand;
using test::exampleRun;
using test::StoreFixture;

TEST(RegistryConcurrency, EightWritersNeverSeeBusy) {
    const StoreFixture store;
    constexpr int writerCount = 8, transactionCount = 500;
    std::atomic<int> failures = 0;
    std::mutex mutex;
    std::string firstFailure;
    std::vector<std::thread> threads;
    const Stopwatch watch;
    for (int w = 0; w < writerCount; ++w) {
        threads.emplace_back([&, w] {
            Registry registry = store.openRegistry();
            const std::string id = "run" + std::to_string(w);
            const auto note = [&](const Result<void>& result) {
                if (result.ok()) return;
                ++failures;
                const std::lock_guard lock(mutex);
                if (firstFailure.empty()) firstFailure = result.error().text();
            };
            note(registry.addRun(exampleRun(id, id)));
            for (int i = 1; i < transactionCount; ++i) {
                RunSummary summary;
                summary.step = i;
                switch (i % 4) {
                    case 0: note(registry.setRunSummary(id, summary)); break;
                    case 1: note(registry.addCommand(exampleCommand(id, "set"))); break;
                    case 2: note(registry.setRunState(id, i % 8 == 2 ? RunState::Queued : RunState::Finished)); break;
                    default: note(registry.setSetting("shared", id + std::to_string(i)));
                }
            }
        });
    }
    std::atomic<bool> done = false;
    std::atomic<int> reads = 0;
    std::thread reader([&] {
        const Registry registry = store.openRegistry(Registry::Access::ReadOnly);
        while (!done) {
            const auto list = registry.runs();
            if (!list.ok()) {
                ++failures;
                const std::lock_guard lock(mutex);
                if (firstFailure.empty()) firstFailure = "reader: " + list.error().text();
            }
            ++reads;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    });
    for (std::thread& thread : threads) thread.join();
    done = true;
    reader.join();
    EXPECT_EQ(failures, 0) << firstFailure;
    EXPECT_GT(reads, 10);
    std::printf("[ measured ] %d transactions by %d writers: %.0f ms\n", writerCount * transactionCount, writerCount, watch.elapsedMs());
    EXPECT_EQ(test::ask(store.workspace.registryFile(), "SELECT count(*) FROM commands"), std::to_string(writerCount * 125));
    EXPECT_EQ(test::ask(store.workspace.registryFile(), "SELECT count(DISTINCT seq) FROM commands"), std::to_string(writerCount * 125));
    EXPECT_EQ(test::ask(store.workspace.registryFile(), "PRAGMA integrity_check"), "ok");
}

TEST(RegistryConcurrency, EachQueuedRunIsTakenOnce) {
    StoreFixture store;
    constexpr int runCount = 60;
    for (int i = 0; i < runCount; ++i) ASSERT_OK(store.registry.addRun(exampleRun("run" + std::to_string(100 + i), "r")));
    std::mutex mutex;
    std::multiset<std::string> taken;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            Registry registry = store.openRegistry();
            while (true) {
                const auto next = registry.takeNextQueuedRun("cpu");
                ASSERT_OK(next);
                if (!next->has_value()) return;
                const std::lock_guard lock(mutex);
                taken.insert((*next)->id);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(taken.size(), static_cast<std::size_t>(runCount));
    EXPECT_EQ(std::set<std::string>(taken.begin(), taken.end()).size(), static_cast<std::size_t>(runCount));
}

TEST(RegistryConcurrency, ManyMakeOneWorkspaceAtOnce) {
    for (int repeat = 0; repeat < 10; ++repeat) {
        const test::TemporaryFolder temp;
        std::atomic<int> failures = 0;
        std::vector<std::thread> threads;
        for (int t = 0; t < 6; ++t) {
            threads.emplace_back([&, t] {
                auto workspace = Workspace::openOrCreate(temp / "ws", false);
                if (!workspace.ok()) {
                    ++failures;
                    return;
                }
                auto registry = Registry::open(*workspace, Registry::Access::ReadWrite);
                if (!registry.ok() || !registry->addRun(exampleRun("run" + std::to_string(t), "r")).ok()) ++failures;
            });
        }
        for (std::thread& thread : threads) thread.join();
        EXPECT_EQ(failures, 0);
        EXPECT_EQ(test::ask(temp / "ws/workbench.db", "SELECT count(*) FROM runs"), "6");
    }
}

TEST(RegistryConcurrency, AWriterKilledInsideATransactionLeavesNothing) {
    StoreFixture store;
    ASSERT_OK(store.registry.addRun(exampleRun("r1", "before")));
    for (int repeat = 0; repeat < 20; ++repeat) {
        {
            test::ChildProcess writer([&] {
                // A connection must not cross a fork: the child opens its own.
                auto registry = Registry::open(store.workspace, Registry::Access::ReadWrite);
                if (!registry.ok()) return false;
                std::thread([own = std::make_shared<Registry>(std::move(registry).value())] {
                    for (int i = 0;; ++i) static_cast<void>(own->renameRun("r1", "name " + std::to_string(i)));
                }).detach();
                return true;
            });
            ASSERT_TRUE(writer.ready());
            std::this_thread::sleep_for(std::chrono::microseconds(500 + 1700 * repeat));
        }
        const Registry reader = store.openRegistry(Registry::Access::ReadOnly);
        const auto run = reader.findRun("r1");
        ASSERT_OK(run);
        EXPECT_TRUE(run->name == "before" || run->name.starts_with("name ")) << run->name;
        ASSERT_OK(store.registry.renameRun("r1", "before"));
        EXPECT_EQ(test::ask(store.workspace.registryFile(), "PRAGMA integrity_check"), "ok");
    }
}

}  // namespace
}  // namespace mofo
