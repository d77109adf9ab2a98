// Charts, models and the reading thread of the window, without a screen.
#include <malloc.h>
#include <unistd.h>

#include <QApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QTemporaryDir>
#include <QTest>
#include <QTreeView>
#include <cmath>
#include <memory>

#include "core/store/registry.h"
#include "tests/bench/ui_bench.h"
#include "tests/support/recorded_run.h"
#include "ui/widgets/loss_chart.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/map_chart.h"
#include "ui/widgets/qcustomplot.h"
#include "ui/widgets/run_charts.h"
#include "ui/widgets/run_page.h"

namespace mofo::bench {

namespace {

constexpr int patienceMs = 120'000;
constexpr QSize screenSize(1920, 1080);
constexpr double mebi = 1024.0 * 1024.0;

bool waitFor(const std::function<bool()>& condition) {
    QElapsedTimer clock;
    clock.start();
    while (!condition()) {
        if (clock.elapsed() > patienceMs) return false;
        QApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents, 5);
    }
    return true;
}

StepRow stepRow(std::int64_t step) {
    StepRow row;
    row.seq = row.step = step;
    row.loss = 0.5 + std::exp(-static_cast<double>(step) / 3e5) + 0.1 * std::sin(static_cast<double>(step) * 0.7);
    row.stepMs = 50 + 5 * std::sin(static_cast<double>(step) * 0.37);
    row.dataMs = 0.02 * row.stepMs;
    row.forwardBackwardMs = 0.78 * row.stepMs;
    row.optimizerMs = 0.12 * row.stepMs;
    row.statisticsMs = 0.05 * row.stepMs;
    row.alpha = 0.15;
    row.lr = 2e-5;
    row.gradNorm = row.clippedNorm = 1;
    row.tokens = row.inputTokens = 400;
    row.wallNs = step * 50'000'000;
    return row;
}

RunBatch stepsFrom(std::int64_t first, std::int64_t count) {
    RunBatch batch;
    batch.steps.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) batch.steps.push_back(stepRow(first + i));
    return batch;
}

void draw(ChartView& chart) {
    chart.drawIfNeeded();
    chart.plot().replot(QCustomPlot::rpImmediateRefresh);
}

/// A million points in each curve, while 20 steps arrive per frame and the view is zoomed in and out.
std::vector<double> frameTimes(LineChart& chart, RunData& data, StepAxis& axis) {
    constexpr std::int64_t points = 1'000'000;
    constexpr int frames = 100;
    data.take(stepsFrom(1, points));
    axis.setExtent(points, points + points / 10);
    chart.resize(screenSize);
    chart.show();
    draw(chart);
    std::vector<double> times;
    std::int64_t newest = points;
    for (int frame = 0; frame < frames; ++frame) {
        const RunBatch more = stepsFrom(newest + 1, 20);
        newest += 20;
        times.push_back(timed([&] {
            data.take(more);
            axis.setExtent(newest, points + points / 10);
            if (frame % 2 == 1) axis.zoom(frame % 20 < 10 ? 0.7 : 1 / 0.7, static_cast<double>(newest) * 0.6);
            draw(chart);
        }));
    }
    return times;
}

void measureFrames(Figures& figures) {
    {
        RunData data;
        StepAxis axis;
        LineChart chart(QStringLiteral("bench"), QStringLiteral("Four"), {}, &data, &axis);
        std::vector<LineSpec> lines;
        for (const SeriesId id : {SeriesId::Loss, SeriesId::LossEma, SeriesId::StepMs, SeriesId::ForwardBackwardMs}) {
            LineSpec line;
            line.name = QString::number(lines.size());
            line.colour = static_cast<int>(lines.size());
            line.values = [&data, id] { return &data.series().of(id); };
            lines.push_back(line);
        }
        chart.setLines(std::move(lines));
        const std::vector<double> times = frameTimes(chart, data, axis);
        figures.add({"1 M points x 4 series, live and zoomed, 1920x1080: frame, 95 % within", "ms", quantile(times, 0.95), 50, {}});
        figures.add({"1 M points x 4 series, live and zoomed, 1920x1080: frame, median", "ms", quantile(times, 0.5), 16, {}});
    }
    RunData data;
    StepAxis axis;
    const std::unique_ptr<LineChart> chart(makeTimePerStepChart(&data, &axis));
    figures.add({"1 M points x 4 stacked areas: frame, 95 % within", "ms", quantile(frameTimes(*chart, data, axis), 0.95), 50, {}});
}

TensorRow tensorRow(std::int64_t step, std::size_t count) {
    TensorRow row;
    row.seq = row.step = step;
    for (std::size_t i = 0; i < count; ++i) {
        const auto x = static_cast<float>(std::sin(static_cast<double>(step) * 0.01 + static_cast<double>(i)));
        row.selected.push_back(static_cast<std::uint32_t>(1000 + 500 * x));
        row.masked.push_back(static_cast<std::uint32_t>(1000 + 500 * x));
        row.threshold.push_back(1e-6F);
        row.driftL2.push_back(1 + 0.5F * x);
        row.driftL1.push_back(1);
        row.driftMax.push_back(1e-4F);
        row.changed.push_back(4000);
        row.changedBf16.push_back(900);
        row.churn.push_back(0.3F);
        row.coverage.push_back(0.4F);
        row.squaredUpdate.push_back(1e-6F);
    }
    return row;
}

void measureMap(std::int64_t columns, bool isFirst, Figures& figures) {
    RunData data;
    StepAxis axis;
    MapRows rows(&data);
    RunBatch batch = stepsFrom(1, columns);
    batch.parameters = test::smolParameters();
    for (std::int64_t step = 1; step <= columns; ++step) batch.tensors.push_back(tensorRow(step, batch.parameters->size()));
    MapChart chart(QStringLiteral("bench"), MapMeasure::RelativeL2, &rows, &data, &axis);
    data.take(batch);
    for (int i = static_cast<int>(rows.rows().size()) - 1; i >= 0; --i) rows.toggle(i);
    axis.setExtent(columns, columns);
    chart.resize(screenSize);
    chart.show();
    const double first = timed([&] { draw(chart); });
    if (isFirst) {
        figures.add({"map of " + std::to_string(rows.rows().size()) + " rows x 20,000 columns: first drawing", "ms", first, 60, {}});
        return;
    }
    std::vector<double> times;
    for (int frame = 0; frame < 60; ++frame) {
        times.push_back(timed([&] {
            axis.setRange(1 + frame, static_cast<double>(columns) - frame);
            draw(chart);
        }));
    }
    figures.add(
        {"map of " + std::to_string(rows.rows().size()) + " rows x 2,000 columns: drawing at another range", "ms", quantile(times, 0.5), 16, {}});
}

/// Opening the long run: the newest steps, all of it, the cursor over its charts.
void measureAttach(const Workspaces& workspaces, Figures& figures) {
    constexpr std::size_t newestSteps = 2000, allSteps = 100'000;
    MainWindow window(workspaces.longRun, nullptr);
    window.resize(screenSize);
    window.show();
    waitFor([&] { return window.session().runs().runCount() == 1; });
    const RunData& data = window.session().run();
    QElapsedTimer clock;
    clock.start();
    window.openRun(QStringLiteral("maths-a15"));
    auto* loss = window.findChild<ChartView*>(QStringLiteral("run.loss"));
    waitFor([&] { return data.steps().size() >= newestSteps && loss->isVisible() && loss->drawCount() > 0; });
    const double newest = static_cast<double>(clock.nsecsElapsed()) / 1e9;
    waitFor([&] { return data.isComplete() && data.steps().size() == allSteps; });
    QApplication::processEvents();
    const double all = static_cast<double>(clock.nsecsElapsed()) / 1e9;
    figures.add({"attach to 100,000 steps x 272 tensors: newest 2,000 steps on screen", "s", newest, 0.5, {}});
    figures.add({"attach to 100,000 steps x 272 tensors: every point", "s", all, 2, std::to_string(data.mapColumns().size()) + " measurements"});

    StepAxis& axis = window.findChild<RunPage*>(QStringLiteral("run"))->axis();
    int charts = 0;
    for (const ChartView* chart : window.findChildren<ChartView*>()) charts += chart->isVisible() ? 1 : 0;
    for (int i = 0; i < 20; ++i) QTest::qWait(10);
    std::vector<double> times;
    for (int i = 0; i < 100; ++i) {
        times.push_back(timed([&] {
            axis.setHover(1000.0 + 700.0 * i);
            QApplication::sendPostedEvents();
        }));
        QApplication::processEvents();
    }
    figures.add({"cursor moved over " + std::to_string(charts) + " linked charts and the step panel", "ms", quantile(times, 0.5), 5,
                 "95 % within " + std::to_string(quantile(times, 0.95)).substr(0, 4) + " ms"});
}

void measureList(const Workspaces& workspaces, Figures& figures) {
    QElapsedTimer clock;
    clock.start();
    MainWindow window(workspaces.manyRuns, nullptr);
    window.resize(screenSize);
    window.show();
    auto* tree = window.findChild<QTreeView*>(QStringLiteral("runs.table"));
    waitFor([&] { return tree->model()->rowCount() == 500 && tree->isVisible(); });
    QApplication::processEvents();
    figures.add({"500 runs listed", "s", static_cast<double>(clock.nsecsElapsed()) / 1e9, 1, {}});
    auto* find = window.findChild<QLineEdit*>(QStringLiteral("runs.find"));
    const double filter = timed([&] {
        find->setText(QStringLiteral("alpha:<0.1 state:finished"));
        QApplication::processEvents();
    });
    find->clear();
    QApplication::processEvents();
    const double sort = timed([&] {
        tree->sortByColumn(3, Qt::AscendingOrder);
        QApplication::processEvents();
    });
    figures.add({"500 runs filtered; sorted", "ms", std::max(filter, sort), 100, {}});
}

/// A live run: from the committed row to the drawn chart, from the click to the command's row.
void measureLive(Figures& figures) {
    const QTemporaryDir folder;
    const Result<Workspace> workspace = Workspace::openOrCreate((folder.path() + QStringLiteral("/w")).toStdString(), false);
    if (!workspace.ok()) return;
    test::RecordedRunOptions options;
    options.totalSteps = 5000;
    Result<test::RecordedRun> run = test::RecordedRun::create(*workspace, options);
    if (!run.ok() || !run->begin().ok() || !run->advance(200, false).ok()) return;
    MainWindow window(workspace->folder(), nullptr);
    window.resize(screenSize);
    window.openRun(QString::fromStdString(run->id()));
    window.show();
    const RunData& data = window.session().run();
    auto* loss = window.findChild<ChartView*>(QStringLiteral("run.loss"));
    waitFor([&] { return data.newestStep() == 200 && loss->drawCount() > 0; });
    std::vector<double> toPixel, toRow;
    for (int i = 0; i < 30; ++i) {
        QTest::qWait(37 + 11 * i % 90);
        if (!run->advance(1, false).ok()) return;
        const int drawn = loss->drawCount();
        const std::int64_t step = run->step();
        toPixel.push_back(timed([&] { waitFor([&] { return data.newestStep() == step && loss->drawCount() > drawn; }); }));
    }
    figures.add({"committed row to drawn chart, 95 % within", "ms", quantile(toPixel, 0.95), 300, {}});
    for (int i = 0; i < 10; ++i) {
        window.session().tuning().stage("alpha", i % 2 == 0 ? "0.05" : "0.1");
        const std::size_t before = run->registry().commands(run->id()).value().size();
        toRow.push_back(timed([&] {
            window.session().tuning().apply();
            waitFor([&] { return run->registry().commands(run->id()).value().size() > before; });
        }));
        if (!run->advance(1).ok()) return;
        waitFor([&] { return window.session().tuning().stagedCount() == 0 && data.acknowledgements().size() == static_cast<std::size_t>(i) + 1; });
    }
    figures.add({"Apply to the command's row", "ms", quantile(toRow, 0.5), 50, "slowest " + std::to_string(std::lround(quantile(toRow, 1))) + " ms"});
}

double residentMiB() {
    malloc_trim(0);
    QFile file(QStringLiteral("/proc/self/statm"));
    if (!file.open(QIODevice::ReadOnly)) return 0;
    return file.readAll().split(' ').value(1).toDouble() * static_cast<double>(sysconf(_SC_PAGESIZE)) / mebi;
}

/// 24 hours at 20 steps a second, a second at a time, drawn now and then; against a window that reads the same points at once.
void measureDay(Figures& figures) {
    constexpr std::int64_t steps = 24 * 3600 * 20, perSecond = 20;
    double streamed = 0, fresh = 0;
    for (const bool isStream : {true, false}) {
        const double before = residentMiB();
        RunData data;
        StepAxis axis;
        LossChart chart(QStringLiteral("bench"), &data, &axis);
        chart.resize(900, 300);
        chart.show();
        const std::int64_t atOnce = isStream ? perSecond : steps;
        int seconds = 0;
        for (std::int64_t step = 1; step <= steps; step += atOnce) {
            data.take(stepsFrom(step, atOnce));
            axis.setExtent(data.newestStep(), steps);
            if (++seconds % 600 == 0) draw(chart);
        }
        draw(chart);
        QApplication::processEvents();
        (isStream ? streamed : fresh) = residentMiB() - before;
    }
    figures.add({"24 h at 20 steps/s: memory beyond that of the same points read at once", "MiB", std::max(0.0, streamed - fresh), 20,
                 std::to_string(std::lround(fresh)) + " MiB for 1,728,000 stored steps"});
}

}  // namespace

void measureInside(const Workspaces& workspaces, Figures& figures) {
    measureFrames(figures);
    measureMap(2000, false, figures);
    measureMap(20'000, true, figures);
    measureAttach(workspaces, figures);
    measureList(workspaces, figures);
    measureLive(figures);
    measureDay(figures);
}

}  // namespace mofo::bench
