// mofo-workbench: the window.
#include <malloc.h>

#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QFileInfo>
#include <QSettings>
#include <QTimer>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/base/paths.h"
#include "ui/controllers/new_run_controller.h"
#include "ui/controllers/window_presence.h"
#include "ui/widgets/application.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/theme.h"

namespace {

constexpr int exitFailed = 1;
constexpr int exitUsage = 2;

int refuse(const QString& sentence) {
    std::fprintf(stderr, "mofo-workbench: %s\n", sentence.toLocal8Bit().constData());
    return exitUsage;
}

}  // namespace

int main(int argc, char** argv) {
    // Asked by `mofo doctor`, also where there is no display.
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
        std::puts("mofo-workbench " MOFO_VERSION);
        return 0;
    }
    // What the reading threads allocate, the window's own thread frees: with an arena each, glibc would keep the room of a long history twice.
    mallopt(M_ARENA_MAX, 1);
    QApplication application(argc, argv);
    mofo::setUpApplication(application);

    QCommandLineParser parser;
    parser.setApplicationDescription(QCoreApplication::translate("main",
                                                                 "The window of MoFO Workbench: watch and tune fine-tuning runs. "
                                                                 "Closing it never stops a run."));
    const QCommandLineOption help = parser.addHelpOption();
    const QCommandLineOption version = parser.addVersionOption();
    const QCommandLineOption workspace(QStringLiteral("workspace"), QCoreApplication::translate("main", "Folder of the workspace."),
                                       QStringLiteral("DIR"));
    const QCommandLineOption run(QStringLiteral("run"), QCoreApplication::translate("main", "Open page Run on this run: id, unique prefix or name."),
                                 QStringLiteral("RUN"));
    const QCommandLineOption compare(
        QStringLiteral("compare"),
        QCoreApplication::translate("main", "Open page Compare with these runs, separated by commas; the first is the baseline A."),
        QStringLiteral("RUNS"));
    const QCommandLineOption theme(QStringLiteral("theme"), QCoreApplication::translate("main", "light, dark or desktop."), QStringLiteral("THEME"));
    const QCommandLineOption language(QStringLiteral("language"), QCoreApplication::translate("main", "en or ja."), QStringLiteral("LANGUAGE"));
    const QCommandLineOption screenshot(QStringLiteral("screenshot"),
                                        QCoreApplication::translate("main", "For developers: write the window as a PNG and quit."),
                                        QStringLiteral("FILE"));
    const QCommandLineOption after(QStringLiteral("after"),
                                   QCoreApplication::translate("main", "With --screenshot: wait this many milliseconds (1500)."),
                                   QStringLiteral("MS"), QStringLiteral("1500"));
    const QCommandLineOption size(QStringLiteral("size"), QCoreApplication::translate("main", "With --screenshot: size of the window (1440x900)."),
                                  QStringLiteral("WxH"));
    const QCommandLineOption page(QStringLiteral("page"),
                                  QCoreApplication::translate("main", "Open this page: runs, new, run, compare, chat, models or setup."),
                                  QStringLiteral("PAGE"));
    const QCommandLineOption take(QStringLiteral("take"),
                                  QCoreApplication::translate("main", "Put this model or data file into the form of a new run."),
                                  QStringLiteral("PATH"));
    parser.addOptions({workspace, run, compare, page, take, theme, language, screenshot, after, size});
    if (!parser.parse(QCoreApplication::arguments())) return refuse(parser.errorText());
    if (parser.isSet(help)) parser.showHelp();
    if (parser.isSet(version)) parser.showVersion();
    if (!parser.positionalArguments().isEmpty()) {
        return refuse(QStringLiteral("unexpected argument '%1': a run is named with --run").arg(parser.positionalArguments().constFirst()));
    }

    QSettings settings(QSettings::IniFormat, QSettings::UserScope, QStringLiteral("mofo"), QStringLiteral("workbench"));
    const auto choose = [&](const QCommandLineOption& option, const char* variable, const QString& key) {
        if (parser.isSet(option)) return parser.value(option);
        const QString named = qEnvironmentVariable(variable);
        return named.isEmpty() ? settings.value(key).toString() : named;
    };
    mofo::setLanguage(application, choose(language, "MOFO_LANGUAGE", QStringLiteral("language")));
    mofo::Theme::apply(application, mofo::Theme::choiceOf(choose(theme, "MOFO_THEME", QStringLiteral("theme"))));

    const std::filesystem::path folder =
        parser.isSet(workspace) ? std::filesystem::path(parser.value(workspace).toStdString()) : mofo::defaultWorkspacePath();
    const bool pictured = parser.isSet(screenshot);
    mofo::WindowLock lock(std::filesystem::absolute(folder).lexically_normal());
    if (!pictured && !lock.acquire()) {
        const mofo::Result<void> asked = lock.askToRaise();
        if (asked.ok()) return 0;
        std::fprintf(stderr, "mofo-workbench: a window of this workspace is open and cannot be raised: %s\n", asked.error().text().c_str());
        return exitFailed;
    }
    mofo::MainWindow window(std::filesystem::absolute(folder).lexically_normal(), pictured ? nullptr : &settings);
    if (parser.isSet(size)) {
        const QStringList sides = parser.value(size).split(QLatin1Char('x'));
        if (sides.size() != 2 || sides[0].toInt() <= 0 || sides[1].toInt() <= 0)
            return refuse(QStringLiteral("--size takes WIDTHxHEIGHT, as in 1440x900"));
        window.resize(sides[0].toInt(), sides[1].toInt());
    }
    if (parser.isSet(run)) window.openRun(parser.value(run));
    if (parser.isSet(compare)) window.compareRuns(parser.value(compare).split(QLatin1Char(','), Qt::SkipEmptyParts));
    for (const QString& path : parser.values(take)) window.newRun().takePath(QFileInfo(path).absoluteFilePath());
    if (parser.isSet(take)) window.showPage(mofo::MainWindow::NewIndex);
    if (parser.isSet(page) && !window.showPageNamed(parser.value(page))) {
        return refuse(QStringLiteral("there is no page '%1'").arg(parser.value(page)));
    }
    window.show();
    if (!pictured) window.watchForRaise();
    if (pictured) {
        QTimer::singleShot(parser.value(after).toInt(), &window, [&] {
            const bool written = window.grab().save(parser.value(screenshot));
            if (!written) std::fprintf(stderr, "mofo-workbench: cannot write %s\n", parser.value(screenshot).toLocal8Bit().constData());
            QCoreApplication::exit(written ? 0 : exitFailed);
        });
    }
    return QApplication::exec();
}
