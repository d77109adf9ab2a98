#include <array>

#include "core/base/text.h"
#include "core/config/run_config.h"

namespace mofo {

namespace {

Error conflict(const RunConfig& config, std::string_view key, std::string message, std::string remedy) {
    return Error{ErrorCode::Usage, std::move(message), std::string(key) + "=" + configValue(config, key), std::move(remedy), "VALUE"};
}

}  // namespace

std::span<const GuardKeys> guardKeys() {
    static constexpr std::array<GuardKeys, 6> keys{{
        {"guard_spike", "guard_spike_action", &RunConfig::guardSpike, &RunConfig::guardSpikeAction, GuardKeys::Needs::Steps,
         "Limit of a step's loss above the median of the last 50, in robust deviations (1.4826 MAD, at least 2 % of the median); from 20 losses on"},
        {"guard_drift", "guard_drift_action", &RunConfig::guardDrift, &RunConfig::guardDriftAction, GuardKeys::Needs::Steps,
         "Limit of the distance from the pretrained weights (L2 over theirs, whole model), looked at where statistics are measured; 0: off"},
        {"guard_eval", "guard_eval_action", &RunConfig::guardEval, &RunConfig::guardEvalAction, GuardKeys::Needs::Evaluations,
         "Limit of the held-out loss above the lowest so far, in nats per token, looked at every eval_every steps; 0: off"},
        {"guard_eval_start", "guard_eval_start_action", &RunConfig::guardEvalStart, &RunConfig::guardEvalStartAction, GuardKeys::Needs::Evaluations,
         "Limit of the held-out loss above that of the start, as a share of it (0.05: 5 % more), looked at every eval_every steps; 0: off"},
        {"guard_forget", "guard_forget_action", &RunConfig::guardForget, &RunConfig::guardForgetAction, GuardKeys::Needs::Probes,
         "Limit of the accuracy that a probe marked general loses against the start, in points: passed by its whole paired 95 % interval; 0: off"},
        {"guard_forget_nats", "guard_forget_nats_action", &RunConfig::guardForgetNats, &RunConfig::guardForgetNatsAction, GuardKeys::Needs::Probes,
         "Limit of the rise of a general probe's loss or KL over the start, in nats per token: passed by its whole paired 95 % interval; 0: off"},
    }};
    return keys;
}

GuardAction guardActionOf(const RunConfig& config, const GuardKeys& guard) {
    const GuardAction own = config.*guard.action;
    return own == GuardAction::Default ? config.guardAction : own;
}

Result<void> checkGuards(const RunConfig& config) {
    const auto needEvaluations = [&](std::string_view key) {
        return conflict(config, key, std::string(key) + " needs evaluations while the run is on, and eval_every is 0",
                        "Set eval_every too, or leave " + std::string(key) + " out");
    };
    if (config.earlyStop > 0 && config.evalEvery == 0) return needEvaluations("early_stop");
    for (const GuardKeys& guard : guardKeys()) {
        const std::string key(guard.key), actionKey(guard.actionKey);
        if (config.*guard.limit == 0) {
            if (config.*guard.action == GuardAction::Default) continue;
            return conflict(config, actionKey, actionKey + " has no effect while " + key + " is 0",
                            "Set " + key + " too, or leave " + actionKey + " out");
        }
        if (guard.needs == GuardKeys::Needs::Evaluations && config.evalEvery == 0) return needEvaluations(key);
        if (guard.needs == GuardKeys::Needs::Probes && config.probes.empty())
            return conflict(config, key, key + " needs probes, and there are none", "Set probes too, or leave " + key + " out");
        if (guardActionOf(config, guard) == GuardAction::LowerAlpha && !selectsCoordinates(config.optimizer)) {
            const std::string asked = config.*guard.action == GuardAction::Default ? "guard_action" : actionKey;
            return conflict(config, asked, "lower_alpha has no effect with optimizer=" + configValue(config, "optimizer"),
                            "Use notify, pause or back, or an optimizer that selects by alpha");
        }
    }
    return {};
}

}  // namespace mofo
