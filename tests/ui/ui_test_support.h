// For tests of the window: a workspace with a recorded run, a session that reads it, waiting for what a person would see.
#pragma once

#include <gtest/gtest.h>

#include <QObject>
#include <functional>
#include <string>

#include "tests/support/recorded_run.h"
#include "tests/support/test_support.h"

namespace mofo::test {

/// Lets the event loop run until the condition holds; false after `milliseconds`.
bool waitFor(const std::function<bool()>& condition, int milliseconds = 5000);
/// Lets the event loop run.
void spin(int milliseconds);

/// A temporary workspace.
class UiWorkspace {
public:
    UiWorkspace();
    [[nodiscard]] const std::filesystem::path& folder() const { return m_workspace.folder(); }
    [[nodiscard]] const Workspace& workspace() const { return m_workspace; }
    /// A run that has begun and done `steps` steps.
    [[nodiscard]] RecordedRun record(const RecordedRunOptions& options, std::int64_t steps);
    /// Every command row of a run, in order of arrival.
    [[nodiscard]] std::vector<CommandRow> commands(const std::string& runId) const;

private:
    TemporaryFolder m_temporary;
    Workspace m_workspace;
};

}  // namespace mofo::test
