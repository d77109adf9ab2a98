// What code that runs on the GPU and, in tests, on the CPU is written in. The .cuh files hold templates over a Block, free of CUDA's syntax: nvcc
// makes kernels of them (cuda_block.cuh), g++ the emulation (tests/kernels/host_block.h), which executes the same text block by block.
//
// A Block has
//   threads                       how many threads it has, a constant: a multiple of 32
//   PerThread<T> x                a T of each thread, x[thread], that lives as long as the variable: registers on the GPU
//   each(body)                    body(thread) for each thread, in any order; then all of them have done it, and see what the others wrote
//   once(body)                    the same for one thread
//   share<T>(count)               memory that all threads see, of any content; until the block ends
//   sum(x), largest(x)            over a PerThread, known to all threads
//   exclusiveSum(x)               replaces each x by the sum of those before it, returns the sum of all
//   add(to, x)                    atomic, on integers in shared or global memory: returns the value before
//   raise(flag), maximum(to, x), setBits(to, x)   atomic, of uint32
// Code between these calls is the same for all threads of a block: control flow there depends only on what all threads know, and shared memory is
// read there only if no thread writes it before the next call. A Grid has blocks(count, body) and warps(count, body), body(block, item) for all
// items, on blocks of 256 and of 32 threads, and wait(), after which all blocks see what any wrote before.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define MOFO_DEVICE __device__ __forceinline__
#define MOFO_HOST_DEVICE __host__ __device__ __forceinline__
#define MOFO_UNROLL _Pragma("unroll")
#define MOFO_UNROLL_FOUR _Pragma("unroll 4")
#define MOFO_UNROLL_EIGHT _Pragma("unroll 8")
#else
#define MOFO_DEVICE inline
#define MOFO_HOST_DEVICE inline
#define MOFO_UNROLL
#define MOFO_UNROLL_FOUR
#define MOFO_UNROLL_EIGHT
#endif

namespace mofo::kernels::cuda {

/// Coordinates that a thread takes at a time: 16 bytes of fp32.
inline constexpr int quad = 4;

/// Threads of the blocks that do most of the work, and what such a block does between two barriers.
inline constexpr int blockThreads = 256;
inline constexpr int tileSize = quad * blockThreads;

/// Coordinates of a large partition that one block updates.
inline constexpr int chunkSize = 8192;
inline constexpr int tilesPerChunk = chunkSize / tileSize;

/// Tells the compiler what a pointer that was read from a table cannot say: that no access through it is one to shared memory.
template <class T>
MOFO_DEVICE T* inGlobal(T* pointer) {
#ifdef __CUDA_ARCH__
    __builtin_assume(__isGlobal(pointer) != 0);
#endif
    return pointer;
}

}  // namespace mofo::kernels::cuda
