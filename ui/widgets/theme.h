// Colours of the window and its charts: light, dark, or the desktop's.
#pragma once

#include <QColor>
#include <QIcon>
#include <QPalette>
#include <QString>
#include <array>

class QApplication;

namespace mofo {

/// Series and marks keep 3:1 against the chart surface, texts 4.5:1; colours never stand alone.
struct Theme {
    enum class Choice { Desktop, Light, Dark };

    bool dark = false;
    QColor surface;        ///< behind curves
    QColor ink, inkSoft;   ///< text and axes; notes and secondary text
    QColor grid;
    QColor train, eval;    ///< fixed meaning on every page
    QColor error, warning;
    QColor accent;         ///< staged and sent values
    QColor band;           ///< the advised band of alpha, behind the dial
    QColor hatch;          ///< cells without a value
    QColor hairline;       ///< between panels

    /// What the application's palette asks for now.
    [[nodiscard]] static Theme current();
    /// Fusion with our own palette. Desktop keeps dark or light as the application started.
    static void apply(QApplication& application, Choice choice);
    /// "light", "dark", anything else = Desktop.
    [[nodiscard]] static Choice choiceOf(const QString& text);
};

/// An SVG of resources/icons, tinted with the palette's text colour, its disabled and its highlighted one.
[[nodiscard]] QIcon themedIcon(const QString& name, const QPalette& palette);

}  // namespace mofo
