// The texts of core/config in the user's language: labels, help lines, units and sections of the keys, and presets.
#pragma once

#include <QString>
#include <string>

#include "core/config/run_config.h"

namespace mofo::ui {

/// "Learning rate"; the key's own name where there is no label.
[[nodiscard]] QString keyLabel(const std::string& key);
[[nodiscard]] QString keyHelp(const KeyDescription& key);
[[nodiscard]] QString unitText(const std::string& unit);
[[nodiscard]] QString sectionText(const std::string& section);
[[nodiscard]] QString presetTitle(const Preset& preset);
[[nodiscard]] QString presetHelp(const Preset& preset);

/// Whether the text is listed for translation exactly as core/config has it.
[[nodiscard]] bool hasKeyText(const KeyDescription& key);
[[nodiscard]] bool hasUnitText(const std::string& unit);
[[nodiscard]] bool hasSectionText(const std::string& section);
[[nodiscard]] bool hasPresetText(const Preset& preset);

}  // namespace mofo::ui
