#include "core/engine/device.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <algorithm>

#include "core/base/gpu_probe.h"
#include "core/base/paths.h"

namespace mofo {

Result<void> prepareDevice(std::string_view device) {
    if (device == "cpu") return {};
    std::string request(device);
    std::replace(request.begin(), request.end(), '-', ':');
    const GpuFinding finding = probeGpu();
    MOFO_CHECK(chooseDevice(request, finding));
    const std::filesystem::path plugIn = programFolder() / "libmofo_cuda.so";
    if (dlopen(plugIn.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        return Error{ErrorCode::DeviceUnusable, std::string("the CUDA part of the engine cannot be loaded (") + dlerror() + ")", plugIn.string(),
                     "Run installer/bootstrap build on a machine with the GPU, or use --set device=cpu", ""};
    }
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

std::string deviceLabel(c10::Device device) {
    if (!device.is_cpu()) return device.str();
    return "cpu, " + std::to_string(at::get_num_threads()) + " threads";
}

}  // namespace mofo
