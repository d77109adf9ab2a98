// A few threads behind a ParallelFor, for tests and benchmarks; the engine has LibTorch's.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/include/execution.h"

namespace mofo::kernels::test {

class ThreadTeam {
public:
    explicit ThreadTeam(int threads) : m_threads(threads) {
        for (int i = 1; i < threads; ++i) m_team.emplace_back([this, i] { work(i); });
    }
    ~ThreadTeam() {
        {
            const std::lock_guard lock(m_mutex);
            m_body = nullptr;
            ++m_round;
        }
        m_begin.notify_all();
        for (std::thread& thread : m_team) thread.join();
    }
    ThreadTeam(const ThreadTeam&) = delete;
    ThreadTeam& operator=(const ThreadTeam&) = delete;

    [[nodiscard]] ParallelFor parallelFor() {
        return {
            [](void* context, int tasks, void (*body)(void*, int), void* argument) { static_cast<ThreadTeam*>(context)->run(tasks, body, argument); },
            this, m_threads};
    }

private:
    void run(int tasks, void (*body)(void*, int), void* argument) {
        {
            const std::lock_guard lock(m_mutex);
            m_body = body;
            m_argument = argument;
            m_tasks = tasks;
            m_busy = m_threads - 1;
            ++m_round;
        }
        m_begin.notify_all();
        for (int task = 0; task < tasks; task += m_threads) body(argument, task);
        std::unique_lock lock(m_mutex);
        m_end.wait(lock, [this] { return m_busy == 0; });
    }

    void work(int thread) {
        for (std::uint64_t seen = 0;;) {
            std::unique_lock lock(m_mutex);
            m_begin.wait(lock, [&] { return m_round != seen; });
            seen = m_round;
            if (m_body == nullptr) return;
            const auto body = m_body;
            void* const argument = m_argument;
            const int tasks = m_tasks;
            lock.unlock();
            for (int task = thread; task < tasks; task += m_threads) body(argument, task);
            lock.lock();
            if (--m_busy == 0) m_end.notify_one();
        }
    }

    int m_threads;
    std::vector<std::thread> m_team;
    std::mutex m_mutex;
    std::condition_variable m_begin;
    std::condition_variable m_end;
    void (*m_body)(void*, int) = nullptr;
    void* m_argument = nullptr;
    int m_tasks = 0;
    int m_busy = 0;
    std::uint64_t m_round = 0;
};

}  // namespace mofo::kernels::test
