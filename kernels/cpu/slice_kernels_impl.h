// The inner loops, written once over a vector type V of sixteen coordinates (slice_kernels_*.cpp) and compiled once per instruction set. Everything
// is in an unnamed namespace: see slice_kernels.h. The arithmetic itself is kernels/shared/arithmetic.h.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/cpu/array_kernels_impl.h"
#include "kernels/cpu/slice_kernels.h"
#include "kernels/shared/arithmetic.h"

namespace mofo::kernels::cpu {
namespace {

/// Calls body<full>(offset, count, number) for sixteen coordinates at a time, `offset` from the slice's pointers, `number` in the order of the runs;
/// the last call of a run has full = false and count < 16 where the run's length asks for it.
template <class Body>
[[gnu::always_inline]] inline void forEachVector(const SliceView& slice, Body&& body) {
    std::int64_t number = 0;
    for (std::int64_t row = 0; row < slice.rows; ++row) {
        const std::int64_t begin = row * slice.stride;
        std::int64_t i = 0;
        for (; i + lanes <= slice.length; i += lanes) body.template operator()<true>(begin + i, lanes, number + i);
        if (i < slice.length) body.template operator()<false>(begin + i, static_cast<int>(slice.length - i), number + i);
        number += slice.length;
    }
}

template <class Vector>
struct Loops {
    /// What arithmetic.h asks of the lanes' numbers, over the vector's own operations.
    struct V : Vector {
        using typename Vector::F;
        using typename Vector::U;
        static U lowIndices(std::int64_t index) { return V::addBits(V::setBits(static_cast<std::uint32_t>(index)), V::iota()); }
        static U upperTerm(std::int64_t index) {
            constexpr std::uint32_t factor = 0x9e3779b9U;
            const auto upper = static_cast<std::uint32_t>(static_cast<std::uint64_t>(index) >> 32);
            if (static_cast<std::uint32_t>(index) <= 0xffffffffU - lanes) return V::setBits(upper * factor);
            std::uint32_t terms[lanes];
            for (int i = 0; i < lanes; ++i) terms[i] = static_cast<std::uint32_t>(static_cast<std::uint64_t>(index + i) >> 32) * factor;
            return V::loadBits(terms);
        }
    };
    using F = typename V::F;
    using U = typename V::U;
    using Mask = typename V::Mask;
    using Arithmetic = StepArithmetic<V>;

    template <bool full>
    static F load(const float* at, int count) {
        if constexpr (full) return V::load(at);
        return V::loadFirst(at, count);
    }
    template <bool full>
    static F loadBf16(const std::uint16_t* at, int count) {
        if constexpr (full) return V::loadBf16(at);
        return V::loadBf16First(at, count);
    }
    template <bool full>
    static void store(float* at, F value, int count) {
        if constexpr (full) {
            V::store(at, value);
        } else {
            V::storeFirst(at, value, count);
        }
    }
    template <bool full>
    static void storeBf16(std::uint16_t* at, U value, int count) {
        if constexpr (full) {
            V::storeLow16(at, value);
        } else {
            V::storeLow16First(at, value, count);
        }
    }
    template <bool full>
    static Mask inside(Mask mask, int count) {
        if constexpr (full) return mask;
        return V::both(mask, V::first(count));
    }

    template <Format format, bool full>
    static F gradient(const SliceView& slice, std::int64_t at, int count) {
        if constexpr (format == Format::Fp32) return load<full>(slice.g + at, count);
        return loadBf16<full>(slice.g16 + at, count);
    }
    template <Format format, bool full>
    static F parameter(const SliceView& slice, std::int64_t at, int count) {
        if constexpr (format == Format::Bf16) return loadBf16<full>(slice.p16 + at, count);
        return load<full>(slice.p + at, count);
    }

    /// What moving needs beside the arithmetic.
    struct Mover {
        Mover(const SliceView& slice, const StepScalars& scalars)
            : dense(slice.decayAll != 1.0F),
              decayAll(V::set(slice.decayAll)),
              decaySelected(V::set(slice.decaySelected)),
              inverseDecaySelected(V::set(1.0F / slice.decaySelected)),
              decaysSelected(slice.decaySelected != 1.0F),
              draw(drawOf(scalars.roundingKey, slice.tensorKey)),
              decayDraw(drawOf(~scalars.roundingKey, slice.tensorKey)) {}
        bool dense;
        F decayAll, decaySelected, inverseDecaySelected;
        bool decaysSelected;
        Draw draw, decayDraw;
    };

    /// p before and after a move: as numbers, or as bf16 patterns in the lower halves.
    template <Format format>
    struct Change {
        static constexpr bool narrow = format == Format::Bf16;
        F base;  // decayed where all of it decays
        U to;
        [[nodiscard]] U from() const { return pattern(base); }
        static U pattern(F x) {
            if constexpr (narrow) return V::template shiftRightBy<16>(V::bitsOf(x));
            return V::bitsOf(x);
        }
        static F number(U x) {
            if constexpr (narrow) return V::floatOf(V::template shiftLeftBy<16>(x));
            return V::floatOf(x);
        }
    };

    /// Decay and move round one after the other, so that it does not matter whether they happen in one pass.
    template <Format format, bool full>
    static Change<format> changeBy(const Mover& mover, const SliceView& slice, std::int64_t at, int count, F update) {
        F base = V::mul(parameter<format, full>(slice, at, count), mover.decayAll);
        if constexpr (format == Format::Bf16) {
            if (mover.dense) base = V::floatOf(V::template shiftLeftBy<16>(stochasticBf16<V>(base, drawn<V>(mover.decayDraw, slice.index + at))));
        }
        const F moved = V::add(V::mul(base, mover.decaySelected), update);
        if constexpr (format == Format::Bf16) return {base, stochasticBf16<V>(moved, drawn<V>(mover.draw, slice.index + at))};
        return {base, V::bitsOf(moved)};
    }

    template <Format format, bool full>
    static void storeChange(const Mover& mover, const SliceView& slice, std::int64_t at, int count, Mask moving, const Change<format>& change) {
        const U written = V::selectBits(moving, change.to, change.from());
        if constexpr (format == Format::Bf16) {
            storeBf16<full>(slice.p16 + at, written, count);
        } else {
            store<full>(slice.p + at, V::floatOf(written), count);
            if constexpr (format == Format::Bf16Master) {
                const U before = V::template shiftRightBy<16>(V::bitsOf(loadBf16<full>(slice.p16 + at, count)));
                const Mask changes = mover.dense ? V::all() : moving;
                storeBf16<full>(slice.p16 + at, V::selectBits(changes, nearestBf16<V>(V::floatOf(written)), before), count);
            }
        }
    }

    /// Decays p where all of it decays, and moves it by `update` where `moving`.
    template <Format format, bool full>
    static void writeParameter(const Mover& mover, const SliceView& slice, std::int64_t at, int count, Mask moving, F update) {
        storeChange<format, full>(mover, slice, at, count, moving, changeBy<format, full>(mover, slice, at, count, update));
    }

    // The journal of what moved has a byte a coordinate. Where p moved to leads back to where it was within a few roundings; the byte says how far
    // off that is, in units of the last place. A coordinate for which it does not fit (p was tiny beside its update) is left to the candidates.
    static constexpr std::int32_t farthest = 127, didNotMove = -128;

    /// About where p was, as a pattern.
    template <Format format>
    static U wayBack(const Mover& mover, F to, F update) {
        F back = V::sub(to, update);
        if (mover.decaysSelected) back = V::mul(back, mover.inverseDecaySelected);
        return Change<format>::pattern(back);
    }

    /// The arithmetic leaves the processor no room to look ahead by itself: this far.
    static constexpr std::int64_t ahead = 256;
    template <Format format>
    static void prefetchParameter(const SliceView& slice, std::int64_t at) {
        if constexpr (format != Format::Bf16) __builtin_prefetch(slice.p + at, 1, 3);
        if constexpr (format != Format::Fp32) __builtin_prefetch(slice.p16 + at, 1, 3);
    }

    /// Adds up sixteen lanes pairwise: the same bits on every instruction set.
    static double addLanes(const typename V::Sums& sums) {
        double folded[lanes];
        sums.store(folded);
        for (int half = lanes / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; ++i) folded[i] += folded[i + half];
        }
        return folded[0];
    }

    /// New moments of sixteen coordinates, and the scaled gradient that made them.
    struct Moments {
        F g, m, v;
    };

    /// What every update finds out about m: whether all are finite, and a histogram of |m| if there is one to fill.
    class MomentObserver {
    public:
        explicit MomentObserver(const Tally& tally) : m_histogram(tally.histogram) {}

        template <bool full>
        void observe(F m, int count) {
            const U magnitude = V::magnitude(m);
            m_largest = V::max(m_largest, magnitude);
            if (m_histogram != nullptr) countMagnitudes<full>(magnitude, count);
        }
        void finish(Tally& tally) {
            flush();
            if (V::maxOver(m_largest) >= infinityBits) tally.notFinite = true;
            tally.zeros += m_zeros;
        }

    private:
        /// Some hundred are counted at a time: a loop that does nothing else keeps the load and store units full, where increments between the
        /// arithmetic would leave them waiting.
        template <bool full>
        void countMagnitudes(U magnitude, int count) {
            const std::uint32_t nonZero = V::bits(inside<full>(V::nonZero(magnitude), count));
            const int zeros = count - __builtin_popcount(nonZero);
            m_zeros += zeros;
            // Rows of an embedding that no token has touched yet are all zero; one by one they would queue up on one bin.
            if (zeros == count) return;
            V::storeLow16(m_waiting + m_fill, V::template shiftRightBy<21>(magnitude));
            m_fill += count;
            m_histogram[0] -= static_cast<std::uint32_t>(zeros);
            if (m_fill > capacity - lanes) flush();
        }
        void flush() {
            for (int i = 0; i < m_fill; ++i) ++m_histogram[m_waiting[i]];
            m_fill = 0;
        }

        static constexpr int capacity = 256;
        std::uint32_t* m_histogram;
        U m_largest = V::setBits(0);
        std::int64_t m_zeros = 0;
        int m_fill = 0;
        alignas(64) std::uint16_t m_waiting[capacity + lanes];
    };

    /// Into the cache of that level's locality (3: the first one).
    template <Format format, int locality>
    static void prefetchMoments(const SliceView& slice, std::int64_t at) {
        __builtin_prefetch(slice.m + at, 1, locality);
        __builtin_prefetch(slice.v + at, 1, locality);
        if constexpr (format == Format::Fp32) {
            __builtin_prefetch(slice.g + at, 0, locality);
        } else {
            __builtin_prefetch(slice.g16 + at, 0, locality);
        }
    }

    template <Format format, bool full>
    static Moments updateMoments(const Arithmetic& arithmetic, const SliceView& slice, std::int64_t at, int count) {
        prefetchMoments<format, 3>(slice, at + ahead);
        const F g = arithmetic.scaled(gradient<format, full>(slice, at, count));
        const F m = arithmetic.newM(load<full>(slice.m + at, count), g);
        const F v = arithmetic.newV(load<full>(slice.v + at, count), g);
        store<full>(slice.m + at, m, count);
        store<full>(slice.v + at, v, count);
        return {g, m, v};
    }

    template <Format format>
    [[gnu::flatten]] static bool findsNan(const SliceView& slice, const StepScalars& scalars) {
        const Arithmetic arithmetic(scalars);
        U largest = V::setBits(0);
        forEachVector(slice, [&]<bool full>(std::int64_t at, int count, std::int64_t) {
            const F g = arithmetic.scaled(gradient<format, full>(slice, at, count));
            largest = V::max(largest, V::magnitude(arithmetic.newM(load<full>(slice.m + at, count), g)));
        });
        return V::maxOver(largest) > infinityBits;
    }

    template <Format format, Rule rule>
    [[gnu::flatten]] static std::int64_t sample(const SliceView& slice, const StepScalars& scalars, std::int64_t stratum, std::uint32_t* ranks) {
        const Arithmetic arithmetic(scalars);
        const Draw draw = drawOf(scalars.ruleKey, slice.tensorKey);
        const std::int64_t perRow = slice.length / lanes;
        if (perRow == 0) return 0;
        std::uint32_t* to = ranks;
        // Evenly spaced ones would be the same columns of every row where the rows' length is a power of two.
        for (std::int64_t first = 0; first < slice.rows * perRow; first += stratum) {
            const std::uint64_t noise = (static_cast<std::uint64_t>(slice.index + first) + 1) * 0x9e3779b97f4a7c15ULL;
            const std::int64_t vector = first + static_cast<std::int64_t>((noise >> 33) % static_cast<std::uint64_t>(stratum));
            if (vector >= slice.rows * perRow) break;
            const std::int64_t at = vector / perRow * slice.stride + vector % perRow * lanes;
            const F g = arithmetic.scaled(gradient<format, true>(slice, at, lanes));
            const F m = arithmetic.newM(V::load(slice.m + at), g);
            F v = m;
            if constexpr (rule == Rule::MomentumOverRoot) v = arithmetic.newV(V::load(slice.v + at), g);
            V::storeBits(to, arithmetic.template rank<rule>(g, m, v, draw, slice.index + at));
            to += lanes;
        }
        return to - ranks;
    }

    /// Ranks of the present g, m and v. Each rule reads only what it needs.
    template <Format format, Rule rule, bool full>
    static U presentRank(const Arithmetic& arithmetic, const SliceView& slice, Draw draw, std::int64_t at, int count) {
        F g = V::set(0.0F), m = g, v = g;
        if constexpr (rule == Rule::Gradient) g = arithmetic.scaled(gradient<format, full>(slice, at, count));
        if constexpr (rule == Rule::Momentum || rule == Rule::MomentumOverRoot) m = load<full>(slice.m + at, count);
        if constexpr (rule == Rule::MomentumOverRoot) v = load<full>(slice.v + at, count);
        return arithmetic.template rank<rule>(g, m, v, draw, slice.index + at);
    }

    template <Format format, Rule rule>
    [[gnu::flatten]] static void updateBracketed(const SliceView& view, const StepScalars& scalars, Bracket& bracket, Candidates& candidates,
                                                 Tally& tally) {
        const SliceView slice = view;  // a copy that no store can touch, so that it stays in registers
        const Mover mover(slice, scalars);
        const Arithmetic arithmetic(scalars);
        const Draw draw = drawOf(scalars.ruleKey, slice.tensorKey);
        const U lo = V::setBits(bracket.lo);
        const U hi = V::setBits(bracket.hi);
        const bool moves = bracket.moves;
        const bool mostMove = bracket.mostMove;
        typename V::Sums squares;
        std::int64_t masked = 0, left = 0, journaled = 0, found = candidates.count;
        const bool measure = tally.measure;
        std::int8_t* const journal = bracket.journal;
        const Candidates kept = candidates;
        MomentObserver observer(tally);
        const auto keep = [&](std::int64_t number, Mask between, U rank, F m, F update) {
            if (found <= kept.capacity - lanes) {
                V::compress(kept.ranks + found, rank, between);
                if (moves) {
                    const U flag = V::selectBits(V::nonZero(V::magnitude(m)), V::setBits(candidateHasMoment), V::setBits(0));
                    const U places = V::addBits(V::setBits(static_cast<std::uint32_t>(number)), V::iota());
                    V::compress(kept.places + found, V::bitOr(places, flag), between);
                    V::compress(kept.updates + found, update, between);
                }
            }
            found += __builtin_popcount(V::bits(between));
        };
        forEachVector(slice, [&]<bool full>(std::int64_t at, int count, std::int64_t number) {
            const Moments moments = updateMoments<format, full>(arithmetic, slice, at, count);
            observer.template observe<full>(moments.m, count);
            const U rank = arithmetic.template rank<rule>(moments.g, moments.m, moments.v, draw, slice.index + at);
            const Mask above = inside<full>(V::atLeast(rank, hi), count);
            const Mask between = V::without(inside<full>(V::atLeast(rank, lo), count), above);
            if (!moves) {
                masked += __builtin_popcount(V::bits(above));
                if (mostMove) prefetchParameter<format>(slice, at);
                if (V::compressesFast || V::bits(between) != 0) keep(number, between, rank, moments.m, moments.m);
                return;
            }
            if (mostMove) {
                prefetchParameter<format>(slice, at + ahead);
            } else if ((V::bits(above) | V::bits(between)) == 0 && !mover.dense) {
                return;
            }
            const F update = arithmetic.update(moments.m, moments.v);
            const Change<format> change = changeBy<format, full>(mover, slice, at, count, update);
            const Mask winning = rule == Rule::Momentum ? above : V::both(above, V::nonZero(V::magnitude(moments.m)));
            U offset = V::subBits(change.from(), wayBack<format>(mover, Change<format>::number(change.to), update));
            const Mask far = V::without(winning, V::atLeast(V::setBits(static_cast<std::uint32_t>(2 * farthest)),
                                                            V::addBits(offset, V::setBits(static_cast<std::uint32_t>(farthest)))));
            Mask going = winning, open = between;
            if (V::bits(far) != 0) {
                offset = V::selectBits(far, V::setBits(static_cast<std::uint32_t>(didNotMove)), offset);
                going = V::without(going, far);
                open = V::either(open, far);
                left += __builtin_popcount(V::bits(far));
            }
            storeChange<format, full>(mover, slice, at, count, going, change);
            // A good bracket leaves one vector in ten something.
            if (V::bits(open) != 0) keep(number, open, rank, moments.m, update);
            V::compressBytes(journal + journaled, offset, winning);
            journaled += __builtin_popcount(V::bits(winning));
            masked += __builtin_popcount(V::bits(above));
            if (measure) squares.addSquares(V::select(going, update, V::set(0.0F)));
        });
        observer.finish(tally);
        bracket.journaled = journaled;
        candidates.count = found;
        tally.masked += masked - left;
        tally.selected += journaled - left;
        if (tally.measure) tally.squaredUpdate += addLanes(squares);
    }

    template <Format format>
    [[gnu::flatten]] static void updateAll(const SliceView& view, const StepScalars& scalars, Tally& tally) {
        const SliceView slice = view;
        const Mover mover(slice, scalars);
        const Arithmetic arithmetic(scalars);
        MomentObserver observer(tally);
        const bool measure = tally.measure;
        typename V::Sums squares;
        std::int64_t selected = 0;
        forEachVector(slice, [&]<bool full>(std::int64_t at, int count, std::int64_t) {
            const Moments moments = updateMoments<format, full>(arithmetic, slice, at, count);
            observer.template observe<full>(moments.m, count);
            prefetchParameter<format>(slice, at + ahead);
            const Mask moving = inside<full>(V::nonZero(V::magnitude(moments.m)), count);
            const std::uint32_t movingBits = V::bits(moving);
            if (movingBits == 0 && !mover.dense) return;
            const F update = arithmetic.update(moments.m, moments.v);
            writeParameter<format, full>(mover, slice, at, count, moving, update);
            selected += __builtin_popcount(movingBits);
            if (measure) squares.addSquares(V::select(moving, update, V::set(0.0F)));
        });
        observer.finish(tally);
        tally.masked += slice.size();
        tally.selected += selected;
        if (measure) tally.squaredUpdate += addLanes(squares);
    }

    template <Format format, Rule rule>
    [[gnu::flatten]] static void move(const SliceView& view, const StepScalars& scalars, std::uint32_t threshold, Tally& tally) {
        const SliceView slice = view;
        const bool measure = tally.measure;
        const Mover mover(slice, scalars);
        const Arithmetic arithmetic(scalars);
        const Draw draw = drawOf(scalars.ruleKey, slice.tensorKey);
        const U limit = V::setBits(threshold);
        typename V::Sums squares;
        std::int64_t masked = 0, selected = 0;
        forEachVector(slice, [&]<bool full>(std::int64_t at, int count, std::int64_t) {
            if (slice.toNext != 0) prefetchMoments<format, 2>(slice, at + slice.toNext);
            const U rank = presentRank<format, rule, full>(arithmetic, slice, draw, at, count);
            const Mask above = inside<full>(V::atLeast(rank, limit), count);
            masked += __builtin_popcount(V::bits(above));
            // Without a mover neither v nor p need be read.
            if (!slice.mostMove && V::bits(above) == 0 && !mover.dense) return;
            const F m = load<full>(slice.m + at, count);
            const Mask going = V::both(above, V::nonZero(V::magnitude(m)));
            const F update = arithmetic.update(m, load<full>(slice.v + at, count));
            writeParameter<format, full>(mover, slice, at, count, going, update);
            selected += __builtin_popcount(V::bits(going));
            if (measure) squares.addSquares(V::select(going, update, V::set(0.0F)));
        });
        tally.masked += masked;
        tally.selected += selected;
        if (measure) tally.squaredUpdate += addLanes(squares);
    }

    /// One coordinate of a vector's work, for the few places that jump about.
    template <Format format>
    static void moveOne(const Mover& mover, const SliceView& slice, std::int64_t at, float update) {
        writeParameter<format, false>(mover, slice, at, 1, V::first(1), V::set(update));
    }

    template <Format format>
    [[gnu::flatten]] static void moveCandidates(const SliceView& slice, const StepScalars& scalars, const Candidates& candidates,
                                                std::uint32_t threshold, Tally& tally) {
        SliceView decayed = slice;
        decayed.decayAll = 1.0F;  // done by the update
        const Mover mover(decayed, scalars);
        const auto placeOf = [&](std::uint32_t place) {
            const std::int64_t number = place & ~candidateHasMoment;
            return slice.rows == 1 ? number : number / slice.length * slice.stride + number % slice.length;
        };
        double squared = 0;
        for (std::int64_t i = 0; i < candidates.count; ++i) {
            if (i + lanes < candidates.count) prefetchParameter<format>(slice, placeOf(candidates.places[i + lanes]));
            if (candidates.ranks[i] < threshold) continue;
            ++tally.masked;
            if ((candidates.places[i] & candidateHasMoment) == 0) continue;
            ++tally.selected;
            const std::int64_t at = placeOf(candidates.places[i]);
            const float update = candidates.updates[i];
            if constexpr (format == Format::Fp32) {
                const float from = slice.p[at] * slice.decaySelected;
                slice.p[at] = from + update;
            } else {
                moveOne<format>(mover, decayed, at, update);
            }
            squared += static_cast<double>(update) * static_cast<double>(update);
        }
        if (tally.measure) tally.squaredUpdate += squared;
    }

    template <Format format, Rule rule>
    [[gnu::flatten]] static void undo(const SliceView& slice, const StepScalars& scalars, const Bracket& bracket) {
        const Arithmetic arithmetic(scalars);
        const Mover mover(slice, scalars);
        const Draw draw = drawOf(scalars.ruleKey, slice.tensorKey);
        const U hi = V::setBits(bracket.hi);
        const std::int8_t* journal = bracket.journal;
        forEachVector(slice, [&]<bool full>(std::int64_t at, int count, std::int64_t) {
            const U rank = presentRank<format, rule, full>(arithmetic, slice, draw, at, count);
            const F m = load<full>(slice.m + at, count);
            const Mask winning = inside<full>(V::both(V::atLeast(rank, hi), V::nonZero(V::magnitude(m))), count);
            if (V::bits(winning) == 0) return;
            const F to = parameter<format, full>(slice, at, count);
            std::uint32_t guesses[lanes];
            V::storeBits(guesses, wayBack<format>(mover, to, arithmetic.update(m, load<full>(slice.v + at, count))));
            for (std::uint32_t left = V::bits(winning); left != 0; left &= left - 1) {
                const int lane = __builtin_ctz(left);
                const std::int32_t offset = *journal++;
                if (offset == didNotMove) continue;
                const std::uint32_t from = guesses[lane] + static_cast<std::uint32_t>(offset);
                if constexpr (format == Format::Bf16) {
                    slice.p16[at + lane] = static_cast<std::uint16_t>(from);
                } else {
                    std::memcpy(slice.p + at + lane, &from, sizeof from);
                    if constexpr (format == Format::Bf16Master) {
                        storeBf16<false>(slice.p16 + at + lane, nearestBf16<V>(V::loadFirst(slice.p + at + lane, 1)), 1);
                    }
                }
            }
        });
    }

    template <Format format, Rule rule>
    [[gnu::flatten]] static std::int64_t countAtLeast(const SliceView& slice, const StepScalars& scalars, std::uint32_t pivot) {
        const Arithmetic arithmetic(scalars);
        const Draw draw = drawOf(scalars.ruleKey, slice.tensorKey);
        const U limit = V::setBits(pivot);
        U counts = V::setBits(0);
        forEachVector(slice, [&]<bool full>(std::int64_t at, int count, std::int64_t) {
            const U rank = presentRank<format, rule, full>(arithmetic, slice, draw, at, count);
            counts = V::countUp(counts, inside<full>(V::atLeast(rank, limit), count));
        });
        return V::sumOver(counts);
    }

    template <Format format, Rule rule>
    [[gnu::flatten]] static Gathered gather(const SliceView& slice, const StepScalars& scalars, std::uint32_t lo, std::uint64_t hi,
                                            std::uint32_t* ranks, std::int64_t capacity, double* sumAbove) {
        const Arithmetic arithmetic(scalars);
        const Draw draw = drawOf(scalars.ruleKey, slice.tensorKey);
        const U from = V::setBits(lo);
        const bool openAbove = hi > 0xffffffffU;
        const U to = V::setBits(static_cast<std::uint32_t>(openAbove ? 0 : hi));
        typename V::Sums sums;
        std::int64_t found = 0;
        U aboveCounts = V::setBits(0);
        forEachVector(slice, [&]<bool full>(std::int64_t at, int count, std::int64_t) {
            const U rank = presentRank<format, rule, full>(arithmetic, slice, draw, at, count);
            const Mask above = openAbove ? V::first(0) : inside<full>(V::atLeast(rank, to), count);
            const Mask between = V::without(inside<full>(V::atLeast(rank, from), count), above);
            aboveCounts = V::countUp(aboveCounts, above);
            if (sumAbove != nullptr) sums.add(V::select(above, V::floatOf(rank), V::set(0.0F)));
            const std::uint32_t bits = V::bits(between);
            if (bits == 0) return;
            if (found <= capacity - lanes) V::compress(ranks + found, rank, between);
            found += __builtin_popcount(bits);
        });
        if (sumAbove != nullptr) *sumAbove += addLanes(sums);
        return {found, static_cast<std::int64_t>(V::sumOver(aboveCounts))};
    }

    template <Format format, Rule rule>
    [[gnu::flatten]] static void selectedBits(const SliceView& slice, const StepScalars& scalars, std::uint32_t threshold, std::uint64_t* bits) {
        const Arithmetic arithmetic(scalars);
        const Draw draw = drawOf(scalars.ruleKey, slice.tensorKey);
        const U limit = V::setBits(threshold);
        std::memset(bits, 0, static_cast<std::size_t>((slice.length + 63) / 64) * sizeof *bits);
        forEachVector(slice, [&]<bool full>(std::int64_t at, int count, std::int64_t) {
            const U rank = presentRank<format, rule, full>(arithmetic, slice, draw, at, count);
            const Mask mask = V::both(V::atLeast(rank, limit), V::nonZero(V::magnitude(load<full>(slice.m + at, count))));
            bits[at / 64] |= static_cast<std::uint64_t>(V::bits(inside<full>(mask, count))) << (at % 64);
        });
    }

    template <Format format, Rule rule>
    static constexpr SliceKernels sliceKernels() {
        return {findsNan<format>,   sample<format, rule>,       updateBracketed<format, rule>, move<format, rule>,        moveCandidates<format>,
                undo<format, rule>, countAtLeast<format, rule>, gather<format, rule>,          selectedBits<format, rule>};
    }
};

template <class V>
constexpr InstructionSetKernels kernelsOver() {
    using L = Loops<V>;
    constexpr auto ofFormat = []<Format format>(SliceKernels(&rules)[rankedRules]) {
        rules[static_cast<int>(Rule::Momentum)] = L::template sliceKernels<format, Rule::Momentum>();
        rules[static_cast<int>(Rule::Gradient)] = L::template sliceKernels<format, Rule::Gradient>();
        rules[static_cast<int>(Rule::MomentumOverRoot)] = L::template sliceKernels<format, Rule::MomentumOverRoot>();
        rules[static_cast<int>(Rule::Random)] = L::template sliceKernels<format, Rule::Random>();
    };
    InstructionSetKernels kernels{};
    ofFormat.template operator()<Format::Fp32>(kernels.slices[0]);
    ofFormat.template operator()<Format::Bf16>(kernels.slices[1]);
    ofFormat.template operator()<Format::Bf16Master>(kernels.slices[2]);
    kernels.plain[0] = {L::template updateAll<Format::Fp32>};
    kernels.plain[1] = {L::template updateAll<Format::Bf16>};
    kernels.plain[2] = {L::template updateAll<Format::Bf16Master>};
    using A = ArrayLoops<V>;
    kernels.arrays = {A::select, A::countByVector, sumOfSquares, drift};
    return kernels;
}

}  // namespace
}  // namespace mofo::kernels::cpu
