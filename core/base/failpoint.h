// Named places where tests let a system call fail, or the program die, stop or wait. Without the environment variable MOFO_FAILPOINTS (and without
// setFailpoints) a place costs one load.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

/// `NAME=ACTION[@N][+]`, several joined by `;`. ACTION: EIO, ENOSPC, EACCES, ENOMEM (the call is not made and fails so), kill (SIGKILL), stop
/// (SIGSTOP), delay:MS. N: from 1, the N-th time the place is met (default 1); `+`: that time and from then on. A name ending in * means all places
/// that begin so, counted together. Usage where the text is wrong. Replaces what was set; "" clears.
Result<void> setFailpoints(std::string_view text);
/// Counts every place met from now on.
void recordFailpoints(bool on);
/// How often each place was met since recordFailpoints(true).
[[nodiscard]] std::map<std::string, int> recordedFailpoints();

namespace detail {
extern std::atomic<bool> g_failpointsActive;
int reachFailpoint(std::string_view name);
}  // namespace detail

/// 0, or the errno with which the named place is to fail. Any thread.
[[nodiscard]] inline int failpoint(std::string_view name) {
    return detail::g_failpointsActive.load(std::memory_order_relaxed) ? detail::reachFailpoint(name) : 0;
}

}  // namespace mofo
