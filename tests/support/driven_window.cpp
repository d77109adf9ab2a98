#include "tests/support/driven_window.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QHash>
#include <QProcessEnvironment>
#include <QStandardPaths>
#include <QThread>
#include <QtEndian>
#include <algorithm>
#include <array>
#include <cstring>

namespace mofo::test {

namespace {

constexpr int patienceMs = 20'000;
constexpr int toolMs = 10'000;

Error failure(const QString& text) { return Error{.code = ErrorCode::Internal, .message = text.toStdString()}; }

/// No frames, everything at the left upper corner: a window's pixels are the screen's.
constexpr const char* openboxConfig = R"(<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew></focus>
  <desktops><number>1</number></desktops>
  <applications>
    <application type="normal"><decor>no</decor><position force="yes"><x>0</x><y>0</y></position></application>
  </applications>
</openbox_config>
)";

void end(QProcess& process) {
    if (process.state() == QProcess::NotRunning) return;
    process.terminate();
    if (process.waitForFinished(3000)) return;
    process.kill();
    process.waitForFinished(3000);
}

bool isPainted(const QImage& screen, QRgb bare) {
    constexpr int apart = 16, enough = 12;
    int found = 0;
    for (int y = 0; y < screen.height(); y += apart) {
        for (int x = 0; x < screen.width(); x += apart) found += screen.pixel(x, y) != bare ? 1 : 0;
    }
    return found > enough;
}

}  // namespace

QString missingScreenTools() {
    QStringList missing;
    for (const QString& tool : {QStringLiteral("Xvfb"), QStringLiteral("openbox"), QStringLiteral("xdotool")}) {
        if (QStandardPaths::findExecutable(tool).isEmpty()) missing << tool;
    }
    return missing.join(QStringLiteral(", "));
}

Result<std::unique_ptr<Screen>> Screen::start(QSize size) {
    std::unique_ptr<Screen> screen(new Screen(size));
    MOFO_CHECK(screen->begin());
    return screen;
}

Screen::~Screen() {
    end(m_manager);
    end(m_server);
}

Result<void> Screen::begin() {
    if (const QString missing = missingScreenTools(); !missing.isEmpty()) return failure(QStringLiteral("%1 is not installed").arg(missing));
    if (!m_folder.isValid()) return failure(QStringLiteral("no temporary folder: %1").arg(m_folder.errorString()));
    m_server.setProcessChannelMode(QProcess::SeparateChannels);
    m_server.start(QStringLiteral("Xvfb"),
                   {QStringLiteral("-displayfd"), QStringLiteral("1"), QStringLiteral("-screen"), QStringLiteral("0"),
                    QStringLiteral("%1x%2x24").arg(m_size.width()).arg(m_size.height()), QStringLiteral("-fbdir"), m_folder.path(),
                    QStringLiteral("-nolisten"), QStringLiteral("tcp"), QStringLiteral("-nocursor"), QStringLiteral("-dpi"), QStringLiteral("96")});
    QElapsedTimer clock;
    clock.start();
    QByteArray number;
    while (!number.endsWith('\n')) {
        if (clock.elapsed() > patienceMs || m_server.state() == QProcess::NotRunning) {
            return failure(QStringLiteral("Xvfb did not start: %1").arg(QString::fromLocal8Bit(m_server.readAllStandardError()).trimmed()));
        }
        m_server.waitForReadyRead(200);
        number += m_server.readAllStandardOutput();
    }
    m_display = QLatin1Char(':') + QString::fromLatin1(number.trimmed());

    QFile config(m_folder.filePath(QStringLiteral("rc.xml")));
    if (!config.open(QIODevice::WriteOnly) || config.write(openboxConfig) < 0) return failure(config.errorString());
    config.close();
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("DISPLAY"), m_display);
    environment.insert(QStringLiteral("HOME"), m_folder.path());
    m_manager.setProcessEnvironment(environment);
    m_manager.setStandardErrorFile(QProcess::nullDevice());
    m_manager.start(QStringLiteral("openbox"), {QStringLiteral("--sm-disable"), QStringLiteral("--config-file"), config.fileName()});
    if (!m_manager.waitForStarted()) return failure(QStringLiteral("openbox did not start: %1").arg(m_manager.errorString()));
    // It owns the selection WM_S0 and names itself once it manages windows; xdotool asks for that name's properties.
    while (xdotool({QStringLiteral("get_desktop")}).isEmpty()) {
        if (clock.elapsed() > patienceMs || m_manager.state() == QProcess::NotRunning) return failure(QStringLiteral("openbox manages no windows"));
        QThread::msleep(50);
    }
    // Out of the pictures, and over no widget that would show a tool tip.
    (void)xdotool({QStringLiteral("mousemove"), QString::number(m_size.width() - 1), QString::number(m_size.height() - 1)});
    return {};
}

QString Screen::xdotool(const QStringList& arguments) const {
    QProcess tool;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("DISPLAY"), m_display);
    tool.setProcessEnvironment(environment);
    tool.start(QStringLiteral("xdotool"), arguments);
    if (!tool.waitForFinished(toolMs) || tool.exitCode() != 0) return {};
    return QString::fromLocal8Bit(tool.readAllStandardOutput()).trimmed();
}

QImage Screen::picture() const {
    // An xwd file: 25 big-endian numbers, the window's name, the colour map, the pixels.
    QFile file(m_folder.filePath(QStringLiteral("Xvfb_screen0")));
    if (!file.open(QIODevice::ReadOnly)) return {};
    const QByteArray bytes = file.readAll();
    constexpr std::size_t numbers = 25, colourBytes = 12;
    if (bytes.size() < static_cast<qsizetype>(numbers * 4)) return {};
    std::array<quint32, numbers> header{};
    for (std::size_t i = 0; i < numbers; ++i) header[i] = qFromBigEndian<quint32>(bytes.constData() + 4 * i);
    enum { HeaderSize = 0, Width = 4, Height = 5, BitsPerPixel = 11, BytesPerLine = 12, Colours = 19 };
    const std::size_t start = header[HeaderSize] + header[Colours] * colourBytes;
    if (header[BitsPerPixel] != 32 || bytes.size() < static_cast<qsizetype>(start + std::size_t{header[BytesPerLine]} * header[Height])) return {};
    return QImage(reinterpret_cast<const uchar*>(bytes.constData()) + start, static_cast<int>(header[Width]), static_cast<int>(header[Height]),
                  header[BytesPerLine], QImage::Format_RGB32)
        .copy();
}

Result<std::unique_ptr<DrivenWindow>> DrivenWindow::start(const Screen& screen, const DrivenWindowOptions& options) {
    std::unique_ptr<DrivenWindow> window(new DrivenWindow(screen, options));
    MOFO_CHECK(window->begin());
    return window;
}

DrivenWindow::~DrivenWindow() { end(m_process); }

Result<void> DrivenWindow::begin() {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const char* name : {"WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "MOFO_THEME", "MOFO_LANGUAGE", "QT_SCREEN_SCALE_FACTORS", "XDG_SESSION_TYPE"})
        environment.remove(QLatin1String(name));
    environment.insert(QStringLiteral("DISPLAY"), m_screen.display());
    environment.insert(QStringLiteral("XDG_CONFIG_HOME"), m_settings.path());
    environment.insert(QStringLiteral("XDG_RUNTIME_DIR"), m_settings.path());
    environment.insert(QStringLiteral("LC_ALL"), QStringLiteral("C.UTF-8"));
    environment.insert(QStringLiteral("QT_SCALE_FACTOR"), QString::number(m_options.scale));
    for (const auto& [name, value] : m_options.environment) environment.insert(name, value);
    m_process.setProcessEnvironment(environment);
    m_clock.start();
    m_process.start(m_options.program, m_options.arguments);
    if (!m_process.waitForStarted()) return failure(QStringLiteral("%1: %2").arg(m_options.program, m_process.errorString()));
    // Nothing else paints on this screen.
    const QRgb bare = m_screen.picture().pixel(0, 0);
    while (m_firstPaintMs < 0 && m_clock.elapsed() < patienceMs && m_process.state() != QProcess::NotRunning) {
        if (isPainted(m_screen.picture(), bare)) m_firstPaintMs = sinceStartMs();
        m_process.waitForFinished(2);
    }
    const auto tooLate = [&](const QString& what) -> Result<void> {
        return failure(QStringLiteral("the window %1: %2").arg(what, errors().isEmpty() ? QStringLiteral("nothing was said") : errors()));
    };
    const QString pid = QString::number(m_process.processId());
    while (m_window.isEmpty()) {
        m_window = m_screen
                       .xdotool({QStringLiteral("search"), QStringLiteral("--all"), QStringLiteral("--onlyvisible"), QStringLiteral("--pid"), pid,
                                 QStringLiteral("--name"), QStringLiteral("MoFO Workbench")})
                       .section(QLatin1Char('\n'), 0, 0);
        if (m_process.state() == QProcess::NotRunning || m_process.waitForFinished(1))
            return tooLate(QStringLiteral("did not open, the program ended"));
        if (m_clock.elapsed() > patienceMs) return tooLate(QStringLiteral("did not open"));
    }
    (void)m_screen.xdotool(
        {QStringLiteral("windowsize"), m_window, QString::number(m_options.size.width()), QString::number(m_options.size.height())});
    (void)m_screen.xdotool({QStringLiteral("windowactivate"), m_window});
    const QString wanted = QStringLiteral("WIDTH=%1\nHEIGHT=%2").arg(m_options.size.width()).arg(m_options.size.height());
    while (m_screen.xdotool({QStringLiteral("getactivewindow")}) != m_window ||
           !m_screen.xdotool({QStringLiteral("getwindowgeometry"), QStringLiteral("--shell"), m_window}).contains(wanted)) {
        if (m_clock.elapsed() > patienceMs)
            return tooLate(QStringLiteral("did not get %1x%2 and the focus").arg(m_options.size.width()).arg(m_options.size.height()));
        QThread::msleep(20);
    }
    return {};
}

void DrivenWindow::press(const QStringList& keys) {
    (void)m_screen.xdotool(QStringList{QStringLiteral("key"), QStringLiteral("--delay"), QStringLiteral("40")} + keys);
}

void DrivenWindow::type(const QString& text) {
    (void)m_screen.xdotool({QStringLiteral("type"), QStringLiteral("--delay"), QStringLiteral("20"), text});
}

QString DrivenWindow::title() const { return m_screen.xdotool({QStringLiteral("getwindowname"), m_window}); }

QImage DrivenWindow::picture() const { return m_screen.picture().copy(QRect(QPoint(0, 0), m_options.size)); }

QImage DrivenWindow::steadyPicture(int quietMs) const {
    constexpr int lookEveryMs = 100, statusLine = 34;
    const QRect looked(0, 0, m_options.size.width(), m_options.size.height() - static_cast<int>(statusLine * m_options.scale));
    QElapsedTimer clock, quiet;
    clock.start();
    quiet.start();
    QImage last = picture();
    while (quiet.elapsed() < quietMs && clock.elapsed() < patienceMs) {
        QThread::msleep(lookEveryMs);
        QImage now = picture();
        if (now.copy(looked) != last.copy(looked)) quiet.restart();
        last = std::move(now);
    }
    return last;
}

QString DrivenWindow::errors() {
    m_process.waitForReadyRead(1);
    m_errors += QString::fromLocal8Bit(m_process.readAllStandardError());
    return m_errors;
}

bool DrivenWindow::quit() {
    press({QStringLiteral("ctrl+q")});
    const bool ended = m_process.waitForFinished(patienceMs);
    return ended && m_process.exitStatus() == QProcess::NormalExit && m_process.exitCode() == 0;
}

PictureFacts factsOf(const QImage& picture) {
    QHash<QRgb, int> counts;
    for (int y = 0; y < picture.height(); ++y) {
        for (int x = 0; x < picture.width(); ++x) ++counts[picture.pixel(x, y)];
    }
    PictureFacts facts;
    if (counts.isEmpty()) return facts;
    facts.colours = static_cast<int>(counts.size());
    facts.commonest =
        static_cast<double>(*std::max_element(counts.begin(), counts.end())) / (static_cast<double>(picture.width()) * picture.height());
    return facts;
}

double differenceOf(const QImage& a, const QImage& b) {
    if (a.size() != b.size() || a.isNull()) return 1;
    std::int64_t different = 0;
    for (int y = 0; y < a.height(); ++y) {
        for (int x = 0; x < a.width(); ++x) different += a.pixel(x, y) != b.pixel(x, y) ? 1 : 0;
    }
    return static_cast<double>(different) / (static_cast<double>(a.width()) * a.height());
}

}  // namespace mofo::test
