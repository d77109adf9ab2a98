#include "core/engine/device.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <algorithm>

#include "core/base/gpu_probe.h"
#include "core/base/paths.h"
#include "core/engine/cuda_plugin.h"

namespace mofo {

namespace {

const CudaPlugin* g_cudaPlugin = nullptr;  // written once, before there are threads

}  // namespace

const CudaPlugin* cudaPlugin() { return g_cudaPlugin; }

Result<void> prepareDevice(std::string_view device) {
    if (device == "cpu") return {};
    std::string request(device);
    std::replace(request.begin(), request.end(), '-', ':');
    const GpuFinding finding = probeGpu();
    MOFO_CHECK(chooseDevice(request, finding));
    const std::filesystem::path plugIn = programFolder() / "libmofo_cuda.so";
    const auto unusable = [&](const std::string& why) {
        return Error{ErrorCode::DeviceUnusable, "the CUDA part of the engine cannot be loaded (" + why + ")", plugIn.string(),
                     "Run installer/bootstrap build on a machine with the GPU, or use --set device=cpu", ""};
    };
    void* const library = dlopen(plugIn.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) return unusable(dlerror());
    const auto table = reinterpret_cast<CudaPluginFunction>(dlsym(library, cudaPluginSymbol));
    if (table == nullptr || table()->version != cudaPluginVersion) return unusable("it belongs to another version of this program");
    g_cudaPlugin = table();
    return {};
}

Result<c10::Device> torchDevice(std::string_view device) {
    if (device == "cpu") return c10::Device(c10::kCPU);
    std::string request(device);
    std::replace(request.begin(), request.end(), '-', ':');
    const c10::Device wanted(request);
    if (!at::hasCUDA() || wanted.index() >= at::detail::getCUDAHooks().deviceCount()) {
        return Error{ErrorCode::DeviceUnusable, "LibTorch sees no device " + request, "", "Run `mofo doctor`, or use --set device=cpu", ""};
    }
    return wanted;
}

bool multipliesBf16() { return __builtin_cpu_supports("avx512bf16") != 0; }

std::string deviceLabel(c10::Device device) {
    if (!device.is_cpu()) return device.str();
    return "cpu, " + std::to_string(at::get_num_threads()) + " threads";
}

}  // namespace mofo
