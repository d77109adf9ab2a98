// What the parts of Registry share. Private to core/store.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/store/database.h"
#include "core/store/registry.h"

namespace mofo {

struct Registry::State {
    Workspace workspace;
    std::unique_ptr<Database> database;

    /// Whether the file has what schema version 2 added. Asked anew each time: a writer may bring it up to date meanwhile.
    [[nodiscard]] bool hasMarks() { return database->schemaVersion() >= 2; }
};

/// Whether an engine or job that the store calls active is gone: its lock is free. One that is only starting has no lock yet, and is given
/// 30 s, or as long as a supervisor holds the device.
struct Liveness {
    bool starting = false;
    std::filesystem::path lock;        ///< of the run or job
    std::filesystem::path deviceLock;  ///< of the supervisor
    std::string bootId;                ///< when the state was entered
    std::int64_t bootNs = 0;
};
[[nodiscard]] bool isGone(const Liveness& liveness);

/// What a run must be before it is added.
Result<void> checkNewRun(const RunRow& run);
/// Adds it within the caller's transaction; run.sweepId must be there.
Result<void> insertRun(Database& database, const RunRow& run);
/// Text that may enter the store: well-formed UTF-8 without zero bytes, at most `limitBytes`.
Result<void> checkText(std::string_view what, std::string_view text, std::size_t limitBytes);
/// "a, b and 3 more": candidates of an ambiguous name.
[[nodiscard]] std::string candidateList(const std::vector<std::string>& candidates);
/// The id that `text` names among rows (id, name, grade) in order of grade: the best grade decides. Empty where there is no row; Conflict,
/// listing the candidates, where several share the best grade. `plural` is the word for them: "runs".
Result<std::string> idNamedBy(Query& graded, std::string_view text, std::string_view plural);

}  // namespace mofo
