#include "tests/ui/ui_test_support.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QTest>
#include <stdexcept>

namespace mofo::test {

namespace {

template <class T>
T must(Result<T> result) {
    if (!result.ok()) throw std::runtime_error(result.error().text());
    return std::move(result).value();
}

void must(const Result<void>& result) {
    if (!result.ok()) throw std::runtime_error(result.error().text());
}

}  // namespace

bool waitFor(const std::function<bool()>& condition, int milliseconds) {
    QElapsedTimer clock;
    clock.start();
    while (!condition()) {
        if (clock.elapsed() > milliseconds) return false;
        QTest::qWait(10);
    }
    return true;
}

void spin(int milliseconds) { QTest::qWait(milliseconds); }

UiWorkspace::UiWorkspace() : m_workspace(must(Workspace::openOrCreate(m_temporary / "workspace", false))) {}

RecordedRun UiWorkspace::record(const RecordedRunOptions& options, std::int64_t steps) {
    RecordedRun run = must(RecordedRun::create(m_workspace, options));
    must(run.begin());
    must(run.advance(steps, false));
    return run;
}

std::vector<CommandRow> UiWorkspace::commands(const std::string& runId) const {
    const Registry registry = must(Registry::open(m_workspace, Registry::Access::ReadOnly));
    return must(registry.commands(runId));
}

}  // namespace mofo::test
