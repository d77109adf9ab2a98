#include "ui/controllers/reading_pace.h"

#include <algorithm>

namespace mofo {

double ReadingPace::next(double now, double processorMs, bool trainsHere) {
    if (m_usedMs) m_costMs += 0.5 * (processorMs - *m_usedMs - m_costMs);
    m_usedMs = processorMs;
    if (!trainsHere || now - m_inputMs < afterInputMs) return fastestMs;
    return std::clamp(m_costMs / (share * m_processors), fastestMs, slowestMs);
}

}  // namespace mofo
