// Chart C13: how many coordinates have which |m| at one measured step, on a logarithmic axis, with the threshold and what is above it.
#pragma once

#include <QWidget>
#include <vector>

#include "ui/models/run_data.h"

namespace mofo {

class HistogramPlot : public QWidget {
    Q_OBJECT
public:
    explicit HistogramPlot(const QString& objectName, QWidget* parent = nullptr);
    /// All filtered tensors of a measured step; null shows `why`.
    void show(const RunData& data, const HistogramBatch* batch, const QString& why, double staged);
    [[nodiscard]] bool isEmpty() const { return m_counts.empty(); }
    /// Bins of an octave each: least |m| of the first, and counts.
    [[nodiscard]] const std::vector<double>& counts() const { return m_counts; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    [[nodiscard]] double pixelOf(double magnitude) const;
    [[nodiscard]] QRect plotRect() const;

    std::vector<double> m_counts;
    std::int64_t m_firstOctave = 0;
    double m_threshold = 0, m_thresholdLow = 0, m_thresholdHigh = 0, m_staged = 0;
    double m_greatest = 0;
    QString m_why;
};

}  // namespace mofo
