// Chart C1: training loss, raw thin and smoothed thick, with held-out loss as ringed points and a star at the best of them.
#pragma once

#include "ui/widgets/line_chart.h"

class QDoubleSpinBox;

namespace mofo {

class LossChart : public LineChart {
    Q_OBJECT
public:
    LossChart(const QString& objectName, RunData* data, StepAxis* axis, QWidget* parent = nullptr);

protected:
    bool handleKey(QKeyEvent* event) override;
    void addOwnActions(QMenu& menu) override;

private:
    void paintBest(QCPPainter* painter);

    RunData* m_run;
    QDoubleSpinBox* m_smoothing;
    QToolButton* m_rawButton = nullptr;
    QToolButton* m_clipButton = nullptr;
    bool m_smoothingChosen = false, m_choosing = false;
};

}  // namespace mofo
