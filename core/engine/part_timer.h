// One part of a training step: its time, and its span in a profiler's trace (core/engine/profile.h).
#pragma once

#include <ATen/record_function.h>

#include "core/base/clock.h"

namespace mofo {

/// From its making to its end. One thread.
class PartTimer {
public:
    /// Adds the milliseconds to `ms` where that is not null. `name` must outlive it.
    explicit PartTimer(const char* name, double* ms) : m_ms(ms), m_span(at::RecordScope::USER_SCOPE) {
        if (m_span.isActive()) m_span.before(name);
    }
    ~PartTimer() {
        if (m_ms != nullptr) *m_ms += m_clock.elapsedMs();
    }
    PartTimer(const PartTimer&) = delete;
    PartTimer& operator=(const PartTimer&) = delete;

private:
    double* m_ms;
    at::RecordFunction m_span;
    Stopwatch m_clock;
};

}  // namespace mofo
