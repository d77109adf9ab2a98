#include "ui/widgets/plan_charts.h"

#include <QEvent>
#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/text.h"
#include "ui/models/display_text.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

constexpr int binCount = 64;
constexpr int swatch = 9;

QString bytesText(std::uint64_t bytes) { return ui::shown(formatBytes(bytes)); }

/// Colours of the terms: the series palette, in the order of MemoryKind, the last ones grey.
QColor termColour(MemoryKind kind, bool dark) {
    static constexpr std::array<QRgb, 11> light{0xff19405c, 0xff50718a, 0xff6b3208, 0xff08785b, 0xff5aa890, 0xffcb3f9f,
                                                0xffac8633, 0xff8d949b, 0xff1196f0, 0xffd98a4a, 0xff5c636a};
    static constexpr std::array<QRgb, 11> onDark{0xff56b4e9, 0xff8fd0f5, 0xffe69f00, 0xff009e73, 0xff6fc7ab, 0xffcc79a7,
                                                 0xfff0e442, 0xff8d949b, 0xffd55e00, 0xffb3a2e0, 0xffe6e6e6};
    return QColor::fromRgb((dark ? onDark : light)[static_cast<std::size_t>(kind)]);
}

/// A round number of tokens at most so many bins cover `longest` with.
std::int64_t binWidth(std::int64_t longest) {
    std::int64_t width = 1;
    while (longest > width * binCount) {
        if (longest <= 2 * width * binCount) return 2 * width;
        if (longest <= 5 * width * binCount) return 5 * width;
        width *= 10;
    }
    return width;
}

}  // namespace

LengthHistogram::LengthHistogram(QWidget* parent) : QWidget(parent) {
    setAccessibleName(tr("Row lengths"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void LengthHistogram::setCounts(const DataCountsPtr& counts, std::int64_t maxLength) {
    m_bins.clear();
    m_most = 0;
    m_maxLength = maxLength;
    if (counts && counts->longestUncut > 0) {
        const std::int64_t longest = std::max(counts->longestUncut, std::min<std::int64_t>(maxLength, counts->longestUncut * 2)),
                           width = binWidth(longest + 1);
        m_bins.resize(static_cast<std::size_t>((longest + width) / width));
        for (std::size_t i = 0; i < m_bins.size(); ++i)
            m_bins[i] = {static_cast<std::int64_t>(i) * width, static_cast<std::int64_t>(i + 1) * width, 0};
        for (std::size_t length = 0; length < counts->lengths.size(); ++length) {
            if (counts->lengths[length] == 0) continue;
            // The last count is of all rows that are as long or longer.
            const std::int64_t at = length + 1 == counts->lengths.size() ? longest : static_cast<std::int64_t>(length);
            Bin& bin = m_bins[std::min(static_cast<std::size_t>(at / width), m_bins.size() - 1)];
            bin.rows += counts->lengths[length];
            m_most = std::max(m_most, bin.rows);
        }
        setAccessibleDescription(tr("Longest row %1 tokens; %2 rows are cut at %3")
                                     .arg(ui::count(counts->longestUncut), ui::count(counts->truncated), ui::count(maxLength)));
    }
    update();
}

QRectF LengthHistogram::plot() const {
    const QFontMetrics metrics(font());
    return QRectF(rect()).adjusted(metrics.horizontalAdvance(QStringLiteral("0,000")) + 8, 6, -10, -metrics.height() - 4);
}

void LengthHistogram::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme theme = Theme::current();
    const QRectF area = plot();
    painter.fillRect(area, theme.surface);
    painter.setPen(theme.inkSoft);
    if (m_bins.empty()) {
        painter.drawText(area, Qt::AlignCenter, tr("Row lengths appear here."));
        return;
    }
    const auto span = static_cast<double>(m_bins.back().to);
    const double top = std::log1p(static_cast<double>(m_most));
    const auto x = [&](double tokens) { return area.left() + area.width() * tokens / span; };
    for (const Bin& bin : m_bins) {
        if (bin.rows == 0) continue;
        const double height = std::max(2.0, area.height() * std::log1p(static_cast<double>(bin.rows)) / top);
        const QRectF bar(x(static_cast<double>(bin.from)), area.bottom() - height,
                         std::max(1.5, x(static_cast<double>(bin.to)) - x(static_cast<double>(bin.from)) - 1), height);
        const bool isCut = bin.from >= m_maxLength;
        painter.fillRect(bar, isCut ? QBrush(theme.error, Qt::BDiagPattern) : QBrush(theme.train));
        if (isCut) {
            painter.setPen(theme.error);
            painter.drawRect(bar.adjusted(0, 0, -1, 0));
        }
    }
    painter.setPen(theme.inkSoft);
    painter.drawLine(area.bottomLeft(), area.bottomRight());
    const QFontMetrics metrics(font());
    painter.drawText(QRectF(0, area.top() - 2, area.left() - 5, metrics.height()), Qt::AlignRight | Qt::AlignTop,
                     ui::count(static_cast<std::int64_t>(m_most)));
    painter.drawText(QRectF(0, area.bottom() - metrics.height(), area.left() - 5, metrics.height()), Qt::AlignRight | Qt::AlignBottom, tr("rows"));
    const double labels = area.bottom() + 2;
    const QString end = tr("%1 tokens").arg(ui::count(m_bins.back().to));
    painter.drawText(QRectF(area.left(), labels, 60, metrics.height()), Qt::AlignLeft, QStringLiteral("0"));
    if (static_cast<double>(m_maxLength) <= span) {
        const double at = x(static_cast<double>(m_maxLength));
        painter.setPen(QPen(theme.error, 1.5, Qt::DashLine));
        painter.drawLine(QPointF(at, area.top() - 4), QPointF(at, area.bottom() + 3));
        painter.setPen(theme.error);
        const QString text = tr("max_length %1").arg(ui::count(m_maxLength));
        const double width = metrics.horizontalAdvance(text);
        const double left = std::clamp(at - width / 2, area.left() + 20, area.right() - width);
        painter.drawText(QRectF(left, labels, width + 2, metrics.height()), Qt::AlignLeft, text);
        // The end of the axis is named where there is room for it.
        painter.setPen(theme.inkSoft);
        if (left + width < area.right() - 110)
            painter.drawText(QRectF(area.right() - 110, labels, 110, metrics.height()), Qt::AlignRight, end);
        else
            painter.drawText(QRectF(area.left(), labels, area.width() / 2, metrics.height()), Qt::AlignHCenter, tr("tokens"));
    } else {
        const QString text = tr("max_length %1: beyond all rows").arg(ui::count(m_maxLength));
        painter.drawText(QRectF(area.left() + 20, labels, area.width() - 140, metrics.height()), Qt::AlignHCenter, text);
        painter.drawText(QRectF(area.right() - 110, labels, 110, metrics.height()), Qt::AlignRight, end);
    }
}

bool LengthHistogram::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip && !m_bins.empty()) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const QRectF area = plot();
        const double tokens = (help->pos().x() - area.left()) / area.width() * static_cast<double>(m_bins.back().to);
        const auto width = m_bins.front().to - m_bins.front().from;
        const auto index = static_cast<std::int64_t>(std::floor(tokens / static_cast<double>(width)));
        if (index >= 0 && index < static_cast<std::int64_t>(m_bins.size())) {
            const Bin& bin = m_bins[static_cast<std::size_t>(index)];
            QToolTip::showText(
                help->globalPos(),
                tr("%1 rows of %2 to %3 tokens").arg(ui::count(static_cast<std::int64_t>(bin.rows)), ui::count(bin.from), ui::count(bin.to - 1)),
                this);
        }
        return true;
    }
    if (event->type() == QEvent::PaletteChange) update();
    return QWidget::event(event);
}

QString memoryTermText(MemoryKind kind) {
    switch (kind) {
        case MemoryKind::Weights: return MemoryBar::tr("weights");
        case MemoryKind::Masters: return MemoryBar::tr("host copies");
        case MemoryKind::Gradients: return MemoryBar::tr("gradients");
        case MemoryKind::FirstMoment: return MemoryBar::tr("m (1st moment)");
        case MemoryKind::SecondMoment: return MemoryBar::tr("v (2nd moment)");
        case MemoryKind::Pretrained: return MemoryBar::tr("pretrained copy");
        case MemoryKind::Selection: return MemoryBar::tr("selection");
        case MemoryKind::Statistics: return MemoryBar::tr("mask statistics");
        case MemoryKind::Activations: return MemoryBar::tr("activations");
        case MemoryKind::Logits: return MemoryBar::tr("logits");
        case MemoryKind::Runtime: return MemoryBar::tr("reserve");
    }
    return {};
}

MemoryBar::MemoryBar(QWidget* parent) : QWidget(parent) {
    setAccessibleName(tr("Memory forecast"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

QString MemoryBar::fitText(MemoryFit fit) {
    switch (fit) {
        case MemoryFit::Fits: return tr("✓ fits");
        case MemoryFit::Tight: return tr("⚠ tight");
        case MemoryFit::DoesNotFit: return tr("✗ does not fit");
    }
    return {};
}

std::vector<MemoryTerm> MemoryBar::shownTerms() const {
    std::vector<MemoryTerm> terms;
    if (!m_plan) return terms;
    for (const MemoryTerm& term : m_plan->terms) {
        if (term.bytes > 0) terms.push_back(term);
    }
    return terms;
}

void MemoryBar::setPlan(const std::optional<MemoryPlan>& plan, std::uint64_t freeBytes) {
    m_plan = plan;
    m_freeBytes = freeBytes;
    QString spoken;
    for (const MemoryTerm& term : shownTerms()) spoken += memoryTermText(term.kind) + QLatin1Char(' ') + bytesText(term.bytes) + QStringLiteral("; ");
    if (m_plan && freeBytes > 0) spoken += fitText(memoryFit(m_plan->deviceBytes(), freeBytes));
    setAccessibleDescription(spoken);
    updateGeometry();
    update();
}

QSize MemoryBar::sizeHint() const {
    const int line = QFontMetrics(font()).height() + 3;
    return {240, 30 + line + static_cast<int>(std::max<std::size_t>(shownTerms().size(), 9)) * line};
}

void MemoryBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme theme = Theme::current();
    const QFontMetrics metrics(font());
    const int line = metrics.height() + 3;
    painter.setPen(theme.inkSoft);
    if (!m_plan) {
        painter.drawText(rect(), Qt::AlignTop | Qt::AlignLeft | Qt::TextWordWrap, tr("The forecast appears once a model is chosen."));
        return;
    }
    const std::uint64_t needed = m_plan->deviceBytes();
    const auto whole = static_cast<double>(std::max(needed, m_freeBytes > 0 ? m_freeBytes : needed));
    const QRectF bar(0.5, 2.5, width() - 1.0, 20);
    painter.fillRect(bar, theme.grid);
    double left = bar.left();
    const std::vector<MemoryTerm> terms = shownTerms();
    for (const MemoryTerm& term : terms) {
        if (term.onHost) continue;
        const double width = bar.width() * static_cast<double>(term.bytes) / whole;
        painter.fillRect(QRectF(left, bar.top(), std::max(0.0, width - (width > 3 ? 1 : 0)), bar.height()), termColour(term.kind, theme.dark));
        left += width;
    }
    painter.setPen(theme.inkSoft);
    painter.drawRect(bar);
    if (m_freeBytes > 0) {
        const double limit = bar.left() + bar.width() * static_cast<double>(m_freeBytes) / whole;
        painter.setPen(QPen(theme.error, 2));
        painter.drawLine(QPointF(limit - 1, bar.top() - 2), QPointF(limit - 1, bar.bottom() + 3));
    }
    int y = static_cast<int>(bar.bottom()) + 6;
    for (const MemoryTerm& term : terms) {
        painter.fillRect(QRect(0, y + (line - swatch) / 2, swatch, swatch), termColour(term.kind, theme.dark));
        painter.setPen(theme.ink);
        const QString name = term.onHost ? tr("%1 (host memory)").arg(memoryTermText(term.kind)) : memoryTermText(term.kind);
        painter.drawText(QRect(swatch + 7, y, width() - swatch - 7, line), Qt::AlignLeft | Qt::AlignVCenter, name);
        painter.drawText(QRect(0, y, width(), line), Qt::AlignRight | Qt::AlignVCenter, bytesText(term.bytes));
        y += line;
    }
}

void MemoryBar::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange) updateGeometry();
    if (event->type() == QEvent::PaletteChange) update();
}

}  // namespace mofo
