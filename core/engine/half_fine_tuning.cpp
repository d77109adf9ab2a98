#include "core/engine/half_fine_tuning.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "kernels/include/optimizer_step.h"

namespace mofo {

namespace {

enum class Category { Attention, Mlp, Norm };

Category categoryOf(ModuleKind kind) {
    switch (kind) {
        case ModuleKind::Query:
        case ModuleKind::Key:
        case ModuleKind::Value:
        case ModuleKind::Output: return Category::Attention;
        case ModuleKind::Gate:
        case ModuleKind::Up:
        case ModuleKind::Down: return Category::Mlp;
        default: return Category::Norm;
    }
}

/// The tensors of one category in one layer, with the number that each drew; smaller ones are frozen first.
using Drawn = std::vector<std::pair<std::uint64_t, std::size_t>>;

}  // namespace

std::vector<bool> frozenTensors(std::span<const ParameterInfo> parameters, std::uint64_t seed, std::int64_t round) {
    const std::uint64_t roundKey = kernels::drawKey(seed, round);
    const auto draw = [&](std::string_view name) { return kernels::drawKey(roundKey ^ kernels::tensorKey(name), 0); };
    std::map<Category, std::map<std::int64_t, Drawn>> groups;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const ParameterInfo& info = parameters[i];
        if (info.layer >= 0) groups[categoryOf(info.kind)][info.layer].emplace_back(draw(info.name), i);
    }
    std::vector<bool> frozen(parameters.size(), false);
    for (auto& [category, layers] : groups) {
        std::vector<std::pair<std::uint64_t, Drawn*>> odd;
        for (auto& [layer, drawn] : layers) {
            std::sort(drawn.begin(), drawn.end());
            for (std::size_t i = 0; i < drawn.size() / 2; ++i) frozen[drawn[i].second] = true;
            // A number of the layer's own: the tensors' would tie which layers freeze more to which tensors they freeze.
            const std::string layerName = "layer " + std::to_string(layer) + " category " + std::to_string(static_cast<int>(category));
            if (drawn.size() % 2 == 1) odd.emplace_back(draw(layerName), &drawn);
        }
        std::sort(odd.begin(), odd.end());
        for (std::size_t i = 0; i < odd.size() / 2; ++i) {
            const Drawn& drawn = *odd[i].second;
            frozen[drawn[drawn.size() / 2].second] = true;
        }
    }
    return frozen;
}

}  // namespace mofo
