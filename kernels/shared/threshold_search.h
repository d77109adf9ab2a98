// Finding the k-th largest of many ranks by counting: how many are at least `pivot`? Each answer halves or better what is left.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define MOFO_KERNEL_INLINE __host__ __device__ __forceinline__
#else
#define MOFO_KERNEL_INLINE [[gnu::always_inline]] inline
#endif

namespace mofo::kernels {
namespace {

/// The threshold is in [lo, hi): at least k ranks are >= lo, fewer than k are >= hi. Found when hi = lo + 1.
/// The pivots follow the counts (regula falsi), which takes 5 to 8 of them for bell curves to a percent; every third one halves the interval of bit
/// patterns, so that 48 counts suffice whatever the ranks.
struct ThresholdSearch {
    std::uint32_t lo;
    std::uint64_t hi;  // 64 bits: above the largest rank there is
    std::int64_t atLeastLo, atLeastHi;
    std::int64_t k;
    int asked = 0;

    [[nodiscard]] MOFO_KERNEL_INLINE bool found() const { return hi == static_cast<std::uint64_t>(lo) + 1; }
    [[nodiscard]] MOFO_KERNEL_INLINE std::int64_t inside() const { return atLeastLo - atLeastHi; }

    /// In (lo, hi); not to be called when found.
    [[nodiscard]] MOFO_KERNEL_INLINE std::uint32_t pivot() const {
        const std::uint64_t width = hi - lo;
        std::uint64_t offset = width / 2;
        if (asked % 3 != 2 && inside() > 0) {
            const double share = (static_cast<double>(atLeastLo) - static_cast<double>(k) + 0.5) / static_cast<double>(inside());
            offset = static_cast<std::uint64_t>(share * static_cast<double>(width));
        }
        if (offset < 1) offset = 1;
        if (offset > width - 1) offset = width - 1;
        return static_cast<std::uint32_t>(lo + offset);
    }

    MOFO_KERNEL_INLINE void tell(std::uint32_t pivot, std::int64_t atLeastPivot) {
        ++asked;
        if (atLeastPivot >= k) {
            lo = pivot;
            atLeastLo = atLeastPivot;
        } else {
            hi = pivot;
            atLeastHi = atLeastPivot;
        }
    }
};

/// Among n ranks of which none is known.
[[nodiscard]] MOFO_KERNEL_INLINE ThresholdSearch searchAll(std::int64_t n, std::int64_t k) { return {0, std::uint64_t{1} << 32, n, 0, k, 0}; }

}  // namespace
}  // namespace mofo::kernels
