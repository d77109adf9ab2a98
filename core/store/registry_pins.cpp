#include <algorithm>
#include <filesystem>
#include <set>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/store/registry_state.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

/// Whether a run has written a checkpoint, so that it needs its parent's no more. Anything in doubt counts as none.
bool hasCheckpoint(const fs::path& folder) {
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(folder, ec)) {
        if (entry.path().filename().string().starts_with("step-") && fs::exists(entry.path() / "manifest.json", ec)) return true;
    }
    return false;
}

Error noSuchRun(std::string_view id) {
    return Error{ErrorCode::NotFound, "there is no run \"" + escapeForDisplay(id) + '"', "", "mofo runs lists them", ""};
}

bool isRun(Database& database, std::string_view id) { return Query(database, "SELECT 1 FROM runs WHERE id = ?").with(id).next(); }

}  // namespace

Result<void> Registry::setRunPinned(std::string_view id, bool pinned) {
    return m_state->database->attempt([&]() -> Result<void> {
        Database& database = *m_state->database;
        WriteTransaction transaction(database);
        if (!isRun(database, id)) return noSuchRun(id);
        Query(database, "UPDATE runs SET pinned = ? WHERE id = ?").with(pinned, id).run();
        transaction.commit();
        return {};
    });
}

Result<void> Registry::setRunBaseline(std::string_view id, bool baseline) {
    return m_state->database->attempt([&]() -> Result<void> {
        Database& database = *m_state->database;
        WriteTransaction transaction(database);
        if (!isRun(database, id)) return noSuchRun(id);
        Query(database, "UPDATE runs SET baseline = 0 WHERE baseline = 1").run();
        if (baseline) Query(database, "UPDATE runs SET baseline = 1 WHERE id = ?").with(id).run();
        transaction.commit();
        return {};
    });
}

Result<void> Registry::setCheckpointPinned(std::string_view id, std::int64_t step, bool pinned) {
    return m_state->database->attempt([&]() -> Result<void> {
        Database& database = *m_state->database;
        WriteTransaction transaction(database);
        if (!isRun(database, id)) return noSuchRun(id);
        if (pinned) {
            Query(database, "INSERT INTO checkpoint_pins(run, step, created_ns) VALUES (?, ?, ?) ON CONFLICT (run, step) DO NOTHING")
                .with(id, step, wallNs())
                .run();
        } else {
            Query(database, "DELETE FROM checkpoint_pins WHERE run = ? AND step = ?").with(id, step).run();
        }
        transaction.commit();
        return {};
    });
}

Result<std::vector<std::int64_t>> Registry::pinnedSteps(std::string_view id) const {
    return m_state->database->attempt([&]() -> Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> steps;
        if (!m_state->hasMarks()) return steps;
        Query query(*m_state->database, "SELECT step FROM checkpoint_pins WHERE run = ? ORDER BY step");
        query.with(id);
        while (query.next()) steps.push_back(query.integer(0));
        return steps;
    });
}

Result<std::vector<std::int64_t>> Registry::keptSteps(std::string_view id) const {
    MOFO_TRY(const std::vector<std::int64_t> pinned, pinnedSteps(id));
    return m_state->database->attempt([&]() -> Result<std::vector<std::int64_t>> {
        std::set<std::int64_t> kept(pinned.begin(), pinned.end());
        Query branches(*m_state->database, "SELECT id, parent_step FROM runs WHERE parent = ? AND parent_step > 0");
        branches.with(id);
        while (branches.next()) {
            if (!hasCheckpoint(m_state->workspace.checkpointsFolder(branches.text(0)))) kept.insert(branches.integer(1));
        }
        return std::vector<std::int64_t>(kept.begin(), kept.end());
    });
}

}  // namespace mofo
