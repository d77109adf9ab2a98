#include "core/model/lora.h"
#include "core/base/mix.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

namespace mofo {

namespace {

constexpr std::string_view kWeight = ".weight";

bool isAdapted(const ParameterInfo& info) {
    switch (info.kind) {
        case ModuleKind::Query:
        case ModuleKind::Key:
        case ModuleKind::Value:
        case ModuleKind::Output:
        case ModuleKind::Gate:
        case ModuleKind::Up:
        case ModuleKind::Down: return info.shape.size() == 2;
        case ModuleKind::Embedding:
        case ModuleKind::Norm:
        case ModuleKind::Head: return false;
    }
    return false;
}

std::string adaptedName(const ParameterInfo& info, std::string_view matrix) {
    std::string_view name = info.name;
    if (name.ends_with(kWeight)) name.remove_suffix(kWeight.size());
    return std::string(name) + ".lora_" + std::string(matrix) + std::string(kWeight);
}

class LoraSource final : public ModelSource {
public:
    LoraSource(const ModelSource& base, const LoraSettings& settings)
        : m_base(base), m_seed(settings.seed), m_parameters(loraParameters(base.parameters(), settings.rank)) {}

    const ModelDescription& description() const override { return m_base.description(); }
    const std::vector<ParameterInfo>& parameters() const override { return m_parameters; }
    Result<void> readParameter(std::size_t index, std::span<float> out) const override { return readPiece(index, 0, out); }
    std::int64_t pieceElements(std::size_t) const override { return 1; }
    Result<void> readPiece(std::size_t index, std::int64_t first, std::span<float> out) const override {
        if (index % 2 == 1) {
            std::fill(out.begin(), out.end(), 0.0f);
            return {};
        }
        const ParameterInfo& info = m_parameters[index];
        const std::uint64_t key = splitMix(m_seed) ^ fnv1a(info.name);
        const double bound = 1.0 / std::sqrt(static_cast<double>(info.shape[1]));
        for (std::size_t i = 0; i < out.size(); ++i) {
            const std::uint64_t drawn = splitMix(key + static_cast<std::uint64_t>(first) + i) >> 40;  // 24 bits
            out[i] = static_cast<float>(((static_cast<double>(drawn) + 0.5) * 0x1p-23 - 1.0) * bound);
        }
        return {};
    }
    Result<Tokenizer> loadTokenizer() const override { return m_base.loadTokenizer(); }
    bool hasTokenizer() const override { return m_base.hasTokenizer(); }
    std::string formatName() const override { return "LoRA"; }
    bool isQuantised() const override { return false; }
    std::vector<std::string> warnings() const override { return {}; }
    Json hfConfig() const override { return m_base.hfConfig(); }

private:
    const ModelSource& m_base;
    std::uint64_t m_seed;
    std::vector<ParameterInfo> m_parameters;
};

}  // namespace

LoraSettings LoraSettings::from(const RunConfig& config) { return {config.loraRank, config.loraAlpha, config.loraDropout, config.seed}; }

std::vector<ParameterInfo> loraParameters(std::span<const ParameterInfo> parameters, std::int64_t rank) {
    std::vector<ParameterInfo> trained;
    for (const ParameterInfo& info : parameters) {
        if (!isAdapted(info)) continue;
        trained.push_back({adaptedName(info, "A"), {rank, info.shape[1]}, info.kind, info.layer});
        trained.push_back({adaptedName(info, "B"), {info.shape[0], rank}, info.kind, info.layer});
    }
    return trained;
}

std::vector<std::size_t> loraTargets(std::span<const ParameterInfo> parameters) {
    std::vector<std::size_t> targets;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (isAdapted(parameters[i])) targets.push_back(i);
    }
    return targets;
}

std::vector<ParameterInfo> trainedParameters(std::span<const ParameterInfo> parameters, const RunConfig& config) {
    if (trainsLora(config.optimizer)) return loraParameters(parameters, config.loraRank);
    return {parameters.begin(), parameters.end()};
}

std::unique_ptr<ModelSource> openLora(const ModelSource& base, const LoraSettings& settings) { return std::make_unique<LoraSource>(base, settings); }

}  // namespace mofo
