// Measures the window's figures and prints each beside its limit; exit code 1 where one is over it. Only on an otherwise idle machine are they valid.
//   ui_bench [--only inside|program|data|training] [--keep DIR]      DIR: workspaces that are made there and used again
#include "tests/bench/ui_bench.h"

#include <QApplication>
#include <QTemporaryDir>
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "core/store/registry.h"
#include "core/store/workspace.h"
#include "tests/support/recorded_run.h"
#include "ui/widgets/application.h"
#include "ui/widgets/theme.h"

namespace mofo::bench {

void Figures::add(Figure figure) {
    std::printf("%-72s %10.4g %-4s limit %-6g %s %s\n", figure.name.c_str(), figure.measured, figure.unit.c_str(), figure.limit,
                figure.measured <= figure.limit ? "ok  " : "OVER", figure.note.c_str());
    std::fflush(stdout);
    m_all.push_back(std::move(figure));
}

bool Figures::isOver() const {
    return std::any_of(m_all.begin(), m_all.end(), [](const Figure& figure) { return figure.measured > figure.limit; });
}

void Figures::printTable() const {
    std::printf("\n| figure | measured | limit |\n|---|---|---|\n");
    for (const Figure& figure : m_all) {
        std::printf("| %s%s%s | %.3g %s | %g %s |\n", figure.name.c_str(), figure.note.empty() ? "" : "; ", figure.note.c_str(), figure.measured,
                    figure.unit.c_str(), figure.limit, figure.unit.c_str());
    }
}

double timed(const std::function<void()>& act) {
    const auto start = std::chrono::steady_clock::now();
    act();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

double quantile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const auto last = static_cast<double>(values.size() - 1);
    return values[static_cast<std::size_t>(share * last + 0.5)];
}

namespace {

Result<void> makeManyRuns(const std::filesystem::path& folder) {
    constexpr int runs = 500;
    MOFO_TRY(const Workspace workspace, Workspace::openOrCreate(folder, false));
    for (int i = 0; i < runs; ++i) {
        test::RecordedRunOptions options;
        options.name = "run-" + std::to_string(i);
        options.seed = static_cast<std::uint64_t>(i);
        options.totalSteps = 4;
        options.alpha = 0.01 * (1 + i % 40);
        MOFO_TRY(test::RecordedRun run, test::RecordedRun::create(workspace, options));
        MOFO_CHECK(run.begin());
        MOFO_CHECK(run.advance(4, false));
        MOFO_CHECK(run.end(RunState::Finished, ""));
    }
    return {};
}

Result<void> makeLongRun(const std::filesystem::path& folder) {
    constexpr std::int64_t steps = 100'000, atOnce = 2000;
    MOFO_TRY(const Workspace workspace, Workspace::openOrCreate(folder, false));
    test::RecordedRunOptions options;
    options.totalSteps = steps;
    options.evalEvery = 1000;
    options.checkpointEvery = 10'000;
    MOFO_TRY(test::RecordedRun run, test::RecordedRun::create(workspace, options));
    MOFO_CHECK(run.begin());
    for (std::int64_t done = 0; done < steps; done += atOnce) MOFO_CHECK(run.advance(atOnce, false));
    return run.end(RunState::Finished, "");
}

int run(const QStringList& arguments) {
    const QTemporaryDir temporary;
    const auto valueOf = [&](const QString& option) {
        const qsizetype at = arguments.indexOf(option);
        return at < 0 ? QString() : arguments.value(at + 1);
    };
    const QString kept = valueOf(QStringLiteral("--keep")), only = valueOf(QStringLiteral("--only"));
    const std::filesystem::path folder = (kept.isEmpty() ? temporary.path() : kept).toStdString();
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    const Workspaces workspaces{folder / "none", folder / "many", folder / "long"};
    const bool needsRuns = only != QLatin1String("data") && only != QLatin1String("training");
    if (needsRuns && !std::filesystem::exists(workspaces.longRun)) {
        std::fprintf(stderr, "making 500 runs and a run of 100,000 steps ...\n");
        for (const Result<void>& made : {makeManyRuns(workspaces.manyRuns), makeLongRun(workspaces.longRun)}) {
            if (made.ok()) continue;
            std::fprintf(stderr, "ui_bench: %s\n", made.error().text().c_str());
            return 1;
        }
    }
    Figures figures;
    if (only.isEmpty() || only == QLatin1String("program")) measureProgram(workspaces, figures);
    if (only.isEmpty() || only == QLatin1String("inside")) measureInside(workspaces, figures);
    if (only.isEmpty() || only == QLatin1String("data")) measureData(folder, figures);
    if (only.isEmpty() || only == QLatin1String("training")) measureTraining(folder, figures);
    figures.printTable();
    return figures.isOver() ? 1 : 0;
}

}  // namespace
}  // namespace mofo::bench

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    const QTemporaryDir settings;
    qputenv("XDG_CONFIG_HOME", settings.path().toLocal8Bit());
    qputenv("XDG_RUNTIME_DIR", settings.path().toLocal8Bit());
    QApplication application(argc, argv);
    mofo::setUpApplication(application);
    mofo::setLanguage(application, QStringLiteral("en"));
    mofo::Theme::apply(application, mofo::Theme::Choice::Light);
    return mofo::bench::run(QCoreApplication::arguments());
}
