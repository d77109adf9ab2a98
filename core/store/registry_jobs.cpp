#include <algorithm>
#include <array>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/store/registry_state.h"

namespace mofo {

namespace {

constexpr std::array<std::string_view, 7> jobStateNames{"queued", "starting", "running", "finished", "failed", "cancelled", "lost"};

#define MOFO_SELECT_JOBS                                                                                                             \
    "SELECT id, kind, parameters, device, state, coalesce(run, ''), created_ns, started_ns, ended_ns, phase, progress, end_reason, " \
    "cancel_requested, state_boot_id, state_boot_ns FROM jobs "

JobRow readJob(Query& row, const Workspace& workspace) {
    JobRow job;
    job.id = row.text(0);
    job.kind = row.text(1);
    const std::string parameters = row.text(2);
    job.device = row.text(3);
    const auto state = std::find(jobStateNames.begin(), jobStateNames.end(), row.text(4));
    job.state = state == jobStateNames.end() ? JobState::Failed : static_cast<JobState>(state - jobStateNames.begin());
    job.runId = row.text(5);
    job.createdNs = row.integer(6);
    job.startedNs = row.optionalInteger(7);
    job.endedNs = row.optionalInteger(8);
    job.phase = row.text(9);
    job.progress = row.number(10);
    job.endReason = row.text(11);
    job.cancelRequested = row.flag(12);
    if (auto json = parseJson(parameters); json.ok()) {
        job.parameters = std::move(json).value();
    } else {
        job.unreadable = "its parameters are damaged";
    }
    const bool starting = job.state == JobState::Starting;
    if ((starting || job.state == JobState::Running) &&
        isGone({starting, workspace.jobLock(job.id), workspace.deviceLock(job.device), row.text(13), row.integer(14)})) {
        job.state = JobState::Lost;
        if (job.endReason.empty()) job.endReason = "The engine of this job ended without saying so.";
    }
    return job;
}

Error noJob(std::string_view text) {
    return Error{ErrorCode::NotFound, "there is no job \"" + escapeForDisplay(text.substr(0, 80)) + '"', "", "mofo jobs lists them", ""};
}

int changeState(Database& database, std::string_view id, JobState state, std::string_view endReason) {
    const bool ended = state == JobState::Finished || state == JobState::Failed || state == JobState::Cancelled;
    const bool begins = state == JobState::Starting || state == JobState::Running;
    Query query(database,
                "UPDATE jobs SET state = ?2, end_reason = ?3, state_boot_id = ?4, state_boot_ns = ?5, started_ns = CASE WHEN ?6 AND started_ns IS "
                "NULL THEN ?7 ELSE started_ns END, "
                "ended_ns = CASE WHEN ?8 THEN ?7 ELSE NULL END WHERE id = ?1");
    return query.with(id, jobStateName(state), endReason, bootId(), bootNs(), begins, wallNs(), ended).run();
}

}  // namespace

std::string_view jobStateName(JobState state) { return jobStateNames[static_cast<std::size_t>(state)]; }

Result<void> Registry::addJob(const JobRow& job) {
    if (job.state == JobState::Lost) return Error{ErrorCode::Internal, "lost is a state that is derived and never stored", "", "", ""};
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        Query(*m_state->database,
              "INSERT INTO jobs(id, kind, parameters, device, state, state_boot_id, state_boot_ns, run, created_ns, started_ns, ended_ns, phase, "
              "progress, end_reason, "
              "cancel_requested) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .with(job.id, job.kind, storedJson(job.parameters), job.device, jobStateName(job.state), bootId(), bootNs(),
                  job.runId.empty() ? std::nullopt : std::optional(job.runId), job.createdNs, job.startedNs, job.endedNs, job.phase, job.progress,
                  job.endReason, job.cancelRequested)
            .run();
        transaction.commit();
        return {};
    });
}

Result<std::vector<JobRow>> Registry::jobs() const {
    return m_state->database->attempt([&]() -> Result<std::vector<JobRow>> {
        std::vector<JobRow> list;
        Query query(*m_state->database, MOFO_SELECT_JOBS "ORDER BY seq DESC");
        while (query.next()) list.push_back(readJob(query, m_state->workspace));
        return list;
    });
}

Result<JobRow> Registry::findJob(std::string_view text) const {
    if (text.empty()) return noJob(text);
    return m_state->database->attempt([&]() -> Result<JobRow> {
        Query query(*m_state->database, MOFO_SELECT_JOBS "WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id <> ?1, seq DESC");
        query.with(text);
        std::optional<JobRow> found;
        std::vector<std::string> candidates;
        while (query.next()) {
            const std::string id = query.text(0);
            if (!found) found = readJob(query, m_state->workspace);
            if (id == text) return *std::move(found);
            candidates.push_back(id);
        }
        if (!found) return noJob(text);
        if (candidates.size() > 1) {
            return Error{
                ErrorCode::Conflict,
                '"' + escapeForDisplay(text.substr(0, 80)) + "\" names " + std::to_string(candidates.size()) + " jobs: " + candidateList(candidates),
                "", "Give more of the id", ""};
        }
        return *std::move(found);
    });
}

Result<std::optional<JobRow>> Registry::takeNextQueuedJob(std::string_view device) {
    return m_state->database->attempt([&]() -> Result<std::optional<JobRow>> {
        Database& database = *m_state->database;
        WriteTransaction transaction(database);
        std::optional<JobRow> taken;
        while (!taken) {
            std::string id;
            {
                Query next(database, "SELECT id FROM jobs WHERE state = 'queued' AND device = ? ORDER BY seq LIMIT 1");
                if (!next.with(device).next()) break;
                id = next.text(0);
            }
            changeState(database, id, JobState::Starting, "");
            Query row(database, MOFO_SELECT_JOBS "WHERE id = ?");
            if (!row.with(id).next()) return noJob(id);
            JobRow job = readJob(row, m_state->workspace);
            if (job.cancelRequested) {
                changeState(database, id, JobState::Cancelled, "Cancelled before it started.");
            } else if (!job.unreadable.empty()) {
                changeState(database, id, JobState::Failed, "This job cannot be started: " + job.unreadable);
            } else {
                taken = std::move(job);
            }
        }
        transaction.commit();
        return taken;
    });
}

Result<void> Registry::setJobState(std::string_view id, JobState state, std::string_view endReason) {
    if (state == JobState::Lost) return Error{ErrorCode::Internal, "lost is a state that is derived and never stored", "", "", ""};
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        if (changeState(*m_state->database, id, state, endReason) == 0) return noJob(id);
        transaction.commit();
        return {};
    });
}

Result<void> Registry::setJobProgress(std::string_view id, std::string_view phase, double progress) {
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        const double share = progress > 0 ? std::min(progress, 1.0) : 0.0;  // A NaN becomes 0 too.
        if (Query(*m_state->database, "UPDATE jobs SET phase = ?, progress = ? WHERE id = ?").with(phase, share, id).run() == 0) return noJob(id);
        transaction.commit();
        return {};
    });
}

Result<void> Registry::requestJobCancel(std::string_view id) {
    return m_state->database->attempt([&]() -> Result<void> {
        WriteTransaction transaction(*m_state->database);
        if (Query(*m_state->database, "UPDATE jobs SET cancel_requested = 1 WHERE id = ?").with(id).run() == 0) return noJob(id);
        transaction.commit();
        return {};
    });
}

}  // namespace mofo
