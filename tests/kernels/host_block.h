// Blocks, warps and grids of kernels/cuda/device_code.h on the CPU: each thread of a block in turn, each block of a launch in turn, both in an order
// that is shuffled so that a result which depends on it is found. Memory of any content is filled with noise.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "kernels/cuda/context.h"

namespace mofo::kernels::cuda::test {

/// Orders of 0 .. n-1.
class Shuffler {
public:
    explicit Shuffler(unsigned seed) : m_random(seed) {}
    std::vector<int> order(int n) {
        std::vector<int> items(static_cast<std::size_t>(n));
        std::iota(items.begin(), items.end(), 0);
        std::shuffle(items.begin(), items.end(), m_random);
        return items;
    }
    std::uint32_t noise() { return static_cast<std::uint32_t>(m_random()); }

private:
    std::minstd_rand m_random;
};

template <int threadCount>
class HostBlock {
public:
    static constexpr int threads = threadCount;

    HostBlock(Shuffler& shuffler, std::size_t sharedBytes)
        : m_size(sharedBytes), m_shared(sharedBytes / 16 + 1), m_first(shuffler.noise() % threads) {
        const std::uint32_t noise = shuffler.noise();
        std::memset(m_shared.data(), static_cast<int>(noise & 0xffU), m_shared.size() * 16);
    }

    template <class T>
    class PerThread {
    public:
        PerThread() : m_values(new Value[threads]) { std::memset(m_values.get(), 0xa5, sizeof(Value) * threads); }
        T& operator[](int thread) { return m_values[static_cast<std::size_t>(thread)].value; }

    private:
        struct Value {
            T value;
        };
        std::unique_ptr<Value[]> m_values;
    };

    /// Forwards from a thread that changes with each call, which is what an order can be without costing more than the work.
    template <class Body>
    void each(Body&& body) {
        m_first = (m_first * 5 + 13) % threads;
        for (int i = m_first; i < threads; ++i) body(i);
        for (int i = 0; i < m_first; ++i) body(i);
    }
    template <class Body>
    void once(Body&& body) {
        body();
    }
    template <class T>
    T* share(int count) {
        m_used = (m_used + alignof(T) - 1) / alignof(T) * alignof(T);
        T* const memory = reinterpret_cast<T*>(reinterpret_cast<std::byte*>(m_shared.data()) + m_used);
        m_used += sizeof(T) * static_cast<std::size_t>(count);
        if (m_used > m_size) throw std::logic_error("a block takes more shared memory than its launch gives it");
        return memory;
    }
    template <class T>
    T sum(PerThread<T>& values) {
        T total{};
        for (int i = 0; i < threads; ++i) total += values[i];
        return total;
    }
    template <class T>
    T largest(PerThread<T>& values) {
        T most = values[0];
        for (int i = 1; i < threads; ++i) most = std::max(most, values[i]);
        return most;
    }
    template <class T>
    T exclusiveSum(PerThread<T>& values) {
        T total{};
        for (int i = 0; i < threads; ++i) {
            const T value = values[i];
            values[i] = total;
            total += value;
        }
        return total;
    }
    template <class T>
    static T add(T* to, T value) {
        const T before = *to;
        *to += value;
        return before;
    }
    static void raise(std::uint32_t* flag) { *flag = 1; }
    static void setBits(std::uint32_t* to, std::uint32_t bits) { *to |= bits; }

private:
    struct alignas(16) Line {
        std::byte bytes[16];
    };
    std::size_t m_size;
    std::size_t m_used = 0;
    std::vector<Line> m_shared;
    int m_first;
};

class HostGrid {
public:
    HostGrid(Shuffler& shuffler, std::size_t sharedBytes) : m_shuffler(shuffler), m_sharedBytes(sharedBytes) {}
    template <class Body>
    void blocks(int count, Body&& body) {
        run<blockThreads>(count, body);
    }
    template <class Body>
    void warps(int count, Body&& body) {
        run<32>(count, body);
    }
    void wait() {}

private:
    template <int threads, class Body>
    void run(int count, Body& body) {
        for (const int item : m_shuffler.order(count)) {
            HostBlock<threads> block(m_shuffler, threads == 32 ? 0 : m_sharedBytes);
            body(block, item);
        }
    }
    Shuffler& m_shuffler;
    std::size_t m_sharedBytes;
};

/// Runs a launch at once. Before each one `between` is called, with its number.
class HostLauncher {
public:
    explicit HostLauncher(unsigned seed) : m_shuffler(seed) {}

    std::function<void(int launch, const StepContext&)> between = [](int, const StepContext&) {};

    template <class Kernel, class Context>
    void blocks(int count, std::size_t sharedBytes, const Context& context) {
        begin(context);
        for (const int item : m_shuffler.order(count)) {
            HostBlock<Kernel::threads> block(m_shuffler, sharedBytes);
            Kernel::run(block, context, item);
        }
    }
    template <class Kernel, class Context>
    void warps(int count, std::size_t sharedBytes, const Context& context) {
        begin(context);
        for (const int item : m_shuffler.order(count)) {
            HostBlock<32> warp(m_shuffler, sharedBytes);
            Kernel::run(warp, context, item);
        }
    }
    template <class Kernel, class Context>
    void grid(int, std::size_t sharedBytes, const Context& context) {
        begin(context);
        HostGrid grid(m_shuffler, sharedBytes);
        Kernel::run(grid, context);
    }
    [[nodiscard]] int launches() const { return m_launches; }

private:
    void begin(const StepContext& context) { between(m_launches++, context); }
    template <class Context>
    void begin(const Context&) {
        ++m_launches;
    }

    Shuffler m_shuffler;
    int m_launches = 0;
};

}  // namespace mofo::kernels::cuda::test
