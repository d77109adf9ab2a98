// Parts of the main window that lie over or beside its pages: the toast, the popovers of the status bar, the status line, pages that are not built
// yet.
#pragma once

#include <QFrame>
#include <QStatusBar>
#include <QTimer>
#include <QToolButton>
#include <vector>

#include "ui/controllers/workspace_session.h"
#include "ui/models/task_list.h"

class QLabel;
class QListWidget;
class QProgressBar;
class QPushButton;
class QVBoxLayout;

namespace mofo {

class ElidedLabel;

/// Confirms an act for 8 s at the bottom of the window and offers to take it back; waits under the pointer and under focus.
class Toast : public QFrame {
    Q_OBJECT
public:
    explicit Toast(QWidget* window);
    void showText(const QString& text, bool undoable);
    [[nodiscard]] QString text() const;
    /// Back to its place at the bottom, after the window changed its size.
    void place();

Q_SIGNALS:
    void undoWanted();

protected:
    bool event(QEvent* event) override;

private:
    QLabel* m_text;
    QPushButton* m_undo;
    QTimer m_timer;
};

/// A list over the lower right corner; Esc closes it.
class Popover : public QFrame {
    Q_OBJECT
public:
    Popover(const QString& objectName, const QString& title, QWidget* window);
    void toggle();
    void place();
    [[nodiscard]] QVBoxLayout* rows() const { return m_rows; }
    void clear();
    void addText(const QString& text);

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    QVBoxLayout* m_rows;
};

class TasksPopover : public Popover {
    Q_OBJECT
public:
    TasksPopover(TaskList* tasks, QWidget* window);

private:
    void refresh();
    void build();
    TaskList* m_tasks;
    QStringList m_shown;                ///< what the rows are of
    std::vector<QProgressBar*> m_bars;  ///< of the tasks in their order; null for one that ended
};

class NoticesPopover : public Popover {
    Q_OBJECT
public:
    NoticesPopover(NoticeLog* notices, QWidget* window);

Q_SIGNALS:
    void runWanted(const QString& id);

private:
    void refresh();
    NoticeLog* m_notices;
};

/// The line at the bottom: the run on screen, the machine, tasks, notices, the age of the newest row. Nothing moves when numbers change.
class StatusLine : public QStatusBar {
    Q_OBJECT
public:
    StatusLine(WorkspaceSession* session, TaskList* tasks, NoticeLog* notices, QWidget* parent = nullptr);
    /// Once a second, and when the run on screen changed.
    void refresh();
    /// Free bytes of the workspace's disk; 0: not known.
    void setDisk(quint64 freeBytes);

Q_SIGNALS:
    void tasksWanted();
    void noticesWanted();

private:
    QLabel* addPart(const char* name, const QString& accessibleName, const QString& widest);
    void refreshRun();
    void refreshDevice();

    WorkspaceSession* m_session;
    TaskList* m_taskList;
    NoticeLog* m_noticeLog;
    QLabel* m_state = nullptr;
    QLabel* m_device = nullptr;
    QLabel* m_deviceMemory = nullptr;
    QLabel* m_memory = nullptr;
    QLabel* m_speed = nullptr;
    QLabel* m_left = nullptr;
    QLabel* m_disk = nullptr;
    QLabel* m_age = nullptr;
    QToolButton* m_tasks = nullptr;
    QToolButton* m_notices = nullptr;
    ElidedLabel* m_workspace = nullptr;
};

/// A page that a later version fills: what it will hold, and the commands that do it today.
class LaterPage : public QWidget {
    Q_OBJECT
public:
    struct Command {
        QString what, line;
    };
    LaterPage(const QString& objectName, const QString& title, const QString& text, const std::vector<Command>& commands, QWidget* parent = nullptr);
};

}  // namespace mofo
