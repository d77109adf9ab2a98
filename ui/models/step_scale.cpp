#include "ui/models/step_scale.h"

#include <algorithm>

#include "ui/models/growth.h"

namespace mofo {

void StepScale::clear() {
    m_steps.clear();
    m_units.clear();
}

void StepScale::append(double step, double units) {
    if (!m_units.empty()) units = std::max(units, m_units.back());
    m_steps.append(step);
    growSparingly(m_units);
    m_units.push_back(units);
}

void StepScale::reserveMore(std::size_t count) {
    if (count >= m_units.size()) m_units.reserve(m_units.size() + count);
}

double StepScale::slope() const {
    const double steps = m_steps.back() - m_steps.front(), units = m_units.back() - m_units.front();
    return steps > 0 && units > 0 ? units / steps : 1.0;
}

double StepScale::unitsAt(double step) const {
    if (m_steps.empty()) return step;
    if (step <= m_steps.front()) return m_units.front() + (step - m_steps.front()) * slope();
    if (step >= m_steps.back()) return m_units.back() + (step - m_steps.back()) * slope();
    const std::size_t after = m_steps.upperBound(step);
    const double share = (step - m_steps[after - 1]) / (m_steps[after] - m_steps[after - 1]);
    return m_units[after - 1] + share * (m_units[after] - m_units[after - 1]);
}

double StepScale::stepAt(double units) const {
    if (m_steps.empty()) return units;
    if (units <= m_units.front()) return m_steps.front() + (units - m_units.front()) / slope();
    if (units >= m_units.back()) return m_steps.back() + (units - m_units.back()) / slope();
    const auto after = static_cast<std::size_t>(std::upper_bound(m_units.begin(), m_units.end(), units) - m_units.begin());
    const double width = m_units[after] - m_units[after - 1];
    const double share = width > 0 ? (units - m_units[after - 1]) / width : 0.0;
    return m_steps[after - 1] + share * (m_steps[after] - m_steps[after - 1]);
}

}  // namespace mofo
