// What stands in a field as hf:owner/name: asked for, shown, downloaded and then used like a path. No question and no byte passes through the
// window's thread.
#pragma once

#include <QObject>
#include <QString>
#include <QThread>
#include <QTimer>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/hub/hub.h"

namespace mofo {

/// What a person said in this window about how the Hub is asked; forgotten with the window.
struct HubAccess {
    std::string token;    ///< instead of HF_TOKEN; empty: the environment's
    bool online = false;  ///< in spite of HF_HUB_OFFLINE
};

class HubSource : public QObject {
    Q_OBJECT
public:
    enum class State {
        None,         ///< the text names something on this machine, or nothing
        Asking,       ///< typed, or the Hub is being asked
        Planned,      ///< known, and not all of it is on this machine
        Downloading,  ///< see progress()
        Ready,        ///< path() is what the text stands for
        Failed,       ///< see error() and acts()
    };
    /// What helps where something failed.
    enum class Act {
        Retry,
        OpenPage,       ///< page(), where the licence is accepted
        SetToken,       ///< setToken()
        GoOnline,       ///< ask in spite of HF_HUB_OFFLINE
        TakeSuggestion  ///< suggestion() instead of the text
    };

    /// `access` is what all fields of a window share.
    HubSource(HubKind wanted, std::shared_ptr<HubAccess> access, QObject* parent = nullptr);
    /// Ends what is under way: waits for at most some 50 ms and a write to the disk.
    ~HubSource() override;

    /// Another text ends what is under way for the one before; parts of files stay. The Hub is asked once typing pauses.
    void setText(const QString& text);
    [[nodiscard]] const QString& text() const { return m_text; }
    [[nodiscard]] HubKind wanted() const { return m_wanted; }
    [[nodiscard]] State state() const { return m_state; }
    /// Of Planned, Downloading and Ready; kept while it is asked again.
    [[nodiscard]] const std::optional<HubPlan>& plan() const { return m_plan; }
    [[nodiscard]] const HubProgress& progress() const { return m_progress; }
    [[nodiscard]] const Error& error() const { return m_error; }
    /// At most two, the likelier help first.
    [[nodiscard]] std::vector<Act> acts() const;
    [[nodiscard]] QString page() const;
    [[nodiscard]] QString suggestion() const;
    /// What is to be used: plan()->path once it is all there, else empty.
    [[nodiscard]] std::string path() const { return m_state == State::Ready ? m_plan->path.string() : std::string(); }

    void download();
    /// Ends a download; what has come stays and is gone on with.
    void cancel();
    /// Asks again what is there and what is free.
    void askAgain();
    /// The same after a failure, and goes on with the download that failed.
    void retry();
    void setToken(const QString& token);
    void goOnline();

Q_SIGNALS:
    /// State, plan or error.
    void changed();
    void progressed();
    void downloadBegun();
    /// `failure` is empty where everything is there, and where it was cancelled.
    void downloadEnded(const QString& failure, bool cancelled);

private:
    void ask();
    void begin();
    void onPlanned(const Result<std::optional<HubPlan>>& answer);
    void onFetched(const Result<std::filesystem::path>& answer);
    void fail(Error error);
    void stopJob();
    [[nodiscard]] HubWatch watchOf(std::uint64_t job, const std::shared_ptr<std::atomic<bool>>& cancel);

    const HubKind m_wanted;
    std::shared_ptr<HubAccess> m_access;
    QThread m_thread;
    QObject* m_place;  ///< lives on m_thread
    QTimer m_typing;
    QString m_text;
    State m_state = State::None;
    std::optional<HubPlan> m_plan;
    HubProgress m_progress;
    Error m_error;
    std::string m_endpoint;
    bool m_hasToken = false;  ///< of the last job
    bool m_goOnWithDownload = false;
    std::string m_chosenCommit;  ///< whose download was asked for
    std::uint64_t m_job = 0;
    std::shared_ptr<std::atomic<bool>> m_cancel;  ///< of the job at hand
    std::shared_ptr<std::atomic<bool>> m_told = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace mofo
