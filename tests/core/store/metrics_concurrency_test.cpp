#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cmath>
#include <thread>

#include "core/base/clock.h"
#include "tests/core/store/store_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

MetricsBatch oneStep(std::int64_t step) {
    MetricsBatch batch;
    StepRow row;
    row.step = step;
    row.loss = static_cast<double>(step) * 0.5;
    batch.steps.push_back(row);
    batch.events.push_back({.step = step, .kind = "state", .who = "engine"});
    batch.status = StatusRow{.phase = "train", .step = step};
    return batch;
}

/// What every reader must see at any moment: the steps 1..n without a gap, and as many events, in one snapshot each.
void expectGapless(const MetricsReader& reader) {
    const auto steps = reader.stepsAfter(0);
    ASSERT_OK(steps);
    for (std::size_t i = 0; i < steps->size(); ++i) {
        ASSERT_EQ((*steps)[i].step, static_cast<std::int64_t>(i) + 1);
        ASSERT_EQ((*steps)[i].loss, static_cast<double>(i + 1) * 0.5);
    }
}

TEST(MetricsConcurrency, ReadersAreNeverDisturbedByTheEngine) {
    const TemporaryFolder temp;
    const fs::path file = temp / "metrics.db";
    auto writer = MetricsWriter::open(file, "run1");
    ASSERT_OK(writer);
    std::atomic<bool> done = false;
    std::atomic<int> failures = 0, polls = 0;
    std::vector<std::thread> readers;
    for (int r = 0; r < 4; ++r) {
        readers.emplace_back([&] {
            auto reader = MetricsReader::open(file);
            if (!reader.ok()) {
                ++failures;
                return;
            }
            std::int64_t last = 0, expected = 1;
            const auto poll = [&] {
                const auto fresh = reader->stepsAfter(last);
                if (!fresh.ok() || !reader->status().ok() || !reader->eventsAfter(0).ok()) {
                    ++failures;
                    return;
                }
                for (const StepRow& row : *fresh) {
                    if (row.step != expected++) ++failures;
                    last = row.seq;
                }
                ++polls;
            };
            while (!done) poll();
            poll();
            if (expected != 1001) ++failures;
        });
    }
    // More pages than one automatic checkpoint takes, so that readers meet checkpoints too.
    for (std::int64_t step = 1; step <= 1000; ++step) ASSERT_OK(writer->write(oneStep(step)));
    done = true;
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(failures, 0);
    EXPECT_GT(polls, 20);
    EXPECT_LT(fs::file_size(temp / "metrics.db-wal"), 64u << 20);
}

TEST(MetricsConcurrency, ReadersNeverCheckpoint) {
    const TemporaryFolder temp;
    const fs::path file = temp / "metrics.db";
    {
        // The engine dies without closing: everything it committed is in the log beside the file.
        test::ChildProcess engine([&] {
            static auto writer = MetricsWriter::open(file, "run1");
            if (!writer.ok()) return false;
            for (std::int64_t step = 1; step <= 50; ++step) {
                if (!writer->write(oneStep(step)).ok()) return false;
            }
            return true;
        });
        ASSERT_TRUE(engine.ready());
    }
    const std::string before = test::readFile(file), log = test::readFile(temp / "metrics.db-wal");
    ASSERT_GT(log.size(), 0u);
    for (int i = 0; i < 3; ++i) {
        const auto reader = MetricsReader::open(file);
        ASSERT_OK(reader);
        expectGapless(*reader);
        EXPECT_EQ(reader->stepsAfter(0)->size(), 50u);
    }
    EXPECT_EQ(test::readFile(file), before) << "a reader wrote into the database";
    EXPECT_EQ(test::readFile(temp / "metrics.db-wal"), log);
    // The next engine takes everything over.
    auto writer = MetricsWriter::open(file, "run1");
    ASSERT_OK(writer);
    ASSERT_OK(writer->write(oneStep(51)));
    EXPECT_EQ(MetricsReader::open(file)->stepsAfter(0)->size(), 51u);
}

TEST(MetricsConcurrency, AnEngineKilledAtAnyMomentLeavesWholeBatches) {
    const TemporaryFolder temp;
    for (int repeat = 0; repeat < 25; ++repeat) {
        const fs::path file = temp / ("metrics" + std::to_string(repeat) + ".db");
        {
            test::ChildProcess engine([&] {
                static auto writer = MetricsWriter::open(file, "run1");
                if (!writer.ok()) return false;
                std::thread([] {
                    for (std::int64_t step = 1;; ++step) static_cast<void>(writer->write(oneStep(step)));
                }).detach();
                return true;
            });
            ASSERT_TRUE(engine.ready());
            std::this_thread::sleep_for(std::chrono::microseconds(300 + 1900 * repeat));
        }
        const auto reader = MetricsReader::open(file);
        ASSERT_OK(reader);
        expectGapless(*reader);
        EXPECT_EQ(reader->stepsAfter(0)->size(), reader->eventsAfter(0)->size());
        EXPECT_EQ(test::ask(file, "PRAGMA integrity_check"), "ok");
    }
}

TEST(MetricsConcurrency, AHeldReaderDoesNotStopTheLogFromBeingCutLater) {
    const TemporaryFolder temp;
    const fs::path file = temp / "metrics.db";
    auto writer = MetricsWriter::open(file, "run1");
    ASSERT_OK(writer);
    for (std::int64_t step = 1; step <= 400; ++step) ASSERT_OK(writer->write(oneStep(step)));
    const auto reader = MetricsReader::open(file);
    ASSERT_OK(reader);
    ASSERT_OK(reader->stepsAfter(0));
    for (std::int64_t step = 401; step <= 800; ++step) ASSERT_OK(writer->write(oneStep(step)));
    expectGapless(*reader);
    EXPECT_LT(fs::file_size(temp / "metrics.db-wal"), 64u << 20);
}

TEST(MetricsConcurrency, AReadOnlySampleIsReadWithoutWritingBesideIt) {
    const TemporaryFolder temp;
    ASSERT_EQ(chmod(temp.path().c_str(), 0777), 0);
    const fs::path folder = temp / "sample", file = folder / "metrics.db";
    EXPECT_TRUE(test::trueAsOrdinaryUser([&] {
        fs::create_directory(folder);
        {
            auto writer = MetricsWriter::open(file, "run1");
            if (!writer.ok() || !writer->write(oneStep(1)).ok()) return false;
        }
        if (fs::exists(folder / "metrics.db-wal")) return false;
        if (chmod(file.c_str(), 0400) != 0 || chmod(folder.c_str(), 0500) != 0) return false;
        const auto reader = MetricsReader::open(file);
        const bool read = reader.ok() && reader->stepsAfter(0).ok() && reader->stepsAfter(0)->size() == 1;
        const bool refused = !MetricsWriter::open(file, "run1").ok();
        chmod(folder.c_str(), 0700);
        return read && refused && !fs::exists(folder / "metrics.db-shm");
    }));
}

}  // namespace
}  // namespace mofo
