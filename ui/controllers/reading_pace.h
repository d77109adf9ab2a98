// How often the window reads and draws a run that trains on the same processors.
#pragma once

#include <optional>

namespace mofo {

/// So seldom that reading and drawing take a hundredth of the processors (ui.md, section 8), at least once a second, and every tenth of a second for
/// a while after its user did something. Times in ms; `now` on any clock that only goes forward.
class ReadingPace {
public:
    static constexpr double fastestMs = 100, slowestMs = 1000, afterInputMs = 5000, share = 0.01;

    explicit ReadingPace(int processors) : m_processors(processors) {}
    /// The user pressed a key or moved the mouse.
    void noteInput(double now) { m_inputMs = now; }
    /// Called once per piece of news, with the processor time that this program has used so far and whether the run that is shown trains on the
    /// processors right now: the time to the next reading.
    double next(double now, double processorMs, bool trainsHere);

private:
    int m_processors;
    double m_inputMs = 0;
    std::optional<double> m_usedMs;  ///< at the last piece of news
    double m_costMs = 0;             ///< of a piece of news, of late
};

}  // namespace mofo
