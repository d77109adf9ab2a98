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

/// Whether the same write may succeed later: a full disk gets room, a lock is given back, permissions are restored.
bool isPassing(const Error& error) {
    return error.code == ErrorCode::OutOfSpace || error.code == ErrorCode::Busy || error.code == ErrorCode::Permission;
}

constexpr auto retryPause = std::chrono::milliseconds(500);

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
    m_changed.wait(lock, [&] { return m_pending.steps.size() < kMostSteps || m_broken; });
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

void MetricsQueue::setConfig(const RunConfig& config) {
    const std::lock_guard lock(m_mutex);
    m_config = config;
    ++m_added;
}

Result<void> MetricsQueue::flush() {
    std::unique_lock lock(m_mutex);
    const std::int64_t goal = m_added;
    // An attempt that is under way may have begun without what was added last: only one that begins from now on counts.
    const std::int64_t attempt = m_begun + 1;
    m_urgent = true;
    m_changed.notify_all();
    m_changed.wait(lock, [&] { return m_written >= goal || (m_finished >= attempt && (m_error || m_registryError)) || m_broken; });
    if (m_written >= goal) return {};
    return m_error ? *m_error : *m_registryError;
}

std::optional<Error> MetricsQueue::trouble() const {
    const std::lock_guard lock(m_mutex);
    if (m_error) return m_error;
    // Lists can wait for a locked registry; a full disk will meet the metrics next.
    if (m_registryError && m_registryError->code == ErrorCode::OutOfSpace) return m_registryError;
    return std::nullopt;
}

bool MetricsQueue::isBroken() const {
    const std::lock_guard lock(m_mutex);
    return m_broken;
}

Result<std::int64_t> MetricsQueue::lastEventSeq() {
    MOFO_CHECK(flush());
    const std::lock_guard lock(m_writing);
    return m_writer.lastEventSeq();
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

Result<void> MetricsQueue::supersedeAfter(std::int64_t step, MetricsWriter::Supersede what, const MetricsBatch& with) {
    MOFO_CHECK(flush());
    const std::lock_guard lock(m_writing);
    return m_writer.supersedeAfter(step, what, with);
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

Result<void> MetricsQueue::writeToRegistry(std::optional<RunSummary>& summary) {
    std::optional<std::pair<RunState, std::string>> state;
    std::optional<RunConfig> config;
    {
        const std::lock_guard lock(m_mutex);
        state = m_state;
        config = m_config;
    }
    if (config) {
        MOFO_CHECK(m_registry.setRunConfig(m_runId, *config));
        const std::lock_guard lock(m_mutex);
        if (m_config == config) m_config.reset();
    }
    if (summary) {
        MOFO_CHECK(m_registry.setRunSummary(m_runId, *summary));
        summary.reset();
    }
    if (state) {
        MOFO_CHECK(m_registry.setRunState(m_runId, state->first, state->second));
        const std::lock_guard lock(m_mutex);
        if (m_state == state) m_state.reset();
    }
    return {};
}

void MetricsQueue::writePending(std::unique_lock<std::mutex>& lock) {
    MetricsBatch batch = std::exchange(m_pending, {});
    const std::int64_t goal = m_added;
    const bool beat = bootNs() - m_lastBeatNs >= kBeatNs;
    if (m_status && (beat || m_urgent)) {
        batch.status = m_status;
        batch.status->heartbeatBootNs = bootNs();
        batch.status->bootId = bootId();
    }
    std::optional<RunSummary> summary;
    const bool forLists = beat || m_state || m_config || m_registryError;
    if (forLists) summary = std::exchange(m_summary, std::nullopt);
    m_urgent = false;
    const std::int64_t attempt = ++m_begun;
    const bool broken = m_broken;
    lock.unlock();
    // The queue's room is back while the disk works.
    m_changed.notify_all();
    std::optional<Error> error, registryError;
    {
        const std::lock_guard writing(m_writing);
        if (beat) {
            m_lastBeatNs = bootNs();
            batch.machine.push_back(measureMachine());
        }
        if (!broken && (!batch.empty() || batch.status)) {
            if (auto written = m_writer.write(batch); !written.ok()) error = written.error();
        }
        if (forLists) {
            if (auto written = writeToRegistry(summary); !written.ok()) registryError = written.error();
        }
    }
    lock.lock();
    if (summary && !m_summary) m_summary = std::move(summary);
    if (error || broken) {
        if (!m_error) spdlog::error("the run's metrics cannot be written: {}", error->text());
        // Nothing of it is in the file: it goes before what was added meanwhile. Only the newest machine row matters.
        if (batch.machine.size() > 1) batch.machine.erase(batch.machine.begin(), batch.machine.end() - 1);
        merge(batch, std::move(m_pending));
        m_pending = std::move(batch);
        m_pending.status.reset();
        m_broken = broken || !isPassing(*error);
    } else if (m_error) {
        spdlog::info("the run's metrics can be written again");
    }
    if (registryError && !m_registryError) spdlog::error("the registry cannot be written: {}", registryError->text());
    if (!broken) m_error = error;
    if (forLists) m_registryError = registryError;
    if (!m_error && !m_registryError) m_written = goal;
    m_finished = attempt;
    m_changed.notify_all();
}

void MetricsQueue::run() {
    std::unique_lock lock(m_mutex);
    while (true) {
        const bool failing = m_error || m_registryError;
        if (failing && !m_ending) {
            // Not in a loop with whoever flushes.
            m_changed.wait_for(lock, retryPause, [&] { return m_ending; });
        } else {
            m_changed.wait_for(lock, std::chrono::milliseconds(250), [&] { return m_urgent || m_ending; });
        }
        const bool ending = m_ending;
        if (!m_broken || m_state) writePending(lock);
        if (!ending) continue;
        if (m_written < m_added) spdlog::error("the engine ends, and not all it had to say could be written");
        return;
    }
}

}  // namespace mofo
