#include "tests/core/tensorio/allocation_meter.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::ptrdiff_t> live = 0, peak = 0;

}  // namespace

#if !defined(__SANITIZE_ADDRESS__)
void* operator new(std::size_t size) {
    void* at = std::malloc(size);
    if (at == nullptr) throw std::bad_alloc();
    const auto now = live.fetch_add(static_cast<std::ptrdiff_t>(malloc_usable_size(at))) + static_cast<std::ptrdiff_t>(malloc_usable_size(at));
    if (now > peak.load()) peak = now;
    return at;
}
void operator delete(void* at) noexcept {
    if (at == nullptr) return;
    live -= static_cast<std::ptrdiff_t>(malloc_usable_size(at));
    std::free(at);
}
void operator delete(void* at, std::size_t) noexcept { operator delete(at); }
#endif

namespace mofo::test {

AllocationMeter::AllocationMeter() : m_atStart(live) { peak = m_atStart; }

std::size_t AllocationMeter::peakBytes() const { return static_cast<std::size_t>(peak.load() - m_atStart); }

}  // namespace mofo::test
