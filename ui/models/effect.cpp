#include "ui/models/effect.h"

#include <algorithm>
#include <cmath>

namespace mofo {

namespace {

EffectSide sideOf(const RunData& data, std::int64_t from, std::int64_t to) {
    EffectSide side;
    side.from = from;
    side.to = to;
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    const SeriesBuffer& loss = data.loss();
    for (std::size_t i = loss.lowerBound(static_cast<double>(from)); i < loss.size() && loss.key(i) <= static_cast<double>(to); ++i) {
        if (!std::isfinite(loss.value(i))) continue;
        const double at = loss.key(i) - static_cast<double>(from), value = loss.value(i);
        n += 1;
        x += at;
        y += value;
        xx += at * at;
        xy += at * value;
    }
    side.steps = static_cast<std::int64_t>(n);
    if (n > 0) side.meanLoss = y / n;
    if (const double spread = n * xx - x * x; n > 2 && spread > 0) side.lossSlope = 100 * (n * xy - x * y) / spread;
    const SeriesBuffer& drift = data.series().of(SeriesId::DriftWhole);
    const auto first = drift.lowerBound(static_cast<double>(from) - 0.5);
    auto last = drift.lowerBound(static_cast<double>(to) + 0.5);
    if (last > first + 1) {
        --last;
        const double steps = drift.key(last) - drift.key(first);
        if (steps > 0) side.driftPerStep = (drift.value(last) - drift.value(first)) / steps;
    }
    const SeriesBuffer& churn = data.series().of(SeriesId::Churn);
    double sum = 0, count = 0;
    for (std::size_t i = churn.lowerBound(static_cast<double>(from)); i < churn.size() && churn.key(i) <= static_cast<double>(to); ++i) {
        sum += churn.value(i);
        count += 1;
    }
    if (count > 0) side.churn = sum / count;
    return side;
}

}  // namespace

Effect effectOf(const RunData& data, std::int64_t step) {
    Effect effect;
    effect.step = step;
    effect.before = sideOf(data, std::max<std::int64_t>(1, step - Effect::window), step - 1);
    effect.after = sideOf(data, step, step + Effect::window - 1);
    return effect;
}

}  // namespace mofo
