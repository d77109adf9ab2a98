// The step axis and the cursor that all charts of a page share.
#pragma once

#include <QObject>
#include <cstdint>
#include <optional>

#include "ui/models/step_scale.h"

namespace mofo {

class StepAxis : public QObject {
    Q_OBJECT
public:
    explicit StepAxis(QObject* parent = nullptr);

    /// Forgets range and cursor: another run is shown.
    void reset();
    /// Where the run is; while following, the range is made to hold it.
    void setExtent(std::int64_t newestStep, std::int64_t totalSteps);

    [[nodiscard]] double lower() const { return m_lower; }
    [[nodiscard]] double upper() const { return m_upper; }
    [[nodiscard]] bool isFollowing() const { return m_following; }
    [[nodiscard]] std::int64_t newestStep() const { return m_newest; }

    /// A range the user chose: following ends unless it still holds the newest step at its end.
    void setRange(double lower, double upper);
    void zoom(double factor, double around);
    void pan(double steps);
    /// All of the run, following.
    void fit();
    void setFollowing(bool following);

    /// What the x axis counts; range and cursor stay in steps. `scale` outlives the axis.
    void setUnit(StepUnit unit, const StepScale* scale);
    [[nodiscard]] StepUnit unit() const { return m_unit; }
    [[nodiscard]] double unitsAt(double step) const { return m_scale != nullptr ? m_scale->unitsAt(step) : step; }
    [[nodiscard]] double stepAt(double units) const { return m_scale != nullptr ? m_scale->stepAt(units) : units; }

    /// The step that differences in the read-outs are taken from (key A).
    [[nodiscard]] std::optional<double> mark() const { return m_mark; }
    void setMark(std::optional<double> step);

    /// The step that charts and panels show: under the pointer, else pinned; empty = the newest.
    [[nodiscard]] std::optional<double> cursor() const { return m_hover ? m_hover : m_pinned; }
    [[nodiscard]] bool isPinned() const { return m_pinned.has_value(); }
    void setHover(std::optional<double> step);
    void setPinned(std::optional<double> step);

Q_SIGNALS:
    void rangeChanged();
    void cursorChanged();
    void followingChanged(bool following);
    void unitChanged();

private:
    void follow();
    void apply(double lower, double upper);

    double m_lower = -0.8, m_upper = 20.8;
    double m_end = 20;  ///< the last step shown while all of the run is followed
    bool m_following = true;
    std::int64_t m_newest = 0, m_total = 0;
    std::optional<double> m_followWidth;  ///< of a zoomed range that keeps up with the newest step; empty = from the start
    std::optional<double> m_hover, m_pinned, m_mark;
    StepUnit m_unit = StepUnit::Step;
    const StepScale* m_scale = nullptr;
};

}  // namespace mofo
