// What was measured of a run again and again: held-out losses and probes, by step, with their items.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/report/chart.h"
#include "core/stats/finding.h"

namespace mofo::report {

enum class Mark {
    Task,     ///< measures what the run is to learn
    General,  ///< measures what it is to keep
    None      ///< not said by the task
};
enum class Unit { Share, Nats, Bits, Other };

struct Measurement {
    std::int64_t step = 0;
    double value = 0;
    Interval interval;                   ///< of the value itself
    std::int64_t items = 0;              ///< how many were measured
    std::vector<float> outcome, weight;  ///< per item; empty where they were not kept (weight also where all weigh the same)
    bool inherited = false;              ///< of the run it was branched from
};

struct MeasuredSeries {
    std::string probe, measure;  ///< "text", "loss"; the held-out loss of evaluations is "held-out", "loss"
    std::string title;           ///< for people
    Mark mark = Mark::None;
    Unit unit = Unit::Other;
    Direction direction = Direction::LowerIsBetter;
    bool isDistance = false;          ///< a KL: 0 for the base by definition
    std::string items;                ///< same text = same items
    std::int64_t trainedOn = 0;       ///< items that were also trained on
    std::vector<Measurement> points;  ///< by step

    [[nodiscard]] const Measurement* at(std::int64_t step) const;
    [[nodiscard]] const Measurement* base() const { return at(0); }
    [[nodiscard]] const Measurement* last() const { return points.empty() ? nullptr : &points.back(); }
    [[nodiscard]] std::string key() const { return probe + '/' + measure; }
    /// For charts: the title up to its first colon or semicolon, the measure behind it.
    [[nodiscard]] std::string shortTitle() const;
    [[nodiscard]] OutcomeKind kind() const { return unit == Unit::Share ? OutcomeKind::Share : OutcomeKind::Amount; }
    /// 100 for shares, which are shown in points of a percent.
    [[nodiscard]] double factor() const { return unit == Unit::Share ? 100 : 1; }
    [[nodiscard]] int places() const { return unit == Unit::Share ? 1 : 3; }
    [[nodiscard]] std::string unitText() const;        ///< "%", "nats/token"
    [[nodiscard]] std::string differenceUnit() const;  ///< "points", "nats/token"
};

/// The difference to - from, paired item by item; without items, or with other items, only the difference of the values, and `why` there is no
/// interval.
struct Difference {
    PairedComparison paired;
    bool known = false;  ///< both values are there and finite
    std::string why;     ///< "items were not kept"; empty where there is an interval
};
[[nodiscard]] Difference differenceOf(const MeasuredSeries& fromSeries, const Measurement* from, const MeasuredSeries& toSeries,
                                      const Measurement* to, std::int64_t resamples = 10'000);

}  // namespace mofo::report
