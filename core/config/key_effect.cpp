#include "core/config/key_effect.h"

namespace mofo {

bool isSelectionKey(std::string_view key) { return key == "alpha" || key.starts_with("alpha.") || key == "granularity" || key == "rule"; }

bool hasEffect(const RunConfig& config, std::string_view key) {
    if (key == "rule") return ranksCoordinates(config.optimizer);
    if (isSelectionKey(key)) return selectsCoordinates(config.optimizer);
    if (key.starts_with("lora_")) return trainsLora(config.optimizer);
    if (key == "l1" || key == "l2") return !trainsLora(config.optimizer);
    return key != "hft_every" || config.optimizer == OptimizerKind::Hft;
}

}  // namespace mofo
