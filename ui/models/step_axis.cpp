#include "ui/models/step_axis.h"

#include <algorithm>
#include <cmath>

namespace mofo {

namespace {

constexpr double leastWidth = 5;
// A run this short shows its whole length from the start: nothing moves but the curve.
constexpr std::int64_t shortRun = 120;

}  // namespace

StepAxis::StepAxis(QObject* parent) : QObject(parent) {}

void StepAxis::reset() {
    m_newest = m_total = 0;
    m_followWidth.reset();
    m_hover.reset();
    m_pinned.reset();
    setFollowing(true);
    apply(0.5, 20.5);
    Q_EMIT cursorChanged();
}

void StepAxis::setExtent(std::int64_t newestStep, std::int64_t totalSteps) {
    if (newestStep == m_newest && totalSteps == m_total) return;
    m_newest = newestStep;
    m_total = totalSteps;
    if (m_following) follow();
}

void StepAxis::follow() {
    const auto newest = static_cast<double>(m_newest);
    if (m_followWidth) {
        if (newest + 0.5 > m_upper || newest < m_lower) apply(newest + 0.5 - *m_followWidth, newest + 0.5);
        return;
    }
    // From the start; the end moves on in strides, so that the curve does not creep with every step.
    double end = m_upper - 0.5;
    if (m_total > 0 && m_total <= shortRun) {
        end = static_cast<double>(m_total);
    } else if (newest > end || m_lower != 0.5 || end > std::max(20.0, newest * 2)) {
        end = std::max(20.0, std::ceil(newest * 1.2));
        if (m_total > 0) end = std::min(end, static_cast<double>(m_total));
    }
    apply(0.5, std::max(end, newest) + 0.5);
}

void StepAxis::apply(double lower, double upper) {
    if (lower == m_lower && upper == m_upper) return;
    m_lower = lower;
    m_upper = upper;
    Q_EMIT rangeChanged();
}

void StepAxis::setRange(double lower, double upper) {
    const double whole = static_cast<double>(std::max({m_newest, m_total, std::int64_t{20}}));
    const double width = std::clamp(upper - lower, leastWidth, whole * 1.1 + leastWidth);
    lower = std::clamp(lower, 0.5 - width * 0.5, std::max(0.5, whole + 0.5 - width * 0.5));
    const auto newest = static_cast<double>(m_newest);
    const bool holdsNewest = newest >= lower && newest <= lower + width;
    if (m_following && holdsNewest) m_followWidth = width;
    else setFollowing(false);
    apply(lower, lower + width);
}

void StepAxis::zoom(double factor, double around) {
    const double width = (m_upper - m_lower) * factor;
    const double share = (around - m_lower) / (m_upper - m_lower);
    setRange(around - width * share, around + width * (1 - share));
}

void StepAxis::pan(double steps) {
    setFollowing(false);
    setRange(m_lower + steps, m_upper + steps);
}

void StepAxis::fit() {
    m_followWidth.reset();
    m_lower = 0;  // any value but 0.5: the end is chosen anew
    setFollowing(true);
    follow();
}

void StepAxis::setFollowing(bool following) {
    if (following != m_following) {
        m_following = following;
        if (following) {
            // Keeps the width the user chose and goes to the newest step.
            const double width = m_upper - m_lower;
            const bool fromStart = m_lower <= 0.5;
            if (fromStart) m_followWidth.reset();
            else m_followWidth = width;
            follow();
        }
        Q_EMIT followingChanged(following);
    }
}

void StepAxis::setHover(std::optional<double> step) {
    if (step == m_hover) return;
    m_hover = step;
    Q_EMIT cursorChanged();
}

void StepAxis::setPinned(std::optional<double> step) {
    if (step == m_pinned) return;
    m_pinned = step;
    Q_EMIT cursorChanged();
}

}  // namespace mofo
