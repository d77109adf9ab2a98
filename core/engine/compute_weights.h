// The weights as matrix products read them, and how those products round.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <cstddef>
#include <string_view>

#include "core/config/run_config.h"
#include "core/engine/parameter_set.h"

namespace mofo {

/// Of a job's "precision": as the configuration's key; fp32 where it says nothing. Usage for another word.
Result<Precision> precisionNamed(std::string_view text);

/// fp32 and bf32: the arena's own views. bf16: views of a copy, made anew when it is first read after changed(). Not thread safe.
class ComputeWeights {
public:
    /// `weights` must outlive it.
    ComputeWeights(const ParameterArena& weights, Precision precision) : m_weights(weights), m_dtype(dtypeOf(precision)) {}

    [[nodiscard]] static at::ScalarType dtypeOf(Precision precision) { return precision == Precision::Bf16 ? at::kBFloat16 : at::kFloat; }
    [[nodiscard]] at::ScalarType dtype() const { return m_dtype; }
    /// The arena holds other numbers than before.
    void changed() { m_copy.reset(); }
    /// Matrices [first, first + count), as ParameterArena::rows().
    [[nodiscard]] at::Tensor rows(std::size_t first, std::size_t count) const;

private:
    const ParameterArena& m_weights;
    at::ScalarType m_dtype;
    mutable at::Tensor m_copy;  ///< bf16, laid out as the arena
};

/// While it lives, and with bf32, LibTorch's products of fp32 matrices on the CPU round their factors to bf16 (oneDNN's choice of kernel decides
/// whether they do: it needs AVX-512 BF16 or AMX to gain by it). LibTorch's setting is the process's: one of them at a time.
class ProductRounding {
public:
    explicit ProductRounding(Precision precision);
    ~ProductRounding();
    ProductRounding(const ProductRounding&) = delete;
    ProductRounding& operator=(const ProductRounding&) = delete;

private:
    bool m_isSet;
    at::Float32Precision m_before;
};

}  // namespace mofo
