// The host's side of cuda_step.h: plans and launches. The kernels are in step_*.cu.
#include "kernels/include/cuda_step.h"

#include <cuda_runtime_api.h>

#include <memory>
#include <vector>

#include "kernels/cuda/context.h"
#include "kernels/cuda/format_kernels.h"
#include "kernels/cuda/launch_error.h"

namespace mofo::kernels::cuda {

struct DevicePlan {
    Tables tables;
    const FormatKernels* kernels = nullptr;
    Device<const std::byte> uploaded = nullptr;
};

namespace {

// What CUDA itself and the kernels' own variables take of a block's shared memory.
constexpr int reservedShared = 2 << 10;

const FormatKernels& kernelsOf(Format format) {
    switch (format) {
        case Format::Fp32: break;
        case Format::Bf16: return bf16Kernels;
        case Format::Bf16Master: return bf16MasterKernels;
    }
    return fp32Kernels;
}

std::string findTraits(const FormatKernels& kernels, DeviceTraits& traits) {
    int device = 0, multiprocessors = 0, shared = 0, cooperative = 0, major = 0;
    const auto ask = [&](int& value, cudaDeviceAttr attribute) { return cudaDeviceGetAttribute(&value, attribute, device); };
    for (const cudaError_t error :
         {cudaGetDevice(&device), ask(multiprocessors, cudaDevAttrMultiProcessorCount), ask(shared, cudaDevAttrMaxSharedMemoryPerBlockOptin),
          ask(cooperative, cudaDevAttrCooperativeLaunch), ask(major, cudaDevAttrComputeCapabilityMajor)}) {
        if (error != cudaSuccess) return describe(error, "while asking for the device's properties");
    }
    if (major < 8) return "the optimizer's kernels need a GPU of compute capability 8.0 or higher";
    if (cooperative == 0) return "the device cannot launch cooperative kernels";
    traits.multiprocessors = multiprocessors;
    traits.sharedBytes = static_cast<std::size_t>(shared - reservedShared);
    int finish = 0, top = 0;
    if (std::string wrong = kernels.prepare(traits.sharedBytes, finish, top); !wrong.empty()) return wrong;
    traits.finishBlocks = finish * multiprocessors;
    traits.topBlocks = top * multiprocessors;
    return {};
}

std::string wrongWith(const StepLaunch& launch) {
    if (launch.plan == nullptr || launch.plan->uploaded == nullptr) return "the plan was not uploaded";
    if (launch.scalars == nullptr || launch.workspace == nullptr || launch.results == nullptr) return "a pointer of the launch is null";
    if (launch.rule != Rule::None && launch.k == nullptr) return "the launch has no k";
    if (launch.rule != Rule::None && launch.plan->tables.anyFrozen) return "tensors are frozen under another rule than none";
    if (launch.workspaceBytes < launch.plan->tables.workspaceOffsets().journal) return "the workspace is too small";
    return {};
}

}  // namespace

std::string makeDevicePlan(std::span<const Tensor> tensors, const StepPlan& plan, Format format, const Tuning& tuning, DevicePlan** out) {
    auto made = std::make_unique<DevicePlan>();
    made->kernels = &kernelsOf(format);
    DeviceTraits traits;
    if (std::string wrong = findTraits(*made->kernels, traits); !wrong.empty()) return wrong;
    if (std::string wrong = makeTables(tensors, plan, format, tuning, traits, made->tables); !wrong.empty()) return wrong;
    *out = made.release();
    return {};
}

void destroyDevicePlan(DevicePlan* plan) { delete plan; }

PlanBytes planBytes(const DevicePlan& plan, std::int64_t selected) {
    PlanBytes bytes;
    bytes.tables = plan.tables.tableOffsets().size;
    bytes.results = plan.tables.resultOffsets().size;
    bytes.leastWorkspace = plan.tables.workspaceOffsets().journal;
    bytes.workspace = bytes.leastWorkspace + static_cast<std::size_t>(selected > 0 ? selected : 0) * plan.tables.journalEntryBytes();
    return bytes;
}

std::string uploadPlan(DevicePlan& plan, Device<std::byte> tables, std::size_t bytes, void* stream) {
    const std::size_t size = plan.tables.tableOffsets().size;
    if (tables == nullptr || bytes < size) return "the memory for the plan's tables is too small";
    std::vector<std::byte> image(size);
    plan.tables.write(image.data());
    const auto onStream = static_cast<cudaStream_t>(stream);
    cudaError_t error = cudaMemcpyAsync(tables, image.data(), size, cudaMemcpyHostToDevice, onStream);
    if (error == cudaSuccess) error = cudaStreamSynchronize(onStream);
    if (error == cudaSuccess) plan.uploaded = tables;
    return describe(error, "while uploading the optimizer's plan");
}

std::string step(const StepLaunch& launch, void* stream) {
    if (std::string wrong = wrongWith(launch); !wrong.empty()) return wrong;
    return launch.plan->kernels->step(contextOf(launch.plan->tables, launch.plan->uploaded, launch), stream);
}

std::string copyResults(const DevicePlan& plan, Device<const std::byte> results, bool histograms, std::byte* pinned, void* stream) {
    const Tables::ResultOffsets at = plan.tables.resultOffsets();
    return describe(cudaMemcpyAsync(pinned, results, histograms ? at.size : at.histograms, cudaMemcpyDeviceToHost, static_cast<cudaStream_t>(stream)),
                    "while copying the optimizer's results");
}

bool readResults(const DevicePlan& plan, const std::byte* pinned, Rule rule, const StepScalars& scalars, std::span<PartitionResult> partitions,
                 std::span<TensorResult> tensors, StepStatus* status, std::span<LogHistogram> histograms) {
    return readResults(plan.tables, pinned, rule, scalars, partitions, tensors, status, histograms);
}

std::int64_t firstBitWord(const DevicePlan& plan, std::int64_t tensor) { return plan.tables.firstWords[static_cast<std::size_t>(tensor)]; }

std::string selectedBits(const StepLaunch& last, Device<std::uint64_t> bits, void* stream) {
    if (std::string wrong = wrongWith(last); !wrong.empty()) return wrong;
    StepContext context = contextOf(last.plan->tables, last.plan->uploaded, last);
    context.bits = bits;
    const std::size_t bytes = static_cast<std::size_t>(last.plan->tables.firstWords.back()) * sizeof(std::uint64_t);
    const cudaError_t error = cudaMemsetAsync(bits, 0, bytes, static_cast<cudaStream_t>(stream));
    if (error != cudaSuccess) return describe(error, "while clearing the mask");
    return last.plan->kernels->bits(context, stream);
}

std::string topGradientSums(const StepLaunch& launch, Device<double> sums, void* stream) {
    StepLaunch byGradient = launch;
    byGradient.rule = Rule::Gradient;
    byGradient.histograms = false;
    if (std::string wrong = wrongWith(byGradient); !wrong.empty()) return wrong;
    StepContext context = contextOf(launch.plan->tables, launch.plan->uploaded, byGradient);
    context.resultsZeroed = 0;
    context.sums = sums;
    return launch.plan->kernels->topSums(context, stream);
}

}  // namespace mofo::kernels::cuda
