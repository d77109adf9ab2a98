// Handing out pieces of work over the caller's ParallelFor.
#pragma once

#include <atomic>
#include <cstddef>
#include <type_traits>

#include "kernels/include/execution.h"

namespace mofo::kernels::cpu {

/// body(task) once for each task in [0, threads).
template <class Body>
void forEachTask(const ParallelFor& parallel, Body&& body) {
    if (parallel.run == nullptr) {
        for (int task = 0; task < parallel.threads; ++task) body(task);
        return;
    }
    auto call = [](void* argument, int task) { (*static_cast<std::remove_reference_t<Body>*>(argument))(task); };
    parallel.run(parallel.context, parallel.threads, call, &body);
}

/// body(task, piece) once for each piece in [0, pieces), roughly in order; calls of equal `task` never overlap. Pieces go to whichever task is free.
template <class Body>
void forEachPiece(const ParallelFor& parallel, std::size_t pieces, Body&& body) {
    std::atomic<std::size_t> next = 0;
    forEachTask(parallel, [&](int task) {
        for (std::size_t piece = next.fetch_add(1, std::memory_order_relaxed); piece < pieces; piece = next.fetch_add(1, std::memory_order_relaxed)) {
            body(task, piece);
        }
    });
}

}  // namespace mofo::kernels::cpu
