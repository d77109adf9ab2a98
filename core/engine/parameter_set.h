// The weights of a model and what training keeps beside them: one flat fp32 arena per kind, every tensor a view into it.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "core/base/result.h"
#include "core/model/model_description.h"
#include "core/model/model_source.h"

namespace mofo {

/// Pinned: host memory that a GPU copies from and to while both go on working. Plain memory else.
enum class HostMemory { Plain, Pinned };
/// What serves copies between the host and `device` best.
[[nodiscard]] inline HostMemory hostMemoryFor(c10::Device device) { return device.is_cuda() ? HostMemory::Pinned : HostMemory::Plain; }

/// Tensors lie in the arena one after another, without gaps, in the order of parametersOf(): so q, k, v of a layer (and gate, up) also
/// form one matrix, which the decoder multiplies at once.
class ParameterArena {
public:
    ParameterArena() = default;
    /// Zero-filled, fp32, on `device`; `memory` is for the CPU alone.
    ParameterArena(const std::vector<ParameterInfo>& infos, c10::Device device, HostMemory memory = HostMemory::Plain);

    [[nodiscard]] const at::Tensor& flat() const { return m_flat; }  ///< [sum of element counts]
    [[nodiscard]] const at::Tensor& view(std::size_t index) const { return m_views[index]; }
    [[nodiscard]] std::size_t count() const { return m_views.size(); }
    [[nodiscard]] std::int64_t offset(std::size_t index) const { return m_offsets[index]; }
    /// Matrices [first, first + count), which have equal columns, as one matrix of all their rows.
    [[nodiscard]] at::Tensor rows(std::size_t first, std::size_t count) const;

private:
    at::Tensor m_flat;
    std::vector<at::Tensor> m_views;
    std::vector<std::int64_t> m_offsets;
};

/// One parameter of `source` as an fp32 matrix (or vector) on `device`.
Result<at::Tensor> readParameterTensor(const ModelSource& source, std::size_t index, c10::Device device);
/// Reads all weights of `source` into a new arena on `device`. `progress`: 0..1, false cancels.
Result<ParameterArena> loadWeights(const ModelSource& source, c10::Device device, const std::function<bool(double)>& progress = {});

}  // namespace mofo
