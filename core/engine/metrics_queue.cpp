#include "core/engine/metrics_queue.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/process_memory.h"

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
constexpr std::int64_t listPatienceNs = 250'000'000;

/// In what was held back, signs of life come more seldom; readers call a run stalled after three times as long.
constexpr std::int64_t scarceBeatNs = 10'000'000'000;
constexpr std::int64_t mostPatienceNs = 10'000'000'000;

/// More than the database can grow by when its log (1,000 pages) is moved into it, where the disk is large enough for that.
std::uint64_t reserveBytesFor(const std::filesystem::path& folder) {
    constexpr std::uint64_t least = 128 << 10, most = 6 << 20;
    const auto available = freeBytes(folder);
    return std::clamp(available.ok() ? *available / 64 : least, least, most);
}

EventRow leftOutEvent(const std::vector<StepRow>& steps) {
    EventRow row;
    row.step = steps.back().step;
    row.kind = "warning";
    row.who = "engine";
    row.text = "the disk is full: the measurements of steps " + std::to_string(steps.front().step) + " to " + std::to_string(steps.back().step) +
               " are left out";
    row.wallNs = wallNs();
    return row;
}

/// What must be known even where measurements have no room.
MetricsBatch takeWords(MetricsBatch& batch) {
    MetricsBatch words;
    std::swap(words.events, batch.events);
    std::swap(words.acknowledgements, batch.acknowledgements);
    std::swap(words.checkpoints, batch.checkpoints);
    std::swap(words.generations, batch.generations);
    std::swap(words.status, batch.status);
    return words;
}

void merge(MetricsBatch& to, MetricsBatch&& from) {
    if (!from.parameters.empty()) to.parameters = std::move(from.parameters);
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
    append(to.probes, std::move(from.probes));
    append(to.machine, std::move(from.machine));
}

}  // namespace

MetricsQueue::MetricsQueue(MetricsWriter writer, Registry registry, std::string runId, std::filesystem::path folder)
    : m_writer(std::move(writer)),
      m_registry(std::move(registry)),
      m_runId(std::move(runId)),
      m_folder(std::move(folder)),
      m_reserve(m_folder / "reserve"),
      m_reserveBytes(reserveBytesFor(m_folder)),
      m_thread([this] { run(); }) {}

MetricsQueue::~MetricsQueue() {
    {
        const std::lock_guard lock(m_mutex);
        m_ending = true;
    }
    m_changed.notify_all();
    m_thread.join();
    static_cast<void>(m_reserve.release());
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

Result<void> MetricsQueue::flush() { return flushUpTo(m_written, false); }
Result<void> MetricsQueue::flushAll() { return flushUpTo(m_listed, true); }

/// `written` is the counter that must reach what was added so far.
Result<void> MetricsQueue::flushUpTo(const std::int64_t& written, bool lists) {
    std::unique_lock lock(m_mutex);
    const std::int64_t goal = m_added;
    // An attempt that is under way may have begun without what was added last: only one that begins from now on counts.
    const std::int64_t attempt = m_begun + 1;
    m_urgent = true;
    m_changed.notify_all();
    const auto failed = [&] { return m_error || (lists && m_registryError); };
    m_changed.wait(lock, [&] { return written >= goal || (m_finished >= attempt && failed()) || m_broken; });
    if (written >= goal) return {};
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

void MetricsQueue::stopWaiting() {
    const std::lock_guard lock(m_mutex);
    m_waitingEndedNs = bootNs();
    m_urgent = true;
    m_changed.notify_all();
}

bool MetricsQueue::mayEnd() const {
    const std::lock_guard lock(m_mutex);
    if (m_waitingEndedNs == 0) return false;
    if (bootNs() - m_waitingEndedNs > mostPatienceNs) return true;
    return m_scarce && !m_state && !m_config && m_begun == m_finished && m_pending.events.empty() && m_pending.acknowledgements.empty() &&
           m_pending.checkpoints.empty() && m_pending.generations.empty();
}

Result<std::int64_t> MetricsQueue::lastEventSeq() {
    MOFO_CHECK(flush());
    const std::lock_guard lock(m_writing);
    return m_writer.lastEventSeq();
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
    row.residentBytes = static_cast<std::int64_t>(residentBytes());
    const MachineMemory host = machineMemory();
    row.hostTotalBytes = static_cast<std::int64_t>(host.totalBytes);
    row.hostUsedBytes = static_cast<std::int64_t>(host.totalBytes - host.availableBytes);
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
    // Whoever holds the file keeps neither measurements nor answers back; how the run ended is worth waiting for.
    const bool ends = state && (state->first == RunState::Finished || state->first == RunState::Stopped || state->first == RunState::Failed);
    m_registry.setPatience(ends ? std::nullopt : std::optional(listPatienceNs));
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

void MetricsQueue::holdReserves() {
    m_registry.holdReserve();
    if (m_reserve.hold(m_reserveBytes).ok()) m_full.reset();
}

/// Empty, or what keeps `batch` from being written whole: what is left in it then has not been.
std::optional<Error> MetricsQueue::writeBatch(MetricsBatch& batch) {
    if (!m_full) {
        auto written = m_writer.write(batch);
        if (written.ok()) {
            noteStatus(batch);
            return std::nullopt;
        }
        if (written.error().code != ErrorCode::OutOfSpace || !m_reserve.release()) return written.error();
        m_full = written.error();
        m_writer.restartLog();
    }
    MetricsBatch words = takeWords(batch);
    if (words.empty()) return m_full;
    if (auto written = m_writer.write(words); !written.ok()) {
        merge(batch, std::move(words));
        return written.error();
    }
    noteStatus(words);
    return m_full;
}

void MetricsQueue::noteStatus(const MetricsBatch& written) {
    if (!written.status) return;
    m_saidStatus = written.status->phase + ' ' + written.status->detail;
    m_lastStatusNs = bootNs();
}

void MetricsQueue::writePending(std::unique_lock<std::mutex>& lock) {
    MetricsBatch batch = std::exchange(m_pending, {});
    const std::int64_t goal = m_added;
    const bool beat = bootNs() - m_lastBeatNs >= kBeatNs;
    const bool statusDue =
        m_urgent ||
        (!m_full ? beat : bootNs() - m_lastStatusNs >= scarceBeatNs || (m_status && m_status->phase + ' ' + m_status->detail != m_saidStatus));
    if (m_status && statusDue) {
        batch.status = m_status;
        batch.status->heartbeatBootNs = bootNs();
        batch.status->bootId = bootId();
    }
    std::optional<RunSummary> summary;
    const bool forLists = (beat || m_state || m_config || m_registryError) && (m_ending || bootNs() >= m_listAgainNs);
    if (forLists) summary = std::exchange(m_summary, std::nullopt);
    m_urgent = false;
    const std::int64_t attempt = ++m_begun;
    const bool broken = m_broken, waitingEnded = m_waitingEndedNs != 0;
    lock.unlock();
    // The queue's room is back while the disk works.
    m_changed.notify_all();
    std::optional<Error> error, registryError;
    {
        const std::lock_guard writing(m_writing);
        if (beat || m_full) holdReserves();
        if (beat) {
            m_lastBeatNs = bootNs();
            if (!m_full) batch.machine.push_back(measureMachine());
        }
        if (waitingEnded && m_full && !m_leftOutSaid && !batch.steps.empty()) {
            batch.events.push_back(leftOutEvent(batch.steps));
            m_leftOutSaid = true;
        }
        // What is given up is to be known even where nothing is to be written.
        if (!broken && (!batch.empty() || batch.status || m_full)) error = writeBatch(batch);
        if (forLists) {
            if (auto written = writeToRegistry(summary); !written.ok()) registryError = written.error();
        }
    }
    lock.lock();
    m_scarce = m_full.has_value();
    if (summary && !m_summary) m_summary = std::move(summary);
    if (error || broken) {
        if (!m_error) spdlog::error("the run's metrics cannot be written: {}", error->text());
        // What is left of it is not in the file: it goes before what was added meanwhile. Only the newest machine row matters.
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
    if (registryError) m_listAgainNs = bootNs() + std::chrono::nanoseconds(retryPause).count();
    if (!m_error) m_written = goal;
    if (!m_error && !m_registryError) m_listed = goal;
    m_finished = attempt;
    m_changed.notify_all();
}

void MetricsQueue::run() {
    std::unique_lock lock(m_mutex);
    while (true) {
        if (m_error && !m_ending) {
            // Not in a loop with whoever flushes.
            m_changed.wait_for(lock, retryPause, [&] { return m_ending; });
        } else {
            m_changed.wait_for(lock, std::chrono::milliseconds(250), [&] { return m_urgent || m_ending; });
        }
        const bool ending = m_ending;
        if (!m_broken || m_state) writePending(lock);
        if (!ending) continue;
        if (m_listed < m_added) spdlog::error("the engine ends, and not all it had to say could be written");
        return;
    }
}

}  // namespace mofo
