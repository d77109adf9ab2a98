// What the shared x axis counts: steps, epochs, trained tokens or time. Cursor and range stay in steps; a scale turns them into what is drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ui/models/key_list.h"

namespace mofo {

enum class StepUnit { Step, Epoch, Tokens, Time };

/// A rising, piecewise linear map from steps to units, extended beyond its ends with the mean slope. Without points it is the identity. One thread.
class StepScale {
public:
    void clear();
    /// Steps ascend; a unit that would fall (a clock set back) stays where it was.
    void append(double step, double units);
    /// As SeriesBuffer::reserveMore().
    void reserveMore(std::size_t count);

    [[nodiscard]] double unitsAt(double step) const;
    [[nodiscard]] double stepAt(double units) const;
    [[nodiscard]] bool empty() const { return m_steps.empty(); }
    [[nodiscard]] std::size_t size() const { return m_steps.size(); }

private:
    [[nodiscard]] double slope() const;  ///< units per step over the whole
    KeyList m_steps;
    std::vector<double> m_units;
};

}  // namespace mofo
