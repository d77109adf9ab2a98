#include "core/report/measured.h"

#include <algorithm>
#include <cmath>

namespace mofo::report {

const Measurement* MeasuredSeries::at(std::int64_t step) const {
    const auto found = std::lower_bound(points.begin(), points.end(), step, [](const Measurement& m, std::int64_t s) { return m.step < s; });
    return found != points.end() && found->step == step ? &*found : nullptr;
}

std::string MeasuredSeries::shortTitle() const {
    const std::size_t end = title.find_first_of(":;");
    return end == std::string::npos || end == 0 ? title : title.substr(0, end) + ", " + measure;
}

std::string MeasuredSeries::unitText() const {
    switch (unit) {
        case Unit::Share: return "%";
        case Unit::Nats: return "nats/token";
        case Unit::Bits: return "bits/byte";
        case Unit::Other: return "as stored";
    }
    return {};
}

std::string MeasuredSeries::differenceUnit() const { return unit == Unit::Share ? "points" : unitText(); }

Difference differenceOf(const MeasuredSeries& fromSeries, const Measurement* from, const MeasuredSeries& toSeries, const Measurement* to,
                        std::int64_t resamples) {
    Difference result;
    if (from == nullptr || to == nullptr) {
        result.why = "not measured in both";
        return result;
    }
    result.paired.a = from->value;
    result.paired.b = to->value;
    result.paired.difference = to->value - from->value;
    result.paired.interval.n = std::min(from->items, to->items);
    result.known = std::isfinite(result.paired.difference);
    if (!result.known) {
        result.why = "a value is not finite";
        return result;
    }
    if (fromSeries.items != toSeries.items || from->items != to->items) {
        result.why = "other items: not comparable";
        result.known = false;
        return result;
    }
    const std::size_t count = to->outcome.size();
    if (count == 0 && from->outcome.empty()) {
        result.why = "items were not kept";
        return result;
    }
    // The base of a distance to the base is zero for every item, also where it was not measured.
    std::vector<float> zeros, weights;
    std::span<const float> a = from->outcome, weightA = from->weight;
    if (a.empty() && toSeries.isDistance && from->value == 0) {
        zeros.assign(count, 0.0f);
        a = zeros;
        weightA = to->weight;
    }
    if (a.size() != count || weightA.size() != to->weight.size()) {
        result.why = a.empty() || count == 0 ? "items were not kept" : "other items: not comparable";
        result.known = result.why == "items were not kept";
        return result;
    }
    if (!std::equal(weightA.begin(), weightA.end(), to->weight.begin(), to->weight.end())) {
        result.why = "other items: not comparable";  // the same items have the same tokens
        result.known = false;
        return result;
    }
    auto compared = comparePaired({a, to->outcome, weightA, to->weight}, toSeries.kind(), {.resamples = resamples});
    if (!compared.ok()) {
        result.why = "other items: not comparable";
        result.known = false;
        return result;
    }
    result.paired = *compared;
    result.known = std::isfinite(result.paired.difference);
    if (!result.paired.interval.known())
        result.why = result.paired.interval.n < 2 ? "n = " + std::to_string(result.paired.interval.n) : "a value is not finite";
    return result;
}

}  // namespace mofo::report
