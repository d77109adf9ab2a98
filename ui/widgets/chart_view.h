// One chart: a QCustomPlot with title, read-out, legend, the shared step axis and cursor, the marks of events, its numbers as a table, and ways to
// take it along.
#pragma once

#include <QLabel>
#include <QWidget>
#include <functional>
#include <optional>
#include <vector>

#include "ui/models/run_data.h"
#include "ui/models/step_axis.h"
#include "ui/widgets/chart_table.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"

class QCPLayer;
class QCPPainter;
class QCustomPlot;
class QHBoxLayout;
class QMenu;
class QTableView;
class QToolButton;

namespace mofo {

/// One line of the table beside the cursor.
struct ReadoutRow {
    QString name;
    double value = 0;
    QColor colour;
    bool isShare = false;  ///< shown in percent
};

/// Base of the charts over steps. Data is drawn on the next drawing beat after it changed, and only while the chart is visible.
class ChartView : public QWidget {
    Q_OBJECT
public:
    ChartView(const QString& objectName, const QString& title, const RunData* data, StepAxis* axis, QWidget* parent = nullptr);

    [[nodiscard]] QString title() const { return m_title->text(); }
    /// The values at the cursor: what the title line shows and what a screen reader says.
    [[nodiscard]] QString readout() const { return m_readout->fullText(); }
    /// The lines of the table beside the cursor; values are stored ones.
    [[nodiscard]] virtual std::vector<ReadoutRow> readoutRows(double /*step*/) const { return {}; }
    [[nodiscard]] QCustomPlot& plot() { return *m_plot; }
    [[nodiscard]] const QCustomPlot& plot() const { return *m_plot; }
    /// Tick labels and the name of the step axis: shown by the lowest chart of a column.
    void setStepLabelsVisible(bool visible);
    /// Draws now if anything changed since the last time.
    void drawIfNeeded();
    [[nodiscard]] int drawCount() const { return m_drawCount; }
    /// The flags as last drawn, merged where they would cover one another: text and step of the first.
    struct DrawnFlag {
        QRectF box;
        QString text;
        std::vector<std::size_t> events;  ///< indices into RunData::flags()
    };
    [[nodiscard]] const std::vector<DrawnFlag>& drawnFlags() const { return m_flags; }
    /// The chart with title and legend: `scale` 2 is twice its size on screen. `print` has the theme of paper.
    [[nodiscard]] QImage picture(double scale, bool print);
    /// What is stored of the shown series, in the visible range or all of it.
    [[nodiscard]] virtual ChartTable table(double from, double to) const;
    /// Puts the numbers in the place of the plot, or the plot back.
    void setTableVisible(bool visible);
    [[nodiscard]] bool isTableVisible() const;
    /// PNG, SVG or PDF by the ending of the name; empty where it was written, else why not.
    [[nodiscard]] QString savePicture(const QString& path);
    /// Everything of the shown range, in the background; `done` gets an empty text or why it failed.
    void saveCsv(const QString& path, std::function<void(const QString&)> done);
    /// What keys do, as a menu: also the menu of the chart's button.
    void fillMenu(QMenu& menu);

    static void installAccessibility();

Q_SIGNALS:
    /// Something to tell: a file was written, or why not.
    void said(const QString& sentence, bool isError);
    /// F11, or the menu: this chart alone, or with the others again.
    void fullWanted();

protected:
    /// Puts the series into the plot, for the visible range.
    virtual void drawSeries() = 0;
    /// The values at the cursor, one line.
    [[nodiscard]] virtual QString readoutText() const = 0;
    /// A zoom of the y axis by wheel or key; charts of rows have none.
    virtual void zoomValues(double /*factor*/) {}
    virtual void setValueRange(double /*lower*/, double /*upper*/) {}
    virtual void fitValues() {}
    /// Keys that a chart understands beyond those of all charts.
    virtual bool handleKey(QKeyEvent* /*event*/) { return false; }
    virtual void addOwnActions(QMenu& /*menu*/) {}
    virtual void clicked(const QPointF& /*position*/) {}
    virtual void applyTheme(const Theme& theme);
    /// The series whose NaN and Inf key N goes through.
    [[nodiscard]] virtual std::vector<const SeriesBuffer*> markedSeries() const { return {&m_data->loss()}; }
    /// Where values were logged: what cursor and keys go by. Here the steps of the run.
    [[nodiscard]] virtual std::optional<double> loggedNear(double step) const;
    /// The one before (-1) or after (+1) the one nearest to `step`.
    [[nodiscard]] virtual std::optional<double> loggedBeside(double step, int direction) const;
    [[nodiscard]] virtual double newestLogged() const { return static_cast<double>(m_data->newestStep()); }
    /// Of whom the chart is, for pictures and names of files.
    [[nodiscard]] virtual QString subject() const;
    /// Comment lines of a CSV file.
    [[nodiscard]] virtual QString csvHeader() const;
    /// The legend as it is painted into pictures.
    virtual void paintLegend(QPainter& /*painter*/, const QRect& /*room*/, const Theme& /*theme*/) const {}

    void markDirty() { m_dirty = true; }
    void refreshReadout();
    [[nodiscard]] const RunData& data() const { return *m_data; }
    [[nodiscard]] StepAxis& axis() { return *m_axis; }
    [[nodiscard]] const StepAxis& axis() const { return *m_axis; }
    [[nodiscard]] const Theme& theme() const { return m_theme; }
    [[nodiscard]] QHBoxLayout* titleRow() { return m_titleRow; }
    /// Of a chart whose series can be chosen; `visible`: beside what chooses it.
    void setTitle(const QString& title, bool visible);
    /// Puts a widget of fixed width to the right of the plot, so that the plots of a page stay aligned.
    void setSideColumn(QWidget* widget);
    void setSideWidth(int width);
    /// Where the chart is narrow the side column goes above the plot, or away.
    virtual void sideMoved(bool /*above*/) {}
    bool m_sideCanGoAbove = false;
    /// A layer item that paints with this function; `layer` is one of QCustomPlot's layer names.
    /// Clipped to the axis rectangle unless `beyond`.
    void addPainter(const QString& layer, std::function<void(QCPPainter*)> paint, bool beyond = false);
    [[nodiscard]] std::optional<QPointF> pointer() const { return m_pointer; }
    /// Pixel of a step, through the unit of the axis.
    [[nodiscard]] double pixelOf(double step) const;
    [[nodiscard]] double stepAt(const QPointF& position) const;
    /// The step that read-outs are about: under the cursor, or the newest; the nearest logged one.
    [[nodiscard]] double shownStep() const;

    bool eventFilter(QObject* watched, QEvent* event) override;
    bool event(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void changeEvent(QEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

    static constexpr int leftMargin = 68;
    static constexpr int rightMargin = 14;

private:
    void paintFlags(QCPPainter* painter);
    void paintSuperseded(QCPPainter* painter);
    void paintCursor(QCPPainter* painter);
    void paintReadout(QCPPainter* painter, double x, double step);
    void replotCursor();
    void refreshTicker();
    void moveCursor(int direction, bool far);
    void goToEvent(int direction);
    void goToNonFinite();
    void bringIntoView(double step);
    bool showFlag(const QPointF& position);
    [[nodiscard]] QString flagTip(const EventFlag& flag) const;
    void copyPicture();
    void copyValues();
    void askWhereToSave(bool csv);
    void drawNow();

    const RunData* m_data;
    StepAxis* m_axis;
    QLabel* m_title;
    ElidedLabel* m_readout;
    QHBoxLayout* m_titleRow;
    QHBoxLayout* m_body;
    QToolButton* m_menuButton;
    QCustomPlot* m_plot;
    QWidget* m_side = nullptr;
    bool m_sideAbove = false;
    int m_sideWidth = 116;
    QTableView* m_tableView = nullptr;
    ChartTableModel* m_tableModel = nullptr;
    Theme m_theme;
    std::vector<DrawnFlag> m_flags;
    std::optional<QPointF> m_pointer, m_pressedAt, m_panFrom;
    bool m_zooming = false;
    bool m_dirty = true;
    int m_drawCount = 0;
};

}  // namespace mofo
