// Live tuning: what is staged in the window, what has been sent, what the engine answered. Staging never sends anything; apply()
// sends ONE command with every staged key.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QStringList>
#include <QTimer>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "ui/models/live_tuning.h"
#include "ui/models/run_data.h"

namespace mofo {

/// How one key stands, for drawing it.
struct KeyState {
    enum class Phase { Applied, Staged, Sending, Waiting };
    Phase phase = Phase::Applied;
    std::string applied;                    ///< canonical text of what the run runs with
    std::optional<std::int64_t> sinceStep;  ///< of a live change
    std::string sinceWho;                   ///< who asked for it
    bool onResume = false;                  ///< acknowledged, but the run is paused before that step
    std::string wanted;                     ///< staged or sent text; equals `applied` where nothing is
    std::string who;                        ///< of what is sent
    std::optional<std::int64_t> atStep;     ///< of what is sent
    double waitingSeconds = 0;
    QString refusal;  ///< why the last change of this key was refused; empty otherwise
};

class TuningController : public QObject {
    Q_OBJECT
public:
    explicit TuningController(const RunData* data, QObject* parent = nullptr);

    /// Nothing can be sent to a run of a recorded workspace.
    void setRecording(bool recording) { m_isRecording = recording; }
    [[nodiscard]] bool isRecording() const { return m_isRecording; }

    [[nodiscard]] KeyState state(const std::string& key) const;
    [[nodiscard]] std::size_t stagedCount() const { return m_staged.size(); }
    [[nodiscard]] const KeyValues& staged() const { return m_staged; }
    /// What the run would run with if all that is staged were applied; empty where nothing is.
    [[nodiscard]] std::optional<RunConfig> stagedConfig() const;
    /// Why the staged values cannot be applied together; empty where they can.
    [[nodiscard]] const QString& stagedProblem() const { return m_stagedProblem; }
    /// Whether the run takes commands at all: live, queued, starting or lost.
    [[nodiscard]] bool canTune() const;
    [[nodiscard]] bool canApply() const { return canTune() && !m_staged.empty() && !m_sendingTicket && m_stagedProblem.isEmpty(); }
    /// Whether an engine is there that acts on checkpoint, evaluate and undo.
    [[nodiscard]] bool isLive() const;
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
    /// From the next step on, or from `atStep`.
    void apply(std::int64_t atStep = 0);
    void pauseOrResume();
    /// After the step it is in, with a checkpoint, or at once without saving.
    void stop(bool save);
    void checkpoint();
    void evaluate();

    /// Drops the newest staged edit; else withdraws what was sent and is unanswered; else offers to take back the newest change. False where
    /// there is nothing of all this.
    bool undo();
    /// The applied change that undo() offers to take back, or null.
    [[nodiscard]] const AppliedChange* offered() const { return m_offered ? &*m_offered : nullptr; }
    void dismissOffer();
    /// Sends the values that the offered change replaced, from the next step on.
    void setBack();
    /// The checkpoint that a rewind before the offered change goes to.
    [[nodiscard]] std::optional<std::int64_t> rewindStep() const;
    /// Back to the checkpoint of `step`; what came after it is kept as taken back.
    void rewind(std::int64_t step);
    /// A child run from the checkpoint of `step`, with what is staged as its first difference where `withStaged` says so.
    void branch(std::int64_t step, const QString& name, bool withStaged);
    /// Goes on from an ended run's newest checkpoint as a child with these assignments.
    void resumeAsChild(const QStringList& assignments);
    /// Checkpoints that a run can go on from, ascending.
    [[nodiscard]] std::vector<CheckpointRow> resumable() const;

    /// Keeps what is staged now, without waiting.
    void flushDraft();

public Q_SLOTS:
    void onSent(quint64 ticket, const QString& uuid);
    void onResumed(quint64 ticket);
    void onDone(quint64 ticket);
    void onBranched(quint64 ticket, const QString& runId, const QString& warnings);
    void onFailed(quint64 ticket, const QString& sentence);

Q_SIGNALS:
    /// To be written as ONE command row; `atStep` 0 = the next.
    void commandWanted(const QString& runId, const QString& kind, const mofo::Json& payload, quint64 ticket, qint64 atStep);
    void resumeWanted(const QString& runId, quint64 ticket);
    void withdrawWanted(const QString& runId, const QStringList& uuids, quint64 ticket);
    void rewindWanted(const QString& runId, qint64 step, quint64 ticket);
    void branchWanted(const QString& runId, qint64 step, const QString& name, const QStringList& assignments, quint64 ticket);
    void childWanted(const QString& runId, const QStringList& assignments, quint64 ticket);
    void draftWanted(const QString& runId, const mofo::Json& values);
    void branchMade(const QString& runId, const QString& warnings);
    void changed();

private:
    struct Written {
        QString kind;
        KeyValues values;
    };
    void onTuningChanged();
    void onRunChanged();
    void onDraftRead();
    void stagedChanged();
    void keepDraft();
    void ask(const QString& kind, const Json& payload);
    quint64 send(const QString& kind, const Json& payload, std::int64_t atStep = 0);
    [[nodiscard]] std::string inForce(const std::string& key) const;

    const RunData* m_data;
    bool m_isRecording = false;
    std::string m_runId;
    KeyValues m_staged;
    std::vector<std::string> m_stagedOrder;  ///< keys, the newest last
    QString m_stagedProblem;
    KeyValues m_sending;  ///< handed to the sender, no uuid yet
    std::optional<quint64> m_sendingTicket;
    std::map<quint64, QString> m_asked;              ///< kinds of the other commands handed to the sender
    std::map<std::string, Written> m_written;        ///< by uuid: in the store, which has not been read since
    std::map<std::string, QElapsedTimer> m_waiting;  ///< by uuid: since it was first seen unanswered
    std::set<std::string> m_watched;                 ///< uuids that this window saw unanswered: only their refusals are news
    std::set<std::string> m_seenRefusals;            ///< older than the newest staging: no longer shown
    std::set<std::string> m_withdrawing;             ///< uuids whose withdrawal was asked for
    std::optional<AppliedChange> m_offered;
    QTimer m_draftTimer;
    bool m_draftTaken = false;  ///< what was kept for this run has been staged
    quint64 m_lastTicket = 0;
    QElapsedTimer m_sendingSince;
    QString m_sendProblem;
};

}  // namespace mofo
