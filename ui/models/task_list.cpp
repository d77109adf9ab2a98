#include "ui/models/task_list.h"

#include <algorithm>
#include <utility>

namespace mofo {

namespace {

constexpr std::size_t endedKept = 8;
constexpr std::size_t noticesKept = 200;

}  // namespace

Task* TaskList::find(const QString& id) {
    const auto found = std::find_if(m_tasks.begin(), m_tasks.end(), [&](const Task& task) { return task.id == id && !task.ended; });
    return found != m_tasks.end() ? &*found : nullptr;
}

void TaskList::begin(const QString& id, const QString& title, std::function<void()> cancel) {
    std::erase_if(m_tasks, [&](const Task& task) { return task.id == id; });
    Task task;
    task.id = id;
    task.title = title;
    task.started = QDateTime::currentDateTime();
    task.cancel = std::move(cancel);
    m_tasks.insert(m_tasks.begin(), std::move(task));
    std::size_t ended = 0;
    std::erase_if(m_tasks, [&](const Task& task) { return task.ended && ++ended > endedKept; });
    Q_EMIT changed();
}

void TaskList::advance(const QString& id, const QString& phase, double share, std::optional<double> secondsLeft) {
    Task* const task = find(id);
    if (task == nullptr || (task->phase == phase && task->share == share && task->secondsLeft == secondsLeft)) return;
    task->secondsLeft = secondsLeft;
    task->phase = phase;
    task->share = share;
    Q_EMIT changed();
}

void TaskList::end(const QString& id, const QString& result, bool failed) {
    Task* const task = find(id);
    if (task == nullptr) return;
    task->ended = true;
    task->failed = failed;
    task->share = 1;
    task->result = result;
    task->cancel = {};
    Q_EMIT changed();
}

void TaskList::cancel(const QString& id) {
    const Task* const task = find(id);
    if (task == nullptr || !task->cancel) return;
    // A copy: cancelling can end the task.
    const std::function<void()> act = task->cancel;
    act();
}

int TaskList::running() const {
    return static_cast<int>(std::count_if(m_tasks.begin(), m_tasks.end(), [](const Task& task) { return !task.ended; }));
}

void NoticeLog::add(Notice::Kind kind, const QString& text, const QString& runId) {
    m_notices.insert(m_notices.begin(), Notice{kind, text, QDateTime::currentDateTime(), runId});
    if (m_notices.size() > noticesKept) m_notices.pop_back();
    ++m_unread;
    Q_EMIT changed();
    Q_EMIT added(m_notices.front());
}

void NoticeLog::markRead() {
    if (std::exchange(m_unread, 0) > 0) Q_EMIT changed();
}

}  // namespace mofo
