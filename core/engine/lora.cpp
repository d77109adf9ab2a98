#include "core/engine/lora.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/mix.h"
#include "core/engine/ops.h"
#include "core/engine/optimizer.h"

// As in ops.cpp: one source, three instruction sets; only integers and one product are computed, so that the bits are the same.
#define MOFO_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

namespace mofo {

namespace {

constexpr std::int64_t kDrawRange = 65536;  // of the 16 bits that decide one column
constexpr std::int64_t kDrawsPerWord = 4;

MOFO_CLONES void dropRow(const float* x, std::uint64_t key, std::uint32_t threshold, float factor, float* out, std::int64_t columns) {
    std::int64_t j = 0;
    for (; j + kDrawsPerWord <= columns; j += kDrawsPerWord) {
        const std::uint64_t word = splitMix(key + static_cast<std::uint64_t>(j / kDrawsPerWord));
        for (std::int64_t k = 0; k < kDrawsPerWord; ++k)
            out[j + k] = (static_cast<std::uint32_t>(word >> (16 * k)) & 0xFFFFu) >= threshold ? x[j + k] * factor : 0.0f;
    }
    const std::uint64_t word = splitMix(key + static_cast<std::uint64_t>(j / kDrawsPerWord));
    for (std::int64_t k = 0; j + k < columns; ++k)
        out[j + k] = (static_cast<std::uint32_t>(word >> (16 * k)) & 0xFFFFu) >= threshold ? x[j + k] * factor : 0.0f;
}

/// splitMix() in LibTorch's int64, whose sums and products wrap around as unsigned ones do.
at::Tensor mixed(const at::Tensor& key) {
    const auto number = [](std::uint64_t value) { return at::Scalar(static_cast<std::int64_t>(value)); };
    const auto shifted = [&](const at::Tensor& x, int by) { return x.bitwise_right_shift(at::Scalar(by)).bitwise_and(number(~0ull >> by)); };
    at::Tensor x = key + number(kSplitMixStep);
    x = x.bitwise_xor(shifted(x, 30)) * number(kSplitMixFirst);
    x = x.bitwise_xor(shifted(x, 27)) * number(kSplitMixSecond);
    return x.bitwise_xor(shifted(x, 31));
}

std::int64_t thresholdOf(double dropout) { return std::lround(dropout * static_cast<double>(kDrawRange)); }

}  // namespace

LoraDropout::LoraDropout(const PackedBatch& batch, const LoraSettings& settings, std::int64_t update, c10::Device device)
    : m_threshold(thresholdOf(settings.dropout)) {
    if (m_threshold == 0) return;
    m_factor = static_cast<float>(static_cast<double>(kDrawRange) / static_cast<double>(kDrawRange - m_threshold));
    const at::Tensor keys = at::empty({batch.tokenCount()}, at::kLong);
    auto* out = keys.data_ptr<std::int64_t>();
    const std::uint64_t ofUpdate = splitMix(splitMix(settings.seed) + static_cast<std::uint64_t>(update));
    for (std::int64_t r = 0; r < batch.rowCount(); ++r) {
        const std::uint64_t ofRow = splitMix(ofUpdate + static_cast<std::uint64_t>(batch.rowNumber[static_cast<std::size_t>(r)]));
        for (std::int64_t i = batch.rowStart[r]; i < batch.rowStart[r + 1]; ++i)
            out[i] = static_cast<std::int64_t>(splitMix(ofRow + static_cast<std::uint64_t>(i - batch.rowStart[r])));
    }
    m_tokens = keys.to(device);
}

at::Tensor LoraDropout::applyComposed(const at::Tensor& x, std::uint64_t module) const {
    if (m_threshold == 0) return x;
    const std::int64_t rows = x.size(0), columns = x.size(1), words = columns / kDrawsPerWord + 1;
    const at::Tensor keys = mixed(m_tokens.bitwise_xor(at::Scalar(static_cast<std::int64_t>(splitMix(module))))).unsqueeze(1);
    const at::Tensor word = mixed(keys + at::arange(words, keys.options()).unsqueeze(0));
    const at::Tensor shifts = at::arange(0, 64, 16, keys.options());
    const at::Tensor draws =
        word.unsqueeze(2).bitwise_right_shift(shifts).bitwise_and(at::Scalar(kDrawRange - 1)).view({rows, words * kDrawsPerWord});
    return at::where(draws.narrow(1, 0, columns) >= m_threshold, x * m_factor, at::zeros({}, x.options()));
}

at::Tensor LoraDropout::apply(const at::Tensor& x, std::uint64_t module) const {
    if (m_threshold == 0) return x;
    if (!x.is_cpu()) return applyComposed(x, module);
    if (x.scalar_type() != at::kFloat) return apply(x.to(at::kFloat), module).to(x.scalar_type());
    const std::int64_t rows = x.size(0), columns = x.size(1);
    const std::uint64_t ofModule = splitMix(module);
    const at::Tensor input = x.contiguous();
    at::Tensor result = at::empty_like(input);
    const float* in = input.const_data_ptr<float>();
    float* out = result.data_ptr<float>();
    const auto* tokens = m_tokens.const_data_ptr<std::int64_t>();
    at::parallel_for(0, rows, 8, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r) {
            dropRow(in + r * columns, splitMix(static_cast<std::uint64_t>(tokens[r]) ^ ofModule), static_cast<std::uint32_t>(m_threshold), m_factor,
                    out + r * columns, columns);
        }
    });
    return result;
}

LoraAdapter::LoraAdapter(const std::vector<ParameterInfo>& base, const ParameterArena& weights, const LoraSettings& settings)
    : m_settings(settings), m_weights(weights), m_pair(base.size(), -1) {
    for (const ParameterInfo& info : base) m_rows.push_back(info.shape.front());
    std::int64_t pair = 0;
    for (const std::size_t target : loraTargets(base)) m_pair[target] = pair++;
}

void LoraAdapter::addOutputs(std::size_t first, std::size_t count, const at::Tensor& x, const at::Tensor& y, const LoraDropout* dropout) const {
    std::int64_t column = 0;
    for (std::size_t i = first; i < first + count; ++i) {
        const at::Tensor out = y.narrow(1, std::exchange(column, column + m_rows[i]), m_rows[i]);
        if (m_pair[i] < 0) continue;
        const auto pair = static_cast<std::size_t>(2 * m_pair[i]);
        const at::Tensor kept = dropout != nullptr ? dropout->apply(x, i) : x;
        const at::Tensor a = m_weights.view(pair).to(x.scalar_type()), b = m_weights.view(pair + 1).to(x.scalar_type());
        addProduct(out, at::mm(kept, a.t()), b.t(), m_settings.scale());
    }
}

void LoraAdapter::addGradients(std::size_t first, std::size_t count, const at::Tensor& x, const at::Tensor& dy, const at::Tensor& dx,
                               ParameterArena& gradients, const LoraDropout* dropout) const {
    std::int64_t column = 0;
    for (std::size_t i = first; i < first + count; ++i) {
        const at::Tensor dOut = dy.narrow(1, std::exchange(column, column + m_rows[i]), m_rows[i]);
        if (m_pair[i] < 0) continue;
        const auto pair = static_cast<std::size_t>(2 * m_pair[i]);
        const at::Tensor a = m_weights.view(pair).to(x.scalar_type()), b = m_weights.view(pair + 1).to(x.scalar_type());
        const at::Tensor kept = dropout != nullptr ? dropout->apply(x, i) : x;
        addProduct(gradients.view(pair + 1), dOut.t(), at::mm(kept, a.t()), m_settings.scale());
        const at::Tensor dLow = at::mm(dOut, b).mul_(m_settings.scale());
        addProduct(gradients.view(pair), dLow.t(), kept);
        const at::Tensor dKept = at::mm(dLow, a);
        dx.add_(dropout != nullptr ? dropout->apply(dKept, i) : dKept);
    }
}

std::optional<at::Tensor> LoraAdapter::change(std::size_t parameter) const {
    if (m_pair[parameter] < 0) return std::nullopt;
    const auto pair = static_cast<std::size_t>(2 * m_pair[parameter]);
    return loraChange(m_weights.view(pair), m_weights.view(pair + 1), m_settings.scale());
}

at::Tensor loraChange(const at::Tensor& a, const at::Tensor& b, double scale) { return at::mm(b, a).mul_(scale); }

std::vector<kernels::Drift> measureMergedDrift(const ParameterArena& base, const LoraAdapter& adapter) {
    std::vector<kernels::Drift> drifts(base.count());
    std::vector<std::byte> workspace;
    for (std::size_t i = 0; i < base.count(); ++i) {
        const at::Tensor before = base.view(i).to(at::kCPU);
        at::Tensor now = before;
        if (const auto change = adapter.change(i)) now = before + change->to(at::kCPU);
        const kernels::ArrayPair pair{now.const_data_ptr<float>(), before.const_data_ptr<float>(), before.numel()};
        workspace.resize(std::max(workspace.size(), kernels::cpu::statisticsWorkspaceBytes({&pair.n, 1})));
        static_cast<void>(kernels::cpu::drifts({&pair, 1}, {&drifts[i], 1}, workspace, torchExecution()));
    }
    return drifts;
}

}  // namespace mofo
