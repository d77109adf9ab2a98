#include "core/model/interpolation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/config/values.h"

namespace mofo {

namespace {

constexpr std::array<std::string_view, 5> kKinds{"attention", "mlp", "embedding", "head", "norm"};
constexpr double kFarthest = 10;

std::string_view groupOf(ModuleKind kind) {
    switch (kind) {
        case ModuleKind::Query:
        case ModuleKind::Key:
        case ModuleKind::Value:
        case ModuleKind::Output: return "attention";
        case ModuleKind::Gate:
        case ModuleKind::Up:
        case ModuleKind::Down: return "mlp";
        case ModuleKind::Embedding: return "embedding";
        case ModuleKind::Head: return "head";
        case ModuleKind::Norm: return "norm";
    }
    return "norm";
}

Error wrong(std::string_view text, const std::string& why) {
    return Error{ErrorCode::Usage, why, "--weight " + escapeForDisplay(text.substr(0, 80)),
                 "Give one number such as 0.5, or kinds such as attention=0.3,mlp=0.5 (attention, mlp, embedding, head, norm)", ""};
}

/// The part of a GGUF file or of a checkpoint that is read at once: what both can give.
std::int64_t commonPiece(std::int64_t a, std::int64_t b, std::int64_t all) {
    const auto [less, more] = std::minmax(a, b);
    return more % less == 0 ? more : all;
}

class InterpolatedSource final : public ModelSource {
public:
    InterpolatedSource(std::unique_ptr<ModelSource> a, std::unique_ptr<ModelSource> b, MergeWeights weights)
        : m_a(std::move(a)), m_b(std::move(b)), m_weights(std::move(weights)) {}

    const ModelDescription& description() const override { return m_a->description(); }
    const std::vector<ParameterInfo>& parameters() const override { return m_a->parameters(); }
    Result<void> readParameter(std::size_t index, std::span<float> out) const override {
        return mix(index, out, [&](const ModelSource& source, std::span<float> into) { return source.readParameter(index, into); });
    }
    std::int64_t pieceElements(std::size_t index) const override {
        return commonPiece(m_a->pieceElements(index), m_b->pieceElements(index), parameters()[index].elementCount());
    }
    Result<void> readPiece(std::size_t index, std::int64_t first, std::span<float> out) const override {
        return mix(index, out, [&](const ModelSource& source, std::span<float> into) { return source.readPiece(index, first, into); });
    }
    Result<Tokenizer> loadTokenizer() const override { return m_a->loadTokenizer(); }
    bool hasTokenizer() const override { return m_a->hasTokenizer(); }
    std::string formatName() const override { return "interpolated"; }
    bool isQuantised() const override { return false; }
    std::vector<std::string> warnings() const override {
        std::vector<std::string> all = m_a->warnings();
        for (std::string& warning : m_b->warnings()) {
            if (std::find(all.begin(), all.end(), warning) == all.end()) all.push_back(std::move(warning));
        }
        return all;
    }
    Json hfConfig() const override { return m_a->hfConfig(); }
    Json hfGenerationConfig() const override { return m_a->hfGenerationConfig(); }

private:
    template <class Read>
    Result<void> mix(std::size_t index, std::span<float> out, const Read& read) const {
        const double weight = m_weights.of(parameters()[index].kind);
        if (weight == 1) return read(*m_b, out);
        MOFO_CHECK(read(*m_a, out));
        if (weight == 0) return {};
        std::vector<float> other(out.size());
        MOFO_CHECK(read(*m_b, std::span(other)));
        const auto w = static_cast<float>(weight);
        for (std::size_t i = 0; i < out.size(); ++i) out[i] += w * (other[i] - out[i]);
        return {};
    }

    std::unique_ptr<ModelSource> m_a, m_b;
    MergeWeights m_weights;
};

}  // namespace

Result<MergeWeights> MergeWeights::parse(std::string_view text) {
    MergeWeights weights;
    bool sawOthers = false;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string_view part = trimText(text.substr(begin, end - begin));
        begin = end + 1;
        const std::size_t equals = part.find('=');
        const std::string_view kind = equals == std::string_view::npos ? std::string_view() : trimText(part.substr(0, equals));
        const std::string_view number = equals == std::string_view::npos ? part : trimText(part.substr(equals + 1));
        const auto value = parseNumber(number);
        if (!value || !std::isfinite(*value) || std::abs(*value) > kFarthest)
            return wrong(text, "\"" + escapeForDisplay(number.substr(0, 40)) + "\" is not a number from -10 to 10");
        if (equals == std::string_view::npos) {
            if (std::exchange(sawOthers, true)) return wrong(text, "there are two weights without a kind");
            weights.m_others = *value;
        } else if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end()) {
            const std::string near = nearestName(kind, std::vector<std::string>(kKinds.begin(), kKinds.end()));
            return wrong(text, "there is no kind of parameter \"" + escapeForDisplay(kind.substr(0, 40)) + "\"" +
                                   (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
        } else if (!weights.m_perKind.emplace(kind, *value).second) {
            return wrong(text, "the kind " + std::string(kind) + " has two weights");
        }
    }
    return weights;
}

Result<MergeWeights> MergeWeights::fromJson(const Json& json) {
    const auto refused = [] { return Error{ErrorCode::Usage, "the weights of an interpolation are damaged", "weight", "", ""}; };
    if (!json.is_object()) return refused();
    MergeWeights weights;
    for (const auto& [kind, value] : json.items()) {
        if (!value.is_number()) return refused();
        if (kind == "others") {
            weights.m_others = value.get<double>();
        } else if (std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end()) {
            weights.m_perKind[kind] = value.get<double>();
        } else {
            return refused();
        }
    }
    return weights;
}

Json MergeWeights::toJson() const {
    Json json = {{"others", m_others}};
    for (const auto& [kind, value] : m_perKind) json[kind] = value;
    return json;
}

std::string MergeWeights::text() const {
    std::string text;
    for (const auto& [kind, value] : m_perKind) text += (text.empty() ? "" : ",") + kind + '=' + formatShortest(value);
    if (text.empty()) return formatShortest(m_others);
    return m_others == 0 ? text : text + ',' + formatShortest(m_others);
}

double MergeWeights::of(ModuleKind kind) const {
    const auto own = m_perKind.find(groupOf(kind));
    return own == m_perKind.end() ? m_others : own->second;
}

std::optional<std::string> architectureDifference(const ModelDescription& a, const ModelDescription& b) {
    if (a.family != b.family) return "A is of the " + a.family + " family, B of the " + b.family + " family";
    struct Size {
        const char* name;
        std::int64_t ModelDescription::*value;
    };
    static constexpr std::array<Size, 7> sizes{{{"layers", &ModelDescription::layerCount},
                                                {"hidden units", &ModelDescription::hiddenSize},
                                                {"units in an MLP", &ModelDescription::intermediateSize},
                                                {"heads", &ModelDescription::headCount},
                                                {"key and value heads", &ModelDescription::kvHeadCount},
                                                {"units in a head", &ModelDescription::headSize},
                                                {"words in the vocabulary", &ModelDescription::vocabularySize}}};
    for (const Size& size : sizes) {
        if (a.*size.value != b.*size.value) return "A has " + formatCount(a.*size.value) + " " + size.name + ", B has " + formatCount(b.*size.value);
    }
    if (a.tiedHead != b.tiedHead)
        return std::string("the head of ") + (a.tiedHead ? "A" : "B") + " is its embedding, that of " + (a.tiedHead ? "B" : "A") + " is its own";
    const RopeDescription &p = a.rope, &q = b.rope;
    const bool sameScaling = p.scaling == q.scaling && (p.scaling == RopeDescription::Scaling::None || p.factor == q.factor);
    if (p.theta != q.theta || !sameScaling) return "A and B count positions differently (rotary embedding)";
    return std::nullopt;
}

Result<std::unique_ptr<ModelSource>> interpolate(std::unique_ptr<ModelSource> a, std::unique_ptr<ModelSource> b, const MergeWeights& weights) {
    if (const auto difference = architectureDifference(a->description(), b->description())) {
        return Error{ErrorCode::InvalidInput, "the two models cannot be computed with one another: " + *difference, "",
                     "Give two models of one architecture, such as a model and what was tuned from it", "SIZE"};
    }
    return std::unique_ptr<ModelSource>(new InterpolatedSource(std::move(a), std::move(b), weights));
}

}  // namespace mofo
