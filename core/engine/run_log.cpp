#include "core/engine/run_log.h"

#include <spdlog/spdlog.h>

#include <numeric>
#include <utility>

#include "core/base/clock.h"

namespace mofo {

void RunLog::setTotal(std::int64_t total) { m_summary.totalSteps = m_total = total; }

void RunLog::setStep(std::int64_t done, std::int64_t total) {
    m_summary.step = m_step = done;
    setTotal(total);
}

void RunLog::addStepTime(double ms) {
    m_recentMs.push_back(ms);
    if (m_recentMs.size() > 20) m_recentMs.pop_front();
}

double RunLog::secondsPerStep() const {
    if (m_recentMs.size() < 3) return 0;
    return std::accumulate(m_recentMs.begin(), m_recentMs.end(), 0.0) * 1e-3 / static_cast<double>(m_recentMs.size());
}

EventRow RunLog::eventRow(std::string kind, std::string who, std::string text) const {
    EventRow row;
    row.step = m_step;
    row.kind = std::move(kind);
    row.who = std::move(who);
    row.text = std::move(text);
    row.wallNs = wallNs();
    return row;
}

void RunLog::event(std::string kind, std::string who, std::string text, std::string key, std::string oldValue, std::string newValue) {
    spdlog::info("step {}: {}", m_step, text);
    EventRow row = eventRow(std::move(kind), std::move(who), std::move(text));
    row.key = std::move(key);
    row.oldValue = std::move(oldValue);
    row.newValue = std::move(newValue);
    MetricsBatch batch;
    batch.events.push_back(std::move(row));
    m_queue.add(std::move(batch));
}

void RunLog::status(std::string_view phase, double progress, std::string detail) {
    StatusRow row;
    row.phase = phase;
    row.progress = progress;
    row.detail = std::move(detail);
    row.step = m_step;
    row.totalSteps = m_total;
    if (const double seconds = secondsPerStep(); seconds > 0) row.etaSeconds = seconds * static_cast<double>(m_total - m_step);
    m_summary.phase = phase;
    m_summary.updatedNs = wallNs();
    m_queue.setSummary(m_summary);
    MetricsBatch batch;
    batch.status = std::move(row);
    m_queue.add(std::move(batch));
}

AcknowledgementRow RunLog::acknowledgementRow(const CommandRow& command, bool accepted, std::string reason) const {
    AcknowledgementRow row;
    row.uuid = command.uuid;
    row.appliedStep = m_step + 1;
    row.accepted = accepted;
    row.reason = std::move(reason);
    row.wallNs = wallNs();
    return row;
}

void RunLog::acknowledge(const CommandRow& command, bool accepted, std::string reason) {
    MetricsBatch batch;
    batch.acknowledgements.push_back(acknowledgementRow(command, accepted, std::move(reason)));
    m_queue.add(std::move(batch));
}

void RunLog::setState(RunState state, std::string_view endReason) {
    m_queue.setSummary(m_summary);
    m_queue.setState(state, endReason);
}

}  // namespace mofo
