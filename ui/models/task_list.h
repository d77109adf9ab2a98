// What is being done beside training (import, scan, start), and what was said to the user: for the popovers of the status bar.
#pragma once

#include <QDateTime>
#include <QObject>
#include <QString>
#include <functional>
#include <optional>
#include <vector>

namespace mofo {

struct Task {
    QString id, title, phase;
    double share = 0;                   ///< 0..1
    std::optional<double> secondsLeft;  ///< where the task knows it better than from its share
    bool ended = false, failed = false;
    QString result;  ///< of one that ended
    QDateTime started;
    std::function<void()> cancel;
};

class TaskList : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;
    /// The same id again is the same task, begun anew.
    void begin(const QString& id, const QString& title, std::function<void()> cancel = {});
    void advance(const QString& id, const QString& phase, double share, std::optional<double> secondsLeft = {});
    /// What the task was begun with; nothing for one that ended or cannot be cancelled.
    void cancel(const QString& id);
    void end(const QString& id, const QString& result, bool failed = false);
    [[nodiscard]] const std::vector<Task>& tasks() const { return m_tasks; }  ///< newest first
    [[nodiscard]] int running() const;

Q_SIGNALS:
    void changed();

private:
    [[nodiscard]] Task* find(const QString& id);
    std::vector<Task> m_tasks;
};

struct Notice {
    enum class Kind { Hint, Warning, Error };
    Kind kind = Kind::Hint;
    QString text;
    QDateTime when;
    QString runId;  ///< it is about, or empty
};

class NoticeLog : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;
    void add(Notice::Kind kind, const QString& text, const QString& runId = {});
    [[nodiscard]] const std::vector<Notice>& notices() const { return m_notices; }  ///< newest first
    [[nodiscard]] int unread() const { return m_unread; }
    void markRead();

Q_SIGNALS:
    void changed();
    void added(const mofo::Notice& notice);

private:
    std::vector<Notice> m_notices;
    int m_unread = 0;
};

}  // namespace mofo

Q_DECLARE_METATYPE(mofo::Notice)
