#include "core/engine/guard_rails.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/base/text.h"
#include "core/config/values.h"

namespace mofo {

namespace {

std::string number(double value, int digits = 4) {
    char text[40];
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    return text;
}

double medianOf(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// What a guard measures: a value that must not pass the limit, and its sentence.
struct Measured {
    double value = 0;
    std::string text;
};
struct Measure {
    std::string_view key;
    double backBelow;  ///< share of the limit below which the guard is ready again
    std::optional<Measured> (*read)(const GuardState& state, const GuardReading& reading);
};

std::optional<Measured> readSpike(const GuardState& state, const GuardReading& reading) {
    if (!reading.loss) return std::nullopt;
    const auto spike = spikeScore(state.losses, *reading.loss);
    if (!spike) return std::nullopt;
    return Measured{spike->score, "the loss " + number(*reading.loss) + " of step " + std::to_string(reading.step) + " lies " +
                                      number(spike->score, 3) + " deviations above the median " + number(spike->median) + " of the last " +
                                      std::to_string(state.losses.size()) + " steps"};
}

std::optional<Measured> readDrift(const GuardState&, const GuardReading& reading) {
    if (!reading.drift) return std::nullopt;
    return Measured{*reading.drift,
                    "the drift from the pretrained weights is " + number(*reading.drift) + " at step " + std::to_string(reading.step)};
}

std::optional<Measured> readEval(const GuardState& state, const GuardReading& reading) {
    if (!reading.evalLoss || !state.bestLoss) return std::nullopt;
    const double rise = *reading.evalLoss - *state.bestLoss;
    return Measured{rise, "the held-out loss " + number(*reading.evalLoss) + " of step " + std::to_string(reading.step) + " lies " + number(rise) +
                              " above the lowest, " + number(*state.bestLoss) + " of step " + std::to_string(state.bestStep)};
}

std::optional<Measured> readEvalStart(const GuardState& state, const GuardReading& reading) {
    if (!reading.evalLoss || !state.startLoss) return std::nullopt;
    const double share = (*reading.evalLoss - *state.startLoss) / std::max(std::abs(*state.startLoss), 1e-12);
    return Measured{share, "the held-out loss " + number(*reading.evalLoss) + " of step " + std::to_string(reading.step) + " lies " +
                               number(100 * share, 3) + " % above that of the start, " + number(*state.startLoss)};
}

std::optional<Measured> readForgotten(const std::optional<GuardReading::Forgotten>& forgotten, std::int64_t step) {
    if (!forgotten) return std::nullopt;
    return Measured{forgotten->least, forgotten->text + " at step " + std::to_string(step)};
}

std::optional<Measured> readForgottenPoints(const GuardState&, const GuardReading& reading) {
    return readForgotten(reading.forgottenPoints, reading.step);
}
std::optional<Measured> readForgottenNats(const GuardState&, const GuardReading& reading) {
    return readForgotten(reading.forgottenNats, reading.step);
}

// The engine's half of guardKeys(); a further measure is one more row of both.
constexpr std::array<Measure, 6> measures{{{"guard_spike", 0.5, readSpike},
                                           {"guard_drift", 1, readDrift},
                                           {"guard_eval", 1, readEval},
                                           {"guard_eval_start", 1, readEvalStart},
                                           {"guard_forget", 1, readForgottenPoints},
                                           {"guard_forget_nats", 1, readForgottenNats}}};

Error damaged(const std::string& name, const std::string& why) {
    return Error{ErrorCode::InvalidInput, "the checkpoint's guards." + escapeForDisplay(name) + " " + why, "state.json",
                 "Resume from an earlier checkpoint", "MISSING"};
}

bool lower(double& value) {
    const double lowered = std::max(value / 2, leastAlpha);
    if (lowered >= value) return false;
    value = lowered;
    return true;
}

bool lower(AlphaSchedule& schedule) {
    const bool from = lower(schedule.from), to = lower(schedule.to);
    return from || to;
}

}  // namespace

std::optional<SpikeScore> spikeScore(const std::deque<double>& earlier, double loss) {
    if (earlier.size() < spikeLeast) return std::nullopt;
    const double median = medianOf({earlier.begin(), earlier.end()});
    std::vector<double> deviations;
    for (const double one : earlier) deviations.push_back(std::abs(one - median));
    // Where losses hardly differ, the smallest wiggle would be many deviations.
    const double scale = std::max({1.4826 * medianOf(std::move(deviations)), 0.02 * std::abs(median), 1e-9});
    return SpikeScore{(loss - median) / scale, median};
}

Result<void> checkWatchable(const RunConfig& config, bool heldOutRows) {
    if (heldOutRows) return {};
    std::string key = config.earlyStop > 0 ? "early_stop" : "";
    for (const GuardKeys& guard : guardKeys()) {
        if (key.empty() && guard.needs == GuardKeys::Needs::Evaluations && config.*guard.limit > 0) key = guard.key;
    }
    if (key.empty()) return {};
    return Error{ErrorCode::Usage, key + " needs held-out rows, and this run was started without eval_data and eval_split", key,
                 "Start a run with eval_every, or watch guard_spike or guard_drift", "VALUE"};
}

bool lowerAlpha(RunConfig& config) {
    bool lowered = lower(config.alpha.common);
    for (auto& [kind, schedule] : config.alpha.perKind) lowered = lower(schedule) || lowered;
    return lowered;
}

std::vector<GuardHit> GuardState::watch(const RunConfig& config, const GuardReading& reading) {
    std::vector<GuardHit> hits;
    for (const GuardKeys& guard : guardKeys()) {
        const double limit = config.*guard.limit;
        const auto passed = passedLimit.find(guard.key);
        if (limit == 0) {
            if (passed != passedLimit.end()) passedLimit.erase(passed);
            continue;
        }
        const Measure& measure = *std::find_if(measures.begin(), measures.end(), [&](const Measure& one) { return one.key == guard.key; });
        const std::optional<Measured> measured = measure.read(*this, reading);
        if (!measured) continue;
        if (measured->value <= limit) {
            if (passed != passedLimit.end() && measured->value <= limit * measure.backBelow) passedLimit.erase(passed);
            continue;
        }
        if (passed != passedLimit.end() && passed->second == limit) continue;
        passedLimit.insert_or_assign(std::string(guard.key), limit);
        hits.push_back({&guard, measured->value, limit, guardActionOf(config, guard),
                        measured->text + " (" + std::string(guard.key) + "=" + formatShortest(limit) + ")"});
    }
    if (reading.loss && std::isfinite(*reading.loss)) {
        losses.push_back(*reading.loss);
        if (losses.size() > spikeWindow) losses.pop_front();
    }
    if (reading.evalLoss) {
        if (!startLoss && std::isfinite(*reading.evalLoss)) startLoss = reading.evalLoss;
        if (std::isfinite(*reading.evalLoss) && (!bestLoss || *reading.evalLoss < *bestLoss)) {
            bestLoss = reading.evalLoss;
            bestStep = reading.step;
            withoutBetter = 0;
        } else {
            ++withoutBetter;
        }
    }
    return hits;
}

void GuardState::noteStart(double evalLoss) {
    if (!std::isfinite(evalLoss)) return;
    startLoss = bestLoss = evalLoss;
    bestStep = 0;
    withoutBetter = 0;
}

std::string GuardState::stopEarly(const RunConfig& config) {
    if (config.earlyStop == 0 || withoutBetter < config.earlyStop) return {};
    const std::int64_t count = withoutBetter;
    withoutBetter = 0;
    return (count == 1 ? std::string("one evaluation") : formatCount(count) + " evaluations in a row") + " without a held-out loss below " +
           (bestLoss ? number(*bestLoss) + " of step " + std::to_string(bestStep) : "infinity") + " (early_stop=" + std::to_string(config.earlyStop) +
           ")";
}

Json GuardState::toJson() const {
    // One text, so that a checkpoint's state stays short; the shortest form reads back to the same bits.
    std::string window;
    for (const double one : losses) {
        if (!window.empty()) window += ' ';
        window += formatShortest(one);
    }
    Json json{{"losses", window},        {"start_loss", nullptr},           {"best_loss", nullptr},
              {"best_step", bestStep},   {"without_better", withoutBetter}, {"nonfinite_in_row", nonFiniteInRow},
              {"passed", Json::object()}};
    if (startLoss) json["start_loss"] = *startLoss;
    if (bestLoss) json["best_loss"] = *bestLoss;
    for (const GuardKeys& guard : guardKeys()) {
        const auto passed = passedLimit.find(guard.key);
        json["passed"][std::string(guard.key)] = passed == passedLimit.end() ? Json() : Json(passed->second);
    }
    return json;
}

Result<GuardState> GuardState::fromJson(const Json& json) {
    GuardState state;
    const Json example = state.toJson();
    if (!json.is_object()) return damaged("", "is no object");
    for (const auto& [key, value] : example.items()) {
        if (!json.contains(key)) return damaged(key, "is missing");
        const Json& given = json[key];
        const bool fits = value.is_null()     ? given.is_null() || given.is_number()
                          : value.is_number() ? given.is_number_integer()
                                              : given.type() == value.type();
        if (!fits) return damaged(key, "has the wrong type");
    }
    if (json.size() != example.size()) return damaged("", "holds what this program does not know");
    if (const auto window = json["losses"].get<std::string>(); !window.empty()) {
        for (const std::string& part : splitText(window, ' ')) {
            const auto loss = parseNumber(part);
            if (!loss) return damaged("losses", "is no list of numbers");
            state.losses.push_back(*loss);
        }
    }
    if (state.losses.size() > spikeWindow) return damaged("losses", "is too long");
    if (json["start_loss"].is_number()) state.startLoss = json["start_loss"].get<double>();
    if (json["best_loss"].is_number()) state.bestLoss = json["best_loss"].get<double>();
    state.bestStep = json["best_step"].get<std::int64_t>();
    state.withoutBetter = json["without_better"].get<std::int64_t>();
    state.nonFiniteInRow = json["nonfinite_in_row"].get<std::int64_t>();
    Json passed = json["passed"];
    // Checkpoints of versions without probes know no guards on forgetting; those then were not passed.
    std::vector<std::string> younger;
    for (const GuardKeys& guard : guardKeys()) {
        if (guard.needs == GuardKeys::Needs::Probes) younger.emplace_back(guard.key);
    }
    if (std::none_of(younger.begin(), younger.end(), [&](const std::string& key) { return passed.contains(key); })) {
        for (const std::string& key : younger) passed[key] = nullptr;
    }
    for (const GuardKeys& guard : guardKeys()) {
        const std::string key(guard.key);
        if (!passed.contains(key)) return damaged("passed." + key, "is missing");
        if (passed[key].is_number())
            state.passedLimit[key] = passed[key].get<double>();
        else if (!passed[key].is_null())
            return damaged("passed." + key, "has the wrong type");
    }
    if (passed.size() != guardKeys().size()) return damaged("passed", "holds a guard that this program does not know");
    return state;
}

}  // namespace mofo
