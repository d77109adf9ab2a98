// Numbers, states and foreign texts as the window shows them. Shown numbers follow the user's locale.
#pragma once

#include <QDateTime>
#include <QString>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/store/registry.h"

namespace mofo::ui {

/// Text from a file or the store: control and bidirectional characters become escapes. Show it as Qt::PlainText.
[[nodiscard]] QString shown(std::string_view foreign);
/// The same where line ends may stay.
[[nodiscard]] QString shownLines(std::string_view foreign);
/// "15 %", "7.5 %", "0.25 %": a share of 1, at most three significant digits.
[[nodiscard]] QString percent(double share);
/// "14.97 %": a measured share, two decimals, always the same width for one magnitude.
[[nodiscard]] QString measuredPercent(double share);
/// Four significant digits, as needed in plain or exponent form: "1.203", "3.1e-06"; "NaN", "+Inf", "-Inf".
[[nodiscard]] QString fourDigits(double value);
/// At most four significant digits, as short as they come: "2e-05", "0.15".
[[nodiscard]] QString shortNumber(double value);
/// "1,240"
[[nodiscard]] QString count(std::int64_t value);
/// "134.5 M", "20.2 M", "960"
[[nodiscard]] QString shortCount(double value);
/// "2 h 05 min", "3 min 20 s", "12 s"
[[nodiscard]] QString duration(double seconds);
/// "10:02" today, "yesterday 10:02", "2026-01-31 14:05" before.
[[nodiscard]] QString whenShort(std::int64_t wallNs);
/// "14:05:09"
[[nodiscard]] QString timeOfDay(std::int64_t wallNs);
/// "running", in the user's language.
[[nodiscard]] QString stateText(RunState state);
/// One character that tells the state without colour.
[[nodiscard]] QString stateGlyph(RunState state);
/// "load weights", "train", in the user's language; foreign phases are shown as they are.
[[nodiscard]] QString phaseText(std::string_view phase);
/// "tensor (paper)", "layer", "model"; others as they are.
[[nodiscard]] QString granularityText(std::string_view granularity);
/// "window", "command line", "engine", "guard rail"
[[nodiscard]] QString whoText(std::string_view who);
/// alpha of the config's canonical text: "15 %" for a number, the text itself for a schedule.
[[nodiscard]] QString alphaText(std::string_view canonical);
/// The share of a canonical alpha text that is one number; empty for a schedule.
[[nodiscard]] std::optional<double> constantAlpha(std::string_view canonical);
/// A value of a config key as people read it: alpha as percent, granularity with its note, others as they are.
[[nodiscard]] QString valueText(std::string_view key, std::string_view canonical);
/// A tensor's name without the parts that all names share: "layers.7.self_attn.q_proj".
[[nodiscard]] QString shortTensorName(std::string_view name);
/// "attention query (q)" and so on for tooltips; the short name for cells is the stored one.
[[nodiscard]] QString kindTitle(std::string_view kind);

}  // namespace mofo::ui
