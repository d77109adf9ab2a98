#include "ui/widgets/theme.h"

#include <QApplication>
#include <QFile>
#include <QPainter>
#include <QProxyStyle>
#include <QStyleOption>
#include <QSvgRenderer>

namespace mofo {

namespace {

QPalette lightPalette() {
    QPalette palette;
    const QColor text(0x1b, 0x1e, 0x20);
    palette.setColor(QPalette::Window, QColor(0xf1, 0xf2, 0xf4));
    palette.setColor(QPalette::WindowText, text);
    palette.setColor(QPalette::Base, QColor(0xfc, 0xfc, 0xfc));
    palette.setColor(QPalette::AlternateBase, QColor(0xf4, 0xf5, 0xf7));
    palette.setColor(QPalette::Text, text);
    palette.setColor(QPalette::PlaceholderText, QColor(0x5c, 0x63, 0x6a));
    palette.setColor(QPalette::Button, QColor(0xe8, 0xea, 0xed));
    palette.setColor(QPalette::ButtonText, text);
    palette.setColor(QPalette::ToolTipBase, QColor(0x2b, 0x30, 0x34));
    palette.setColor(QPalette::ToolTipText, QColor(0xf5, 0xf5, 0xf5));
    palette.setColor(QPalette::Highlight, QColor(0x1f, 0x5f, 0x8f));
    palette.setColor(QPalette::HighlightedText, Qt::white);
    palette.setColor(QPalette::Link, QColor(0x1f, 0x5f, 0x8f));
    palette.setColor(QPalette::Light, Qt::white);
    palette.setColor(QPalette::Midlight, QColor(0xe3, 0xe5, 0xe8));
    palette.setColor(QPalette::Mid, QColor(0xb9, 0xbe, 0xc4));
    palette.setColor(QPalette::Dark, QColor(0x8d, 0x94, 0x9b));
    palette.setColor(QPalette::Shadow, QColor(0x50, 0x55, 0x5a));
    const QColor faint(0x83, 0x8a, 0x91);
    for (const QPalette::ColorRole role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        palette.setColor(QPalette::Disabled, role, faint);
    }
    palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor(0xc3, 0xc8, 0xcd));
    return palette;
}

QPalette darkPalette() {
    QPalette palette;
    const QColor text(0xe6, 0xe6, 0xe6);
    palette.setColor(QPalette::Window, QColor(0x25, 0x29, 0x2c));
    palette.setColor(QPalette::WindowText, text);
    palette.setColor(QPalette::Base, QColor(0x1b, 0x1e, 0x20));
    palette.setColor(QPalette::AlternateBase, QColor(0x22, 0x26, 0x29));
    palette.setColor(QPalette::Text, text);
    palette.setColor(QPalette::PlaceholderText, QColor(0xa3, 0xaa, 0xb0));
    palette.setColor(QPalette::Button, QColor(0x33, 0x38, 0x3c));
    palette.setColor(QPalette::ButtonText, text);
    palette.setColor(QPalette::ToolTipBase, QColor(0x3a, 0x40, 0x45));
    palette.setColor(QPalette::ToolTipText, QColor(0xf2, 0xf2, 0xf2));
    palette.setColor(QPalette::Highlight, QColor(0x2f, 0x73, 0xab));
    palette.setColor(QPalette::HighlightedText, Qt::white);
    palette.setColor(QPalette::Link, QColor(0x7c, 0xc1, 0xf0));
    palette.setColor(QPalette::Light, QColor(0x4a, 0x50, 0x56));
    palette.setColor(QPalette::Midlight, QColor(0x3d, 0x43, 0x48));
    palette.setColor(QPalette::Mid, QColor(0x4d, 0x54, 0x5a));
    palette.setColor(QPalette::Dark, QColor(0x14, 0x16, 0x18));
    palette.setColor(QPalette::Shadow, QColor(0x0c, 0x0d, 0x0e));
    const QColor faint(0x7d, 0x85, 0x8c);
    for (const QPalette::ColorRole role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
        palette.setColor(QPalette::Disabled, role, faint);
    }
    palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor(0x45, 0x4b, 0x50));
    return palette;
}

QPixmap tinted(const QByteArray& svg, const QColor& colour, int size) {
    QByteArray coloured = svg;
    coloured.replace("currentColor", colour.name().toLatin1());
    QPixmap pixmap(size, size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    QSvgRenderer(coloured).render(&painter);
    return pixmap;
}

/// Fusion with room in table cells and flat tool bars.
class WorkbenchStyle : public QProxyStyle {
public:
    WorkbenchStyle() : QProxyStyle(QStringLiteral("fusion")) {}
    int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override {
        if (metric == PM_FocusFrameHMargin) return 5;
        if (metric == PM_HeaderMargin) return 6;
        return QProxyStyle::pixelMetric(metric, option, widget);
    }
    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const override {
        if (element == PE_PanelButtonTool && option->state.testFlag(State_On)) {
            // On is a tinted ground and a frame, in both themes; Fusion's darker shade cannot be told from off on dark.
            painter->save();
            painter->setRenderHint(QPainter::Antialiasing);
            QColor ground = option->palette.color(QPalette::Highlight);
            painter->setPen(ground);
            ground.setAlphaF(0.22F);
            painter->setBrush(ground);
            painter->drawRoundedRect(QRectF(option->rect).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
            painter->restore();
            return;
        }
        QProxyStyle::drawPrimitive(element, option, painter, widget);
        if (element == PE_IndicatorCheckBox && option->state.testFlag(State_Enabled)) {
            // Fusion draws its frame in a shade of the window, which cannot be seen on dark.
            painter->save();
            painter->setPen(option->palette.color(QPalette::PlaceholderText));
            painter->drawRect(option->rect.adjusted(0, 0, -1, -1));
            painter->restore();
        }
        if (element == PE_FrameLineEdit && !option->state.testFlag(State_HasFocus) && option->palette.color(QPalette::Window).lightness() < 128) {
            // The same shade around a field, on a card of the field's own colour.
            painter->save();
            painter->setRenderHint(QPainter::Antialiasing);
            QColor line = option->palette.color(QPalette::PlaceholderText);
            line.setAlphaF(0.5F);
            painter->setPen(line);
            painter->drawRoundedRect(QRectF(option->rect).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2);
            painter->restore();
        }
    }
    void drawControl(ControlElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const override {
        if (element == CE_ToolBar) {
            painter->fillRect(option->rect, option->palette.window());
            painter->setPen(option->palette.color(QPalette::Midlight).darker(108));
            painter->drawLine(option->rect.topRight(), option->rect.bottomRight());
            return;
        }
        QProxyStyle::drawControl(element, option, painter, widget);
    }
};

}  // namespace

Theme Theme::current() {
    const QPalette palette = QApplication::palette();
    Theme theme;
    theme.dark = palette.color(QPalette::Window).lightness() < 128;
    theme.surface = palette.color(QPalette::Base);
    theme.ink = palette.color(QPalette::Text);
    theme.inkSoft = palette.color(QPalette::PlaceholderText);
    if (theme.dark) {
        theme.grid = QColor(0x35, 0x3a, 0x3e);
        theme.train = QColor(0x56, 0xb4, 0xe9);
        theme.eval = QColor(0xe6, 0x9f, 0x00);
        theme.error = QColor(0xff, 0x8a, 0x7a);
        theme.warning = QColor(0xf0, 0xc6, 0x5a);
        theme.accent = QColor(0xcc, 0x79, 0xa7);
        theme.band = QColor(0x2b, 0x4a, 0x44);
        theme.hatch = QColor(0x6a, 0x70, 0x76);
        theme.hairline = QColor(0x3f, 0x45, 0x4a);
    } else {
        theme.grid = QColor(0xe4, 0xe6, 0xe9);
        theme.train = QColor(0x19, 0x40, 0x5c);
        theme.eval = QColor(0x6b, 0x32, 0x08);
        theme.error = QColor(0xb3, 0x26, 0x1e);
        theme.warning = QColor(0x8a, 0x5a, 0x00);
        theme.accent = QColor(0xcb, 0x3f, 0x9f);
        theme.band = QColor(0xc9, 0xe6, 0xdb);
        theme.hatch = QColor(0x9a, 0xa1, 0xa8);
        theme.hairline = QColor(0xd3, 0xd6, 0xda);
    }
    return theme;
}

void Theme::apply(QApplication& application, Choice choice) {
    static const bool desktopIsDark = application.palette().color(QPalette::Window).lightness() < 128;
    if (dynamic_cast<WorkbenchStyle*>(QApplication::style()) == nullptr) QApplication::setStyle(new WorkbenchStyle);
    const bool dark = choice == Choice::Dark || (choice == Choice::Desktop && desktopIsDark);
    QApplication::setPalette(dark ? darkPalette() : lightPalette());
}

Theme::Choice Theme::choiceOf(const QString& text) {
    if (text == QLatin1String("light")) return Choice::Light;
    if (text == QLatin1String("dark")) return Choice::Dark;
    return Choice::Desktop;
}

QIcon themedIcon(const QString& name, const QPalette& palette) {
    QFile file(QStringLiteral(":/mofo/icons/%1.svg").arg(name));
    if (!file.open(QIODevice::ReadOnly)) return {};
    const QByteArray svg = file.readAll();
    QIcon icon;
    for (const int size : {16, 24, 32, 48, 64}) {
        icon.addPixmap(tinted(svg, palette.color(QPalette::Active, QPalette::ButtonText), size), QIcon::Normal);
        icon.addPixmap(tinted(svg, palette.color(QPalette::Disabled, QPalette::ButtonText), size), QIcon::Disabled);
        icon.addPixmap(tinted(svg, palette.color(QPalette::Active, QPalette::HighlightedText), size), QIcon::Selected);
    }
    return icon;
}

}  // namespace mofo
