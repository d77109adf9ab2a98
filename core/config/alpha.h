// alpha, MoFO's fraction: one number, a schedule over steps, or numbers per module kind.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

/// "0.15" | "linear:0.3..0.1@0..1000" | "cosine:0.3..0.1@0..1000". Values are shares, 0 < alpha <= 1.
struct AlphaSchedule {
    enum class Shape { Constant, Linear, Cosine };
    Shape shape = Shape::Constant;
    double from = 0.15;
    double to = 0.15;
    std::int64_t fromStep = 0;
    std::int64_t toStep = 0;

    static Result<AlphaSchedule> parse(std::string_view text);
    [[nodiscard]] std::string text() const;
    /// alpha of update `step` (1-based).
    [[nodiscard]] double at(std::int64_t step) const;
    friend bool operator==(const AlphaSchedule&, const AlphaSchedule&) = default;
};

/// The groups of modules that may have an alpha of their own: --set alpha.attention, alpha.mlp, alpha.embedding, alpha.head.
struct Alpha {
    AlphaSchedule common;
    std::map<std::string, AlphaSchedule> perKind;  ///< keys attention, mlp, embedding, head; empty = common for all
    friend bool operator==(const Alpha&, const Alpha&) = default;
};

}  // namespace mofo
