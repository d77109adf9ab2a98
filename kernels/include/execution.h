// Where and with how many hands a kernel runs. One struct serves both twins, so that they share every signature.
#pragma once

#include <cstdint>

namespace mofo::kernels {

/// The caller's threads. The kernels start none of their own: a process that links LibTorch already has one pool (libgomp's), and a second one would
/// fight it for the cores. The engine passes at::parallel_for, tests pass plain threads, and a default-constructed value runs everything in the
/// calling thread.
struct ParallelFor {
    /// Calls body(argument, task) once for each task in [0, tasks), in any order, on any threads, and returns when all calls have returned.
    /// Must not throw. Running the tasks one after another is allowed: the kernels never let one task wait for another.
    void (*run)(void* context, int tasks, void (*body)(void* argument, int task), void* argument) = nullptr;
    void* context = nullptr;  ///< handed through to `run`
    int threads = 1;          ///< how many tasks can run at the same time, at least 1; sizes the workspace
};

/// The CPU twins. All give the same bits; the narrower ones exist for older machines and for tests.
enum class InstructionSet : std::uint8_t { Scalar, Avx2, Avx512 };

/// "scalar", "avx2" or "avx512", for logs and `mofo doctor`.
[[nodiscard]] const char* instructionSetName(InstructionSet set);
/// Whether this processor (and operating system) can run it.
[[nodiscard]] bool isSupported(InstructionSet set);
/// The widest supported one. The environment variable MOFO_CPU_KERNELS=scalar|avx2|avx512 lowers it. Read once per process.
[[nodiscard]] InstructionSet bestInstructionSet();

struct Execution {
    ParallelFor parallelFor;                               ///< CPU twin only
    InstructionSet instructionSet = bestInstructionSet();  ///< CPU twin only; must be supported
    void* stream = nullptr;                                ///< CUDA twin only: the cudaStream_t that everything is enqueued on
};

}  // namespace mofo::kernels
