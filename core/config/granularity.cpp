#include "core/config/granularity.h"

#include <array>
#include <vector>

#include "core/base/text.h"
#include "core/config/values.h"

namespace mofo {

namespace {

struct NamedKind {
    std::string_view name;
    GranularityKind kind;
    std::int64_t least, most;  ///< of the number after the colon; 0 = takes none
};

// Blocks below 64 would have fewer coordinates than a threshold can sensibly choose from; the upper ends only keep sizes computable.
constexpr std::array<NamedKind, 8> kinds{{
    {"model", GranularityKind::Model, 0, 0},
    {"layer", GranularityKind::Layer, 0, 0},
    {"module", GranularityKind::Module, 0, 0},
    {"tensor", GranularityKind::Tensor, 0, 0},
    {"head", GranularityKind::Head, 0, 0},
    {"row", GranularityKind::Row, 0, 0},
    {"block", GranularityKind::Block, 64, std::int64_t{1} << 40},
    {"shards", GranularityKind::Shards, 1, 65536},
}};

constexpr std::string_view allForms = "Use model, layer, module, tensor, head, row, block:N (N from 64) or shards:S";

Error wrong(std::string_view text, std::string message, std::string remedy) {
    return Error{ErrorCode::Usage, std::move(message), "granularity=" + escapeForDisplay(text.substr(0, 80)), std::move(remedy), "VALUE"};
}

}  // namespace

Result<Granularity> Granularity::parse(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    for (const NamedKind& entry : kinds) {
        if (entry.name != name) continue;
        if (entry.least == 0) {
            if (colon != std::string_view::npos)
                return wrong(text, "granularity " + std::string(name) + " takes no number", "Write granularity=" + std::string(name));
            return Granularity{entry.kind, 0};
        }
        const std::string form = "Write " + std::string(name) + ":N with N from " + std::to_string(entry.least) + " to " +
                                 std::to_string(entry.most) + (entry.kind == GranularityKind::Block ? ", such as block:4096" : ", such as shards:4");
        if (colon == std::string_view::npos) return wrong(text, "granularity " + std::string(name) + " needs a number", form);
        const auto n = parseInteger(text.substr(colon + 1));
        if (!n) return wrong(text, "\"" + escapeForDisplay(text.substr(colon + 1, 40)) + "\" is not a whole number", form);
        if (*n < entry.least || *n > entry.most) return wrong(text, std::to_string(*n) + " is out of range", form);
        return Granularity{entry.kind, *n};
    }
    std::vector<std::string> names;
    for (const NamedKind& entry : kinds) names.emplace_back(entry.name);
    const std::string near = nearestName(name, names);
    return wrong(text, "there is no granularity of that name" + (near.empty() ? "" : "; did you mean " + near + "?"), std::string(allForms));
}

std::string Granularity::text() const {
    for (const NamedKind& entry : kinds) {
        if (entry.kind == kind) return entry.least == 0 ? std::string(entry.name) : std::string(entry.name) + ":" + std::to_string(n);
    }
    return "tensor";
}

}  // namespace mofo
