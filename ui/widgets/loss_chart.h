// Chart C1: training loss, raw thin and smoothed thick, with held-out loss as ringed points. NaN and Inf are marked, never lost.
#pragma once

#include "ui/widgets/chart_view.h"

class QCPGraph;
class QDoubleSpinBox;

namespace mofo {

class LossChart : public ChartView {
    Q_OBJECT
public:
    LossChart(const QString& objectName, RunData* data, StepAxis* axis, QWidget* parent = nullptr);

    /// Pixel positions of the marks for NaN and Inf as last drawn: for tests and tooltips.
    [[nodiscard]] int nonFiniteMarksDrawn() const { return m_marksDrawn; }
    void setLogarithmic(bool logarithmic);
    [[nodiscard]] bool isLogarithmic() const { return m_logarithmic; }

protected:
    void drawSeries() override;
    [[nodiscard]] QString readoutText() const override;
    void zoomValues(double factor) override;
    void fitValues() override;
    bool handleKey(QKeyEvent* event) override;
    void applyTheme(const Theme& theme) override;

private:
    class Legend;
    void paintNonFinite(QCPPainter* painter);
    void fill(QCPGraph* graph, const SeriesBuffer& series, int columns) const;

    RunData* m_run;
    QCPGraph* m_raw = nullptr;
    QCPGraph* m_ema = nullptr;
    QCPGraph* m_eval = nullptr;
    std::vector<QCPGraph*> m_superseded;
    Legend* m_legend;
    QToolButton* m_logButton;
    bool m_logarithmic = false;
    bool m_smoothingChosen = false, m_choosing = false;
    bool m_ownRange = false;  ///< the user zoomed y
    int m_marksDrawn = 0;
};

}  // namespace mofo
