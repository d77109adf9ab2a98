// What a run says of itself while it trains: events, status, acknowledgements, summary and state, all through the queue to the store.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "core/engine/metrics_queue.h"
#include "core/store/registry.h"

namespace mofo {

/// One thread.
class RunLog {
public:
    /// `before`: what an earlier life of the run left in the lists, which stays until this one has a step of its own.
    RunLog(MetricsQueue& queue, RunSummary before) : m_queue(queue), m_summary(std::move(before)) {}

    /// Before it is known where the run goes on.
    void setTotal(std::int64_t total);
    /// Where the run is; everything said from now on carries it.
    void setStep(std::int64_t done, std::int64_t total);
    [[nodiscard]] std::int64_t step() const { return m_step; }
    [[nodiscard]] std::int64_t totalSteps() const { return m_total; }
    /// A step took this long.
    void addStepTime(double ms);
    /// Seconds per step of late; 0 before three were timed.
    [[nodiscard]] double secondsPerStep() const;

    void event(std::string kind, std::string who, std::string text, std::string key = {}, std::string oldValue = {}, std::string newValue = {});
    [[nodiscard]] EventRow eventRow(std::string kind, std::string who, std::string text) const;
    void status(std::string_view phase, double progress, std::string detail = {});
    /// With the step that is the first to use the command.
    void acknowledge(const CommandRow& command, bool accepted, std::string reason = {});
    [[nodiscard]] AcknowledgementRow acknowledgementRow(const CommandRow& command, bool accepted, std::string reason) const;
    void setState(RunState state, std::string_view endReason = {});
    [[nodiscard]] RunSummary& summary() { return m_summary; }
    [[nodiscard]] MetricsQueue& queue() { return m_queue; }

private:
    MetricsQueue& m_queue;
    std::int64_t m_step = 0, m_total = 0;
    std::deque<double> m_recentMs;
    RunSummary m_summary;
};

}  // namespace mofo
