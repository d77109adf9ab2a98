#include <cmath>

#include "core/base/mix.h"
#include "core/base/text.h"
#include "core/model/sources.h"

namespace mofo {

namespace {

/// Weights that are a fixed function of (tensor name, index): the sum of four 16-bit uniforms, scaled to mean 0 and deviation 0.02
/// (near enough to normal to measure with, and the same on every machine, as no libm is asked).
class RandomSource final : public ModelSource {
public:
    RandomSource(std::string name, ModelDescription description)
        : m_name(std::move(name)), m_description(std::move(description)), m_parameters(parametersOf(m_description)) {}

    const ModelDescription& description() const override { return m_description; }
    const std::vector<ParameterInfo>& parameters() const override { return m_parameters; }
    Result<void> readParameter(std::size_t index, std::span<float> out) const override { return readPiece(index, 0, out); }
    std::int64_t pieceElements(std::size_t) const override { return 1; }
    Result<void> readPiece(std::size_t index, std::int64_t first, std::span<float> out) const override {
        const ParameterInfo& parameter = m_parameters[index];
        if (parameter.kind == ModuleKind::Norm) {
            std::fill(out.begin(), out.end(), 1.0f);
            return {};
        }
        const std::uint64_t key = splitMix(fnv1a(parameter.name));
        // The deviation of one uniform on 0..65535 is sqrt((65536^2 - 1) / 12), of four of them twice that.
        const auto scale = static_cast<float>(0.02 / (2.0 * std::sqrt((65536.0 * 65536.0 - 1.0) / 12.0)));
        for (std::size_t i = 0; i < out.size(); ++i) {
            const std::uint64_t bits = splitMix(key + static_cast<std::uint64_t>(first) + i);
            const auto sum = static_cast<std::int32_t>((bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48));
            out[i] = static_cast<float>(sum - 2 * 65535) * scale;
        }
        return {};
    }
    Result<Tokenizer> loadTokenizer() const override {
        return Error{ErrorCode::Unsupported, m_name + " has no tokenizer, so it can be measured but not read or write text", "",
                     "Use a GGUF file or a Hugging Face folder", "unsupported"};
    }
    bool hasTokenizer() const override { return false; }
    std::string formatName() const override { return "random"; }
    bool isQuantised() const override { return false; }
    std::vector<std::string> warnings() const override { return {}; }
    Json hfConfig() const override { return hfConfigOf(m_description, "float32"); }

private:
    std::string m_name;
    ModelDescription m_description;
    std::vector<ParameterInfo> m_parameters;
};

}  // namespace

Result<std::unique_ptr<ModelSource>> openRandomSource(const std::string& name) {
    MOFO_TRY(ModelDescription description, describeRandom(name));
    return std::unique_ptr<ModelSource>(std::make_unique<RandomSource>(name, std::move(description)));
}

}  // namespace mofo
