// Pictures and files of a chart.
#include <QFileDialog>
#include <QFileInfo>
#include <QImage>
#include <QPainter>
#include <QPdfWriter>
#include <QPointer>
#include <QStandardPaths>
#include <QSvgGenerator>
#include <QThreadPool>

#include "ui/models/display_text.h"
#include "ui/widgets/chart_colours.h"
#include "ui/widgets/chart_view.h"
#include "ui/widgets/qcustomplot.h"

namespace mofo {

namespace {

constexpr int headHeight = 26;

QString fileNameOf(const QString& subject, const QString& title) {
    QString name = (subject.isEmpty() ? QString() : subject.left(80) + QLatin1Char('-')) + title;
    for (QChar& c : name) {
        if (!c.isLetterOrNumber() && c != QLatin1Char('-') && c != QLatin1Char('_')) c = QLatin1Char('-');
    }
    return name;
}

}  // namespace

QImage ChartView::picture(double scale, bool print) {
    const QSize plotSize = m_plot->size();
    const int side = m_side != nullptr ? m_sideWidth : 0;
    const QSize size(plotSize.width() + side, plotSize.height() + headHeight);
    QImage image(QSize(static_cast<int>(size.width() * scale), static_cast<int>(size.height() * scale)), QImage::Format_ARGB32_Premultiplied);
    const Theme before = m_theme;
    if (print) {
        applyTheme(printTheme());
        drawNow();
    }
    image.fill(m_theme.surface);
    QPainter painter(&image);
    painter.scale(scale, scale);
    painter.setFont(font());
    QFont bold = font();
    bold.setBold(true);
    painter.setFont(bold);
    painter.setPen(m_theme.ink);
    painter.drawText(QRect(8, 0, size.width() - 16, headHeight), Qt::AlignLeft | Qt::AlignVCenter, title());
    painter.setFont(font());
    painter.setPen(m_theme.inkSoft);
    painter.drawText(QRect(8, 0, size.width() - 16, headHeight), Qt::AlignRight | Qt::AlignVCenter, subject());
    painter.drawPixmap(QRect(QPoint(0, headHeight), plotSize), m_plot->toPixmap(plotSize.width(), plotSize.height(), scale));
    if (side > 0) {
        painter.translate(plotSize.width(), headHeight);
        paintLegend(painter, QRect(0, 0, side, plotSize.height()), m_theme);
    }
    painter.end();
    if (print) {
        applyTheme(before);
        drawNow();
        m_plot->replot(QCustomPlot::rpQueuedReplot);
    }
    return image;
}

QString ChartView::savePicture(const QString& path) {
    const QString ending = QFileInfo(path).suffix().toLower();
    if (ending == QLatin1String("png")) {
        return picture(2, true).save(path, "PNG") ? QString() : tr("%1 could not be written: check folder and free space.").arg(path);
    }
    const QSize plotSize = m_plot->size();
    const QSize size(plotSize.width() + (m_side != nullptr ? m_sideWidth : 0), plotSize.height() + headHeight);
    const Theme before = m_theme;
    applyTheme(printTheme());
    drawNow();
    bool written = false;
    const auto paint = [&](QPaintDevice* device, double scale) {
        QCPPainter painter;
        if (!painter.begin(device)) return;
        painter.scale(scale, scale);
        painter.setMode(QCPPainter::pmVectorized);
        painter.setMode(QCPPainter::pmNoCaching);
        painter.fillRect(QRect(QPoint(0, 0), size), m_theme.surface);
        QFont bold = font();
        bold.setBold(true);
        painter.setFont(bold);
        painter.setPen(m_theme.ink);
        painter.drawText(QRect(8, 0, size.width() - 16, headHeight), Qt::AlignLeft | Qt::AlignVCenter, title());
        painter.setFont(font());
        painter.setPen(m_theme.inkSoft);
        painter.drawText(QRect(8, 0, size.width() - 16, headHeight), Qt::AlignRight | Qt::AlignVCenter, subject());
        painter.translate(0, headHeight);
        m_plot->toPainter(&painter, plotSize.width(), plotSize.height());
        painter.translate(plotSize.width(), 0);
        painter.setFont(font());
        if (m_side != nullptr) paintLegend(painter, QRect(0, 0, m_sideWidth, plotSize.height()), m_theme);
        written = painter.end();
    };
    if (ending == QLatin1String("svg")) {
        QSvgGenerator svg;
        svg.setFileName(path);
        svg.setSize(size);
        svg.setViewBox(QRect(QPoint(0, 0), size));
        svg.setTitle(title());
        paint(&svg, 1);
    } else if (ending == QLatin1String("pdf")) {
        QPdfWriter pdf(path);
        pdf.setResolution(72);
        pdf.setPageMargins(QMarginsF(0, 0, 0, 0));
        pdf.setPageSize(QPageSize(QSizeF(size), QPageSize::Point, QString(), QPageSize::ExactMatch));
        pdf.setTitle(title());
        paint(&pdf, 1);
    }
    applyTheme(before);
    drawNow();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
    if (ending != QLatin1String("svg") && ending != QLatin1String("pdf")) return tr("%1 has no known ending: name it .png, .svg or .pdf.").arg(path);
    written = written && QFileInfo(path).size() > 0;
    return written ? QString() : tr("%1 could not be written: check folder and free space.").arg(path);
}

void ChartView::saveCsv(const QString& path, std::function<void(const QString&)> done) {
    // The snapshot is taken here, the formatting of up to millions of numbers goes elsewhere.
    auto values = std::make_shared<ChartTable>(table(m_axis->lower(), m_axis->upper()));
    const QString header = csvHeader();
    const QPointer<ChartView> self(this);
    QThreadPool::globalInstance()->start([path, header, values, self, done = std::move(done)] {
        const Result<void> written = writeChartCsv(path, header, *values);
        const QString problem = written.ok() ? QString() : ui::shown(written.error().text());
        if (self == nullptr) return;
        QMetaObject::invokeMethod(
            self.data(), [done, problem] { done(problem); }, Qt::QueuedConnection);
    });
}

void ChartView::askWhereToSave(bool csv) {
    const QString folder = QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation);
    auto* dialog = new QFileDialog(this, csv ? tr("Save values") : tr("Save image"), folder,
                                   csv ? tr("Comma-separated values (*.csv)") : tr("PNG image (*.png);;SVG drawing (*.svg);;PDF (*.pdf)"));
    dialog->setObjectName(QStringLiteral("chart.saveDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(csv ? QStringLiteral("csv") : QStringLiteral("png"));
    dialog->selectFile(fileNameOf(subject(), title()) + (csv ? QStringLiteral(".csv") : QStringLiteral(".png")));
    connect(dialog, &QFileDialog::filterSelected, dialog, [dialog](const QString& filter) {
        dialog->setDefaultSuffix(filter.contains(QLatin1String("svg"))   ? QStringLiteral("svg")
                                 : filter.contains(QLatin1String("pdf")) ? QStringLiteral("pdf")
                                                                         : QStringLiteral("png"));
    });
    connect(dialog, &QFileDialog::fileSelected, this, [this, csv](const QString& path) {
        if (!csv) {
            const QString problem = savePicture(path);
            Q_EMIT said(problem.isEmpty() ? tr("Saved as %1.").arg(path) : problem, !problem.isEmpty());
            return;
        }
        saveCsv(path, [this, path](const QString& problem) {
            Q_EMIT said(problem.isEmpty() ? tr("Saved as %1.").arg(path) : problem, !problem.isEmpty());
        });
    });
    dialog->open();
}

}  // namespace mofo
