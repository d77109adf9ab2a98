#include "ui/widgets/small_widgets.h"

#include <QApplication>
#include <QEvent>
#include <QFontMetricsF>
#include <QHBoxLayout>
#include <QResizeEvent>
#include <algorithm>
#include <cmath>

#include "ui/widgets/theme.h"

namespace mofo {

ElidedLabel::ElidedLabel(QWidget* parent) : QLabel(parent) {
    setTextFormat(Qt::PlainText);
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
}

void ElidedLabel::setFullText(const QString& text) {
    if (text == m_text) return;
    m_text = text;
    setAccessibleDescription(text);
    elide();
}

QSize ElidedLabel::minimumSizeHint() const { return {0, QLabel::minimumSizeHint().height()}; }

void ElidedLabel::resizeEvent(QResizeEvent* event) {
    QLabel::resizeEvent(event);
    elide();
}

void ElidedLabel::elide() {
    const QString fitting = fontMetrics().elidedText(m_text, Qt::ElideRight, contentsRect().width());
    if (fitting != text()) setText(fitting);
    setToolTip(fitting == m_text ? QString() : m_text.toHtmlEscaped());
}

MessageBar::MessageBar(const QString& objectName, QWidget* parent) : QFrame(parent) {
    setObjectName(objectName);
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(10, 4, 6, 4);
    m_glyph = new QLabel(this);
    m_text = makeLabel(objectName + QStringLiteral(".text"), this);
    m_text->setWordWrap(true);
    m_text->setAccessibleName(tr("Message"));
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    const auto addAct = [&](const char* name) {
        auto* button = new QPushButton(this);
        button->setObjectName(objectName + QLatin1String(name));
        button->setAccessibleName(tr("What can be done"));
        return button;
    };
    m_action = addAct(".action");
    m_second = addAct(".second");
    connect(m_action, &QPushButton::clicked, this, &MessageBar::actionTriggered);
    connect(m_second, &QPushButton::clicked, this, &MessageBar::secondTriggered);
    layout->addWidget(m_glyph);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_action);
    layout->addWidget(m_second);
    hide();
}

void MessageBar::setMessage(Kind kind, const QString& text, const QString& action, const QString& second) {
    const bool sameActs = action == m_action->text() && second == m_second->text();
    if (text == m_text->text() && kind == m_kind && sameActs && isHidden() == text.isEmpty()) return;
    m_kind = kind;
    m_glyph->setText(kind == Kind::Hint ? QStringLiteral("➜") : kind == Kind::Warning ? QStringLiteral("⚠") : QStringLiteral("✗"));
    m_text->setText(text);
    setAccessibleName(text);
    for (const auto& [button, label] : {std::pair(m_action, action), std::pair(m_second, second)}) {
        button->setText(label);
        if (!label.isEmpty()) button->setAccessibleName(label);
        button->setVisible(!label.isEmpty());
    }
    applyColours();
    setVisible(!text.isEmpty());
}

void MessageBar::applyColours() {
    const Theme theme = Theme::current();
    QPalette colours = palette();
    const QColor mark = m_kind == Kind::Hint ? theme.train : m_kind == Kind::Warning ? theme.warning : theme.error;
    QColor ground = mark;
    ground.setAlphaF(theme.dark ? 0.20F : 0.10F);
    const QColor surface = theme.surface;
    const auto mix = [&](int a, int b) { return static_cast<int>(a * ground.alphaF() + b * (1 - ground.alphaF())); };
    colours.setColor(QPalette::Window, QColor(mix(mark.red(), surface.red()), mix(mark.green(), surface.green()), mix(mark.blue(), surface.blue())));
    setPalette(colours);
    QPalette glyph = m_glyph->palette();
    glyph.setColor(QPalette::WindowText, mark);
    m_glyph->setPalette(glyph);
}

void MessageBar::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    if (event->type() == QEvent::ApplicationPaletteChange) applyColours();
}

WheelGuard::WheelGuard(QWidget* widget) : QObject(widget) {
    widget->setFocusPolicy(Qt::StrongFocus);
    widget->installEventFilter(this);
}

bool WheelGuard::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::Wheel && !static_cast<QWidget*>(watched)->hasFocus()) {
        event->ignore();
        return true;
    }
    return QObject::eventFilter(watched, event);
}

QLabel* makeHeading(const QString& text, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    label->setTextFormat(Qt::PlainText);
    QFont font = label->font();
    font.setBold(true);
    label->setFont(font);
    return label;
}

int textPixels(int pixels) {
    constexpr double usualDigit = 8;
    const double digit = QFontMetricsF(QApplication::font()).horizontalAdvance(QLatin1Char('0'));
    return std::max(pixels, static_cast<int>(std::lround(pixels * digit / usualDigit)));
}

QLabel* makeLabel(const QString& objectName, QWidget* parent) {
    auto* label = new QLabel(parent);
    label->setObjectName(objectName);
    label->setTextFormat(Qt::PlainText);
    return label;
}

}  // namespace mofo
