// A name on the Hugging Face Hub and its download, in the user's language.
#pragma once

#include <QString>

#include "core/hub/hub.h"

namespace mofo::ui {

/// "apache-2.0 · 6 files · 257.0 MiB · commit 0123456789ab"
[[nodiscard]] QString planText(const HubPlan& plan);
/// What is to come, where it goes, and whether there is room; or that everything is there.
[[nodiscard]] QString planPlace(const HubPlan& plan);
/// "model.safetensors · 12.3 MiB/s", and with `whole` the bytes and the time left too.
[[nodiscard]] QString downloadText(const HubProgress& progress, bool whole);
/// Whether the disk has no room for what is to come, with core/hub's margin.
[[nodiscard]] bool lacksRoom(const HubPlan& plan);

/// The text itself where it is a name or an address on the Hub, else nothing.
[[nodiscard]] QString hubAddress(const QString& text);

}  // namespace mofo::ui
