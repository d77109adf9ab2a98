// The partitions that no cache holds: sample, bracket, update, resolve, repair (kernels/include/optimizer_step.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/cpu/step_context.h"

namespace mofo::kernels::cpu {

/// The largest are done in waves of as many as the pool has room for, each wave in five phases that all threads share: sample its chunks, bracket its
/// thresholds, update its chunks, resolve its thresholds, finish its chunks. The others go through the same phases one by one, each in one task.
class LargePartitions {
public:
    [[nodiscard]] static std::size_t stateBytes(const StepPlan& plan);
    [[nodiscard]] static std::size_t poolBytes(const StepPlan& plan);

    /// `states` and `pool` have those sizes and are aligned to 64 bytes.
    LargePartitions(StepContext& context, std::byte* states, std::byte* pool);

    void step();
    /// Instead of a step: of each large partition the sum of its k largest ranks, as floats, into sums[partition]. Moves nothing.
    void sumLargest(std::span<double> sums);
    /// Partitions so far whose threshold was not in the bracket.
    [[nodiscard]] std::int64_t repaired() const { return m_repaired.load(); }

private:
    struct State;
    struct ChunkState;
    /// Neighbours in StepPlan::large that go through the phases together, by all threads or by one task.
    struct Wave {
        std::size_t first, end;
        int task;  // -1: all threads
    };
    static constexpr int everyTask = -1;

    [[nodiscard]] std::size_t firstAlone() const;
    [[nodiscard]] std::size_t bytesAlone() const;
    void stepAlone(std::size_t first, int task);
    void stepWave(const Wave& wave);
    void place(std::size_t index, bool journals, std::byte* memory);
    Wave nextWave(std::size_t first, bool moves);
    void sample(const Wave& wave);
    void bracket(State& state) const;
    void updateChunk(State& state, ChunkState& record, const Slice& chunk, int task);
    void gatherChunk(State& state, ChunkState& record, const Slice& chunk, int task);
    bool keepCandidates(State& state, ChunkState& record, const Candidates& candidates) const;
    void resolve(State& state, bool zerosStay) const;
    void finish(const Wave& wave);
    void repair(const Wave& wave, State& state);
    Selected search(const Wave& wave, const State& state);

    template <class Body>
    void forEachState(const Wave& wave, Body&& body);
    template <class Body>
    void forEachChunk(const Wave& wave, std::size_t first, std::size_t end, Body&& body);
    template <class Body>
    void forEachChunk(const Wave& wave, Body&& body);

    StepContext& m_context;
    State* m_states;       // of each large partition
    ChunkState* m_chunks;  // of each of StepPlan::chunks
    std::byte* m_pool;
    std::atomic<std::int64_t> m_repaired = 0;
};

/// Where the parts of a step's workspace lie, as offsets.
struct StepLayout {
    StepLayout(const StepPlan& plan, int threads)
        : scratch(0),
          tensorSquares(aligned(static_cast<std::size_t>(threads) * taskScratchBytes)),
          states(tensorSquares + aligned(static_cast<std::size_t>(plan.tensorCount) * sizeof(std::int64_t))),
          pool(states + aligned(LargePartitions::stateBytes(plan))),
          size(pool + aligned(LargePartitions::poolBytes(plan))) {}
    std::size_t scratch, tensorSquares, states, pool, size;

private:
    static std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }
};

}  // namespace mofo::kernels::cpu
