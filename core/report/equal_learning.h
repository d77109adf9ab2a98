// What runs forgot at the moment they had learned equally much: fairer than comparing their ends, as who moves less learns and forgets less.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/report/run_record.h"

namespace mofo::report {

/// A general measure of a run where its held-out task loss first came down to the target.
struct EqualPlace {
    std::size_t run = 0;
    std::string key;    ///< of the general measure
    std::string why;    ///< the target was not reached, or nothing was measured on the way; empty where there is a place
    double lowest = 0;  ///< lowest task loss of the run, nats per token
    double step = 0;    ///< the place, between two steps at which both were measured
    Measurement there;  ///< interpolated item by item between those two, linearly in the task loss
    bool reached() const { return why.empty(); }
};

/// The same of another run.
struct EqualDifference {
    std::size_t run = 0;
    std::string key;
    Difference difference;  ///< run - baseline
    Finding finding = Finding::NoInterval;
};

struct EqualLearning {
    std::string taskKey;  ///< the held-out task loss: "eval/loss"
    double target = 0;    ///< nats per token
    bool wasGiven = false;
    std::vector<EqualPlace> places;  ///< of every run and general loss or KL
    std::vector<EqualDifference> differences;

    [[nodiscard]] const EqualPlace* place(std::size_t run, const std::string& key) const;
};

/// `target`: a task loss; nothing: the most that every run learned, the highest of their lowest losses. Nothing with fewer than two runs, or where
/// they have no held-out task loss in common that was measured more than once, on the same items.
[[nodiscard]] std::optional<EqualLearning> compareAtEqualLearning(const std::vector<RunRecord>& runs, std::size_t baseline,
                                                                  std::optional<double> target);

}  // namespace mofo::report
