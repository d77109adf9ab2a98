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
    m_tasks.insert(m_tasks.begin(), Task{id, title, {}, 0, false, {}, QDateTime::currentDateTime(), std::move(cancel)});
    std::size_t ended = 0;
    std::erase_if(m_tasks, [&](const Task& task) { return task.ended && ++ended > endedKept; });
    Q_EMIT changed();
}

void TaskList::advance(const QString& id, const QString& phase, double share) {
    Task* const task = find(id);
    if (task == nullptr || (task->phase == phase && task->share == share)) return;
    task->phase = phase;
    task->share = share;
    Q_EMIT changed();
}

void TaskList::end(const QString& id, const QString& result) {
    Task* const task = find(id);
    if (task == nullptr) return;
    task->ended = true;
    task->share = 1;
    task->result = result;
    task->cancel = {};
    Q_EMIT changed();
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
