#include "core/engine/host_mirror.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace mofo {

HostMirror::HostMirror(const std::vector<ParameterInfo>& infos, const ParameterArena& weights, const ParameterArena& gradients)
    : m_weights(weights),
      m_gradients(gradients),
      m_hostWeights(infos, c10::kCPU, hostMemoryFor(weights.flat().device())),
      m_hostGradients(infos, c10::kCPU, hostMemoryFor(weights.flat().device())) {
    const c10::Device device = weights.flat().device();
    if (!device.is_cpu()) {
        const c10::impl::VirtualGuardImpl streams(device.type());
        m_fetching = streams.getStreamFromGlobalPool(device);
        m_sending = streams.getStreamFromGlobalPool(device);
    }
    weightsReplaced();
}

at::Tensor HostMirror::part(const ParameterArena& arena, const StepGroup& group) const {
    const std::size_t last = group.firstTensor + group.tensorCount - 1;
    const std::int64_t begin = arena.offset(group.firstTensor);
    return arena.flat().narrow(0, begin, arena.offset(last) + arena.view(last).numel() - begin);
}

void HostMirror::weightsReplaced() { m_hostWeights.flat().copy_(m_weights.flat()); }

void HostMirror::fetchGradients(std::span<const StepGroup> groups) {
    if (!m_fetching) {
        m_hostGradients.flat().copy_(m_gradients.flat());
        return;
    }
    const c10::Device device = m_weights.flat().device();
    c10::Event computed(device.type());
    computed.record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
    computed.block(*m_fetching);
    m_arrived.clear();
    const c10::StreamGuard onStream(*m_fetching);
    for (const StepGroup& group : groups) {
        part(m_hostGradients, group).copy_(part(m_gradients, group), /*non_blocking=*/true);
        m_arrived.emplace_back(device.type());
        m_arrived.back().record(*m_fetching);
    }
}

void HostMirror::awaitGradients(std::size_t index) {
    if (m_fetching) m_arrived[index].synchronize();
}

void HostMirror::sendWeights(const StepGroup& group) {
    if (!m_sending) {
        part(m_weights, group).copy_(part(m_hostWeights, group));
        return;
    }
    const c10::StreamGuard onStream(*m_sending);
    part(m_weights, group).copy_(part(m_hostWeights, group), /*non_blocking=*/true);
}

void HostMirror::finishSending() {
    if (!m_sending) return;
    const c10::Device device = m_weights.flat().device();
    c10::Event sent(device.type());
    sent.record(*m_sending);
    sent.block(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
}

}  // namespace mofo
