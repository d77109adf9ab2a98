// Charts of curves over steps. Each curve is a stored series, thinned per pixel column for drawing alone; NaN and Inf are marked, never lost.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "ui/widgets/chart_legend.h"
#include "ui/widgets/chart_view.h"

class QCPGraph;

namespace mofo {

/// One curve. The functions are asked at every drawing; what they return lives in the models.
struct LineSpec {
    enum class Style { Thin, Line, Thick, Dashed, Ringed, Stacked, Step };
    QString name;    ///< in legend and read-out
    QString unit;    ///< for the heads of columns; empty = none
    int colour = 0;  ///< of seriesColour(); -1 = ink, -2 = what is staged
    Style style = Style::Line;
    std::function<const SeriesBuffer*()> values;
    std::function<const std::vector<SeriesBuffer>*()> taken;  ///< stretches that were taken back, or unset
    std::function<const SeriesBuffer*()> low, high;           ///< a band, or with Ringed error bars; or unset
    std::function<const SeriesBuffer*()> shown;               ///< what read-outs and files give where the curve is a sum (Stacked)
    bool isShare = false;
    bool inTable = true;
    bool dashed = false;  ///< beyond the seventh colour dashes tell lines apart
    bool inLegend = true;
    QString endLabel;   ///< stands at the line's end, or empty
    bool marks = true;  ///< NaN and Inf are marked and counted; not where another curve of the same values does it
    bool on = true;
};

/// A labelled horizontal line: a limit, a base.
struct LevelLine {
    double value = 0;
    QString label;
    bool isGuard = false;
};

class LineChart : public ChartView {
    Q_OBJECT
public:
    struct Options {
        QString unit;  ///< beside the title
        bool logarithmic = false;
        bool canBeLogarithmic = true;
        bool fromZero = false;            ///< the y axis begins at 0 (linear)
        bool isShare = false;             ///< y in percent of 1
        std::optional<ValueRange> fixed;  ///< y range, unless the user zooms
        QString empty;                    ///< what the plot says without data
    };
    LineChart(const QString& objectName, const QString& title, Options options, const RunData* data, StepAxis* axis, QWidget* parent = nullptr);

    void setLines(std::vector<LineSpec> lines);
    [[nodiscard]] const std::vector<LineSpec>& lines() const { return m_lines; }
    void setLevels(std::function<std::vector<LevelLine>()> levels) { m_levels = std::move(levels); }
    /// What is drawn has changed without a step having come.
    void invalidate() { markDirty(); }
    void setLineOn(int line, bool on);
    /// This one alone; all of them again where it was alone.
    void solo(int line);
    [[nodiscard]] ChartLegend& legend() { return *m_legend; }
    /// Marks of NaN and Inf in view as last drawn.
    [[nodiscard]] int nonFiniteMarksDrawn() const { return m_marksDrawn; }
    /// Marks of values <= 0 at the lower edge of a logarithmic axis as last drawn.
    [[nodiscard]] int belowLogMarksDrawn() const { return m_belowMarks; }
    void setLogarithmic(bool logarithmic);
    [[nodiscard]] bool isLogarithmic() const { return m_logarithmic; }
    /// Leaves the largest hundredth out of the fitted range.
    void setClipped(bool clipped);
    [[nodiscard]] bool isClipped() const { return m_clipped; }

    [[nodiscard]] ChartTable table(double from, double to) const override;
    [[nodiscard]] std::vector<ReadoutRow> readoutRows(double step) const override;

protected:
    void drawSeries() override;
    [[nodiscard]] QString readoutText() const override;
    void zoomValues(double factor) override;
    void setValueRange(double lower, double upper) override;
    void fitValues() override;
    bool handleKey(QKeyEvent* event) override;
    void addOwnActions(QMenu& menu) override;
    void applyTheme(const Theme& theme) override;
    [[nodiscard]] std::vector<const SeriesBuffer*> markedSeries() const override;
    void sideMoved(bool above) override;
    void paintLegend(QPainter& painter, const QRect& room, const Theme& theme) const override;
    /// Further notes of the legend.
    virtual void addLegendNotes(std::vector<LegendEntry>& /*entries*/) const {}
    virtual void beforeDrawing() {}

    [[nodiscard]] QColor colourOf(const LineSpec& line) const;
    /// Another quantity is drawn: unit, range and ticks start anew.
    void setOptions(Options options);
    /// As setLineOn(), drawn with the next beat.
    void showLine(int line, bool on);
    QToolButton* addSwitch(const char* name, const QString& text, const QString& help, std::function<void(bool)> act);

private:
    void makeGraphs();
    void setPens();
    void fill(QCPGraph* graph, const SeriesBuffer& series, bool isArea = false);
    void refreshLegend();
    void paintMarks(QCPPainter* painter);
    void paintBars(QCPPainter* painter, const LineSpec& line) const;
    void paintLevels(QCPPainter* painter) const;
    void paintEndLabels(QCPPainter* painter) const;
    [[nodiscard]] double clippedUpper(double otherwise) const;

    struct Drawn {
        QCPGraph* graph = nullptr;
        QCPGraph* low = nullptr;
        QCPGraph* high = nullptr;
        std::vector<QCPGraph*> taken;
    };
    Options m_options;
    std::vector<LineSpec> m_lines;
    std::vector<Drawn> m_drawn;
    std::function<std::vector<LevelLine>()> m_levels;
    ChartLegend* m_legend;
    QToolButton* m_logButton = nullptr;
    bool m_logarithmic = false, m_clipped = false;
    bool m_ownRange = false;  ///< the user zoomed y
    int m_marksDrawn = 0, m_belowMarks = 0;
};

}  // namespace mofo
