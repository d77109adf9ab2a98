// One chart: a QCustomPlot with title, read-out, side column, the shared step axis and cursor, and the marks of events.
#pragma once

#include <QLabel>
#include <QWidget>
#include <functional>
#include <optional>

#include "ui/models/run_data.h"
#include "ui/models/step_axis.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"

class QCPLayer;
class QCPPainter;
class QCustomPlot;
class QHBoxLayout;
class QToolButton;

namespace mofo {

/// Base of the charts over steps. Data is drawn on the next drawing beat after it changed, and only while the chart is visible.
class ChartView : public QWidget {
    Q_OBJECT
public:
    ChartView(const QString& objectName, const QString& title, const RunData* data, StepAxis* axis, QWidget* parent = nullptr);

    [[nodiscard]] QString title() const { return m_title->text(); }
    /// The values at the cursor: what the read-out shows and what a screen reader says.
    [[nodiscard]] QString readout() const { return m_readout->fullText(); }
    [[nodiscard]] QCustomPlot& plot() { return *m_plot; }
    /// Tick labels and the name of the step axis: shown by the lowest chart of a column.
    void setStepLabelsVisible(bool visible);
    /// Draws now if anything changed since the last time.
    void drawIfNeeded();
    [[nodiscard]] int drawCount() const { return m_drawCount; }
    /// The chart as an image, twice its size on screen.
    [[nodiscard]] QPixmap picture() const;

    static void installAccessibility();

Q_SIGNALS:
    void escapePressed();

protected:
    /// Puts the series into the plot, for the visible range.
    virtual void drawSeries() = 0;
    /// The values at the cursor, one line.
    [[nodiscard]] virtual QString readoutText() const = 0;
    /// A zoom of the y axis by wheel or key; charts of rows have none.
    virtual void zoomValues(double /*factor*/) {}
    virtual void fitValues() {}
    /// Keys that a chart understands beyond those of all charts.
    virtual bool handleKey(QKeyEvent* /*event*/) { return false; }
    virtual void applyTheme(const Theme& theme);

    void markDirty() { m_dirty = true; }
    void refreshReadout();
    [[nodiscard]] const RunData& data() const { return *m_data; }
    [[nodiscard]] StepAxis& axis() { return *m_axis; }
    [[nodiscard]] const StepAxis& axis() const { return *m_axis; }
    [[nodiscard]] QHBoxLayout* titleRow() { return m_titleRow; }
    /// Puts a widget of fixed width to the right of the plot, so that the plots of a page stay aligned.
    void setSideColumn(QWidget* widget);
    /// A layer item that paints with this function; `layer` is one of QCustomPlot's layer names.
    void addPainter(const QString& layer, std::function<void(QCPPainter*)> paint);
    [[nodiscard]] std::optional<QPointF> pointer() const { return m_pointer; }

    bool eventFilter(QObject* watched, QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void changeEvent(QEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

    static constexpr int leftMargin = 58;
    static constexpr int sideWidth = 98;

private:
    void paintFlags(QCPPainter* painter);
    void paintCursor(QCPPainter* painter);
    void replotCursor();
    [[nodiscard]] double stepAt(const QPointF& position) const;
    void moveCursor(int direction, bool far);
    void goToEvent(int direction);
    void goToNonFinite();
    void showMenu(const QPoint& at);

    const RunData* m_data;
    StepAxis* m_axis;
    QLabel* m_title;
    ElidedLabel* m_readout;
    QHBoxLayout* m_titleRow;
    QHBoxLayout* m_body;
    QCustomPlot* m_plot;
    std::optional<QPointF> m_pointer, m_pressedAt, m_panFrom;
    bool m_zooming = false;
    bool m_dirty = true;
    int m_drawCount = 0;
};

}  // namespace mofo
