#include "ui/models/step_axis.h"

#include <algorithm>
#include <cmath>

namespace mofo {

namespace {

constexpr double leastWidth = 5;
constexpr double shortestEnd = 20;
constexpr double margin = 0.012;  // of the width, beyond the first and the newest step
// A run this short shows its whole length from the start: nothing moves but the curve.
constexpr std::int64_t shortRun = 120;

}  // namespace

StepAxis::StepAxis(QObject* parent) : QObject(parent) {}

void StepAxis::reset() {
    m_newest = m_total = 0;
    m_end = shortestEnd;
    m_followWidth.reset();
    m_hover.reset();
    m_pinned.reset();
    m_mark.reset();
    setFollowing(true);
    follow();
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
        const double ahead = *m_followWidth * margin;
        if (newest + ahead > m_upper || newest < m_lower) apply(newest + ahead - *m_followWidth, newest + ahead);
        return;
    }
    // From the start; the end moves on in strides, so that the curve does not creep with every step.
    if (m_total > 0 && m_total <= shortRun) {
        m_end = static_cast<double>(m_total);
    } else if (newest > m_end || m_end > std::max(shortestEnd, newest * 2)) {
        m_end = std::max(shortestEnd, std::ceil(newest * 1.2));
        if (m_total > 0) m_end = std::min(m_end, static_cast<double>(m_total));
    }
    m_end = std::max(m_end, newest);
    // A little air, so that marks at the first and last step are whole.
    const double air = std::max(0.8, m_end * margin);
    apply(-air, m_end + air);
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
    lower = std::clamp(lower, -width * 0.5, std::max(0.0, whole - width * 0.5));
    const auto newest = static_cast<double>(m_newest);
    const bool holdsNewest = newest >= lower && newest <= lower + width;
    if (m_following && holdsNewest)
        m_followWidth = width;
    else
        setFollowing(false);
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
    m_end = 0;
    if (!m_following) {
        m_following = true;
        Q_EMIT followingChanged(true);
    }
    follow();
}

void StepAxis::setFollowing(bool following) {
    if (following == m_following) return;
    m_following = following;
    if (following) {
        // Keeps the width the user chose and goes to the newest step.
        if (m_lower <= 0)
            m_followWidth.reset();
        else
            m_followWidth = m_upper - m_lower;
        follow();
    }
    Q_EMIT followingChanged(following);
}

void StepAxis::setUnit(StepUnit unit, const StepScale* scale) {
    m_unit = unit;
    m_scale = unit == StepUnit::Step ? nullptr : scale;
    Q_EMIT unitChanged();
    Q_EMIT rangeChanged();
}

void StepAxis::setMark(std::optional<double> step) {
    if (step == m_mark) return;
    m_mark = step;
    Q_EMIT cursorChanged();
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
