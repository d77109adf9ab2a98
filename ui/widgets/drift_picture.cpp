#include "ui/widgets/drift_picture.h"

#include <QFontMetricsF>
#include <QPainter>
#include <cmath>

#include "ui/widgets/chart_colours.h"

namespace mofo {

DriftPicture::DriftPicture(QWidget* parent) : QWidget(parent), m_shares(QStringLiteral(":/mofo/pictures/sample-drift.pgm")) {
    setObjectName(QStringLiteral("runs.picture"));
    setAccessibleName(tr(
        "Picture: drift of every layer from its pretrained weights over the steps of the recorded runs; AdamW's layers drift about twice as far as "
        "MoFO's"));
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Preferred);
    setSizePolicy(policy);
}

void DriftPicture::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme theme = Theme::current();
    const QFontMetricsF metrics(font());
    const double line = metrics.height(), gap = 14, left = metrics.horizontalAdvance(tr("layer %1").arg(29)) + 8;
    const double width = (this->width() - left - gap) / 2, top = line + 4, height = this->height() - top - line - 4;
    if (m_shares.isNull() || width <= 0 || height <= 0) return;
    const int columns = m_shares.width() / 2, rows = m_shares.height();
    const QString names[] = {tr("AdamW: every weight moves"), tr("MoFO: 15 %, then 5 % may move")};
    painter.setPen(theme.ink);
    for (int half = 0; half < 2; ++half) {
        const QRectF place(left + half * (width + gap), top, width, height);
        painter.drawText(QRectF(place.left(), 0, width, line), Qt::AlignLeft | Qt::AlignVCenter,
                         metrics.elidedText(names[half], Qt::ElideRight, width));
        for (int row = 0; row < rows; ++row) {
            for (int column = 0; column < columns; ++column) {
                const double x = place.left() + width * column / columns, y = place.top() + height * row / rows;
                const double right = place.left() + width * (column + 1) / columns, bottom = place.top() + height * (row + 1) / rows;
                painter.fillRect(QRectF(QPointF(std::round(x), std::round(y)), QPointF(std::round(right), std::round(bottom))),
                                 QColor(viridis(qGray(m_shares.pixel(half * columns + column, row)) / 255.0)));
            }
        }
    }
    painter.setPen(theme.inkSoft);
    const double below = top + height + 2;
    painter.drawText(QRectF(0, top, left - 8, line), Qt::AlignRight | Qt::AlignVCenter, tr("embed"));
    painter.drawText(QRectF(0, top + height - line, left - 8, line), Qt::AlignRight | Qt::AlignVCenter, tr("layer %1").arg(rows - 2));
    const QString what = tr("steps 1 to 60 of two recorded runs on the same rows; yellow: far from the pretrained weights");
    painter.drawText(QRectF(left, below, this->width() - left, line), Qt::AlignLeft | Qt::AlignVCenter,
                     metrics.elidedText(what, Qt::ElideRight, this->width() - left));
}

}  // namespace mofo
