#include "ui/controllers/tuning_controller.h"

#include <algorithm>
#include <utility>

#include "core/client/commands.h"
#include "ui/models/display_text.h"

namespace mofo {

namespace {

constexpr int draftDelayMs = 500;

}  // namespace

TuningController::TuningController(const RunData* data, QObject* parent) : QObject(parent), m_data(data) {
    connect(data, &RunData::tuningChanged, this, &TuningController::onTuningChanged);
    connect(data, &RunData::runChanged, this, &TuningController::onRunChanged);
    connect(data, &RunData::statusChanged, this, &TuningController::changed);
    connect(data, &RunData::draftRead, this, &TuningController::onDraftRead);
    m_draftTimer.setSingleShot(true);
    m_draftTimer.setInterval(draftDelayMs);
    connect(&m_draftTimer, &QTimer::timeout, this, &TuningController::keepDraft);
}

void TuningController::onDraftRead() {
    if (m_draftTaken || !m_data->run()) return;
    m_draftTaken = true;
    const KeyValues kept = m_data->stagedDraft();
    if (!canTune()) return;
    for (const auto& [key, value] : kept) stage(key, value);
}

void TuningController::keepDraft() {
    m_draftTimer.stop();
    if (m_runId.empty()) return;
    Json values = Json::object();
    for (const auto& [key, value] : m_staged) values[key] = value;
    Q_EMIT draftWanted(QString::fromStdString(m_runId), values);
}

void TuningController::flushDraft() {
    if (m_draftTimer.isActive()) keepDraft();
}

void TuningController::stagedChanged() {
    std::erase_if(m_stagedOrder, [&](const std::string& key) { return !m_staged.contains(key); });
    m_stagedProblem.clear();
    if (!m_staged.empty() && m_data->run()) {
        RunRow run = *m_data->run();
        run.config = m_data->tuning().applied;
        std::vector<std::string> assignments;
        for (const auto& [key, value] : m_staged) assignments.push_back(key + '=' + value);
        if (const Result<Json> checked = checkLiveChange(run, assignments); !checked.ok()) m_stagedProblem = ui::shown(checked.error().text());
    }
    m_draftTimer.start();
    Q_EMIT changed();
}

std::optional<RunConfig> TuningController::stagedConfig() const {
    if (m_staged.empty()) return std::nullopt;
    RunConfig config = m_data->tuning().applied;
    for (const auto& [key, value] : m_staged) {
        if (!setConfigValue(config, key, value).ok()) return std::nullopt;
    }
    return config;
}

void TuningController::onRunChanged() {
    const std::string id = m_data->run() ? m_data->run()->id : std::string();
    if (id != m_runId) {
        if (m_draftTimer.isActive()) keepDraft();
        m_runId = id;
        m_draftTaken = false;
        m_offered.reset();
        m_withdrawing.clear();
        m_staged.clear();
        m_stagedOrder.clear();
        m_stagedProblem.clear();
        m_sending.clear();
        m_sendingTicket.reset();
        m_asked.clear();
        m_written.clear();
        m_waiting.clear();
        m_watched.clear();
        m_seenRefusals.clear();
        m_sendProblem.clear();
    }
    Q_EMIT changed();
}

void TuningController::onTuningChanged() {
    const LiveTuning& tuning = m_data->tuning();
    std::erase_if(m_written, [&](const auto& entry) { return tuning.known.contains(entry.first); });
    for (const PendingCommand& command : tuning.pending) {
        m_watched.insert(command.uuid);
        if (!m_waiting.contains(command.uuid)) m_waiting[command.uuid].start();
    }
    std::erase_if(m_waiting, [&](const auto& entry) {
        const bool pending =
            std::any_of(tuning.pending.begin(), tuning.pending.end(), [&](const PendingCommand& command) { return command.uuid == entry.first; });
        return !pending && !m_written.contains(entry.first);
    });
    for (auto it = m_withdrawing.begin(); it != m_withdrawing.end();) {
        const auto taken =
            std::find_if(tuning.changes.begin(), tuning.changes.end(), [&](const AppliedChange& change) { return change.uuid == *it; });
        if (taken != tuning.changes.end()) {
            // The engine was faster: what it applied can still be taken back.
            m_offered = *taken;
            it = m_withdrawing.erase(it);
        } else {
            ++it;
        }
    }
    if (m_offered) {
        const bool stands =
            std::any_of(tuning.changes.begin(), tuning.changes.end(), [&](const AppliedChange& change) { return change.uuid == m_offered->uuid; });
        if (!stands) m_offered.reset();
    }
    // What was staged may have come into force from elsewhere.
    if (std::erase_if(m_staged, [&](const auto& entry) { return inForce(entry.first) == entry.second; }) > 0) stagedChanged();
    Q_EMIT changed();
}

bool TuningController::isLive() const {
    if (!m_data->run() || m_isRecording) return false;
    const RunState state = m_data->run()->state;
    return state == RunState::Running || state == RunState::Paused || state == RunState::Starting;
}

bool TuningController::canTune() const {
    if (!m_data->run() || m_isRecording) return false;
    const RunState state = m_data->run()->state;
    return state == RunState::Lost || (!isEnded(state) && state != RunState::Draft && state != RunState::Stopping);
}

bool TuningController::invitesTuning() const {
    if (!m_data->run() || !selectsCoordinates(m_data->run()->config.optimizer)) return false;
    const RunState state = m_data->run()->state;
    const bool live = state == RunState::Running || state == RunState::Starting || state == RunState::Paused;
    return live && m_data->tuning().appliedCount == 0 && m_staged.empty() && !isAsked(QStringLiteral("set"));
}

bool TuningController::isAsked(const QString& kind) const {
    if (kind == QLatin1String("set") && m_sendingTicket) return true;
    const bool handedOver = std::any_of(m_asked.begin(), m_asked.end(), [&](const auto& entry) { return entry.second == kind; });
    const bool written = std::any_of(m_written.begin(), m_written.end(), [&](const auto& entry) { return entry.second.kind == kind; });
    return handedOver || written || m_data->tuning().isPending(kind.toStdString());
}

std::string TuningController::inForce(const std::string& key) const { return configValue(m_data->tuning().applied, key); }

KeyState TuningController::state(const std::string& key) const {
    KeyState state;
    const LiveTuning& tuning = m_data->tuning();
    state.applied = inForce(key);
    state.wanted = state.applied;
    if (const auto since = tuning.since.find(key); since != tuning.since.end()) {
        state.sinceStep = since->second.step;
        state.sinceWho = since->second.who;
        const bool paused = m_data->run() && m_data->run()->state == RunState::Paused;
        state.onResume = paused && since->second.step > m_data->newestStep();
    }
    // What an ended run did not take, it will not take; a lost one takes it when it is resumed.
    const bool answers = canTune() || (m_data->run() && m_data->run()->state == RunState::Stopping);
    if (const PendingCommand* pending = answers ? tuning.pendingFor(key) : nullptr) {
        state.phase = KeyState::Phase::Waiting;
        state.wanted = pending->values.at(key);
        state.who = pending->who;
        state.atStep = pending->atStep;
        if (const auto timer = m_waiting.find(pending->uuid); timer != m_waiting.end()) {
            state.waitingSeconds = static_cast<double>(timer->second.elapsed()) * 1e-3;
        }
    }
    for (const auto& [uuid, written] : m_written) {
        const auto value = written.values.find(key);
        if (value == written.values.end()) continue;
        state.phase = KeyState::Phase::Waiting;
        state.wanted = value->second;
        state.who = "window";
        if (const auto timer = m_waiting.find(uuid); timer != m_waiting.end()) {
            state.waitingSeconds = static_cast<double>(timer->second.elapsed()) * 1e-3;
        }
    }
    if (const auto sending = m_sending.find(key); m_sendingTicket && sending != m_sending.end()) {
        state.phase = KeyState::Phase::Sending;
        state.wanted = sending->second;
        state.who = "window";
        state.waitingSeconds = static_cast<double>(m_sendingSince.elapsed()) * 1e-3;
    }
    if (const auto staged = m_staged.find(key); staged != m_staged.end()) {
        state.phase = KeyState::Phase::Staged;
        state.wanted = staged->second;
    }
    for (const RefusedCommand& refused : tuning.refused) {
        const bool isNews = m_watched.contains(refused.uuid) && !m_seenRefusals.contains(refused.uuid);
        if (isNews && refused.values.contains(key)) state.refusal = ui::shown(refused.reason);
    }
    return state;
}

void TuningController::stage(const std::string& key, const std::string& value) {
    RunConfig scratch = m_data->tuning().applied;
    if (!m_data->run() || !setConfigValue(scratch, key, value).ok()) return;
    const std::string canonical = configValue(scratch, key);
    const KeyState before = state(key);
    const bool sent = before.phase == KeyState::Phase::Waiting || before.phase == KeyState::Phase::Sending;
    if (canonical == (sent ? before.wanted : inForce(key))) {
        m_staged.erase(key);
    } else {
        m_staged[key] = canonical;
        std::erase(m_stagedOrder, key);
        m_stagedOrder.push_back(key);
        for (const RefusedCommand& refused : m_data->tuning().refused) {
            if (refused.values.contains(key)) m_seenRefusals.insert(refused.uuid);
        }
    }
    stagedChanged();
}

void TuningController::discard(const std::string& key) {
    if (m_staged.erase(key) > 0) stagedChanged();
}

void TuningController::discardAll() {
    if (m_staged.empty()) return;
    m_staged.clear();
    stagedChanged();
}

quint64 TuningController::send(const QString& kind, const Json& payload, std::int64_t atStep) {
    m_sendProblem.clear();
    const quint64 ticket = ++m_lastTicket;
    Q_EMIT commandWanted(QString::fromStdString(m_runId), kind, payload, ticket, atStep);
    return ticket;
}

void TuningController::ask(const QString& kind, const Json& payload) {
    m_asked[m_lastTicket + 1] = kind;
    send(kind, payload);
    Q_EMIT changed();
}

void TuningController::apply(std::int64_t atStep) {
    if (!canApply()) return;
    Json payload = Json::object();
    for (const auto& [key, value] : m_staged) payload[key] = value;
    m_sending = std::exchange(m_staged, {});
    m_sendingSince.start();
    m_sendingTicket = m_lastTicket + 1;
    m_offered.reset();
    send(QStringLiteral("set"), payload, atStep);
    stagedChanged();
}

void TuningController::checkpoint() {
    if (isLive() && !isAsked(QStringLiteral("checkpoint"))) ask(QStringLiteral("checkpoint"), Json::object());
}

void TuningController::evaluate() {
    if (isLive() && !isAsked(QStringLiteral("evaluate"))) ask(QStringLiteral("evaluate"), Json::object());
}

bool TuningController::undo() {
    if (!m_stagedOrder.empty()) {
        discard(std::string(m_stagedOrder.back()));
        return true;
    }
    QStringList uuids;
    for (const PendingCommand& command : m_data->tuning().pending) {
        if (command.kind == "set" && command.who == "window" && !m_withdrawing.contains(command.uuid)) uuids << QString::fromStdString(command.uuid);
    }
    if (!uuids.isEmpty()) {
        for (const QString& uuid : uuids) m_withdrawing.insert(uuid.toStdString());
        const quint64 ticket = ++m_lastTicket;
        m_asked[ticket] = QStringLiteral("withdraw");
        Q_EMIT withdrawWanted(QString::fromStdString(m_runId), uuids, ticket);
        Q_EMIT changed();
        return true;
    }
    // Still on its way to the store: there is nothing yet that could be taken back.
    if (m_sendingTicket || !m_written.empty()) return true;
    if (m_data->tuning().changes.empty() || !canTune()) return false;
    m_offered = m_data->tuning().changes.back();
    Q_EMIT changed();
    return true;
}

void TuningController::dismissOffer() {
    m_offered.reset();
    Q_EMIT changed();
}

void TuningController::setBack() {
    if (!m_offered || m_sendingTicket || !canTune()) return;
    Json payload = Json::object();
    for (const auto& [key, value] : m_offered->before) {
        if (inForce(key) != value) payload[key] = value;
        m_sending[key] = value;
    }
    m_offered.reset();
    if (payload.empty()) {
        m_sending.clear();
    } else {
        m_sendingSince.start();
        m_sendingTicket = m_lastTicket + 1;
        send(QStringLiteral("set"), payload);
    }
    Q_EMIT changed();
}

std::vector<CheckpointRow> TuningController::resumable() const {
    std::vector<CheckpointRow> rows;
    for (const CheckpointRow& row : m_data->checkpoints()) {
        if (!row.superseded && !row.removed && row.kind == "full" && row.state == "complete") rows.push_back(row);
    }
    std::stable_sort(rows.begin(), rows.end(), [](const CheckpointRow& a, const CheckpointRow& b) { return a.step < b.step; });
    return rows;
}

std::optional<std::int64_t> TuningController::rewindStep() const {
    if (!m_offered) return std::nullopt;
    std::optional<std::int64_t> newest;
    for (const CheckpointRow& row : resumable()) {
        if (row.step < m_offered->step) newest = row.step;
    }
    return newest;
}

void TuningController::rewind(std::int64_t step) {
    if (!m_data->run() || isAsked(QStringLiteral("undo"))) return;
    m_offered.reset();
    m_sendProblem.clear();
    const quint64 ticket = ++m_lastTicket;
    m_asked[ticket] = QStringLiteral("undo");
    Q_EMIT rewindWanted(QString::fromStdString(m_runId), step, ticket);
    Q_EMIT changed();
}

void TuningController::branch(std::int64_t step, const QString& name, bool withStaged) {
    if (!m_data->run() || isAsked(QStringLiteral("branch"))) return;
    QStringList assignments;
    if (withStaged) {
        for (const auto& [key, value] : m_staged) assignments << QString::fromStdString(key + '=' + value);
    }
    m_sendProblem.clear();
    const quint64 ticket = ++m_lastTicket;
    m_asked[ticket] = QStringLiteral("branch");
    Q_EMIT branchWanted(QString::fromStdString(m_runId), step, name, assignments, ticket);
    Q_EMIT changed();
}

void TuningController::resumeAsChild(const QStringList& assignments) {
    if (!m_data->run() || isAsked(QStringLiteral("branch"))) return;
    m_sendProblem.clear();
    const quint64 ticket = ++m_lastTicket;
    m_asked[ticket] = QStringLiteral("branch");
    Q_EMIT childWanted(QString::fromStdString(m_runId), assignments, ticket);
    Q_EMIT changed();
}

void TuningController::pauseOrResume() {
    if (!m_data->run()) return;
    const RunState state = m_data->run()->state;
    if (state == RunState::Stopped || state == RunState::Failed || state == RunState::Lost) {
        m_sendProblem.clear();
        const quint64 ticket = ++m_lastTicket;
        m_asked[ticket] = QStringLiteral("restart");
        Q_EMIT resumeWanted(QString::fromStdString(m_runId), ticket);
    } else if (canTune()) {
        const QString kind = state == RunState::Paused ? QStringLiteral("resume") : QStringLiteral("pause");
        if (isAsked(kind)) return;
        ask(kind, Json::object());
    }
    Q_EMIT changed();
}

void TuningController::stop(bool save) {
    if (!canTune() || m_data->run()->state == RunState::Lost || isAsked(QStringLiteral("stop"))) return;
    ask(QStringLiteral("stop"), Json{{"save", save}});
}

void TuningController::onSent(quint64 ticket, const QString& uuid) {
    const std::string id = uuid.toStdString();
    Written written;
    if (m_sendingTicket == ticket) {
        m_sendingTicket.reset();
        written = {QStringLiteral("set"), std::exchange(m_sending, {})};
        m_waiting[id] = m_sendingSince;
    } else if (const auto asked = m_asked.find(ticket); asked != m_asked.end()) {
        written = {asked->second, {}};
        m_asked.erase(asked);
    } else {
        return;  // of a run that is no longer shown
    }
    m_watched.insert(id);
    m_written[id] = std::move(written);
    // The answer may have been read before the sender's report arrived.
    onTuningChanged();
}

void TuningController::onResumed(quint64 ticket) {
    if (m_asked.erase(ticket) > 0) Q_EMIT changed();
}

void TuningController::onDone(quint64 ticket) {
    if (m_asked.erase(ticket) > 0) Q_EMIT changed();
}

void TuningController::onBranched(quint64 ticket, const QString& runId, const QString& warnings) {
    if (m_asked.erase(ticket) == 0) return;
    Q_EMIT branchMade(runId, warnings);
    Q_EMIT changed();
}

void TuningController::onFailed(quint64 ticket, const QString& sentence) {
    if (m_sendingTicket == ticket) {
        m_sendingTicket.reset();
        // Nothing was written: the values are staged again, unless something newer was staged meanwhile.
        m_staged.merge(m_sending);
        m_sending.clear();
        for (const auto& [key, value] : m_staged) {
            if (std::find(m_stagedOrder.begin(), m_stagedOrder.end(), key) == m_stagedOrder.end()) m_stagedOrder.push_back(key);
        }
        m_draftTimer.start();
    } else if (m_asked.erase(ticket) == 0) {
        return;
    }
    m_sendProblem = sentence;
    Q_EMIT changed();
}

}  // namespace mofo
