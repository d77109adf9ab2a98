// The inner loops, tables of functions per instruction set, format and rule. Only plain pointers cross this border: the files behind it are compiled
// with flags of their own, and an inline function of the standard library that one of them emitted could be the copy the linker picks for the whole
// program.
#pragma once

#include <cstdint>

#include "kernels/include/optimizer_step.h"

namespace mofo::kernels::cpu {

/// A Slice with the tensor's pointers, already moved to `begin`.
struct SliceView {
    float* p;
    const float* g;
    float* m;
    float* v;
    std::uint16_t* p16;
    const std::uint16_t* g16;
    std::int64_t rows, length, stride;
    std::int64_t index;  // the number of the first coordinate in its tensor
    std::uint64_t tensorKey;
    float decayAll;           // factor of every p, 1 where none
    float decaySelected;      // factor of those p that move, 1 where none
    bool mostMove = false;    // most vectors have a coordinate that moves
    std::int64_t toNext = 0;  // `move` asks the memory for g, m and v so far ahead, where the next partition begins; 0: not

    [[nodiscard]] std::int64_t size() const { return rows * length; }
};

/// Buffers that take whole vectors have room for so many values beyond their capacity.
inline constexpr std::int64_t vectorSlack = 16;
/// Bins of the raw histogram: the upper 10 bits of |m|, 8 of the exponent and 2 of the mantissa.
inline constexpr int rawHistogramBins = 1024;

/// What a loop counts while it moves coordinates.
struct Tally {
    std::int64_t masked = 0;
    std::int64_t selected = 0;
    double squaredUpdate = 0;  // only if `measure`
    bool measure = false;
    bool notFinite = false;              // a new m is
    std::uint32_t* histogram = nullptr;  // rawHistogramBins of |m|; zeros are in bin 0 and in `zeros`
    std::int64_t zeros = 0;
};

/// Coordinates of a chunk whose fate the bracket leaves open, and those above it whose old p the journal could not give back.
struct Candidates {
    std::uint32_t* ranks;
    std::uint32_t* places;  // number within the chunk, in the order of its runs; candidateHasMoment on top. Only if Bracket::moves
    float* updates;         // what p moves by. Only if Bracket::moves
    std::int64_t count;
    std::int64_t capacity;  // from 16 below it on, `count` goes on but nothing more may be stored
};
inline constexpr std::uint32_t candidateHasMoment = 0x80000000U;  // m != 0

/// How `updateBracketed` treats ranks.
struct Bracket {
    std::uint32_t lo, hi;
    bool mostMove;         // most vectors have a rank >= hi
    bool moves;            // whether those >= hi move now, with the old p kept in the journal; and whether decayAll is applied
    std::int8_t* journal;  // what leads back to the old p, in the order of those >= hi that had something to move by
    std::int64_t journaled;
};

/// What a rank is selected by.
struct Selected {
    std::uint32_t threshold;
    std::int64_t atLeast;  // ranks >= threshold
};

/// What `gather` met.
struct Gathered {
    std::int64_t inside;  // in [lo, hi)
    std::int64_t above;   // >= hi
};

struct SliceKernels {
    /// Whether any new m would be NaN. Writes nothing.
    bool (*findsNan)(const SliceView& slice, const StepScalars& scalars);
    /// New ranks of one vector of sixteen in every `stratum`, at a place that depends on the coordinates' number. Writes nothing else. Returns how
    /// many ranks: a multiple of 16.
    std::int64_t (*sample)(const SliceView& slice, const StepScalars& scalars, std::int64_t stratum, std::uint32_t* ranks);
    /// New m and v; see Bracket. Tally::masked counts the ranks >= hi that are not among the candidates, selected and squaredUpdate those of them
    /// that moved, if they move.
    void (*updateBracketed)(const SliceView& slice, const StepScalars& scalars, Bracket& bracket, Candidates& candidates, Tally& tally);
    /// Moves p where the rank of the present g, m and v is at least the threshold.
    void (*move)(const SliceView& slice, const StepScalars& scalars, std::uint32_t threshold, Tally& tally);
    /// Moves the candidates of a chunk that are at least the threshold.
    void (*moveCandidates)(const SliceView& slice, const StepScalars& scalars, const Candidates& candidates, std::uint32_t threshold, Tally& tally);
    /// Gives p back to the movers of updateBracketed.
    void (*undo)(const SliceView& slice, const StepScalars& scalars, const Bracket& bracket);
    /// How many present ranks are at least the pivot.
    std::int64_t (*countAtLeast)(const SliceView& slice, const StepScalars& scalars, std::uint32_t pivot);
    /// Appends the present ranks in [lo, hi), up to `capacity` (from 16 below it on nothing more may be stored). Adds the ranks >= hi, as floats, to
    /// *sumAbove if it is not null.
    Gathered (*gather)(const SliceView& slice, const StepScalars& scalars, std::uint32_t lo, std::uint64_t hi, std::uint32_t* ranks,
                       std::int64_t capacity, double* sumAbove);
    /// Bit i of bits is set where the i-th coordinate (of a slice with one row) has a rank of at least the threshold and m != 0.
    void (*selectedBits)(const SliceView& slice, const StepScalars& scalars, std::uint32_t threshold, std::uint64_t* bits);
};

/// The loops that know no rule.
struct PlainKernels {
    /// AdamW: new m and v, and p moves everywhere where m != 0.
    void (*updateAll)(const SliceView& slice, const StepScalars& scalars, Tally& tally);
};

/// Sums over one chunk for Drift.
struct DriftSums {
    double squares, pretrainedSquares, absolutes;
    float largest;
    std::int64_t changed, changedBf16;
};

/// Loops over plain arrays.
struct ArrayKernels {
    /// The k-th largest of n ranks, and how many are at least that. `scratch` has room for n / 2 + vectorSlack.
    Selected (*select)(const std::uint32_t* ranks, std::int64_t n, std::int64_t k, std::uint32_t* scratch);
    /// Sums and squares over vectors of sixteen of how many ranks are at least the threshold; n is a multiple of 16.
    void (*countByVector)(const std::uint32_t* ranks, std::int64_t n, std::uint32_t threshold, std::int64_t* sum, std::int64_t* squares);
    /// Contiguous arrays of at most statisticsChunk floats.
    double (*sumOfSquares)(const float* x, std::int64_t n);
    void (*drift)(const float* p, const float* p0, std::int64_t n, DriftSums* sums);
};

struct InstructionSetKernels {
    SliceKernels slices[formatCount][rankedRules];
    PlainKernels plain[formatCount];
    ArrayKernels arrays;
};

extern const InstructionSetKernels scalarKernels;
extern const InstructionSetKernels avx2Kernels;
extern const InstructionSetKernels avx512Kernels;

[[nodiscard]] const InstructionSetKernels& kernelsOf(InstructionSet set);

}  // namespace mofo::kernels::cpu
