// The column of charts over one step axis: which of them are shown, how high each is, one of them alone.
#pragma once

#include <QWidget>
#include <vector>

#include "ui/models/step_axis.h"

class QAction;
class QScrollArea;
class QSettings;
class QSplitter;

namespace mofo {

class ChartView;

class ChartStack : public QWidget {
    Q_OBJECT
public:
    ChartStack(const QString& objectName, QWidget* parent = nullptr);

    /// `weight` is its part of the height; 0 = as low as it can be.
    void add(ChartView* chart, int weight, bool shown);
    [[nodiscard]] const std::vector<ChartView*>& charts() const { return m_charts; }
    /// One checkable action per chart.
    [[nodiscard]] const std::vector<QAction*>& choices() const { return m_choices; }
    void drawIfNeeded();
    /// This chart alone in the column; null = all chosen ones again.
    void setAlone(ChartView* chart);
    [[nodiscard]] ChartView* alone() const { return m_alone; }
    void saveLayout(QSettings& settings) const;
    void restoreLayout(QSettings& settings);

Q_SIGNALS:
    void said(const QString& sentence, bool isError);
    /// A chart asks to be alone, or not to be any more.
    void fullWanted(mofo::ChartView* chart);

private:
    void arrange();

    QScrollArea* m_area;
    QSplitter* m_splitter;
    std::vector<ChartView*> m_charts;
    std::vector<int> m_weights;
    std::vector<QAction*> m_choices;
    ChartView* m_alone = nullptr;
};

}  // namespace mofo
