// Live tuning: what is staged in the window, what has been sent, what the engine answered. Staging never sends anything; apply()
// sends ONE command with every staged key.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/base/json.h"
#include "ui/models/live_tuning.h"
#include "ui/models/run_data.h"

namespace mofo {

/// How one key stands, for drawing it.
struct KeyState {
    enum class Phase { Applied, Staged, Sending, Waiting };
    Phase phase = Phase::Applied;
    std::string applied;                   ///< canonical text of what the run runs with
    std::optional<std::int64_t> sinceStep;  ///< of a live change
    bool onResume = false;                 ///< acknowledged, but the run is paused before that step
    std::string wanted;                    ///< staged or sent text; equals `applied` where nothing is
    std::string who;                       ///< of what is sent
    std::optional<std::int64_t> atStep;    ///< of what is sent
    double waitingSeconds = 0;
    QString refusal;                       ///< why the last change of this key was refused; empty otherwise
};

class TuningController : public QObject {
    Q_OBJECT
public:
    explicit TuningController(const RunData* data, QObject* parent = nullptr);

    [[nodiscard]] KeyState state(const std::string& key) const;
    [[nodiscard]] std::size_t stagedCount() const { return m_staged.size(); }
    [[nodiscard]] const KeyValues& staged() const { return m_staged; }
    /// Whether the run takes commands at all: live, queued, starting or lost.
    [[nodiscard]] bool canTune() const;
    [[nodiscard]] bool canApply() const { return canTune() && !m_staged.empty() && !m_sendingTicket; }
    /// Whether a command of this kind is on its way or unanswered.
    [[nodiscard]] bool isAsked(const QString& kind) const;
    /// Why the last attempt to send anything failed; empty otherwise.
    [[nodiscard]] const QString& sendProblem() const { return m_sendProblem; }
    /// A live run that nobody has tuned yet.
    [[nodiscard]] bool invitesTuning() const;
    [[nodiscard]] bool isWaiting() const { return m_sendingTicket || (canTune() && !m_data->tuning().pending.empty()); }

    /// Stages a value; the value in force, or one already sent, unstages the key. A text the config refuses is not staged.
    void stage(const std::string& key, const std::string& value);
    void discard(const std::string& key);
    void discardAll();
    void apply();
    void pauseOrResume();
    /// After the step it is in, with a checkpoint, or at once without saving.
    void stop(bool save);

public Q_SLOTS:
    void onSent(quint64 ticket, const QString& uuid);
    void onResumed(quint64 ticket);
    void onFailed(quint64 ticket, const QString& sentence);

Q_SIGNALS:
    /// To be written as ONE command row.
    void commandWanted(const QString& runId, const QString& kind, const mofo::Json& payload, quint64 ticket);
    void resumeWanted(const QString& runId, quint64 ticket);
    void changed();

private:
    struct Written {
        QString kind;
        KeyValues values;
    };
    void onTuningChanged();
    void onRunChanged();
    quint64 send(const QString& kind, const Json& payload);
    [[nodiscard]] std::string inForce(const std::string& key) const;

    const RunData* m_data;
    std::string m_runId;
    KeyValues m_staged;
    KeyValues m_sending;                        ///< handed to the sender, no uuid yet
    std::optional<quint64> m_sendingTicket;
    std::map<quint64, QString> m_asked;         ///< kinds of the other commands handed to the sender
    std::map<std::string, Written> m_written;   ///< by uuid: in the store, which has not been read since
    std::map<std::string, QElapsedTimer> m_waiting;  ///< by uuid: since it was first seen unanswered
    std::set<std::string> m_watched;            ///< uuids that this window saw unanswered: only their refusals are news
    std::set<std::string> m_seenRefusals;       ///< older than the newest staging: no longer shown
    quint64 m_lastTicket = 0;
    QElapsedTimer m_sendingSince;
    QString m_sendProblem;
};

}  // namespace mofo
