// The launches of a step, in order. What launches them is a Launcher: CUDA (launch.cuh) or the emulation. It has
//   blocks<Kernel>(count, sharedBytes, context)   Kernel::run(block, context, item) for each item on a block of its own
//   warps<Kernel>(count, sharedBytes, context)    the same on warps
//   grid<Kernel>(blocks, sharedBytes, context)    Kernel::run(grid, context) on so many blocks, which must all be there at once
// with sharedBytes of each block or warp.
#pragma once

#include "kernels/cuda/begin.cuh"
#include "kernels/cuda/finish.cuh"
#include "kernels/cuda/small.cuh"
#include "kernels/cuda/update.cuh"

namespace mofo::kernels::cuda {
namespace {

struct ClearKernel {
    static constexpr int threads = blockThreads;
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const StepContext& c, int item) {
        clear(block, c, item);
    }
};

template <Format format>
struct BeginKernel {
    static constexpr int threads = sampleThreads;
    static constexpr int blocksPerMultiprocessor = 2;
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const StepContext& c, int item) {
        begin<format>(block, c, item);
    }
};

template <Format format, bool momentumOnly>
struct UpdateKernel {
    static constexpr int threads = blockThreads;
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const StepContext& c, int item) {
        update<format, momentumOnly>(block, c, item);
    }
};

template <Format format, bool momentumOnly>
struct WarpKernel {
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const StepContext& c, int item) {
        stepByWarp<format, momentumOnly>(block, c, item);
    }
};

template <Format format, bool momentumOnly>
struct BlockKernel {
    static constexpr int threads = blockThreads;
    static constexpr int blocksPerMultiprocessor = 3;  // shared memory holds no more
    template <class Block>
    static MOFO_DEVICE void run(Block& block, const StepContext& c, int item) {
        stepByBlock<format, momentumOnly>(block, c, item);
    }
};

template <Format format>
struct FinishKernel {
    static constexpr int blocksPerMultiprocessor = 4;
    template <class Grid>
    static MOFO_DEVICE void run(Grid& grid, const StepContext& c) {
        finish<format>(grid, c);
    }
};

template <Format format>
inline constexpr std::size_t updateSharedBytes = sizeof(ChunkShared<format>) + 64;
inline constexpr std::size_t finishSharedBytes = searchBins * sizeof(std::uint32_t) + 64;

template <Format format, bool momentumOnly, class Launcher>
void enqueueRanked(Launcher& launcher, const StepContext& c) {
    if (c.chunkCount + c.updatedSpans > 0) {
        launcher.template blocks<UpdateKernel<format, momentumOnly>>(c.chunkCount + c.updatedSpans, updateSharedBytes<format>, c);
    }
    if (c.groupCount > 0) launcher.template warps<WarpKernel<format, momentumOnly>>(c.groupCount, smallSharedBytes<32>(c.largestWarp), c);
    if (c.blockPartitions > 0) {
        launcher.template blocks<BlockKernel<format, momentumOnly>>(c.blockPartitions, smallSharedBytes<blockThreads>(c.largestBlock), c);
    }
}

template <Format format, class Launcher>
void enqueueStep(Launcher& launcher, const StepContext& c) {
    launcher.template blocks<ClearKernel>(clearBlocks(c), 0, c);
    launcher.template blocks<BeginKernel<format>>(c.largeCount + c.checkers, c.largeCount == 0 ? 0 : sampleSharedBytes(c.mostSamples), c);
    if (c.rule == Rule::Momentum || c.rule == Rule::None) {
        enqueueRanked<format, true>(launcher, c);
    } else {
        enqueueRanked<format, false>(launcher, c);
    }
    launcher.template grid<FinishKernel<format>>(c.largeCount == 0 ? 1 : c.finishBlocks, finishSharedBytes, c);
}

}  // namespace
}  // namespace mofo::kernels::cuda
