// Counts what a piece of code allocates, so that "small file, huge claim" shows as a number and not as a slow machine.
#pragma once

#include <cstddef>

namespace mofo::test {

/// Bytes of live allocations at their highest since construction, less those that lived then. Sanitizer builds count nothing
/// (they own the allocator) and report 0. One at a time, in one thread.
class AllocationMeter {
public:
    AllocationMeter();
    [[nodiscard]] std::size_t peakBytes() const;

private:
    std::ptrdiff_t m_atStart;
};

/// How many times slower this build may be: sanitizers cost.
#if defined(__SANITIZE_ADDRESS__) || !defined(NDEBUG)
constexpr double slowness = 10;
#else
constexpr double slowness = 1;
#endif

}  // namespace mofo::test
