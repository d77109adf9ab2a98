// Weights between two models of one architecture: A + w (B - A), after the fact and without training (WiSE-FT, arXiv 2109.01903).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/model/model_source.h"

namespace mofo {

/// How far each kind of parameter goes from A (0) to B (1); below 0 and above 1 extrapolates.
class MergeWeights {
public:
    /// "0.5": all of them. "attention=0.3,mlp=0.5": these, and the others stay as in A. "0.5,head=0": the others by the number alone.
    /// Kinds: attention, mlp, embedding, head, norm. Usage for anything else.
    static Result<MergeWeights> parse(std::string_view text);
    /// {"others": 0, "attention": 0.3}, as toJson() gives it.
    static Result<MergeWeights> fromJson(const Json& json);
    [[nodiscard]] Json toJson() const;
    [[nodiscard]] std::string text() const;  ///< parse() gives the same back
    [[nodiscard]] double of(ModuleKind kind) const;

    friend bool operator==(const MergeWeights&, const MergeWeights&) = default;

private:
    double m_others = 0;
    std::map<std::string, double, std::less<>> m_perKind;
};

/// Why the two cannot be computed with one another, weight by weight ("A has 30 layers, B 32"); nothing where they can.
[[nodiscard]] std::optional<std::string> architectureDifference(const ModelDescription& a, const ModelDescription& b);

/// Refused (InvalidInput) where the architectures differ. Everything but the weights is A's. Where w is 0 or 1 its weights are exactly A's or B's.
Result<std::unique_ptr<ModelSource>> interpolate(std::unique_ptr<ModelSource> a, std::unique_ptr<ModelSource> b, const MergeWeights& weights);

}  // namespace mofo
