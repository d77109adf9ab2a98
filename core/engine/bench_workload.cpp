#include "core/engine/bench_workload.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>

#include "core/base/mix.h"
#include "core/engine/torch_guard.h"
#include "core/model/partition.h"

namespace mofo {

namespace {

constexpr std::string_view kLayerSuffix = "-layer";
/// Windows of the table give the values of a row; together they stay in a core's second-level cache.
constexpr std::int64_t kTableSize = 1 << 17, kLongestWindow = 1 << 15;
constexpr double kTouchedRows = 0.1;
constexpr std::int64_t kGrain = 1 << 17;  ///< coordinates that one thread fills at a time

std::uint64_t draw(std::uint64_t a, std::uint64_t b, std::uint64_t c) { return splitMixFinish(splitMixFinish(splitMix(a) + b) + c); }

double uniform(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

}  // namespace

Result<BenchModel> BenchModel::open(const std::string& nameOrPath) {
    const bool oneLayer = nameOrPath.starts_with("random:") && nameOrPath.ends_with(kLayerSuffix);
    MOFO_TRY(std::unique_ptr<ModelSource> source,
             ModelSource::open(oneLayer ? nameOrPath.substr(0, nameOrPath.size() - kLayerSuffix.size()) : nameOrPath));
    BenchModel model = of(nameOrPath, std::move(source));
    if (!oneLayer) return model;
    const std::vector<ParameterInfo> all = std::exchange(model.parameters, {});
    model.places.clear();
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].layer != 0) continue;
        model.parameters.push_back(all[i]);
        model.places.push_back(i);
    }
    return model;
}

BenchModel BenchModel::of(std::string name, std::unique_ptr<ModelSource> source) {
    BenchModel model;
    model.name = std::move(name);
    model.source = std::move(source);
    model.parameters = model.source->parameters();
    for (std::size_t i = 0; i < model.parameters.size(); ++i) model.places.push_back(i);
    return model;
}

std::int64_t BenchModel::parameterCount() const {
    std::int64_t sum = 0;
    for (const ParameterInfo& parameter : parameters) sum += parameter.elementCount();
    return sum;
}

std::int64_t BenchWorkload::bytesOf(std::int64_t parameterCount, kernels::Format format) {
    return parameterCount * (format == kernels::Format::Fp32 ? 16 : 20);
}

Result<BenchWorkload> BenchWorkload::make(const BenchModel& model, kernels::Format format, c10::Device device,
                                          const std::function<bool(double)>& progress) {
    return guardTorch([&]() -> Result<BenchWorkload> {
        BenchWorkload work;
        work.m_infos = model.parameters;
        work.m_filtered = filteredParameters(model.parameters, "", "");
        work.m_sparseEmbedding = !model.source->description().tiedHead;
        for (ParameterArena* arena : {&work.m_weights, &work.m_gradients, &work.m_first, &work.m_second})
            *arena = ParameterArena(work.m_infos, device);
        for (std::size_t i = 0; i < work.m_infos.size(); ++i) {
            if (progress && !progress(static_cast<double>(i) / static_cast<double>(work.m_infos.size())))
                return Error{ErrorCode::Interrupted, "cancelled", "", "", ""};
            const at::Tensor& target = work.m_weights.view(i);
            at::Tensor host = device.is_cpu() ? target : at::empty(target.sizes(), at::kFloat);
            MOFO_CHECK(model.source->readParameter(model.places[i], std::span(host.data_ptr<float>(), static_cast<std::size_t>(host.numel()))));
            if (!device.is_cpu()) target.copy_(host);
        }
        const bool half = format != kernels::Format::Fp32;
        if (half) {
            work.m_weights16 = work.m_weights.flat().to(at::kBFloat16);
            work.m_gradients16 = at::zeros_like(work.m_weights16);
        }
        const std::vector<bool> decayed = decayedParameters(work.m_infos);
        for (std::size_t i = 0; i < work.m_infos.size(); ++i) {
            kernels::Tensor tensor;
            tensor.n = work.m_infos[i].elementCount();
            tensor.filtered = work.m_filtered[i];
            tensor.decayed = decayed[i];
            tensor.key = kernels::tensorKey(work.m_infos[i].name);
            tensor.m = work.m_first.view(i).data_ptr<float>();
            tensor.v = work.m_second.view(i).data_ptr<float>();
            if (format != kernels::Format::Bf16) tensor.p = work.m_weights.view(i).data_ptr<float>();
            if (!half) tensor.g = work.m_gradients.view(i).data_ptr<float>();
            if (half) {
                const std::int64_t begin = work.m_weights.offset(i);
                tensor.p16 = static_cast<std::uint16_t*>(work.m_weights16.data_ptr()) + begin;
                tensor.g16 = static_cast<const std::uint16_t*>(work.m_gradients16.data_ptr()) + begin;
            }
            work.m_tensors.push_back(tensor);
        }
        std::mt19937_64 random(1);
        std::normal_distribution<float> normal;
        work.m_normal.resize(kTableSize + kLongestWindow);
        for (float& value : work.m_normal) value = normal(random);
        return work;
    });
}

BenchWorkload::Rows BenchWorkload::rowsOf(std::size_t tensor) const {
    const ParameterInfo& info = m_infos[tensor];
    const std::int64_t n = info.elementCount(), rows = info.shape.size() < 2 ? 1 : info.shape.front();
    return {rows, n / rows};
}

float BenchWorkload::rowScale(std::size_t tensor, std::int64_t row) const {
    const ParameterInfo& info = m_infos[tensor];
    const auto i = static_cast<std::uint64_t>(tensor), r = static_cast<std::uint64_t>(row);
    if (m_sparseEmbedding && info.kind == ModuleKind::Embedding && uniform(draw(i, r, m_round)) >= kTouchedRows) return 0;
    const auto deviate = [&](std::uint64_t bits) { return static_cast<double>(m_normal[bits % kTableSize]); };
    const double spread = info.kind == ModuleKind::Embedding || info.kind == ModuleKind::Head ? 1.5 : 0.8;
    const double ofTensor = std::exp(std::log(1e-4) + std::log(100.0) * uniform(draw(i, 0, 1)));
    return static_cast<float>(ofTensor * std::exp(spread * deviate(draw(i, r, 2)) + 0.4 * deviate(draw(i, r, m_round + 3))));
}

void BenchWorkload::fillOnHost(std::size_t tensor) {
    const Rows rows = rowsOf(tensor);
    float* const g = m_gradients.view(tensor).data_ptr<float>();
    auto* const g16 = m_gradients16.defined() ? static_cast<c10::BFloat16*>(m_gradients16.data_ptr()) + m_gradients.offset(tensor) : nullptr;
    at::parallel_for(0, rows.count, std::max<std::int64_t>(1, kGrain / rows.length), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const float scale = rowScale(tensor, row);
            for (std::int64_t first = 0; first < rows.length; first += kLongestWindow) {
                const std::int64_t count = std::min(kLongestWindow, rows.length - first), at = row * rows.length + first;
                const float* const window = m_normal.data() + draw(m_round, tensor, static_cast<std::uint64_t>(at)) % kTableSize;
                for (std::int64_t j = 0; j < count; ++j) g[at + j] = scale * window[j];
                if (g16 == nullptr) continue;
                for (std::int64_t j = 0; j < count; ++j) {
                    g16[at + j] = static_cast<c10::BFloat16>(g[at + j]);
                    g[at + j] = static_cast<float>(g16[at + j]);
                }
            }
        }
    });
}

void BenchWorkload::nextGradients() {
    ++m_round;
    if (device().is_cpu()) {
        for (std::size_t i = 0; i < m_infos.size(); ++i) fillOnHost(i);
        return;
    }
    for (std::size_t i = 0; i < m_infos.size(); ++i) {
        const Rows rows = rowsOf(i);
        at::Tensor scales = at::empty({rows.count, 1}, at::kFloat);
        float* const scale = scales.data_ptr<float>();
        for (std::int64_t row = 0; row < rows.count; ++row) scale[row] = rowScale(i, row);
        m_gradients.view(i).view({rows.count, rows.length}).normal_().mul_(scales.to(device()));
    }
    if (m_gradients16.defined()) {
        m_gradients16.copy_(m_gradients.flat());
        m_gradients.flat().copy_(m_gradients16);
    }
}

}  // namespace mofo
