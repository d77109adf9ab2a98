// Chart C14: one series of several runs over one axis, told apart by colour, dash and the letter at the line's end.
#pragma once

#include "ui/models/compared_runs.h"
#include "ui/widgets/line_chart.h"

class QComboBox;
class QDoubleSpinBox;

namespace mofo {

class OverlayChart : public LineChart {
    Q_OBJECT
public:
    /// `place`: which of the wanted series this chart draws. `none` is a run without rows: what the charts of one run mark is not marked here.
    OverlayChart(const QString& objectName, std::size_t place, ComparedRuns* runs, const RunData* none, StepAxis* axis, QWidget* parent = nullptr);

    [[nodiscard]] const std::string& series() const { return m_series; }
    void setSeries(const std::string& id);
    /// Values as stored beneath the smoothed ones.
    void setRawShown(bool shown);
    [[nodiscard]] ChartTable table(double from, double to) const override;
    [[nodiscard]] std::vector<ReadoutRow> readoutRows(double at) const override;

Q_SIGNALS:
    void seriesChosen(const std::string& id);

protected:
    [[nodiscard]] QString readoutText() const override;
    [[nodiscard]] std::optional<double> loggedNear(double at) const override;
    [[nodiscard]] std::optional<double> loggedBeside(double at, int direction) const override;
    [[nodiscard]] double newestLogged() const override;
    [[nodiscard]] QString subject() const override;
    [[nodiscard]] QString csvHeader() const override;
    bool handleKey(QKeyEvent* event) override;
    bool event(QEvent* event) override;
    void addLegendNotes(std::vector<LegendEntry>& entries) const override;

private:
    void fillChoice();
    void rebuild();
    void onToggled(int line);
    [[nodiscard]] const SeriesBuffer& drawnOf(const ComparedCurve& curve) const;
    [[nodiscard]] bool isOn(const ComparedCurve& curve) const;
    [[nodiscard]] QString placeText(double at) const;

    ComparedRuns* m_runs;
    const std::size_t m_place;
    std::string m_series;
    QComboBox* m_choice;
    QDoubleSpinBox* m_smoothing;
    QToolButton* m_raw = nullptr;
    QToolButton* m_clip = nullptr;
    std::vector<ComparedCurve> m_curves;
    std::vector<std::size_t> m_curveOfLine;
};

}  // namespace mofo
