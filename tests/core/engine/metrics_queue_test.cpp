// The queue between the training thread and the store, where the store refuses for a while.

#include "core/engine/metrics_queue.h"

#include <gtest/gtest.h>

#include "core/base/failpoint.h"
#include "tests/core/engine/resume_support.h"

namespace mofo {
namespace {

class MetricsQueueTest : public test::ResumeTest {
protected:
    ~MetricsQueueTest() override { EXPECT_OK(setFailpoints("")); }
};

TEST_F(MetricsQueueTest, WhatAFullStoreRefusedIsWrittenLaterWithTheParametersItSpeaksOf) {
    const std::string run = m_engine->addRun(config(), "queue");
    const std::filesystem::path file = m_engine->workspace().metricsFile(run);
    std::filesystem::create_directories(file.parent_path());
    auto writer = MetricsWriter::open(file, run);
    ASSERT_OK(writer);
    auto registry = Registry::open(m_engine->workspace(), Registry::Access::ReadWrite);
    ASSERT_OK(registry);
    {
        MetricsQueue queue(std::move(*writer), std::move(*registry), run, file.parent_path());
        ASSERT_OK(setFailpoints("db.commit=ENOSPC@1+"));
        MetricsBatch first;
        first.parameters = {{.index = 0, .name = "a", .kind = "q", .size = 3}};
        first.histograms.push_back({.step = 1, .parameter = 0, .firstBin = 5, .counts = {1, 2}});
        queue.add(std::move(first));
        const auto refused = queue.flush();
        ASSERT_FALSE(refused.ok());
        EXPECT_EQ(refused.error().code, ErrorCode::OutOfSpace);
        MetricsBatch second;
        second.histograms.push_back({.step = 2, .parameter = 0, .firstBin = 5, .counts = {3}});
        queue.add(std::move(second));
        ASSERT_OK(setFailpoints(""));
        // An attempt that began before may still fail: the next one does not.
        static_cast<void>(queue.flush().ok());
        EXPECT_OK(queue.flush());
        EXPECT_FALSE(queue.isBroken());
    }
    const auto reader = MetricsReader::open(file);
    ASSERT_OK(reader);
    ASSERT_EQ(reader->parameters()->size(), 1u);
    for (const std::int64_t step : {1, 2}) EXPECT_EQ(reader->histograms(step)->size(), 1u) << step;
}

}  // namespace
}  // namespace mofo
