#include "core/config/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mofo {

std::int64_t warmupSteps(const RunConfig& config, std::int64_t totalSteps) {
    if (config.warmup >= 1) return static_cast<std::int64_t>(config.warmup);
    return static_cast<std::int64_t>(std::ceil(config.warmup * static_cast<double>(totalSteps)));
}

double learningRate(const RunConfig& config, std::int64_t step, std::int64_t totalSteps) {
    const std::int64_t warmup = warmupSteps(config, totalSteps), done = step - 1;
    if (done < warmup) return config.lr * (static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(1, warmup)));
    const double span = static_cast<double>(std::max<std::int64_t>(1, totalSteps - warmup));
    switch (config.schedule) {
        case ScheduleKind::Constant: return config.lr;
        case ScheduleKind::Linear: return config.lr * std::max(0.0, static_cast<double>(totalSteps - done) / span);
        case ScheduleKind::Cosine: {
            const double progress = static_cast<double>(done - warmup) / span;
            return config.lr * std::max(0.0, 0.5 * (1.0 + std::cos(std::numbers::pi * progress)));
        }
    }
    return config.lr;
}

}  // namespace mofo
