#include "ui/widgets/token_view.h"

#include <QEvent>
#include <QHelpEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>

#include "ui/models/display_text.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

constexpr int margin = 8;
constexpr int leading = 5;

/// A piece as it is drawn: blanks are kept, line ends and tabs have signs, everything else that does not print is escaped.
QString drawn(const QString& piece) {
    QString text;
    for (const QChar c : piece) {
        if (c == QLatin1Char('\n'))
            text += QStringLiteral("↵");
        else if (c == QLatin1Char('\t'))
            text += QStringLiteral("⇥");
        else if (c == QLatin1Char('\r'))
            text += QStringLiteral("␍");
        else
            text += c;
    }
    return ui::shown(text.toStdString());
}

}  // namespace

TokenView::TokenView(QWidget* parent) : QAbstractScrollArea(parent) {
    setFrameShape(QFrame::StyledPanel);
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    viewport()->setMouseTracking(true);
    viewport()->setAccessibleName(tr("Tokens of the row"));
}

void TokenView::setRow(const PreviewRowPtr& row) {
    m_row = row;
    verticalScrollBar()->setValue(0);
    if (row) {
        setAccessibleDescription(row->problem == PreviewRow::Problem::Refused
                                     ? row->reason
                                     : tr("%1 tokens, %2 of them trained on").arg(ui::count(row->tokenCount), ui::count(row->trainedCount)));
    } else {
        setAccessibleDescription({});
    }
    layOut();
    // What is trained on is what a look is for: it comes into view, with some of what stands before it.
    if (row) {
        for (const Piece& piece : m_pieces) {
            if (row->trained[static_cast<std::size_t>(piece.token)] == 0 || piece.token >= row->cutFrom) continue;
            verticalScrollBar()->setValue(piece.rect.bottom() + margin - viewport()->height() * 2 / 3);
            break;
        }
    }
    viewport()->update();
}

void TokenView::setPlaceholder(const QString& text) {
    m_placeholder = text;
    if (!m_row) viewport()->update();
}

void TokenView::layOut() {
    m_pieces.clear();
    const QFontMetrics metrics(font());
    const int lineHeight = metrics.height() + leading, right = viewport()->width() - margin;
    int x = margin, y = margin;
    if (m_row) {
        for (std::size_t i = 0; i < m_row->ids.size(); ++i) {
            QString rest = drawn(m_row->pieces[i]);
            if (rest.isEmpty()) rest = QStringLiteral("∅");
            // A token that is longer than the rest of the line goes to the next one; one that is longer than a line is broken.
            while (!rest.isEmpty()) {
                int width = metrics.horizontalAdvance(rest) + 2;
                if (x + width > right && x > margin) {
                    x = margin;
                    y += lineHeight;
                    continue;
                }
                QString part = rest;
                if (x + width > right) {
                    qsizetype fits = 1;
                    while (fits < rest.size() && metrics.horizontalAdvance(rest.left(fits + 1)) + 2 <= right - x) ++fits;
                    part = rest.left(fits);
                    width = metrics.horizontalAdvance(part) + 2;
                }
                m_pieces.push_back({QRect(x, y, width, metrics.height() + 2), static_cast<int>(i), part});
                x += width;
                rest.remove(0, part.size());
            }
            if (m_row->pieces[i].contains(QLatin1Char('\n'))) {
                x = margin;
                y += lineHeight;
            }
        }
    }
    m_height = y + lineHeight + margin;
    verticalScrollBar()->setSingleStep(lineHeight);
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setRange(0, std::max(0, m_height - viewport()->height()));
}

void TokenView::paintEvent(QPaintEvent*) {
    QPainter painter(viewport());
    const Theme theme = Theme::current();
    painter.fillRect(viewport()->rect(), theme.surface);
    const auto say = [&](const QString& text, const QColor& colour) {
        painter.setPen(colour);
        painter.drawText(viewport()->rect().adjusted(margin * 2, margin, -margin * 2, -margin), Qt::AlignCenter | Qt::TextWordWrap, text);
    };
    if (!m_row) return say(m_placeholder, theme.inkSoft);
    if (m_row->problem == PreviewRow::Problem::Refused) return say(QStringLiteral("✗ ") + m_row->reason, theme.error);
    painter.setFont(font());
    QColor tint = theme.train;
    tint.setAlphaF(theme.dark ? 0.26F : 0.14F);
    const int scrolled = verticalScrollBar()->value();
    const QRect visible = viewport()->rect().translated(0, scrolled);
    const auto first =
        std::lower_bound(m_pieces.begin(), m_pieces.end(), visible.top(), [](const Piece& piece, int top) { return piece.rect.bottom() < top; });
    for (auto piece = first; piece != m_pieces.end() && piece->rect.top() <= visible.bottom(); ++piece) {
        const auto token = static_cast<std::size_t>(piece->token);
        const QRect rect = piece->rect.translated(0, -scrolled);
        const bool isCut = piece->token >= m_row->cutFrom;
        const bool isTrained = m_row->trained[token] != 0 && !isCut;
        if (isTrained) {
            painter.fillRect(rect, tint);
            painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width() - 1, 2), theme.train);
        }
        if (m_row->special[token] != 0) {
            painter.setPen(isTrained ? theme.train : theme.inkSoft);
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(rect.adjusted(0, 0, -2, -1));
        } else {
            painter.setPen(theme.grid);
            painter.drawLine(rect.topRight(), rect.bottomRight() - QPoint(0, 1));
        }
        painter.setPen(isTrained ? theme.ink : theme.inkSoft);
        painter.drawText(rect.adjusted(1, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, piece->text);
        if (isCut) {
            painter.setPen(theme.error);
            painter.drawLine(rect.left(), rect.center().y(), rect.right(), rect.center().y());
        }
    }
    if (hasFocus()) {
        painter.setPen(QPen(theme.train, 2));
        painter.drawRect(viewport()->rect().adjusted(1, 1, -1, -1));
    }
}

int TokenView::tokenAt(const QPoint& point) const {
    const QPoint at = point + QPoint(0, verticalScrollBar()->value());
    for (const Piece& piece : m_pieces) {
        if (piece.rect.contains(at)) return piece.token;
    }
    return -1;
}

QRect TokenView::rectOf(int token) const {
    for (const Piece& piece : m_pieces) {
        if (piece.token == token) return piece.rect.translated(0, -verticalScrollBar()->value());
    }
    return {};
}

bool TokenView::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const int token = tokenAt(help->pos());
        if (token < 0) {
            QToolTip::hideText();
            return true;
        }
        const auto i = static_cast<std::size_t>(token);
        const bool isCut = token >= m_row->cutFrom;
        const QString use = isCut ? tr("cut off") : m_row->trained[i] != 0 ? tr("trained on") : tr("not trained on");
        const QString text = tr("token %1: id %2, “%3”, %4", "index, id, piece, use").arg(token).arg(m_row->ids[i]).arg(drawn(m_row->pieces[i]), use);
        QToolTip::showText(help->globalPos(), text.toHtmlEscaped(), viewport());
        return true;
    }
    return QAbstractScrollArea::viewportEvent(event);
}

void TokenView::resizeEvent(QResizeEvent* event) {
    QAbstractScrollArea::resizeEvent(event);
    layOut();
}

void TokenView::changeEvent(QEvent* event) {
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::FontChange) layOut();
    if (event->type() == QEvent::PaletteChange) viewport()->update();
}

}  // namespace mofo
