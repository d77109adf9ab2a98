// Four coordinates of a thread: where they lie, reading and writing them in each format, and moving them.
#pragma once

#include <type_traits>

#include "kernels/cuda/context.h"
#include "kernels/cuda/lane.h"

namespace mofo::kernels::cuda {
namespace {

struct Four {
    float x[quad];
};

/// A Chunk with the tensor's pointers, already moved to `begin`.
struct Piece {
    float* p;
    const float* g;
    float* m;
    float* v;
    std::uint16_t* p16;
    const std::uint16_t* g16;
    std::int64_t stride;
    std::int64_t index;  // of the first coordinate in its tensor
    std::uint64_t key;
    std::int32_t length, size;
    bool aligned;  // four coordinates from a multiple of four on lie side by side, at a multiple of their size
    bool decayed;

    /// Of coordinate `number` from the pointers.
    MOFO_DEVICE std::int64_t offset(std::int32_t number) const {
        return length == size ? number : static_cast<std::int64_t>(number / length) * stride + number % length;
    }
};

/// k of a partition of n coordinates.
MOFO_DEVICE std::int64_t wantedOf(const StepContext& c, std::int32_t partition, std::int64_t n) {
    const std::int64_t k = c.k[partition];
    return k < 1 ? 1 : k > n ? n : k;
}

MOFO_DEVICE bool isAligned(const void* at, unsigned bytes) { return reinterpret_cast<std::uintptr_t>(at) % bytes == 0; }

template <Format format>
MOFO_DEVICE Piece pieceOf(const StepContext& c, const Chunk& chunk) {
    const Tensor& t = c.tensors[chunk.tensor];
    const std::int64_t at = chunk.begin - t.firstIndex;
    Piece piece{};
    piece.m = inGlobal(t.m + at);
    piece.v = inGlobal(t.v + at);
    if (format != Format::Bf16) piece.p = inGlobal(t.p + at);
    if (format == Format::Fp32) {
        piece.g = inGlobal(t.g + at);
    } else {
        piece.g16 = inGlobal(t.g16 + at);
        piece.p16 = inGlobal(t.p16 + at);
    }
    piece.stride = chunk.stride;
    piece.index = chunk.begin;
    piece.key = t.key;
    piece.length = chunk.length;
    piece.size = chunk.size;
    piece.decayed = t.decayed;
    const bool runs = chunk.length == chunk.size || (chunk.length % quad == 0 && chunk.stride % quad == 0);
    // Null pointers are aligned.
    piece.aligned = runs && isAligned(piece.m, 16) && isAligned(piece.v, 16) && isAligned(piece.p, 16) && isAligned(piece.g, 16) &&
                    isAligned(piece.p16, 8) && isAligned(piece.g16, 8);
    return piece;
}

/// Where a thread's four coordinates of a tile are: side by side, to be read at once, if the piece is aligned; else such that neighbouring threads
/// read neighbours. Both are written out (`aligned` is a constant), since the latter's divisions would fill the instruction cache of the former.
template <class Block, bool aligned>
struct Reach {
    std::int32_t first, size;
    std::int64_t at;  // offset of the first
    std::int32_t length;
    std::int64_t stride;

    MOFO_DEVICE Reach(const Piece& piece, std::int32_t tile, int thread)
        : first(aligned ? tile + quad * thread : tile + thread),
          size(piece.size),
          at(aligned && first < piece.size ? piece.offset(first) : 0),
          length(piece.length),
          stride(piece.stride) {}

    MOFO_DEVICE std::int32_t number(int j) const { return aligned ? first + j : first + j * Block::threads; }
    MOFO_DEVICE bool has(int j) const { return number(j) < size; }
    MOFO_DEVICE bool whole() const { return aligned && first + quad <= size; }
    /// Only of those that are there.
    MOFO_DEVICE std::int64_t offset(int j) const {
        if constexpr (aligned) return at + j;
        const std::int32_t n = number(j);
        return length == size ? n : static_cast<std::int64_t>(n / length) * stride + n % length;
    }
    /// Bits of those that are there.
    MOFO_DEVICE unsigned present() const {
        unsigned bits = 0;
        MOFO_UNROLL for (int j = 0; j < quad; ++j) bits |= has(j) ? 1U << j : 0U;
        return bits;
    }
};

/// body(std::bool_constant) with what Reach wants to know.
template <class Body>
MOFO_DEVICE void byAlignment(const Piece& piece, Body&& body) {
    if (piece.aligned) {
        body(std::true_type{});
    } else {
        body(std::false_type{});
    }
}

struct alignas(8) FourHalves {
    std::uint16_t x[quad];
};
struct alignas(16) FourFloats {
    float x[quad];
};

MOFO_DEVICE float widened(std::uint16_t bf16) { return Lane::floatOf(static_cast<std::uint32_t>(bf16) << 16); }

template <class Where>
MOFO_DEVICE Four load(const float* from, const Where& where) {
    Four out{};
    if (where.whole()) {
        const FourFloats all = *reinterpret_cast<const FourFloats*>(from + where.at);
        MOFO_UNROLL for (int j = 0; j < quad; ++j) out.x[j] = all.x[j];
        return out;
    }
    MOFO_UNROLL for (int j = 0; j < quad; ++j) {
        if (where.has(j)) out.x[j] = from[where.offset(j)];
    }
    return out;
}

template <class Where>
MOFO_DEVICE Four load(const std::uint16_t* from, const Where& where) {
    Four out{};
    if (where.whole()) {
        const FourHalves all = *reinterpret_cast<const FourHalves*>(from + where.at);
        MOFO_UNROLL for (int j = 0; j < quad; ++j) out.x[j] = widened(all.x[j]);
        return out;
    }
    MOFO_UNROLL for (int j = 0; j < quad; ++j) {
        if (where.has(j)) out.x[j] = widened(from[where.offset(j)]);
    }
    return out;
}

/// Writes those of the bits in `which`. The others of four neighbours are written too, so `values` holds what is there.
template <class Where>
MOFO_DEVICE void store(float* to, const Where& where, const Four& values, unsigned which) {
    if (where.whole()) {
        if (which == 0) return;
        FourFloats all;
        MOFO_UNROLL for (int j = 0; j < quad; ++j) all.x[j] = values.x[j];
        *reinterpret_cast<FourFloats*>(to + where.at) = all;
        return;
    }
    MOFO_UNROLL for (int j = 0; j < quad; ++j) {
        if (where.has(j) && (which >> j & 1U) != 0) to[where.offset(j)] = values.x[j];
    }
}

/// Writes those of the bits in `which`, and nothing else.
template <class Where>
MOFO_DEVICE void store(std::uint16_t* to, const Where& where, const FourHalves& values, unsigned which) {
    if (where.whole() && which == 15U) {
        *reinterpret_cast<FourHalves*>(to + where.at) = values;
        return;
    }
    MOFO_UNROLL for (int j = 0; j < quad; ++j) {
        if (where.has(j) && (which >> j & 1U) != 0) to[where.offset(j)] = values.x[j];
    }
}

template <Format format, class Where>
MOFO_DEVICE Four loadGradient(const Piece& piece, const Where& where) {
    if constexpr (format == Format::Fp32) return load(piece.g, where);
    return load(piece.g16, where);
}

template <Format format, class Where>
MOFO_DEVICE Four loadParameter(const Piece& piece, const Where& where) {
    if constexpr (format == Format::Bf16) return load(piece.p16, where);
    return load(piece.p, where);
}

/// `values` as they are to be read again: in Format::Bf16 they are bf16 already.
template <Format format, class Where>
MOFO_DEVICE void storeParameter(const Piece& piece, const Where& where, const Four& values, unsigned which) {
    if constexpr (format != Format::Bf16) store(piece.p, where, values, which);
    if constexpr (format != Format::Fp32) {
        FourHalves halves;
        MOFO_UNROLL for (int j = 0; j < quad; ++j) {
            const std::uint32_t bits = format == Format::Bf16 ? Lane::bitsOf(values.x[j]) >> 16 : nearestBf16<Lane>(values.x[j]);
            halves.x[j] = static_cast<std::uint16_t>(bits);
        }
        store(piece.p16, where, halves, which);
    }
}

/// What roundings draw from, of coordinates that are there; nothing where none is drawn.
template <Format format, class Where>
MOFO_DEVICE std::int64_t roundingIndex(const Piece& piece, const Where& where, int j) {
    if constexpr (format != Format::Bf16) return 0;
    return where.has(j) ? piece.index + where.offset(j) : 0;
}
/// The same for ranks.
template <bool momentumOnly, class Where>
MOFO_DEVICE std::int64_t rankIndex(const StepContext& c, const Piece& piece, const Where& where, int j) {
    if constexpr (momentumOnly) return 0;
    return c.rule == Rule::Random && where.has(j) ? piece.index + where.offset(j) : 0;
}

template <Format format>
MOFO_DEVICE float loadOne(const Piece& piece, std::int64_t offset) {
    if constexpr (format == Format::Bf16) return widened(piece.p16[offset]);
    return piece.p[offset];
}

template <Format format>
MOFO_DEVICE void storeOne(const Piece& piece, std::int64_t offset, float value) {
    if constexpr (format != Format::Bf16) piece.p[offset] = value;
    if constexpr (format == Format::Bf16) piece.p16[offset] = static_cast<std::uint16_t>(Lane::bitsOf(value) >> 16);
    if constexpr (format == Format::Bf16Master) piece.p16[offset] = static_cast<std::uint16_t>(nearestBf16<Lane>(value));
}

/// Decay and move of p. They round one after the other, so that it does not matter whether they happen in one pass.
template <Format format>
struct Mover {
    MOFO_DEVICE Mover(const StepContext& c, const StepScalars& scalars, const Piece& piece)
        : draw(drawOf(scalars.roundingKey, piece.key)),
          decayDraw(drawOf(~scalars.roundingKey, piece.key)),
          decay(scalars.decay),
          dense(scalars.decay != 1.0F && piece.decayed && !c.decaySelectedOnly),
          selectedDecay(scalars.decay != 1.0F && piece.decayed && c.decaySelectedOnly) {}

    Draw draw, decayDraw;
    float decay;
    bool dense;          // all of p decays
    bool selectedDecay;  // p decays where it moves

    /// What p is without moving, at `index` of its tensor.
    MOFO_DEVICE float base(float p, std::int64_t index) const {
        if (!dense) return p;
        const float decayed = Lane::mul(p, decay);
        if constexpr (format == Format::Bf16) return Lane::floatOf(stochasticBf16<Lane>(decayed, drawn<Lane>(decayDraw, index)) << 16);
        return decayed;
    }
    /// What it becomes when it moves from there.
    MOFO_DEVICE float moved(float base, float update, std::int64_t index) const {
        const float to = Lane::add(selectedDecay ? Lane::mul(base, decay) : base, update);
        if constexpr (format == Format::Bf16) return Lane::floatOf(stochasticBf16<Lane>(to, drawn<Lane>(draw, index)) << 16);
        return to;
    }
};

/// Squared updates as multiples of 2^-28 of the squared step size, each rounded to an integer, so that they can be added in any order. One that is
/// above 2^22 is taken for that.
struct SquareCounter {
    MOFO_DEVICE explicit SquareCounter(const StepScalars& scalars) : scale(scalars.stepSize == 0.0F ? 0.0F : Lane::div(16384.0F, scalars.stepSize)) {}
    float scale;
    MOFO_DEVICE std::uint64_t units(float update) const {
        constexpr float most = 1125899906842624.0F;  // 2^50
        const float root = Lane::mul(update, scale);
        const float square = Lane::mul(root, root);
        return Lane::integer(square < most ? square : most);
    }
};

/// The rank of the coordinate at `offset` by the present g, m and v. Reads only what the rule needs.
template <Format format>
MOFO_DEVICE std::uint32_t presentRank(const StepContext& c, const Arithmetic& arithmetic, const Piece& piece, Draw draw, std::int64_t offset) {
    float g = 0, m = 0, v = 0;
    if (c.rule == Rule::Gradient) g = arithmetic.scaled(format == Format::Fp32 ? piece.g[offset] : widened(piece.g16[offset]));
    if (c.rule == Rule::Momentum || c.rule == Rule::MomentumOverRoot) m = piece.m[offset];
    if (c.rule == Rule::MomentumOverRoot) v = piece.v[offset];
    return rankOf<false>(arithmetic, c.rule, g, m, v, draw, piece.index + offset);
}

/// The same of four.
template <Format format, class Where>
MOFO_DEVICE void presentRanks(const StepContext& c, const Arithmetic& arithmetic, const Piece& piece, Draw draw, const Where& where,
                              std::uint32_t (&ranks)[quad]) {
    Four g{}, m{}, v{};
    if (c.rule == Rule::Gradient) g = loadGradient<format>(piece, where);
    if (c.rule == Rule::Momentum || c.rule == Rule::MomentumOverRoot) m = load(piece.m, where);
    if (c.rule == Rule::MomentumOverRoot) v = load(piece.v, where);
    MOFO_UNROLL for (int j = 0; j < quad; ++j) {
        ranks[j] = rankOf<false>(arithmetic, c.rule, arithmetic.scaled(g.x[j]), m.x[j], v.x[j], draw, rankIndex<false>(c, piece, where, j));
    }
}

// log2 histograms of |m|: the upper 10 bits are the exponent and 2 bits of the mantissa, four steps an octave.
inline constexpr int rawBinShift = 21;
inline constexpr int lowestRawBin = (127 + histogramLowestExponent) * histogramStepsPerOctave;
static_assert(histogramStepsPerOctave == 4);
/// In shared memory: the bins, and behind them the zeros.
inline constexpr int histogramCounters = histogramBins + 1;
static_assert(sizeof(LogHistogram) == histogramCounters * sizeof(std::int64_t));

MOFO_DEVICE int histogramBin(std::uint32_t magnitude) {
    if (magnitude == 0) return histogramBins;
    const int bin = static_cast<int>(magnitude >> rawBinShift) - lowestRawBin;
    return bin < 0 ? 0 : bin >= histogramBins ? histogramBins - 1 : bin;
}

template <class Block>
MOFO_DEVICE void clearHistogram(Block& block, std::uint32_t* counters) {
    block.each([&](int thread) {
        for (int i = thread; i < histogramCounters; i += Block::threads) counters[i] = 0;
    });
}

/// Adds what was counted to the tensor's and begins anew.
template <class Block>
MOFO_DEVICE void addHistogram(Block& block, std::uint32_t* counters, LogHistogram* to) {
    block.each([&](int thread) {
        for (int i = thread; i < histogramCounters; i += Block::threads) {
            if (counters[i] == 0) continue;
            block.add(reinterpret_cast<std::uint64_t*>(to) + i, static_cast<std::uint64_t>(counters[i]));
            counters[i] = 0;
        }
    });
}

}  // namespace
}  // namespace mofo::kernels::cuda
