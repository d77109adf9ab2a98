// Charts C7 and C11: where the model moves and how far it has gone, rows of the model over steps. Two of them share rows, expansion and scroll.
#pragma once

#include <QImage>
#include <array>
#include <limits>
#include <memory>

#include "ui/models/map_rows.h"
#include "ui/widgets/chart_view.h"

class QComboBox;

namespace mofo {

class MapChart : public ChartView {
    Q_OBJECT
public:
    /// `first` decides whether this is the map of selection or of drift: the choice of measures, colours, title.
    MapChart(const QString& objectName, MapMeasure first, MapRows* rows, const RunData* data, StepAxis* axis, QWidget* parent = nullptr);
    ~MapChart() override;

    void setMeasure(MapMeasure measure);
    [[nodiscard]] MapMeasure measure() const { return m_measure; }
    /// The values of the colour scale: least and greatest.
    [[nodiscard]] ValueRange scale() const { return m_scale; }
    [[nodiscard]] bool isLogarithmic() const;
    /// What a row shows at the logged step nearest to `step`; NaN without one.
    [[nodiscard]] double valueAt(int row, double step) const;
    /// The rows in view, by place in MapRows: first and one past the last.
    [[nodiscard]] std::pair<int, int> rowsInView() const;

    [[nodiscard]] ChartTable table(double from, double to) const override;
    [[nodiscard]] std::vector<ReadoutRow> readoutRows(double step) const override;

protected:
    void drawSeries() override;
    [[nodiscard]] QString readoutText() const override;
    bool handleKey(QKeyEvent* event) override;
    void addOwnActions(QMenu& menu) override;
    void clicked(const QPointF& position) override;
    void applyTheme(const Theme& theme) override;
    void paintLegend(QPainter& painter, const QRect& room, const Theme& theme) const override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    class ColourBar;
    struct Band {
        int row = 0;
        double top = 0, height = 0;
    };
    [[nodiscard]] QString valueText(double value) const;
    [[nodiscard]] QRgb colourAt(double share) const;
    [[nodiscard]] double shareOf(double value) const;
    void forgetValues();
    [[nodiscard]] const float* valuesOf(std::size_t measurement) const { return m_values.data() + measurement * m_rows->rows().size(); }
    void readValues();
    void chooseScale();
    void layOutRows();
    void fillCells();
    void paintCells(QCPPainter* painter);
    void paintLabels(QCPPainter* painter);
    void paintBar(QPainter& painter, const QRect& bar, int right, const Theme& theme) const;
    [[nodiscard]] int rowAt(double y) const;
    void chooseMeasure(int index);

    const bool m_isDrift;
    MapMeasure m_measure;
    MapRows* m_rows;
    QComboBox* m_measureBox;
    ColourBar* m_bar;
    ValueRange m_scale;
    std::vector<float> m_values;  ///< by measurement, then row of MapRows
    std::vector<std::int64_t> m_valueSteps;
    std::array<QRgb, 256> m_colours{};
    double m_perDecade = 0;  ///< of a logarithmic scale: share of the scale per unit of the logarithm
    double m_asked = 0;
    std::vector<float> m_rowLeast, m_rowGreatest;  ///< of the finite values of each row, the least of the positive ones
    double m_cellLower = 0, m_cellUpper = 0;       ///< steps the cells cover
    std::vector<Band> m_bands;                     ///< rows in view, in pixels of the axis rectangle
    QImage m_cells;                                ///< one line per band, one column per pixel; transparent where there is no value
};

}  // namespace mofo
