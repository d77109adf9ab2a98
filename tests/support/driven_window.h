// The built window as a person has it: under an X server of its own (Xvfb) with a small window manager (openbox; a bare server never activates
// a window), driven by keys (xdotool), its pixels read from the server's memory. Needs a QCoreApplication.
#pragma once

#include <QElapsedTimer>
#include <QImage>
#include <QProcess>
#include <QString>
#include <QStringList>
#include <QTemporaryDir>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace mofo::test {

/// What is missing of Xvfb, openbox and xdotool, comma-separated; empty where all are there.
[[nodiscard]] QString missingScreenTools();

/// A screen of 24 bits without a monitor. Ends with the object.
class Screen {
public:
    static Result<std::unique_ptr<Screen>> start(QSize size);
    ~Screen();

    [[nodiscard]] QString display() const { return m_display; }
    [[nodiscard]] QSize size() const { return m_size; }
    /// All of it, as it is now.
    [[nodiscard]] QImage picture() const;
    /// Runs xdotool and waits; what it printed, empty where it failed.
    [[nodiscard]] QString xdotool(const QStringList& arguments) const;

private:
    explicit Screen(QSize size) : m_size(size) {}
    Result<void> begin();

    QSize m_size;
    QString m_display;
    QTemporaryDir m_folder;
    QProcess m_server, m_manager;
};

struct DrivenWindowOptions {
    QString program;
    QStringList arguments;
    QSize size{1440, 900};  ///< in pixels of the window without frame
    double scale = 1;       ///< QT_SCALE_FACTOR
    std::vector<std::pair<QString, QString>> environment;
};

/// One start of the program, with settings of its own.
class DrivenWindow {
public:
    /// Returns once the window is there, has its size and the focus. Fails after 20 s.
    static Result<std::unique_ptr<DrivenWindow>> start(const Screen& screen, const DrivenWindowOptions& options);
    ~DrivenWindow();

    /// Presses keys as xdotool names them: "ctrl+3", "Return".
    void press(const QStringList& keys);
    void type(const QString& text);
    [[nodiscard]] QString title() const;
    [[nodiscard]] QImage picture() const;
    /// The picture after it has stood still for `quietMs`, but for the status line, which counts seconds; the last one after 20 s.
    [[nodiscard]] QImage steadyPicture(int quietMs = 700) const;
    /// What the program wrote to standard error so far.
    [[nodiscard]] QString errors();
    /// Ctrl+Q, and whether it ended with exit code 0 by that.
    [[nodiscard]] bool quit();
    /// Milliseconds from the start of the program to the first pixels of its window.
    [[nodiscard]] double firstPaintMs() const { return m_firstPaintMs; }
    [[nodiscard]] double sinceStartMs() const { return static_cast<double>(m_clock.nsecsElapsed()) / 1e6; }
    /// Minimises it.
    void minimise() const { (void)m_screen.xdotool({QStringLiteral("windowminimize"), m_window}); }
    [[nodiscard]] qint64 processId() const { return m_process.processId(); }

private:
    DrivenWindow(const Screen& screen, DrivenWindowOptions options) : m_screen(screen), m_options(std::move(options)) {}
    Result<void> begin();

    const Screen& m_screen;
    DrivenWindowOptions m_options;
    QTemporaryDir m_settings;
    QProcess m_process;
    QString m_window;
    QString m_errors;
    QElapsedTimer m_clock;
    double m_firstPaintMs = -1;
};

/// How many different colours, and the share of pixels that have the most frequent one.
struct PictureFacts {
    int colours = 0;
    double commonest = 1;
};
[[nodiscard]] PictureFacts factsOf(const QImage& picture);
/// The share of pixels in which two pictures of one size differ; 1 for different sizes.
[[nodiscard]] double differenceOf(const QImage& a, const QImage& b);

}  // namespace mofo::test
