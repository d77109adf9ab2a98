#include "core/engine/parameter_set.h"

#include <span>

#include "core/engine/torch_guard.h"

namespace mofo {

ParameterArena::ParameterArena(const std::vector<ParameterInfo>& infos, c10::Device device, HostMemory memory) {
    std::int64_t total = 0;
    for (const ParameterInfo& info : infos) {
        m_offsets.push_back(total);
        total += info.elementCount();
    }
    const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat).device(device).pinned_memory(memory == HostMemory::Pinned);
    m_flat = at::empty({total}, options).zero_();
    for (std::size_t i = 0; i < infos.size(); ++i) m_views.push_back(m_flat.narrow(0, m_offsets[i], infos[i].elementCount()).view(infos[i].shape));
}

at::Tensor ParameterArena::rows(std::size_t first, std::size_t count) const {
    std::int64_t elements = 0;
    for (std::size_t i = first; i < first + count; ++i) elements += m_views[i].numel();
    const std::int64_t columns = m_views[first].size(1);
    return m_flat.narrow(0, m_offsets[first], elements).view({elements / columns, columns});
}

Result<at::Tensor> readParameterTensor(const ModelSource& source, std::size_t index, c10::Device device) {
    return guardTorch([&]() -> Result<at::Tensor> {
        const ParameterInfo& info = source.parameters()[index];
        const at::Tensor host = at::empty(info.shape, at::kFloat);
        MOFO_CHECK(source.readParameter(index, std::span(host.data_ptr<float>(), static_cast<std::size_t>(info.elementCount()))));
        return host.to(device);
    });
}

Result<ParameterArena> loadWeights(const ModelSource& source, c10::Device device, const std::function<bool(double)>& progress) {
    return guardTorch([&]() -> Result<ParameterArena> {
        const auto& infos = source.parameters();
        ParameterArena arena(infos, device);
        for (std::size_t i = 0; i < infos.size(); ++i) {
            if (progress && !progress(static_cast<double>(i) / static_cast<double>(infos.size()))) {
                return Error{ErrorCode::Interrupted, "cancelled while the weights were read", "", "", ""};
            }
            const auto count = static_cast<std::size_t>(infos[i].elementCount());
            if (device.is_cpu()) {
                MOFO_CHECK(source.readParameter(i, std::span(arena.view(i).data_ptr<float>(), count)));
            } else {
                at::Tensor host = at::empty({static_cast<std::int64_t>(count)}, at::kFloat);
                MOFO_CHECK(source.readParameter(i, std::span(host.data_ptr<float>(), count)));
                arena.view(i).view({-1}).copy_(host);
            }
        }
        return arena;
    });
}

}  // namespace mofo
