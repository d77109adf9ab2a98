#include "core/store/registry.h"

#include <algorithm>
#include <array>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/store/registry_state.h"

namespace mofo {

namespace {

constexpr std::array<std::string_view, 10> runStateNames{"draft",    "queued",   "starting", "running", "paused",
                                                         "stopping", "finished", "stopped",  "failed",  "lost"};

constexpr std::int64_t startingGraceNs = 30'000'000'000;

/// Everything of a run in one row, so that a list is one statement.
#define MOFO_RUN_COLUMNS                                                                                                                    \
    "SELECT r.id, r.name, r.state, r.device, coalesce(r.model, ''), r.model_name, r.command_line, r.created_ns, r.started_ns, r.ended_ns, " \
    "r.end_reason, coalesce(r.parent, ''), r.parent_step, r.tags, r.note, r.pinned, r.baseline, r.trashed_ns, r.queue_place, r.restarts, "  \
    "r.state_boot_id, r.state_boot_ns, c.current, s.step, s.total_steps, s.loss, s.loss_state, s.eval_loss, s.drift, s.tokens_per_second, " \
    "s.phase, s.updated_ns, r.device_warning, coalesce(r.sweep, ''), "

#define MOFO_RUN_TABLES "FROM runs r LEFT JOIN configs c ON c.run = r.id LEFT JOIN run_summaries s ON s.run = r.id "
#define MOFO_SELECT_RUNS MOFO_RUN_COLUMNS "coalesce(k.not_exact, '') " MOFO_RUN_TABLES "LEFT JOIN run_marks k ON k.run = r.id "
/// Of a file of schema version 1, which readers take as it is.
#define MOFO_SELECT_RUNS_1 MOFO_RUN_COLUMNS "'' " MOFO_RUN_TABLES

std::optional<RunState> runStateOf(std::string_view name) {
    for (std::size_t i = 0; i < runStateNames.size(); ++i) {
        if (runStateNames[i] == name) return static_cast<RunState>(i);
    }
    return std::nullopt;
}

void readSummary(Query& row, RunSummary& summary) {
    if (!row.optionalInteger(23)) return;
    summary.step = row.integer(23);
    summary.totalSteps = row.integer(24);
    summary.loss = row.optionalNumber(25);
    summary.lossState = row.text(26);
    summary.evalLoss = row.optionalNumber(27);
    summary.drift = row.optionalNumber(28);
    summary.tokensPerSecond = row.number(29);
    summary.phase = row.text(30);
    summary.updatedNs = row.integer(31);
}

/// A damaged column does not hide the run: it is listed with the reason in `unreadable`.
void readConfigAndTags(Query& row, RunRow& run) {
    if (const auto tags = parseJson(row.text(13)); tags.ok() && tags->is_array()) {
        for (const Json& tag : *tags) {
            if (tag.is_string()) run.tags.push_back(tag.get<std::string>());
        }
    } else {
        run.unreadable = "its tags are damaged";
    }
    const auto json = parseJson(row.text(22));
    auto config = json.ok() ? configFromJson(*json) : Result<RunConfig>(json.error());
    if (config.ok()) {
        run.config = std::move(config).value();
    } else {
        run.unreadable = "its configuration cannot be read: " + config.error().text();
    }
}

RunRow readRun(Query& row, const Workspace& workspace) {
    RunRow run;
    run.id = row.text(0);
    run.name = row.text(1);
    run.state = runStateOf(row.text(2)).value_or(RunState::Failed);
    run.device = row.text(3);
    run.deviceWarning = row.text(32);
    run.sweepId = row.text(33);
    run.notExact = row.text(34);
    run.modelId = row.text(4);
    run.modelName = row.text(5);
    run.commandLine = row.text(6);
    run.createdNs = row.integer(7);
    run.startedNs = row.optionalInteger(8);
    run.endedNs = row.optionalInteger(9);
    run.endReason = row.text(10);
    run.parentId = row.text(11);
    run.parentStep = row.integer(12);
    run.note = row.text(14);
    run.pinned = row.flag(15);
    run.baseline = row.flag(16);
    run.trashedNs = row.optionalInteger(17);
    run.queuePlace = row.integer(18);
    run.restarts = row.integer(19);
    readConfigAndTags(row, run);
    readSummary(row, run.summary);
    const bool starting = run.state == RunState::Starting;
    if (starting || run.state == RunState::Running || run.state == RunState::Paused || run.state == RunState::Stopping) {
        if (isGone({starting, workspace.runLock(run.id), workspace.deviceLock(run.device), row.text(20), row.integer(21)})) {
            run.state = RunState::Lost;
            if (run.endReason.empty()) run.endReason = "The engine of this run ended without saying so.";
        }
    }
    return run;
}

Error noRun(std::string_view text) {
    return Error{ErrorCode::NotFound, "there is no run \"" + escapeForDisplay(text.substr(0, 80)) + '"', "", "mofo runs lists them", ""};
}

Result<void> oneChanged(int changed, std::string_view id) {
    if (changed == 0) return noRun(id);
    return {};
}

std::int64_t nextQueuePlace(Database& database) {
    Query query(database, "SELECT coalesce(max(queue_place), 0) + 1 FROM runs WHERE state = 'queued'");
    query.next();
    return query.integer(0);
}

/// Moves a run into a state and keeps what depends on it: the queue place, the times, and when the state was entered.
int changeState(Database& database, std::string_view id, RunState state, std::string_view endReason) {
    const bool begins = state == RunState::Starting || state == RunState::Running;
    Query query(
        database,
        "UPDATE runs SET state = ?2, end_reason = ?3, state_boot_id = ?4, state_boot_ns = ?5, queue_place = ?6, "
        "started_ns = CASE WHEN ?7 AND started_ns IS NULL THEN ?8 ELSE started_ns END, ended_ns = CASE WHEN ?9 THEN ?8 ELSE NULL END WHERE id = ?1");
    return query
        .with(id, runStateName(state), endReason, bootId(), bootNs(), state == RunState::Queued ? nextQueuePlace(database) : 0, begins, wallNs(),
              isEnded(state))
        .run();
}

}  // namespace

std::string_view runStateName(RunState state) { return runStateNames[static_cast<std::size_t>(state)]; }

bool isEnded(RunState state) {
    return state == RunState::Finished || state == RunState::Stopped || state == RunState::Failed || state == RunState::Lost;
}

bool isGone(const Liveness& liveness) {
    if (FileLock::isHeld(liveness.lock)) return false;
    if (!liveness.starting) return true;
    if (FileLock::isHeld(liveness.deviceLock)) return false;
    return liveness.bootId != bootId() || bootNs() - liveness.bootNs > startingGraceNs;
}

Result<void> checkText(std::string_view what, std::string_view text, std::size_t limitBytes) {
    const auto wrong = [&](std::string message) {
        return Error{ErrorCode::Usage, std::string(what) + " " + std::move(message), "", "Choose another", "VALUE"};
    };
    if (text.size() > limitBytes) return wrong("is longer than " + std::to_string(limitBytes) + " bytes");
    if (!isValidUtf8(text)) return wrong("is not valid UTF-8");
    if (text.find('\0') != std::string_view::npos) return wrong("holds a zero byte");
    return {};
}

Result<std::string> idNamedBy(Query& graded, std::string_view text, std::string_view plural) {
    std::string id;
    std::int64_t grade = 0;
    std::vector<std::string> candidates;
    while (graded.next()) {
        if (candidates.empty()) {
            id = graded.text(0);
            grade = graded.integer(2);
        } else if (graded.integer(2) != grade) {
            break;
        }
        candidates.push_back(graded.text(0) + " (" + graded.text(1) + ")");
    }
    if (candidates.size() > 1) {
        return Error{ErrorCode::Conflict,
                     '"' + escapeForDisplay(text.substr(0, 80)) + "\" names " + std::to_string(candidates.size()) + ' ' + std::string(plural) + ": " +
                         candidateList(candidates),
                     "", "Give the id, or more of it", ""};
    }
    return id;
}

std::string candidateList(const std::vector<std::string>& candidates) {
    constexpr std::size_t shownCount = 5;
    std::string list;
    for (std::size_t i = 0; i < std::min(candidates.size(), shownCount); ++i) list += (i == 0 ? "" : ", ") + escapeForDisplay(candidates[i]);
    if (candidates.size() > shownCount) list += " and " + std::to_string(candidates.size() - shownCount) + " more";
    return list;
}

Registry::Registry(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Registry::Registry(Registry&&) noexcept = default;
Registry& Registry::operator=(Registry&&) noexcept = default;
Registry::~Registry() = default;

Result<Registry> Registry::open(const Workspace& workspace, Access access) {
    const auto mode = access == Access::ReadWrite ? Database::Mode::SharedWriter : Database::Mode::SharedReader;
    MOFO_TRY(auto database, Database::open(workspace.registryFile(), registrySchema(), mode));
    return Registry(std::make_unique<State>(State{workspace, std::move(database)}));
}

void Registry::setPatience(std::optional<std::int64_t> limitNs) { m_state->database->setPatience(limitNs); }

std::int64_t Registry::dataVersion() const { return m_state->database->dataVersion(); }
void Registry::holdReserve() const { m_state->database->holdReserve(); }

Result<void> checkNewRun(const RunRow& run) {
    if (run.state == RunState::Lost) return Error{ErrorCode::Internal, "lost is a state that is derived and never stored", "", "", ""};
    if (run.name.empty()) return Error{ErrorCode::Usage, "a run needs a name", "", "Give one with --name", "VALUE"};
    MOFO_CHECK(checkText("the name of the run", run.name, 400));
    return checkText("the note", run.note, 1 << 20);
}

Result<void> insertRun(Database& database, const RunRow& run) {
    Query twin(database, "SELECT 1 FROM runs WHERE id = ?");
    if (twin.with(run.id).next())
        return Error{ErrorCode::Conflict, "there is a run with the id " + escapeForDisplay(run.id) + " already", "", "", ""};
    if (!run.modelId.empty()) {
        Query model(database, "SELECT 1 FROM models WHERE id = ?");
        if (!model.with(run.modelId).next())
            return Error{ErrorCode::NotFound, "the model " + escapeForDisplay(run.modelId) + " of the run is not in the workspace", "",
                         "Add it first", ""};
    }
    const std::int64_t place = run.state != RunState::Queued ? 0 : run.queuePlace > 0 ? run.queuePlace : nextQueuePlace(database);
    const auto orNull = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); };
    Query(database,
          "INSERT INTO runs(id, name, state, state_boot_id, state_boot_ns, device, device_warning, model, model_name, command_line, created_ns, "
          "started_ns, ended_ns, end_reason, "
          "parent, parent_step, sweep, tags, note, pinned, baseline, trashed_ns, queue_place, restarts) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .with(run.id, run.name, runStateName(run.state), bootId(), bootNs(), run.device, run.deviceWarning, orNull(run.modelId), run.modelName,
              run.commandLine, run.createdNs, run.startedNs, run.endedNs, run.endReason, orNull(run.parentId), run.parentStep, orNull(run.sweepId),
              storedJson(run.tags), run.note, run.pinned, run.baseline, run.trashedNs, place, run.restarts)
        .run();
    const std::string config = storedJson(configToJson(run.config));
    Query(database, "INSERT INTO configs(run, initial, current) VALUES (?, ?, ?)").with(run.id, config, config).run();
    if (!run.notExact.empty()) Query(database, "INSERT INTO run_marks(run, not_exact) VALUES (?, ?)").with(run.id, run.notExact).run();
    return {};
}

Result<void> Registry::addRun(const RunRow& run) {
    MOFO_CHECK(checkNewRun(run));
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        MOFO_CHECK(insertRun(*m_state->database, run));
        transaction.commit();
        return {};
    });
}

Result<std::vector<RunRow>> Registry::runs(bool includeTrashed) const {
    return m_state->database->attempt([&]() -> Result<std::vector<RunRow>> {
        std::vector<RunRow> list;
        Query query(*m_state->database, m_state->hasMarks() ? MOFO_SELECT_RUNS "WHERE ? OR r.trashed_ns IS NULL ORDER BY r.seq DESC"
                                                            : MOFO_SELECT_RUNS_1 "WHERE ? OR r.trashed_ns IS NULL ORDER BY r.seq DESC");
        query.with(includeTrashed);
        while (query.next()) list.push_back(readRun(query, m_state->workspace));
        return list;
    });
}

Result<RunRow> Registry::findRun(std::string_view text) const {
    if (text.empty()) return noRun(text);
    return m_state->database->attempt([&]() -> Result<RunRow> {
        // The better kind of match decides: the whole id, then the whole name (runs in the trash only where no other has it), then a prefix of an id.
        Query query(
            *m_state->database,
            "SELECT id, name, CASE WHEN id = ?1 THEN 0 WHEN name = ?1 THEN CASE WHEN trashed_ns IS NULL THEN 1 ELSE 2 END ELSE 3 END AS grade "
            "FROM runs WHERE id = ?1 OR name = ?1 OR substr(id, 1, length(?1)) = ?1 ORDER BY grade, seq DESC");
        query.with(text);
        MOFO_TRY(const std::string id, idNamedBy(query, text, "runs"));
        if (id.empty()) return noRun(text);
        Query row(*m_state->database, m_state->hasMarks() ? MOFO_SELECT_RUNS "WHERE r.id = ?" : MOFO_SELECT_RUNS_1 "WHERE r.id = ?");
        if (!row.with(id).next()) return noRun(text);
        return readRun(row, m_state->workspace);
    });
}

Result<void> Registry::setRunState(std::string_view id, RunState state, std::string_view endReason) {
    if (state == RunState::Lost) return Error{ErrorCode::Internal, "lost is a state that is derived and never stored", "", "", ""};
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        MOFO_CHECK(oneChanged(changeState(*m_state->database, id, state, endReason), id));
        transaction.commit();
        return {};
    });
}

Result<void> Registry::setRunEndReason(std::string_view id, std::string_view endReason) {
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        MOFO_CHECK(oneChanged(Query(*m_state->database, "UPDATE runs SET end_reason = ? WHERE id = ?").with(endReason, id).run(), id));
        transaction.commit();
        return {};
    });
}

Result<bool> Registry::stopQueuedRun(std::string_view id, std::string_view endReason) {
    return m_state->database->attempt([&]() -> Result<bool> {
        WriteTransaction transaction(*m_state->database);
        Query waiting(*m_state->database, "SELECT 1 FROM runs WHERE id = ? AND state = 'queued'");
        if (!waiting.with(id).next()) return false;
        changeState(*m_state->database, id, RunState::Stopped, endReason);
        transaction.commit();
        return true;
    });
}

Result<void> Registry::moveQueuedRun(std::string_view id, std::int64_t position) {
    return m_state->database->attempt([&]() -> Result<void> {
        Database& database = *m_state->database;
        WriteTransaction transaction(database);
        Query own(database, "SELECT device FROM runs WHERE id = ? AND state = 'queued'");
        if (!own.with(id).next()) return Error{ErrorCode::Conflict, "the run is not in a queue", std::string(id), "", ""};
        std::vector<std::string> order;
        std::vector<std::int64_t> places;
        Query queued(database, "SELECT id, queue_place FROM runs WHERE state = 'queued' AND device = ? ORDER BY queue_place, seq");
        queued.with(own.text(0));
        while (queued.next()) {
            if (queued.text(0) != id) order.push_back(queued.text(0));
            places.push_back(queued.integer(1));
        }
        const std::int64_t index = std::clamp<std::int64_t>(position, 1, static_cast<std::int64_t>(places.size())) - 1;
        order.insert(order.begin() + index, std::string(id));
        for (std::size_t i = 0; i < order.size(); ++i) {
            Query(database, "UPDATE runs SET queue_place = ? WHERE id = ?").with(places[i], order[i]).run();
        }
        transaction.commit();
        return {};
    });
}

Result<void> Registry::setRunSummary(std::string_view id, const RunSummary& summary) {
    return m_state->database->attempt([&]() -> Result<void> {
        const auto finite = [](std::optional<double> value) { return value && std::isfinite(*value) ? value : std::nullopt; };
        WriteTransaction transaction(*m_state->database);
        Query known(*m_state->database, "SELECT 1 FROM runs WHERE id = ?");
        if (!known.with(id).next()) return noRun(id);
        Query(*m_state->database,
              "INSERT INTO run_summaries(run, step, total_steps, loss, loss_state, eval_loss, drift, tokens_per_second, phase, updated_ns) VALUES "
              "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
              "ON CONFLICT (run) DO UPDATE SET step = excluded.step, total_steps = excluded.total_steps, loss = excluded.loss, loss_state = "
              "excluded.loss_state, "
              "eval_loss = excluded.eval_loss, drift = excluded.drift, tokens_per_second = excluded.tokens_per_second, phase = excluded.phase, "
              "updated_ns = excluded.updated_ns")
            .with(id, summary.step, summary.totalSteps, finite(summary.loss), summary.lossState, finite(summary.evalLoss), finite(summary.drift),
                  std::isfinite(summary.tokensPerSecond) ? summary.tokensPerSecond : 0.0, summary.phase, summary.updatedNs)
            .run();
        transaction.commit();
        return {};
    });
}

Result<void> Registry::setRunConfig(std::string_view id, const RunConfig& config) {
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        MOFO_CHECK(oneChanged(
            Query(*m_state->database, "UPDATE configs SET current = ? WHERE run = ?").with(storedJson(configToJson(config)), id).run(), id));
        transaction.commit();
        return {};
    });
}

Result<RunConfig> Registry::initialRunConfig(std::string_view id) const {
    return m_state->database->attempt([&]() -> Result<RunConfig> {
        Query query(*m_state->database, "SELECT initial FROM configs WHERE run = ?");
        if (!query.with(id).next()) return noRun(id);
        MOFO_TRY(const Json json, parseJson(query.text(0)));
        return configFromJson(json);
    });
}

Result<void> Registry::renameRun(std::string_view id, std::string_view name) {
    if (name.empty()) return Error{ErrorCode::Usage, "a run needs a name", "", "Give one", "VALUE"};
    MOFO_CHECK(checkText("the name of the run", name, 400));
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        MOFO_CHECK(oneChanged(Query(*m_state->database, "UPDATE runs SET name = ? WHERE id = ?").with(name, id).run(), id));
        transaction.commit();
        return {};
    });
}

Result<void> Registry::setRunNote(std::string_view id, std::string_view note) {
    MOFO_CHECK(checkText("the note", note, 1 << 20));
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        MOFO_CHECK(oneChanged(Query(*m_state->database, "UPDATE runs SET note = ? WHERE id = ?").with(note, id).run(), id));
        transaction.commit();
        return {};
    });
}

Result<void> Registry::setRunTags(std::string_view id, const std::vector<std::string>& tags) {
    for (const std::string& tag : tags) MOFO_CHECK(checkText("the tag", tag, 100));
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        MOFO_CHECK(oneChanged(Query(*m_state->database, "UPDATE runs SET tags = ? WHERE id = ?").with(storedJson(tags), id).run(), id));
        transaction.commit();
        return {};
    });
}

Result<void> Registry::setRunTrashed(std::string_view id, bool trashed) {
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        const std::optional<std::int64_t> when = trashed ? std::optional(wallNs()) : std::nullopt;
        MOFO_CHECK(oneChanged(Query(*m_state->database, "UPDATE runs SET trashed_ns = ? WHERE id = ?").with(when, id).run(), id));
        transaction.commit();
        return {};
    });
}

Result<void> Registry::setRunRestarts(std::string_view id, std::int64_t restarts) {
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        MOFO_CHECK(oneChanged(Query(*m_state->database, "UPDATE runs SET restarts = ? WHERE id = ?").with(restarts, id).run(), id));
        transaction.commit();
        return {};
    });
}

Result<void> Registry::queueRun(std::string_view id) { return setRunState(id, RunState::Queued); }

Result<std::optional<RunRow>> Registry::takeNextQueuedRun(std::string_view device) {
    return m_state->database->attempt([&]() -> Result<std::optional<RunRow>> {
        Database& database = *m_state->database;
        WriteTransaction transaction(database);
        std::optional<RunRow> taken;
        while (!taken) {
            std::string id;
            {
                Query next(database,
                           "SELECT id FROM runs WHERE state = 'queued' AND device = ? AND trashed_ns IS NULL ORDER BY queue_place, seq LIMIT 1");
                if (!next.with(device).next()) break;
                id = next.text(0);
            }
            changeState(database, id, RunState::Starting, "");
            Query row(database, MOFO_SELECT_RUNS "WHERE r.id = ?");
            if (!row.with(id).next()) return noRun(id);
            RunRow run = readRun(row, m_state->workspace);
            if (run.unreadable.empty()) {
                taken = std::move(run);
            } else {
                // One run that cannot be read must not block those behind it.
                changeState(database, id, RunState::Failed, "This run cannot be started: " + run.unreadable);
            }
        }
        transaction.commit();
        return taken;
    });
}

}  // namespace mofo
