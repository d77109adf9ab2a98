#include "core/engine/ops.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

// One source, three instruction sets, chosen when the program starts. Sums are split over 16 lanes by hand in every one of them, so that the
// choice changes speed and (through fused multiply-add) at most the last bit.
#define MOFO_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

namespace mofo {

namespace {

constexpr std::int64_t kLanes = 16;

MOFO_CLONES float sumOfSquares(const float* x, std::int64_t n) {
    float lanes[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        for (std::int64_t j = 0; j < kLanes; ++j) lanes[j] += x[i + j] * x[i + j];
    float sum = 0;
    for (float lane : lanes) sum += lane;
    for (; i < n; ++i) sum += x[i] * x[i];
    return sum;
}

MOFO_CLONES void scaleByWeight(const float* x, const float* weight, float factor, float* y, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = weight[i] * (x[i] * factor);
}

MOFO_CLONES float tripleDot(const float* a, const float* b, const float* c, std::int64_t n) {
    float lanes[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes)
        for (std::int64_t j = 0; j < kLanes; ++j) lanes[j] += a[i + j] * b[i + j] * c[i + j];
    float sum = 0;
    for (float lane : lanes) sum += lane;
    for (; i < n; ++i) sum += a[i] * b[i] * c[i];
    return sum;
}

MOFO_CLONES void normBackwardRow(const float* dy, const float* x, const float* weight, float inverse, float correction, float* dx, float* dWeight,
                                 std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
        dx[i] += inverse * (dy[i] * weight[i]) - correction * x[i];
        dWeight[i] += dy[i] * (x[i] * inverse);
    }
}

MOFO_CLONES void rotateHalves(float* x, const float* cosine, const float* sine, float direction, std::int64_t half) {
    for (std::int64_t i = 0; i < half; ++i) {
        const float a = x[i], b = x[i + half], s = direction * sine[i];
        x[i] = a * cosine[i] - b * s;
        x[i + half] = b * cosine[i] + a * s;
    }
}

// bf16 rows are widened into a buffer, computed with as fp32, and rounded to nearest even.
MOFO_CLONES void widen(const std::uint16_t* x, float* y, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = std::bit_cast<float>(static_cast<std::uint32_t>(x[i]) << 16);
}

MOFO_CLONES void narrow(const float* x, std::uint16_t* y, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
        const auto bits = std::bit_cast<std::uint32_t>(x[i]);
        const std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
        y[i] = static_cast<std::uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
    }
}

const std::uint16_t* bits(const at::Tensor& x) { return reinterpret_cast<const std::uint16_t*>(x.const_data_ptr<at::BFloat16>()); }
std::uint16_t* bits(at::Tensor& x) { return reinterpret_cast<std::uint16_t*>(x.data_ptr<at::BFloat16>()); }

/// k or v [R, L, kvHeads, D] -> [R, heads, L, D], each head repeated for its group of query heads.
at::Tensor spreadHeads(const at::Tensor& x, std::int64_t heads) {
    const std::int64_t kvHeads = x.size(2);
    if (kvHeads == heads) return x.transpose(1, 2);
    return x.unsqueeze(3)
        .expand({x.size(0), x.size(1), kvHeads, heads / kvHeads, x.size(3)})
        .reshape({x.size(0), x.size(1), heads, x.size(3)})
        .transpose(1, 2);
}

/// The reverse for gradients: [R, heads, L, D] -> [R, L, kvHeads, D], summed over each group.
at::Tensor gatherHeads(const at::Tensor& dx, std::int64_t kvHeads) {
    const at::Tensor rows = dx.transpose(1, 2);
    const std::int64_t heads = dx.size(1);
    if (kvHeads == heads) return rows;
    return rows.reshape({rows.size(0), rows.size(1), kvHeads, heads / kvHeads, rows.size(3)}).sum(3);
}

}  // namespace

void addProduct(const at::Tensor& into, const at::Tensor& a, const at::Tensor& b, double scale) {
    if (into.scalar_type() == a.scalar_type()) {
        into.addmm_(a, b, 1, scale);
    } else {
        into.add_(at::mm(a, b), scale);
    }
}

RmsNormResult rmsNorm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::ScalarType result) {
    if (!x.is_cpu()) {
        const at::Tensor inverse = at::rsqrt(x.square().mean(-1, true).add_(epsilon));
        return {at::mul(x, inverse).mul_(weight).to(result), inverse.squeeze(-1)};
    }
    const std::int64_t rows = x.size(0), n = x.size(1);
    RmsNormResult norm{at::empty({rows, n}, x.options().dtype(result)), at::empty({rows}, x.options())};
    const float* in = x.const_data_ptr<float>();
    const float* w = weight.const_data_ptr<float>();
    const bool isFloat = result == at::kFloat;
    float* out = isFloat ? norm.y.data_ptr<float>() : nullptr;
    std::uint16_t* rounded = isFloat ? nullptr : bits(norm.y);
    float* inverse = norm.inverseRms.data_ptr<float>();
    at::parallel_for(0, rows, 16, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> buffer(isFloat ? 0 : static_cast<std::size_t>(n));
        for (std::int64_t r = begin; r < end; ++r) {
            inverse[r] = 1.0f / std::sqrt(sumOfSquares(in + r * n, n) / static_cast<float>(n) + static_cast<float>(epsilon));
            scaleByWeight(in + r * n, w, inverse[r], isFloat ? out + r * n : buffer.data(), n);
            if (!isFloat) narrow(buffer.data(), rounded + r * n, n);
        }
    });
    return norm;
}

void rmsNormBackward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverseRms, at::Tensor& dx,
                     at::Tensor& dWeight) {
    if (!x.is_cpu()) {
        const at::Tensor inverse = inverseRms.unsqueeze(-1);
        const at::Tensor normal = x * inverse;
        const at::Tensor g = dy.to(at::kFloat);
        const at::Tensor scaled = g * weight;
        dx.add_(inverse * (scaled - normal * (scaled * normal).mean(-1, true)));
        dWeight.add_((g * normal).sum(0));
        return;
    }
    const std::int64_t rows = x.size(0), n = x.size(1);
    // The weight's gradient is summed in pieces of a fixed number of rows, then over the pieces in order: the number of threads does not
    // change the order of additions.
    constexpr std::int64_t pieceRows = 64;
    const std::int64_t pieces = (rows + pieceRows - 1) / pieceRows;
    const at::Tensor partial = at::zeros({pieces, n}, x.options());
    const bool isFloat = dy.scalar_type() == at::kFloat;
    const float* whole = isFloat ? dy.const_data_ptr<float>() : nullptr;
    const std::uint16_t* rounded = isFloat ? nullptr : bits(dy);
    const float* in = x.const_data_ptr<float>();
    const float* w = weight.const_data_ptr<float>();
    const float* inverse = inverseRms.const_data_ptr<float>();
    float* out = dx.data_ptr<float>();
    float* sums = partial.data_ptr<float>();
    at::parallel_for(0, pieces, 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> buffer(isFloat ? 0 : static_cast<std::size_t>(n));
        for (std::int64_t piece = begin; piece < end; ++piece) {
            for (std::int64_t r = piece * pieceRows; r < std::min(rows, (piece + 1) * pieceRows); ++r) {
                if (!isFloat) widen(rounded + r * n, buffer.data(), n);
                const float* const g = isFloat ? whole + r * n : buffer.data();
                const float dot = tripleDot(g, w, in + r * n, n);
                const float correction = inverse[r] * inverse[r] * inverse[r] * dot / static_cast<float>(n);
                normBackwardRow(g, in + r * n, w, inverse[r], correction, out + r * n, sums + piece * n, n);
            }
        }
    });
    for (std::int64_t piece = 0; piece < pieces; ++piece) dWeight.add_(partial[piece]);
}

RopeTable makeRopeTable(const RopeDescription& rope, std::int64_t headSize, std::int64_t length, c10::Device device) {
    // Rounded to fp32 where Transformers rounds (the exponent, the power, the product with the position).
    const at::Tensor exponent = at::arange(0, headSize, 2, at::kLong).to(at::kFloat).div_(static_cast<double>(headSize));
    at::Tensor frequency = at::reciprocal(at::pow(at::Scalar(rope.theta), exponent));
    if (rope.scaling == RopeDescription::Scaling::Linear) {
        frequency.div_(rope.factor);
    } else if (rope.scaling == RopeDescription::Scaling::Llama3) {
        const double longest = static_cast<double>(rope.originalLength) / rope.lowFrequencyFactor;
        const double shortest = static_cast<double>(rope.originalLength) / rope.highFrequencyFactor;
        const at::Tensor waveLength = at::reciprocal(frequency).mul_(2 * std::numbers::pi);
        const at::Tensor scaled = at::where(waveLength > longest, frequency / rope.factor, frequency);
        const at::Tensor smooth = (at::reciprocal(waveLength).mul_(static_cast<double>(rope.originalLength)) - rope.lowFrequencyFactor) /
                                  (rope.highFrequencyFactor - rope.lowFrequencyFactor);
        const at::Tensor between = (1 - smooth) * scaled / rope.factor + smooth * scaled;
        frequency = at::where((waveLength >= shortest).logical_and(waveLength <= longest), between, scaled);
    }
    const at::Tensor angle = at::outer(at::arange(length, at::kFloat), frequency);
    return {angle.cos().to(device), angle.sin().to(device)};
}

void applyRope(at::Tensor& x, std::int64_t heads, const at::Tensor& positions, const RopeTable& table, int direction) {
    const std::int64_t half = x.size(2) / 2;
    if (!x.is_cpu()) {
        const at::Tensor part = x.narrow(1, 0, heads);
        const at::Tensor cosine = table.cosine.index_select(0, positions).unsqueeze(1);
        const at::Tensor sine = table.sine.index_select(0, positions).unsqueeze(1).mul(direction);
        const at::Tensor a = part.narrow(2, 0, half).clone(), b = part.narrow(2, half, half).clone();
        part.narrow(2, 0, half).copy_(a * cosine - b * sine);
        part.narrow(2, half, half).copy_(b * cosine + a * sine);
        return;
    }
    const std::int64_t rows = x.size(0), stride = x.stride(0);
    const bool isFloat = x.scalar_type() == at::kFloat;
    float* data = isFloat ? x.data_ptr<float>() : nullptr;
    std::uint16_t* rounded = isFloat ? nullptr : bits(x);
    const std::int64_t* position = positions.const_data_ptr<std::int64_t>();
    const float* cosine = table.cosine.const_data_ptr<float>();
    const float* sine = table.sine.const_data_ptr<float>();
    at::parallel_for(0, rows, 32, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> buffer(isFloat ? 0 : static_cast<std::size_t>(heads * 2 * half));
        for (std::int64_t r = begin; r < end; ++r) {
            if (!isFloat) widen(rounded + r * stride, buffer.data(), heads * 2 * half);
            float* const row = isFloat ? data + r * stride : buffer.data();
            for (std::int64_t h = 0; h < heads; ++h)
                rotateHalves(row + h * 2 * half, cosine + position[r] * half, sine + position[r] * half, static_cast<float>(direction), half);
            if (!isFloat) narrow(buffer.data(), rounded + r * stride, heads * 2 * half);
        }
    });
}

at::Tensor swiGlu(const at::Tensor& gateUp) {
    const std::int64_t size = gateUp.size(1) / 2;
    return at::silu(gateUp.narrow(1, 0, size)).mul_(gateUp.narrow(1, size, size));
}

at::Tensor swiGluBackward(const at::Tensor& dOut, const at::Tensor& gateUp) {
    const std::int64_t size = gateUp.size(1) / 2;
    const at::Tensor gate = gateUp.narrow(1, 0, size), up = gateUp.narrow(1, size, size);
    at::Tensor result = at::empty_like(gateUp);
    at::Tensor dGate = result.narrow(1, 0, size), dUp = result.narrow(1, size, size);
    dGate.copy_(at::silu_backward(dOut * up, gate));
    at::mul_out(dUp, dOut, at::silu(gate));
    return result;
}

AttentionResult causalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    const std::int64_t heads = q.size(2);
    const at::Tensor query = q.transpose(1, 2), key = spreadHeads(k, heads), value = spreadHeads(v, heads);
    if (q.is_cpu()) {
        auto [out, logSumExp] = at::_scaled_dot_product_flash_attention_for_cpu(query, key, value, 0.0, true);
        return {out.transpose(1, 2), logSumExp};
    }
    const std::int64_t length = q.size(1);
    at::Tensor scores = at::matmul(query, key.transpose(2, 3)).mul_(1.0 / std::sqrt(static_cast<double>(q.size(3))));
    scores.masked_fill_(at::ones({length, length}, q.options().dtype(at::kBool)).triu_(1), -INFINITY);
    const at::Tensor probability = at::softmax(scores, -1, at::kFloat).to(q.scalar_type());
    return {at::matmul(probability, value).transpose(1, 2), probability};
}

AttentionGradient causalAttentionBackward(const at::Tensor& dOut, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                          const AttentionResult& forward) {
    const std::int64_t heads = q.size(2), kvHeads = k.size(2);
    const at::Tensor query = q.transpose(1, 2), key = spreadHeads(k, heads), value = spreadHeads(v, heads), gradient = dOut.transpose(1, 2);
    if (q.is_cpu()) {
        auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(gradient, query, key, value, forward.out.transpose(1, 2),
                                                                                     forward.saved, 0.0, true);
        return {dq.transpose(1, 2), gatherHeads(dk, kvHeads), gatherHeads(dv, kvHeads)};
    }
    const at::Tensor& probability = forward.saved;
    const at::Tensor dValue = at::matmul(probability.transpose(2, 3), gradient);
    const at::Tensor dProbability = at::matmul(gradient, value.transpose(2, 3));
    const at::Tensor dScores =
        (probability * (dProbability - (dProbability * probability).sum(-1, true))).mul_(1.0 / std::sqrt(static_cast<double>(q.size(3))));
    return {at::matmul(dScores, key).transpose(1, 2), gatherHeads(at::matmul(dScores.transpose(2, 3), query), kvHeads), gatherHeads(dValue, kvHeads)};
}

}  // namespace mofo
