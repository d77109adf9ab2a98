#include "core/config/alpha.h"

#include <cmath>
#include <numbers>

#include "core/base/text.h"
#include "core/config/values.h"

namespace mofo {

namespace {

constexpr std::string_view forms =
    "Write a share above 0 and at most 1, such as 0.15, or a schedule over steps, such as linear:0.3..0.1@0..1000 or cosine:0.3..0.1@0..1000";

Error wrong(std::string_view text, std::string message) {
    return Error{ErrorCode::Usage, std::move(message), "alpha=" + escapeForDisplay(text.substr(0, 80)), std::string(forms), "VALUE"};
}

/// "A..B" into A and B.
bool splitRange(std::string_view text, std::string_view& from, std::string_view& to) {
    const std::size_t dots = text.find("..");
    if (dots == std::string_view::npos) return false;
    from = text.substr(0, dots);
    to = text.substr(dots + 2);
    return true;
}

Result<double> parseShare(std::string_view share, std::string_view whole) {
    const auto value = parseNumber(share);
    if (!value) {
        const bool percent = share.ends_with('%') && parseNumber(share.substr(0, share.size() - 1)).has_value();
        return wrong(whole,
                     percent ? "alpha is a share and not a percentage: write " + formatShortest(*parseNumber(share.substr(0, share.size() - 1)) / 100)
                             : "\"" + escapeForDisplay(share.substr(0, 40)) + "\" is not a number");
    }
    if (!(*value > 0) || *value > 1) return wrong(whole, "alpha " + formatShortest(*value) + " is out of range");
    return *value;
}

}  // namespace

Result<AlphaSchedule> AlphaSchedule::parse(std::string_view text) {
    AlphaSchedule schedule;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        MOFO_TRY(schedule.from, parseShare(text, text));
        schedule.to = schedule.from;
        return schedule;
    }
    const std::string_view name = text.substr(0, colon);
    if (name == "linear") {
        schedule.shape = Shape::Linear;
    } else if (name == "cosine") {
        schedule.shape = Shape::Cosine;
    } else {
        return wrong(text, "there is no schedule \"" + escapeForDisplay(name.substr(0, 40)) + "\"");
    }
    const std::string_view rest = text.substr(colon + 1);
    const std::size_t at = rest.find('@');
    std::string_view from, to, fromStep, toStep;
    if (at == std::string_view::npos || !splitRange(rest.substr(0, at), from, to) || !splitRange(rest.substr(at + 1), fromStep, toStep)) {
        return wrong(text, "a schedule has the form " + std::string(name) + ":FROM..TO@STEP..STEP");
    }
    MOFO_TRY(schedule.from, parseShare(from, text));
    MOFO_TRY(schedule.to, parseShare(to, text));
    const auto first = parseInteger(fromStep);
    const auto last = parseInteger(toStep);
    if (!first || !last || *first < 0) return wrong(text, "the steps of a schedule are whole numbers from 0");
    if (*first >= *last) return wrong(text, "the schedule must end after the step it begins at");
    schedule.fromStep = *first;
    schedule.toStep = *last;
    return schedule;
}

std::string AlphaSchedule::text() const {
    if (shape == Shape::Constant) return formatShortest(from);
    return std::string(shape == Shape::Linear ? "linear:" : "cosine:") + formatShortest(from) + ".." + formatShortest(to) + "@" +
           std::to_string(fromStep) + ".." + std::to_string(toStep);
}

double AlphaSchedule::at(std::int64_t step) const {
    if (shape == Shape::Constant || step <= fromStep) return from;
    if (step >= toStep) return to;
    const double t = static_cast<double>(step - fromStep) / static_cast<double>(toStep - fromStep);
    const double weight = shape == Shape::Linear ? t : 0.5 * (1 - std::cos(std::numbers::pi * t));
    return from + (to - from) * weight;
}

}  // namespace mofo
