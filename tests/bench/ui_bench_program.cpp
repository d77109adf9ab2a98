// The built window under Xvfb: how soon it is there, what it takes of memory and processor, and of a training engine's speed.
#include <unistd.h>

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QThread>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <thread>

#include "core/base/paths.h"
#include "core/store/registry.h"
#include "core/store/run_metrics.h"
#include "tests/bench/ui_bench.h"
#include "tests/support/driven_window.h"
#include "tests/support/recorded_run.h"

namespace mofo::bench {

namespace {

using test::DrivenWindow;
using test::DrivenWindowOptions;
using test::RecordedRun;
using test::RecordedRunOptions;
using test::Screen;

constexpr QSize screenSize(1920, 1080), windowSize(1440, 900);
constexpr int quietMs = 600;
constexpr double mebi = 1024.0 * 1024.0;

std::unique_ptr<DrivenWindow> open(const Screen& screen, const QString& workspace, const QStringList& more = {}) {
    DrivenWindowOptions options;
    options.program = QStringLiteral(MOFO_BIN_DIR "/mofo-workbench");
    options.arguments = QStringList{QStringLiteral("--workspace"), workspace, QStringLiteral("--language"), QStringLiteral("en")} + more;
    options.size = windowSize;
    Result<std::unique_ptr<DrivenWindow>> window = DrivenWindow::start(screen, options);
    if (window.ok()) return std::move(window).value();
    std::fprintf(stderr, "ui_bench: %s\n", window.error().text().c_str());
    return nullptr;
}

/// Milliseconds from the start until the last change of the window that then stood still.
double settledMs(const DrivenWindow& window) {
    const QRect looked(0, 0, windowSize.width(), windowSize.height() - 34);
    QImage last = window.picture().copy(looked);
    double changed = window.sinceStartMs();
    while (window.sinceStartMs() - changed < quietMs) {
        QThread::msleep(8);
        QImage now = window.picture().copy(looked);
        if (now == last) continue;
        changed = window.sinceStartMs();
        last = std::move(now);
    }
    return changed;
}

double residentMiB(qint64 process) {
    QFile file(QStringLiteral("/proc/%1/statm").arg(process));
    if (!file.open(QIODevice::ReadOnly)) return 0;
    return file.readAll().split(' ').value(1).toDouble() * static_cast<double>(sysconf(_SC_PAGESIZE)) / mebi;
}

double processorSeconds(qint64 process) {
    QFile file(QStringLiteral("/proc/%1/stat").arg(process));
    if (!file.open(QIODevice::ReadOnly)) return 0;
    const QByteArray text = file.readAll();
    // The program's name may hold spaces; the fields after it do not.
    const QList<QByteArray> fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
    constexpr int userTime = 11, systemTime = 12;
    return (fields.value(userTime).toDouble() + fields.value(systemTime).toDouble()) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Percent of one core over some seconds.
double load(const DrivenWindow& window) {
    constexpr double seconds = 10;
    const double before = processorSeconds(window.processId());
    QThread::msleep(static_cast<unsigned long>(seconds * 1e3));
    return (processorSeconds(window.processId()) - before) / seconds * 100;
}

void measureStart(const Screen& screen, const QString& workspace, const char* name, Figures& figures) {
    constexpr int times = 5;
    std::vector<double> paints, settled;
    for (int i = 0; i < times; ++i) {
        const auto window = open(screen, workspace);
        if (!window) return;
        paints.push_back(window->firstPaintMs() / 1e3);
        settled.push_back(settledMs(*window) / 1e3);
        (void)window->quit();
    }
    figures.add({std::string("first paint, ") + name, "s", quantile(paints, 0.5), 0.4, {}});
    figures.add({std::string("page Runs complete and usable, ") + name, "s", quantile(settled, 0.5), 1, {}});
}

void measureLoad(const Screen& screen, Figures& figures) {
    const QTemporaryDir folder;
    const QString place = folder.filePath(QStringLiteral("workspace"));
    const Result<Workspace> workspace = Workspace::openOrCreate(place.toStdString(), false);
    if (!workspace.ok()) return;
    RecordedRunOptions options;
    options.totalSteps = 100'000;
    options.machine = true;
    options.stepSeconds = 0.05;
    Result<RecordedRun> run = RecordedRun::create(*workspace, options);
    if (!run.ok() || !run->begin().ok() || !run->advance(2000, false).ok()) return;
    const auto window = open(screen, place, {QStringLiteral("--run"), QStringLiteral("maths-a15")});
    if (!window) return;
    (void)settledMs(*window);
    CommandRow pause;
    pause.uuid = "00000000-0000-4000-8000-000000000002";
    pause.runId = run->id();
    pause.kind = "pause";
    pause.who = "cli";
    if (!run->registry().addCommand(pause).ok() || !run->obeyCommands().ok()) return;
    QThread::msleep(2000);
    // The engine's heartbeat goes on.
    figures.add({"processor, paused run on screen", "%", load(*window), 2, "of one core"});
    CommandRow resume = pause;
    resume.uuid = "00000000-0000-4000-8000-000000000003";
    resume.kind = "resume";
    if (!run->registry().addCommand(resume).ok() || !run->obeyCommands().ok()) return;
    std::atomic<bool> ended = false;
    std::thread engine([&] {
        auto next = std::chrono::steady_clock::now();
        while (!ended) {
            if (!run->advance(1, false).ok()) return;
            next += std::chrono::milliseconds(50);
            std::this_thread::sleep_until(next);
        }
    });
    QThread::msleep(2000);
    figures.add({"processor, 20 steps/s on screen", "%", load(*window), 15, "of one core"});
    window->minimise();
    QThread::msleep(2000);
    figures.add({"processor, 20 steps/s, minimised", "%", load(*window), 1, "of one core"});
    ended = true;
    engine.join();
}

}  // namespace

void measureProgram(const Workspaces& workspaces, Figures& figures) {
    const auto screen = Screen::start(screenSize);
    if (!screen.ok()) {
        std::fprintf(stderr, "ui_bench: the built program is not measured: %s\n", screen.error().text().c_str());
        return;
    }
    const auto text = [](const std::filesystem::path& path) { return QString::fromStdString(path.string()); };
    measureStart(**screen, text(workspaces.empty), "no workspace", figures);
    measureStart(**screen, text(workspaces.manyRuns), "500 runs", figures);
    if (const auto window = open(**screen, text(workspaces.empty))) {
        (void)settledMs(*window);
        figures.add({"memory, empty (resident)", "MiB", residentMiB(window->processId()), 120, {}});
    }
    if (const auto window = open(**screen, text(workspaces.longRun), {QStringLiteral("--run"), QStringLiteral("maths-a15")})) {
        (void)settledMs(*window);
        QThread::sleep(4);
        figures.add({"memory, run of 100,000 steps x 272 tensors (resident)", "MiB", residentMiB(window->processId()), 250, {}});
    }
    measureLoad(**screen, figures);
}

void measureTraining(const std::filesystem::path& folder, Figures& figures) {
    const std::filesystem::path model = cachePath() / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf", data = cachePath() / "data" / "gsm8k-test.jsonl";
    const auto screen = Screen::start(screenSize);
    if (!screen.ok() || !std::filesystem::exists(model) || !std::filesystem::exists(data)) return;
    constexpr int pairs = 6;
    constexpr int turnSeconds = 20;
    const QString place = QString::fromStdString((folder / "training").string());
    QDir(place).removeRecursively();
    const auto mofo = [&](const QStringList& arguments) {
        QProcess process;
        process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        process.start(QStringLiteral(MOFO_BIN_DIR "/mofo"), arguments + QStringList{QStringLiteral("--workspace"), place});
        process.waitForFinished(120'000);
        return process.exitCode() == 0;
    };
    const QString set = QStringLiteral("--set");
    const bool started = mofo({QStringLiteral("train"), QStringLiteral("--model"), QString::fromStdString(model.string()), QStringLiteral("--data"),
                               QString::fromStdString(data.string()), QStringLiteral("--name"), QStringLiteral("bench"), QStringLiteral("--detach"),
                               set, QStringLiteral("steps=5000"), set, QStringLiteral("batch=1"), set, QStringLiteral("max_length=64"), set,
                               QStringLiteral("checkpoint_every=0")});
    const Result<Workspace> workspace = Workspace::open(place.toStdString());
    if (!started || !workspace.ok()) return;
    const Result<Registry> registry = Registry::open(*workspace, Registry::Access::ReadOnly);
    const std::string id = registry.ok() ? registry->runs().value().front().id : std::string();
    const auto steps = [&] {
        const Result<MetricsReader> reader = MetricsReader::open(workspace->metricsFile(id));
        Result<std::vector<StepRow>> rows = reader.ok() ? reader->stepsAfter(0) : Result<std::vector<StepRow>>(reader.error());
        return rows.ok() ? std::move(rows).value() : std::vector<StepRow>();
    };
    QElapsedTimer clock;
    clock.start();
    while (steps().size() < 10 && clock.elapsed() < 120'000) QThread::msleep(500);
    // By turns, so that whatever else changes on the machine falls on both. Steps of the moments of opening and closing are left out.
    double tokens[2] = {}, milliseconds[2] = {};
    for (int turn = 0; turn < 2 * pairs; ++turn) {
        const bool isOpen = turn % 2 == 1;
        std::unique_ptr<DrivenWindow> window;
        if (isOpen) window = open(**screen, place, {QStringLiteral("--run"), QStringLiteral("bench")});
        QThread::msleep(1500);
        const std::size_t before = steps().size() + 1;
        QThread::sleep(turnSeconds);
        const std::vector<StepRow> after = steps();
        window.reset();
        for (std::size_t i = before; i < after.size(); ++i) {
            tokens[isOpen] += static_cast<double>(after[i].inputTokens);
            milliseconds[isOpen] += after[i].stepMs;
        }
    }
    (void)mofo({QStringLiteral("stop"), QStringLiteral("bench"), QStringLiteral("--now")});
    if (milliseconds[0] <= 0 || milliseconds[1] <= 0) return;
    const double without = tokens[0] / milliseconds[0], with = tokens[1] / milliseconds[1];
    char note[96];
    std::snprintf(note, sizeof note, "SmolLM2, %.0f and %.0f tokens/s, %d turns of %d s each", without * 1e3, with * 1e3, pairs, turnSeconds);
    figures.add({"training slowed by an open window", "%", std::max(0.0, (1 - with / without) * 100), 1, note});
}

}  // namespace mofo::bench
