// The Block, warp and Grid of device_code.h as CUDA has them.
#pragma once

#include <cooperative_groups.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/cuda/device_code.h"

namespace mofo::kernels::cuda {

inline constexpr int warpThreads = 32;
inline constexpr unsigned wholeWarp = 0xffffffffU;

/// What blocks and warps have alike. `memory` is the part of the launch's shared memory that is theirs.
template <int threadCount>
class CudaThreads {
public:
    static constexpr int threads = threadCount;

    explicit __device__ __forceinline__ CudaThreads(std::byte* memory) : m_memory(memory) {}

    template <class T>
    class PerThread {
    public:
        __device__ __forceinline__ T& operator[](int) { return m_value; }
        __device__ __forceinline__ const T& operator[](int) const { return m_value; }

    private:
        T m_value;
    };

    template <class T>
    __device__ __forceinline__ T* share(int count) {
        m_used = (m_used + static_cast<int>(alignof(T)) - 1) / static_cast<int>(alignof(T)) * static_cast<int>(alignof(T));
        T* const memory = reinterpret_cast<T*>(m_memory + m_used);
        m_used += static_cast<int>(sizeof(T)) * count;
        return memory;
    }

    static __device__ __forceinline__ std::uint32_t add(std::uint32_t* to, std::uint32_t value) { return atomicAdd(to, value); }
    static __device__ __forceinline__ std::uint64_t add(std::uint64_t* to, std::uint64_t value) {
        return atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
    }
    static __device__ __forceinline__ void raise(std::uint32_t* flag) { atomicOr(flag, 1U); }
    static __device__ __forceinline__ void setBits(std::uint32_t* to, std::uint32_t bits) { atomicOr(to, bits); }

protected:
    template <class T>
    static __device__ __forceinline__ T sumOverWarp(T value) {
#pragma unroll
        for (int by = warpThreads / 2; by > 0; by /= 2) value += __shfl_xor_sync(wholeWarp, value, by);
        return value;
    }
    template <class T>
    static __device__ __forceinline__ T largestOfWarp(T value) {
#pragma unroll
        for (int by = warpThreads / 2; by > 0; by /= 2) {
            const T other = __shfl_xor_sync(wholeWarp, value, by);
            value = other > value ? other : value;
        }
        return value;
    }
    /// The sum of the values up to and with this lane's.
    template <class T>
    static __device__ __forceinline__ T scanOverWarp(T value) {
#pragma unroll
        for (int by = 1; by < warpThreads; by *= 2) {
            const T other = __shfl_up_sync(wholeWarp, value, by);
            if (static_cast<int>(threadIdx.x % warpThreads) >= by) value += other;
        }
        return value;
    }

private:
    std::byte* m_memory;
    int m_used = 0;
};

template <int threadCount>
class CudaBlock : public CudaThreads<threadCount> {
    using Base = CudaThreads<threadCount>;
    static constexpr int warps = threadCount / warpThreads;

public:
    using Base::Base;
    template <class T>
    using PerThread = typename Base::template PerThread<T>;

    template <class Body>
    __device__ __forceinline__ void each(Body&& body) {
        body(static_cast<int>(threadIdx.x));
        __syncthreads();
    }
    template <class Body>
    __device__ __forceinline__ void once(Body&& body) {
        if (threadIdx.x == 0) body();
        __syncthreads();
    }
    template <class T>
    __device__ __forceinline__ T sum(PerThread<T>& values) {
        T* const totals = totalsOf<T>(Base::sumOverWarp(values[0]));
        T total = totals[0];
#pragma unroll
        for (int i = 1; i < warps; ++i) total += totals[i];
        return total;
    }
    template <class T>
    __device__ __forceinline__ T largest(PerThread<T>& values) {
        T* const totals = totalsOf<T>(Base::largestOfWarp(values[0]));
        T most = totals[0];
#pragma unroll
        for (int i = 1; i < warps; ++i) most = totals[i] > most ? totals[i] : most;
        return most;
    }
    template <class T>
    __device__ __forceinline__ T exclusiveSum(PerThread<T>& values) {
        const T upToHere = Base::scanOverWarp(values[0]);
        T* const totals = totalsOf<T>(__shfl_sync(wholeWarp, upToHere, warpThreads - 1));
        T before = upToHere - values[0];
        T total = 0;
#pragma unroll
        for (int i = 0; i < warps; ++i) {
            if (i < static_cast<int>(threadIdx.x / warpThreads)) before += totals[i];
            total += totals[i];
        }
        values[0] = before;
        return total;
    }

private:
    /// The warps' values, for all to see. Two places by turns: who writes to one knows that all have passed the barrier after they read it last.
    template <class T>
    __device__ __forceinline__ T* totalsOf(T ofWarp) {
        static_assert(sizeof(T) <= 8);
        __shared__ std::uint64_t places[2][warps];
        m_turn ^= 1;
        T* const totals = reinterpret_cast<T*>(places[m_turn]);
        if (threadIdx.x % warpThreads == 0) totals[threadIdx.x / warpThreads] = ofWarp;
        __syncthreads();
        return totals;
    }
    int m_turn = 0;
};

/// A warp that works by itself.
class CudaWarp : public CudaThreads<warpThreads> {
    using Base = CudaThreads<warpThreads>;

public:
    using Base::Base;

    template <class Body>
    __device__ __forceinline__ void each(Body&& body) {
        body(lane());
        __syncwarp();
    }
    template <class Body>
    __device__ __forceinline__ void once(Body&& body) {
        if (lane() == 0) body();
        __syncwarp();
    }
    template <class T>
    __device__ __forceinline__ T sum(PerThread<T>& values) {
        return sumOverWarp(values[0]);
    }
    template <class T>
    __device__ __forceinline__ T largest(PerThread<T>& values) {
        return largestOfWarp(values[0]);
    }
    template <class T>
    __device__ __forceinline__ T exclusiveSum(PerThread<T>& values) {
        const T upToHere = scanOverWarp(values[0]);
        values[0] = upToHere - values[0];
        return __shfl_sync(wholeWarp, upToHere, warpThreads - 1);
    }

private:
    static __device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x % warpThreads); }
};

/// All blocks of a cooperative launch.
class CudaGrid {
public:
    explicit __device__ __forceinline__ CudaGrid(std::byte* memory) : m_memory(memory) {}

    template <class Body>
    __device__ __forceinline__ void blocks(int count, Body&& body) {
        for (int item = static_cast<int>(blockIdx.x); item < count; item += static_cast<int>(gridDim.x)) {
            CudaBlock<blockThreads> block(m_memory);
            body(block, item);
            // The next one begins with the same shared memory.
            __syncthreads();
        }
    }
    /// Without shared memory.
    template <class Body>
    __device__ __forceinline__ void warps(int count, Body&& body) {
        constexpr int perBlock = blockThreads / warpThreads;
        const int first = static_cast<int>(blockIdx.x) * perBlock + static_cast<int>(threadIdx.x) / warpThreads;
        for (int item = first; item < count; item += static_cast<int>(gridDim.x) * perBlock) {
            CudaWarp warp(nullptr);
            body(warp, item);
        }
    }
    __device__ __forceinline__ void wait() { cooperative_groups::this_grid().sync(); }

private:
    std::byte* m_memory;
};

}  // namespace mofo::kernels::cuda
