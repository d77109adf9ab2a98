// Charts C7 and C11: where the model moves and how far it has gone, rows of the model over steps.
#pragma once

#include <limits>
#include <memory>

#include "ui/widgets/chart_view.h"

class QCPColorMap;
class QCPColorGradient;

namespace mofo {

class MapChart : public ChartView {
    Q_OBJECT
public:
    enum class Measure { MovedShare, Drift };

    MapChart(const QString& objectName, Measure measure, const RunData* data, StepAxis* axis, QWidget* parent = nullptr);
    ~MapChart() override;

    /// The values of the colour scale: least and greatest.
    [[nodiscard]] ValueRange scale() const { return m_scale; }

protected:
    void drawSeries() override;
    [[nodiscard]] QString readoutText() const override;
    void applyTheme(const Theme& theme) override;

private:
    class ColourBar;
    [[nodiscard]] const std::vector<float>& valuesOf(const MapColumn& column) const;
    [[nodiscard]] double wholeOf(const MapColumn& column) const;
    [[nodiscard]] QString valueText(double value) const;
    void scanColumns();
    void forgetScale();
    void chooseScale();
    void fillCells();
    void labelRows();
    void paintHatch(QCPPainter* painter);

    Measure m_measure;
    QCPColorMap* m_map;
    std::unique_ptr<QCPColorGradient> m_gradient;
    ColourBar* m_bar;
    ValueRange m_scale;
    std::size_t m_scanned = 0;  ///< columns whose values the extremes below hold
    double m_asked = 0, m_greatest = 0;
    double m_least = std::numeric_limits<double>::infinity();
    double m_cellLower = 0, m_cellUpper = 0;  ///< steps the cells cover
};

}  // namespace mofo
