// The names of a chart's series beside its plot: click or Space switches one on and off, Alt+click shows it alone. Never over data.
#pragma once

#include <QWidget>
#include <functional>
#include <vector>

class QPainter;

namespace mofo {

struct LegendEntry {
    QString name;
    std::function<void(QPainter&, QPointF, QPointF)> sample;  ///< paints between two points of its line
    int series = -1;                                          ///< what a click switches; -1: a note that cannot be switched
    bool on = true;
};

class ChartLegend : public QWidget {
    Q_OBJECT
public:
    explicit ChartLegend(QWidget* parent);
    /// The mark of a NaN, in chart and legend.
    static void drawCross(QPainter& painter, const QPointF& centre, double size);
    void setEntries(std::vector<LegendEntry> entries);
    [[nodiscard]] const std::vector<LegendEntry>& entries() const { return m_entries; }
    /// One line above the plot instead of a column beside it.
    void setHorizontal(bool horizontal);
    /// Paints the entries as on screen, for what is saved.
    void paint(QPainter& painter, const QRect& room, const QColor& ink) const;

    QSize sizeHint() const override;

Q_SIGNALS:
    void toggled(int series);
    void soloed(int series);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    [[nodiscard]] QRect rectOf(int entry, const QRect& room) const;
    [[nodiscard]] int lineHeight() const;
    void step(int direction);

    std::vector<LegendEntry> m_entries;
    bool m_horizontal = false;
    int m_current = 0;
};

}  // namespace mofo
