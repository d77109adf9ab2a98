#include "core/engine/metrics_queue.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/base/clock.h"
#include "core/base/file.h"

namespace mofo {

namespace {

constexpr std::size_t kMostSteps = 4096;
constexpr std::int64_t kBeatNs = 1'000'000'000;

template <class T>
void append(std::vector<T>& to, std::vector<T>&& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

void merge(MetricsBatch& to, MetricsBatch&& from) {
    append(to.steps, std::move(from.steps));
    append(to.tensors, std::move(from.tensors));
    append(to.histograms, std::move(from.histograms));
    append(to.partitions, std::move(from.partitions));
    append(to.thresholdSpreads, std::move(from.thresholdSpreads));
    append(to.rowCounts, std::move(from.rowCounts));
    append(to.evals, std::move(from.evals));
    append(to.events, std::move(from.events));
    append(to.acknowledgements, std::move(from.acknowledgements));
    append(to.checkpoints, std::move(from.checkpoints));
    append(to.generations, std::move(from.generations));
    append(to.machine, std::move(from.machine));
}

}  // namespace

MetricsQueue::MetricsQueue(MetricsWriter writer, Registry registry, std::string runId, std::filesystem::path folder)
    : m_writer(std::move(writer)), m_registry(std::move(registry)), m_runId(std::move(runId)), m_folder(std::move(folder)), m_thread([this] {
          run();
      }) {}

MetricsQueue::~MetricsQueue() {
    {
        const std::lock_guard lock(m_mutex);
        m_ending = true;
    }
    m_changed.notify_all();
    m_thread.join();
}

void MetricsQueue::add(MetricsBatch batch) {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [&] { return m_pending.steps.size() < kMostSteps || m_error.has_value(); });
    // Acknowledgements and what people wait for go out at once; steps can wait a quarter of a second.
    m_urgent = m_urgent || !batch.acknowledgements.empty() || !batch.events.empty() || !batch.generations.empty();
    if (batch.status) m_status = std::move(batch.status);
    merge(m_pending, std::move(batch));
    ++m_added;
    m_changed.notify_all();
}

void MetricsQueue::setSummary(const RunSummary& summary) {
    const std::lock_guard lock(m_mutex);
    m_summary = summary;
}

void MetricsQueue::setState(RunState state, std::string_view endReason) {
    const std::lock_guard lock(m_mutex);
    m_state = {state, std::string(endReason)};
    m_urgent = true;
    ++m_added;
    m_changed.notify_all();
}

Result<void> MetricsQueue::flush() {
    std::unique_lock lock(m_mutex);
    const std::int64_t goal = m_added;
    m_urgent = true;
    m_changed.notify_all();
    m_changed.wait(lock, [&] { return m_written >= goal || m_error.has_value(); });
    if (m_error) return *m_error;
    return {};
}

Result<void> MetricsQueue::writeParameters(const std::vector<ParameterRow>& parameters) {
    MOFO_CHECK(flush());
    const std::lock_guard lock(m_writing);
    return m_writer.writeParameters(parameters);
}

Result<void> MetricsQueue::writeFact(std::string_view key, const Json& value) {
    const std::lock_guard lock(m_writing);
    return m_writer.writeFact(key, value);
}

Result<void> MetricsQueue::supersedeAfter(std::int64_t step) {
    MOFO_CHECK(flush());
    const std::lock_guard lock(m_writing);
    return m_writer.supersedeAfter(step);
}

MachineRow MetricsQueue::measureMachine() {
    MachineRow row;
    row.wallNs = wallNs();
    std::ifstream stat("/proc/stat");
    std::string word;
    stat >> word;
    std::int64_t total = 0, idle = 0, value = 0;
    for (int i = 0; i < 8 && stat >> value; ++i) {
        total += value;
        if (i == 3 || i == 4) idle += value;
    }
    if (m_lastCpuTotal > 0 && total > m_lastCpuTotal) {
        row.cpuShare = 1.0 - static_cast<double>(idle - m_lastCpuIdle) / static_cast<double>(total - m_lastCpuTotal);
    }
    m_lastCpuTotal = total;
    m_lastCpuIdle = idle;
    std::int64_t pages = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    row.residentBytes = resident * sysconf(_SC_PAGESIZE);
    std::ifstream memory("/proc/meminfo");
    std::int64_t available = 0;
    for (std::string line; std::getline(memory, line);) {
        std::istringstream fields(line);
        fields >> word >> value;
        if (word == "MemTotal:") row.hostTotalBytes = value * 1024;
        if (word == "MemAvailable:") available = value * 1024;
    }
    row.hostUsedBytes = row.hostTotalBytes - available;
    if (const auto space = freeBytes(m_folder); space.ok()) row.diskFreeBytes = static_cast<std::int64_t>(*space);
    return row;
}

void MetricsQueue::writePending(std::unique_lock<std::mutex>& lock) {
    MetricsBatch batch = std::exchange(m_pending, {});
    const auto state = std::exchange(m_state, std::nullopt);
    const std::int64_t goal = m_added;
    const bool beat = bootNs() - m_lastBeatNs >= kBeatNs;
    if (m_status && (beat || m_urgent)) {
        batch.status = m_status;
        batch.status->heartbeatBootNs = bootNs();
        batch.status->bootId = bootId();
    }
    std::optional<RunSummary> summary;
    if (beat || state) summary = std::exchange(m_summary, std::nullopt);
    m_urgent = false;
    lock.unlock();
    // The queue's room is back while the disk works.
    m_changed.notify_all();
    std::optional<Error> error;
    {
        const std::lock_guard writing(m_writing);
        if (beat) {
            m_lastBeatNs = bootNs();
            batch.machine.push_back(measureMachine());
        }
        if (!batch.empty() || batch.status) {
            if (auto written = m_writer.write(batch); !written.ok()) error = written.error();
        }
        if (summary) {
            if (auto written = m_registry.setRunSummary(m_runId, *summary); !written.ok()) error = written.error();
        }
        if (state) {
            if (auto written = m_registry.setRunState(m_runId, state->first, state->second); !written.ok()) error = written.error();
        }
    }
    lock.lock();
    if (error && !m_error) {
        spdlog::error("the store could not be written: {}", error->text());
        m_error = error;
    }
    m_written = goal;
    m_changed.notify_all();
}

void MetricsQueue::run() {
    std::unique_lock lock(m_mutex);
    while (true) {
        m_changed.wait_for(lock, std::chrono::milliseconds(250), [&] { return m_urgent || m_ending; });
        const bool ending = m_ending;
        writePending(lock);
        if (ending && m_written == m_added) return;
    }
}

}  // namespace mofo
