// The step in groups, as it is done with moments in host memory: the same bits as the step at once, and nothing moves where there is a NaN.
#include "core/engine/step_groups.h"

#include <cmath>

#include "tests/core/engine/optimizer_support.h"

namespace mofo {
namespace {

using test::SteppedModel;

class StepGroups : public test::OptimizerFixture {
protected:
    std::vector<StepGroup> groupsOf(const char* granularity, std::int64_t bytes) {
        const auto& infos = m_source->parameters();
        const auto filtered = filteredParameters(infos, "", "");
        m_partitions = *partitionsOf(m_source->description(), infos, *Granularity::parse(granularity), filtered);
        m_slices.clear();
        m_firstSlice = {0};
        m_tensors.clear();
        for (const Partition& partition : m_partitions) {
            for (const Slice& slice : partition.slices) m_slices.push_back({slice.parameter, slice.begin, slice.rows, slice.length, slice.stride});
            m_firstSlice.push_back(static_cast<std::int64_t>(m_slices.size()));
        }
        for (std::size_t i = 0; i < infos.size(); ++i) {
            kernels::Tensor tensor;
            tensor.n = infos[i].elementCount();
            tensor.filtered = filtered[i];
            m_tensors.push_back(tensor);
        }
        return makeStepGroups(m_tensors, {m_slices, m_firstSlice}, bytes);
    }
    std::vector<Partition> m_partitions;
    std::vector<kernels::Slice> m_slices;
    std::vector<std::int64_t> m_firstSlice;
    std::vector<kernels::Tensor> m_tensors;
};

/// A copy of the weights and moments in "host" memory, stepped in groups of so many bytes.
OptimizerPlace inGroups(std::int64_t bytes) { return {.offload = true, .groupBytes = bytes}; }

TEST_F(StepGroups, HoldEveryTensorAndEveryPartitionOnce) {
    for (const char* granularity : {"model", "layer", "module", "tensor", "head", "row", "block:64", "shards:4"}) {
        for (const std::int64_t bytes : {1, 20'000, 1 << 30}) {
            const auto groups = groupsOf(granularity, bytes);
            std::size_t tensor = 0, partition = 0;
            for (const StepGroup& group : groups) {
                EXPECT_EQ(group.firstTensor, tensor);
                EXPECT_EQ(group.firstPartition, partition);
                EXPECT_GT(group.tensorCount, 0u);
                EXPECT_EQ(group.plan.partitionCount(), static_cast<std::int64_t>(group.partitionCount));
                EXPECT_EQ(group.plan.tensorCount, static_cast<std::int64_t>(group.tensorCount));
                for (std::size_t i = 0; i < group.partitionCount; ++i) {
                    EXPECT_EQ(group.plan.sizes[i], m_partitions[partition + i].elementCount) << granularity;
                }
                tensor += group.tensorCount;
                partition += group.partitionCount;
            }
            EXPECT_EQ(tensor, m_tensors.size());
            EXPECT_EQ(partition, m_partitions.size());
        }
    }
}

TEST_F(StepGroups, AreAboutTheirSizeWhereTheGranularityAllows) {
    EXPECT_EQ(groupsOf("tensor", 1).size(), m_source->parameters().size());
    EXPECT_EQ(groupsOf("tensor", 1 << 30).size(), 1u);
    EXPECT_EQ(groupsOf("model", 1).size(), 4u);  // from the embedding to the last layer's MLP; its two norms; the last norm
    EXPECT_EQ(groupsOf("layer", 1).size(), 8u);  // the embedding; two layers of matrices, each with two norms; the last norm
    const std::int64_t bytes = 20'000;
    for (const StepGroup& group : groupsOf("row", bytes)) {
        std::int64_t held = 0;
        for (std::size_t i = 0; i < group.tensorCount; ++i) held += 4 * m_tensors[group.firstTensor + i].n;
        EXPECT_TRUE(held <= bytes || group.tensorCount == 1);
    }
}

TEST_F(StepGroups, AStepInGroupsHasTheBitsOfAStepAtOnce) {
    for (const char* granularity : {"model", "layer", "module", "tensor", "head", "row", "block:64", "shards:4"}) {
        for (const auto& [key, value] :
             {std::pair("rule", "momentum"), std::pair("rule", "gradient"), std::pair("rule", "mv"), std::pair("rule", "random"),
              std::pair("optimizer", "fixed_mask"), std::pair("optimizer", "adamw"), std::pair("optimizer", "hft")}) {
            const RunConfig config =
                configOf({{key, value}, {"granularity", granularity}, {"weight_decay", "0.1"}, {"l1", "0.01"}, {"l2", "3"}, {"decay", "selected"}});
            SteppedModel once(*m_source, config), grouped(*m_source, config, inGroups(20'000));
            for (std::int64_t step = 1; step <= 3; ++step) {
                setGradient(once, step);
                setGradient(grouped, step);
                const StepOutcome &a = once.step(step, 1e-3, 0.7), &b = grouped.step(step, 1e-3, 0.7);
                expectEqual(once, grouped);
                ASSERT_EQ(a.partitions.size(), b.partitions.size());
                for (std::size_t i = 0; i < a.partitions.size(); ++i) {
                    EXPECT_EQ(a.partitions[i].thresholdRank, b.partitions[i].thresholdRank);
                    EXPECT_EQ(a.partitions[i].selected, b.partitions[i].selected);
                    EXPECT_EQ(a.partitions[i].squaredUpdate, b.partitions[i].squaredUpdate);
                }
                for (std::size_t i = 0; i < a.tensors.size(); ++i) {
                    EXPECT_EQ(a.tensors[i].selected, b.tensors[i].selected);
                    EXPECT_EQ(a.histograms[i].bins, b.histograms[i].bins);
                }
            }
        }
    }
}

TEST_F(StepGroups, LastStepIsTheWholeStepInHostMemory) {
    SteppedModel model(*m_source, configOf({}), inGroups(1));
    setGradient(model, 1);
    const StepOutcome& outcome = model.step(1, 1e-3);
    const kernels::StepArguments* last = model.optimizer.lastStep();
    ASSERT_NE(last, nullptr);
    EXPECT_EQ(last->tensors.size(), model.weights.count());
    EXPECT_EQ(last->partitionResults.size(), outcome.partitions.size());
    EXPECT_EQ(last->plan->partitionCount(), static_cast<std::int64_t>(outcome.partitions.size()));
    for (std::size_t i = 0; i < model.weights.count(); ++i) {
        const at::Tensor copy = at::from_blob(last->tensors[i].p, model.weights.view(i).sizes(), at::kFloat);
        EXPECT_NE(copy.data_ptr(), model.weights.view(i).data_ptr());
        EXPECT_TRUE(at::equal(copy, model.weights.view(i)));
    }
}

TEST_F(StepGroups, ANaNInTheLastGroupKeepsTheFirstFromMoving) {
    SteppedModel model(*m_source, configOf({{"l2", "2"}}), inGroups(1));
    setGradient(model, 1);
    model.step(1, 1e-3);
    const at::Tensor p = model.weights.flat().clone(), m = model.optimizer.firstMoments().flat().clone(),
                     v = model.optimizer.secondMoments().flat().clone();
    setGradient(model, 2);
    model.gradients.flat()[-1] = std::nan("");
    const auto outcome = model.optimizer.step(2, 1e-3, 1, false);
    ASSERT_OK(outcome);
    EXPECT_TRUE((*outcome)->nanFound);
    EXPECT_EQ((*outcome)->selectedCount(), 0);
    EXPECT_TRUE(at::equal(p, model.weights.flat()));
    EXPECT_TRUE(at::equal(m, model.optimizer.firstMoments().flat()));
    EXPECT_TRUE(at::equal(v, model.optimizer.secondMoments().flat()));
}

TEST_F(StepGroups, WeightsThatWereReplacedAreTakenOver) {
    const RunConfig config = configOf({});
    SteppedModel once(*m_source, config), grouped(*m_source, config, inGroups(1));
    for (SteppedModel* model : {&once, &grouped}) {
        model->weights.flat().mul_(1.5);
        model->optimizer.secondMoments().flat().fill_(0.25);
        ASSERT_OK(model->optimizer.stateReplaced());
        setGradient(*model, 3);
        model->step(3, 1e-3);
    }
    expectEqual(once, grouped);
}

TEST_F(StepGroups, OnTheCpuEverythingIsInHostMemoryAnyway) {
    EXPECT_FALSE(Optimizer::placeFor(c10::kCPU, Offload::Optimizer).offload);
    EXPECT_EQ(Optimizer::placeFor(c10::kCPU, Offload::None).cuda, nullptr);
    EXPECT_TRUE(Optimizer::placeFor(c10::Device(c10::kCUDA, 0), Offload::Optimizer).offload);
    EXPECT_FALSE(Optimizer::placeFor(c10::Device(c10::kCUDA, 0), Offload::None).offload);
}

}  // namespace
}  // namespace mofo
