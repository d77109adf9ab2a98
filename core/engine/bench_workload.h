// What the optimizer benchmark steps over: the shapes and weights of a model, its moments, and gradients that change with every step.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/parameter_set.h"
#include "core/model/model_source.h"
#include "kernels/include/optimizer_step.h"

namespace mofo {

/// Shapes, and where the weights come from.
struct BenchModel {
    std::string name;  ///< as the user called it
    std::unique_ptr<ModelSource> source;
    std::vector<ParameterInfo> parameters;  ///< those of the source, or of one of its layers
    std::vector<std::size_t> places;        ///< of each in the source

    /// Whatever ModelSource::open takes, and random:NAME-layer: the tensors of one layer of random:NAME.
    static Result<BenchModel> open(const std::string& nameOrPath);
    static BenchModel of(std::string name, std::unique_ptr<ModelSource> source);
    [[nodiscard]] std::int64_t parameterCount() const;
};

/// Parameters, gradients and moments as a step of `format` needs them, and as LibTorch's fused AdamW needs them: the very same arrays under
/// Format::Fp32. The bf16 formats have 16-bit parameters and gradients beside the fp32 ones, and gradients of the same values.
class BenchWorkload {
public:
    /// Bytes of all arrays for so many parameters.
    [[nodiscard]] static std::int64_t bytesOf(std::int64_t parameterCount, kernels::Format format);
    /// Reads the weights; moments are zero. `progress`: 0..1, false cancels.
    static Result<BenchWorkload> make(const BenchModel& model, kernels::Format format, c10::Device device,
                                      const std::function<bool(double)>& progress);

    /// New gradients everywhere, a fixed function of how often this was called: each tensor has a scale of its own, each row another (a heavy
    /// tail, drawn partly anew each time), its values are normal. Nine in ten rows of an embedding without a tied head get no gradient, as rows of
    /// tokens that a batch lacks.
    void nextGradients();

    [[nodiscard]] const std::vector<kernels::Tensor>& tensors() const { return m_tensors; }  ///< for kernels::cpu::step and its CUDA twin
    [[nodiscard]] ParameterArena& weights() { return m_weights; }
    [[nodiscard]] ParameterArena& gradients() { return m_gradients; }
    [[nodiscard]] ParameterArena& firstMoments() { return m_first; }
    [[nodiscard]] ParameterArena& secondMoments() { return m_second; }
    [[nodiscard]] const std::vector<ParameterInfo>& parameters() const { return m_infos; }
    [[nodiscard]] const std::vector<bool>& filtered() const { return m_filtered; }
    [[nodiscard]] c10::Device device() const { return m_weights.flat().device(); }

private:
    struct Rows {
        std::int64_t count, length;
    };
    [[nodiscard]] Rows rowsOf(std::size_t tensor) const;
    [[nodiscard]] float rowScale(std::size_t tensor, std::int64_t row) const;
    void fillOnHost(std::size_t tensor);

    std::vector<ParameterInfo> m_infos;
    std::vector<bool> m_filtered;
    bool m_sparseEmbedding = false;
    ParameterArena m_weights, m_gradients, m_first, m_second;
    at::Tensor m_weights16, m_gradients16;  ///< flat, where the format has them
    std::vector<kernels::Tensor> m_tensors;
    std::vector<float> m_normal;  ///< a table of normal deviates
    std::uint64_t m_round = 0;
};

}  // namespace mofo
