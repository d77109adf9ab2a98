// The operations of a decoder other than its matrix products, forward and backward. All of them compute in fp32; activations are fp32 or bf16, as
// said. On the CPU they are fused loops over rows; on other devices they are compositions of ATen operations with the same meaning. Row-wise
// reductions run in a fixed order, so that results do not depend on the number of threads.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/model/model_description.h"

namespace mofo {

/// into += scale a b, summed in fp32. a [m, k] and b [k, n] of one dtype, into [m, n] of the same or fp32.
void addProduct(const at::Tensor& into, const at::Tensor& a, const at::Tensor& b, double scale = 1);

/// y = w * x / sqrt(mean(x^2) + eps) per row. x [T, H] and w [H] fp32 -> y [T, H] of dtype `result`, and the factor 1/sqrt(..) [T] fp32.
struct RmsNormResult {
    at::Tensor y;
    at::Tensor inverseRms;
};
[[nodiscard]] RmsNormResult rmsNorm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::ScalarType result = at::kFloat);
/// dy fp32 or bf16. Adds the gradient with respect to x to `dx` [T, H] and that of the weight to `dWeight` [H], both fp32.
void rmsNormBackward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverseRms, at::Tensor& dx,
                     at::Tensor& dWeight);

/// Cosines and sines of the rotary embedding for positions [0, length), [length, headSize / 2] each.
struct RopeTable {
    at::Tensor cosine;
    at::Tensor sine;
};
[[nodiscard]] RopeTable makeRopeTable(const RopeDescription& rope, std::int64_t headSize, std::int64_t length, c10::Device device);
/// Rotates the first `heads` heads of every row of `x` [T, heads in all, headSize] in place (halves apart, as Transformers does);
/// x fp32 or bf16; `positions` [T] int64. direction -1 rotates back, which is the backward pass.
void applyRope(at::Tensor& x, std::int64_t heads, const at::Tensor& positions, const RopeTable& table, int direction);

/// Fp32 or bf16. silu(gate) * up, gateUp [T, 2 I] (gate first) -> [T, I].
[[nodiscard]] at::Tensor swiGlu(const at::Tensor& gateUp);
/// Gradient [T, 2 I] of swiGlu.
[[nodiscard]] at::Tensor swiGluBackward(const at::Tensor& dOut, const at::Tensor& gateUp);

/// Causal attention of one group of equally long rows, fp32 or bf16; the softmax is fp32. q [R, L, heads, D], k and v [R, L, kvHeads, D] (views are
/// fine).
struct AttentionResult {
    at::Tensor out;    ///< [R, L, heads, D]
    at::Tensor saved;  ///< log-sum-exp (CPU) or probabilities (elsewhere), for the backward pass
};
[[nodiscard]] AttentionResult causalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);
struct AttentionGradient {
    at::Tensor dq, dk, dv;  ///< shapes of q, k, v
};
[[nodiscard]] AttentionGradient causalAttentionBackward(const at::Tensor& dOut, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                                        const AttentionResult& forward);

}  // namespace mofo
