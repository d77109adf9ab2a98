// Host copies of weights and gradients that live on a GPU, for a step that the CPU does (offload=optimizer).
#pragma once

#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/engine/parameter_set.h"
#include "core/engine/step_groups.h"

namespace mofo {

/// Gradients come and weights go group by group, each way on a stream of its own, so that both ways of the bus and the CPU work at the same time. The
/// host's weights are the truth: they only ever come back from the device when they were replaced there. Memory is pinned where the device is a
/// GPU; where it is the CPU (tests) the copies are plain. One thread. May throw what LibTorch throws.
class HostMirror {
public:
    /// The arenas of the device; they must outlive it.
    HostMirror(const std::vector<ParameterInfo>& infos, const ParameterArena& weights, const ParameterArena& gradients);

    [[nodiscard]] const ParameterArena& weights() const { return m_hostWeights; }
    [[nodiscard]] const ParameterArena& gradients() const { return m_hostGradients; }

    /// Takes the weights from the device; returns when they are there.
    void weightsReplaced();
    /// Starts bringing all gradients, in the order of the groups, once the device has computed them.
    void fetchGradients(std::span<const StepGroup> groups);
    /// Returns when the gradients of group `index` are on the host.
    void awaitGradients(std::size_t index);
    /// Starts sending the new weights of a group to the device.
    void sendWeights(const StepGroup& group);
    /// Whatever the device computes from now on sees the weights that were sent.
    void finishSending();

private:
    [[nodiscard]] at::Tensor part(const ParameterArena& arena, const StepGroup& group) const;

    const ParameterArena& m_weights;
    const ParameterArena& m_gradients;
    ParameterArena m_hostWeights, m_hostGradients;
    std::optional<c10::Stream> m_fetching, m_sending;  ///< with a GPU only
    std::vector<c10::Event> m_arrived;                 ///< of each group's gradients
};

}  // namespace mofo
