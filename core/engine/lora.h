// LoRA in the decoder: y = W x + scale B A dropout(x) and its backward pass, and the weights that come of it.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/engine/packed_batch.h"
#include "core/engine/parameter_set.h"
#include "core/model/lora.h"
#include "kernels/include/statistics.h"

namespace mofo {

/// Which inputs of A one forward and backward pass leaves out: for each module, token and column a function of (seed, update, number of the row in
/// the update, position in the row), so that any split into micro-batches, any device and a resumed run draw the same.
class LoraDropout {
public:
    /// `update`: number of the optimizer step, from 1.
    LoraDropout(const PackedBatch& batch, const LoraSettings& settings, std::int64_t update, c10::Device device);
    /// x [T, columns] with the dropped ones zero and the others scaled so that the mean stays; `module` tells the draws of modules apart.
    [[nodiscard]] at::Tensor apply(const at::Tensor& x, std::uint64_t module) const;
    /// The same bits, composed of LibTorch's operations: what apply() does where x is not in host memory.
    [[nodiscard]] at::Tensor applyComposed(const at::Tensor& x, std::uint64_t module) const;

private:
    at::Tensor m_tokens;           ///< [T] int64: key of each token
    std::int64_t m_threshold = 0;  ///< of 65536: draws below it are dropped
    float m_factor = 1;            ///< of those that stay
};

/// The matrices beside a model's weights, as the decoder uses them. Not thread safe; throws what LibTorch throws.
class LoraAdapter {
public:
    /// `weights`: of loraParameters(base, rank), which must outlive it.
    LoraAdapter(const std::vector<ParameterInfo>& base, const ParameterArena& weights, const LoraSettings& settings);

    /// y += scale dropout(x) A^T B^T for each of the model's parameters [first, first + count), whose outputs lie side by side in y [T, sum of out].
    /// `dropout`: null outside training.
    void addOutputs(std::size_t first, std::size_t count, const at::Tensor& x, const at::Tensor& y, const LoraDropout* dropout) const;
    /// The same backwards: adds to the gradients of A and B, and to dx.
    void addGradients(std::size_t first, std::size_t count, const at::Tensor& x, const at::Tensor& dy, const at::Tensor& dx,
                      ParameterArena& gradients, const LoraDropout* dropout) const;
    /// scale B A, [out, in] of the model's parameter, or nothing where it is not adapted.
    [[nodiscard]] std::optional<at::Tensor> change(std::size_t parameter) const;
    [[nodiscard]] const LoraSettings& settings() const { return m_settings; }

private:
    LoraSettings m_settings;
    const ParameterArena& m_weights;
    std::vector<std::int64_t> m_pair;  ///< per parameter of the model the number of its pair, or -1
    std::vector<std::int64_t> m_rows;  ///< per parameter of the model: out
};

/// scale B A, the same bits whoever asks. A [rank, in], B [out, rank].
[[nodiscard]] at::Tensor loraChange(const at::Tensor& a, const at::Tensor& b, double scale);

/// How far W + scale B A, in fp32, is from W: per parameter of the model, whose weights `base` holds.
[[nodiscard]] std::vector<kernels::Drift> measureMergedDrift(const ParameterArena& base, const LoraAdapter& adapter);

}  // namespace mofo
