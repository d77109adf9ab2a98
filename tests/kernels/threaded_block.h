// Blocks, warps and grids of kernels/cuda/device_code.h with a thread of the system for each of theirs, as the GPU runs them: two blocks at a time,
// all threads through the whole kernel, barriers where the GPU has them. Slow; for the thread sanitizer to watch (preset tsan).
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "kernels/cuda/context.h"

namespace mofo::kernels::cuda::test {

/// pthread's, which the thread sanitizer knows.
class Barrier {
public:
    explicit Barrier(unsigned count) { pthread_barrier_init(&m_barrier, nullptr, count); }
    ~Barrier() { pthread_barrier_destroy(&m_barrier); }
    Barrier(const Barrier&) = delete;
    Barrier& operator=(const Barrier&) = delete;
    void wait() { pthread_barrier_wait(&m_barrier); }

private:
    pthread_barrier_t m_barrier;
};

/// What the threads of a block (or warp) have in common.
struct Meeting {
    Meeting(unsigned threads, std::size_t sharedBytes) : barrier(threads), memory(sharedBytes / 16 + 1), size(sharedBytes) {
        for (auto& turn : exchange) turn.resize(threads);
    }
    struct alignas(16) Line {
        std::byte bytes[16];
    };
    Barrier barrier;
    std::vector<Line> memory;
    std::size_t size;
    std::vector<std::uint64_t> exchange[2];
};

/// One thread's view of its block.
template <int threadCount>
class ThreadedBlock {
public:
    static constexpr int threads = threadCount;

    ThreadedBlock(Meeting& meeting, int thread) : m_meeting(meeting), m_thread(thread) {}

    template <class T>
    class PerThread {
    public:
        T& operator[](int) { return m_value; }

    private:
        T m_value;
    };

    template <class Body>
    void each(Body&& body) {
        body(m_thread);
        m_meeting.barrier.wait();
    }
    template <class Body>
    void once(Body&& body) {
        if (m_thread == 0) body();
        m_meeting.barrier.wait();
    }
    template <class T>
    T* share(int count) {
        m_used = (m_used + alignof(T) - 1) / alignof(T) * alignof(T);
        T* const memory = reinterpret_cast<T*>(reinterpret_cast<std::byte*>(m_meeting.memory.data()) + m_used);
        m_used += sizeof(T) * static_cast<std::size_t>(count);
        if (m_used > m_meeting.size) throw std::logic_error("a block takes more shared memory than its launch gives it");
        return memory;
    }
    template <class T>
    T sum(PerThread<T>& values) {
        const std::vector<std::uint64_t>& all = exchanged(values[0]);
        T total{};
        for (const std::uint64_t bits : all) total += valueOf<T>(bits);
        return total;
    }
    template <class T>
    T largest(PerThread<T>& values) {
        const std::vector<std::uint64_t>& all = exchanged(values[0]);
        T most = valueOf<T>(all[0]);
        for (const std::uint64_t bits : all) most = valueOf<T>(bits) > most ? valueOf<T>(bits) : most;
        return most;
    }
    template <class T>
    T exclusiveSum(PerThread<T>& values) {
        const std::vector<std::uint64_t>& all = exchanged(values[0]);
        T total{};
        for (int i = 0; i < threads; ++i) {
            if (i == m_thread) values[0] = total;
            total += valueOf<T>(all[static_cast<std::size_t>(i)]);
        }
        return total;
    }
    template <class T>
    static T add(T* to, T value) {
        return std::atomic_ref(*to).fetch_add(value, std::memory_order_relaxed);
    }
    static void raise(std::uint32_t* flag) { std::atomic_ref(*flag).fetch_or(1, std::memory_order_relaxed); }
    static void setBits(std::uint32_t* to, std::uint32_t bits) { std::atomic_ref(*to).fetch_or(bits, std::memory_order_relaxed); }

private:
    template <class T>
    static T valueOf(std::uint64_t bits) {
        T value;
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }
    /// By turns in two places, as CudaBlock::totalsOf.
    template <class T>
    const std::vector<std::uint64_t>& exchanged(T value) {
        m_turn ^= 1;
        std::memcpy(&m_meeting.exchange[m_turn][static_cast<std::size_t>(m_thread)], &value, sizeof value);
        m_meeting.barrier.wait();
        return m_meeting.exchange[m_turn];
    }

    Meeting& m_meeting;
    int m_thread;
    std::size_t m_used = 0;
    int m_turn = 0;
};

/// One block's meetings: as a whole, and of each of its warps.
struct BlockMeetings {
    static constexpr int warps = blockThreads / 32;
    BlockMeetings(unsigned threads, std::size_t sharedBytes) : whole(threads, sharedBytes) {
        for (int i = 0; i < warps; ++i) ofWarp.push_back(std::make_unique<Meeting>(32U, 0));
    }
    Meeting whole;
    std::vector<std::unique_ptr<Meeting>> ofWarp;
};

/// One thread's view of all blocks.
class ThreadedGrid {
public:
    ThreadedGrid(std::vector<std::unique_ptr<BlockMeetings>>& blocks, Barrier& all, int block, int thread)
        : m_blocks(blocks), m_all(all), m_block(block), m_thread(thread) {}

    template <class Body>
    void blocks(int count, Body&& body) {
        Meeting& meeting = m_blocks[static_cast<std::size_t>(m_block)]->whole;
        for (int item = m_block; item < count; item += static_cast<int>(m_blocks.size())) {
            ThreadedBlock<blockThreads> block(meeting, m_thread);
            body(block, item);
            meeting.barrier.wait();
        }
    }
    template <class Body>
    void warps(int count, Body&& body) {
        Meeting& meeting = *m_blocks[static_cast<std::size_t>(m_block)]->ofWarp[static_cast<std::size_t>(m_thread / 32)];
        const int stride = static_cast<int>(m_blocks.size()) * BlockMeetings::warps;
        for (int item = m_block * BlockMeetings::warps + m_thread / 32; item < count; item += stride) {
            ThreadedBlock<32> warp(meeting, m_thread % 32);
            body(warp, item);
            meeting.barrier.wait();
        }
    }
    void wait() { m_all.wait(); }

private:
    std::vector<std::unique_ptr<BlockMeetings>>& m_blocks;
    Barrier& m_all;
    int m_block;
    int m_thread;
};

/// Runs a launch at once, two blocks at a time.
class ThreadedLauncher {
public:
    template <class Kernel, class Context>
    void blocks(int count, std::size_t sharedBytes, const Context& context) {
        run(Kernel::threads, sharedBytes, [&](auto& meetings, Barrier&, int block, int thread) {
            for (int item = block; item < count; item += blocksAtOnce) {
                ThreadedBlock<Kernel::threads> view(meetings[static_cast<std::size_t>(block)]->whole, thread);
                Kernel::run(view, context, item);
                meetings[static_cast<std::size_t>(block)]->whole.barrier.wait();
            }
        });
    }
    template <class Kernel, class Context>
    void warps(int count, std::size_t sharedBytes, const Context& context) {
        run(32, sharedBytes, [&](auto& meetings, Barrier&, int block, int thread) {
            for (int item = block; item < count; item += blocksAtOnce) {
                ThreadedBlock<32> view(meetings[static_cast<std::size_t>(block)]->whole, thread);
                Kernel::run(view, context, item);
                meetings[static_cast<std::size_t>(block)]->whole.barrier.wait();
            }
        });
    }
    template <class Kernel, class Context>
    void grid(int, std::size_t sharedBytes, const Context& context) {
        run(blockThreads, sharedBytes, [&](auto& meetings, Barrier& all, int block, int thread) {
            ThreadedGrid view(meetings, all, block, thread);
            Kernel::run(view, context);
        });
    }

private:
    static constexpr int blocksAtOnce = 2;

    template <class Body>
    void run(int threads, std::size_t sharedBytes, Body&& body) {
        std::vector<std::unique_ptr<BlockMeetings>> meetings;
        for (int i = 0; i < blocksAtOnce; ++i) meetings.push_back(std::make_unique<BlockMeetings>(static_cast<unsigned>(threads), sharedBytes));
        Barrier all(static_cast<unsigned>(threads * blocksAtOnce));
        std::vector<std::thread> team;
        for (int block = 0; block < blocksAtOnce; ++block) {
            for (int thread = 0; thread < threads; ++thread) {
                team.emplace_back([&, block, thread] { body(meetings, all, block, thread); });
            }
        }
        for (std::thread& thread : team) thread.join();
    }
};

}  // namespace mofo::kernels::cuda::test
