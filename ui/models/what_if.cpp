#include "ui/models/what_if.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace mofo {

namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();
/// Histograms of one width to the octave are brought onto the coarsest one of a partition.
struct Pool {
    int stepsPerOctave = 64;
    double size = 0;  ///< coordinates, zeros included
    std::vector<std::size_t> members;
    std::map<std::int64_t, double> counts;  ///< by bin of stepsPerOctave
};

std::int64_t floorDiv(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

double edge(int stepsPerOctave, std::int64_t bin) {
    const std::int64_t octave = floorDiv(bin, stepsPerOctave), rest = bin - octave * stepsPerOctave;
    return std::ldexp(1.0 + static_cast<double>(rest) / stepsPerOctave, static_cast<int>(octave));
}

/// The least |m| selected when `wanted` coordinates of the pool are; 0 where even the zeros are needed.
double thresholdOf(const Pool& pool, double wanted) {
    double above = 0;
    for (auto it = pool.counts.rbegin(); it != pool.counts.rend(); ++it) {
        if (above + it->second >= wanted) {
            const double low = edge(pool.stepsPerOctave, it->first), high = edge(pool.stepsPerOctave, it->first + 1);
            return high - (high - low) * (wanted - above) / it->second;
        }
        above += it->second;
    }
    return 0;
}

/// Which partition a tensor competes in.
std::string poolKey(const ParameterRow& row, std::size_t index, const Granularity& granularity) {
    switch (granularity.kind) {
        case GranularityKind::Model: return "model";
        case GranularityKind::Layer: return "layer " + std::to_string(row.layer) + (row.layer < 0 ? row.kind : std::string());
        case GranularityKind::Module: {
            const bool attention = row.kind == "q" || row.kind == "k" || row.kind == "v" || row.kind == "o";
            return "module " + std::to_string(row.layer) + (row.layer < 0 ? row.kind : attention ? std::string("a") : std::string("m"));
        }
        default: return "tensor " + std::to_string(index);
    }
}

}  // namespace

double binFloor(const HistogramRow& histogram, std::int64_t bin) { return edge(histogram.stepsPerOctave, bin); }

WhatIf estimateSelection(const std::vector<ParameterRow>& parameters, const std::vector<HistogramRow>& histograms, double alpha,
                         const Granularity& granularity) {
    WhatIf result;
    result.movedShare.assign(parameters.size(), notANumber);
    result.thresholds.assign(parameters.size(), notANumber);
    std::vector<const HistogramRow*> of(parameters.size(), nullptr);
    for (const HistogramRow& row : histograms) {
        if (row.parameter >= 0 && static_cast<std::size_t>(row.parameter) < of.size()) of[static_cast<std::size_t>(row.parameter)] = &row;
    }
    std::map<std::string, Pool> pools;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (!parameters[i].filtered || of[i] == nullptr) continue;
        Pool& pool = pools[poolKey(parameters[i], i, granularity)];
        pool.members.push_back(i);
        pool.size += static_cast<double>(parameters[i].size);
        pool.stepsPerOctave = std::min(pool.stepsPerOctave, std::max(1, of[i]->stepsPerOctave));
    }
    double total = 0, kept = 0, moved = 0, size = 0;
    std::vector<double> thresholds;
    for (auto& [key, pool] : pools) {
        for (const std::size_t i : pool.members) {
            const std::int64_t factor = std::max(1, of[i]->stepsPerOctave / pool.stepsPerOctave);
            for (std::size_t j = 0; j < of[i]->counts.size(); ++j) {
                if (of[i]->counts[j] > 0) pool.counts[floorDiv(of[i]->firstBin + static_cast<std::int64_t>(j), factor)] += of[i]->counts[j];
            }
        }
        const double wanted = std::max(1.0, std::round(alpha * pool.size));
        const double threshold = thresholdOf(pool, wanted);
        for (const std::size_t i : pool.members) {
            double selected = 0;
            for (std::size_t j = 0; j < of[i]->counts.size(); ++j) {
                const std::int64_t bin = of[i]->firstBin + static_cast<std::int64_t>(j);
                const double low = edge(of[i]->stepsPerOctave, bin), high = edge(of[i]->stepsPerOctave, bin + 1);
                const double count = of[i]->counts[j];
                total += count * (low + high) / 2;
                if (high <= threshold) continue;
                const double part = threshold <= low ? 1.0 : (high - threshold) / (high - low);
                selected += count * part;
                kept += count * part * (high + std::max(low, threshold)) / 2;
            }
            result.movedShare[i] = selected / static_cast<double>(parameters[i].size);
            result.thresholds[i] = threshold;
            thresholds.push_back(threshold);
            moved += selected;
            size += static_cast<double>(parameters[i].size);
            ++result.tensors;
            if (selected < 0.5) ++result.stillTensors;
        }
    }
    if (!thresholds.empty()) {
        const auto middle = thresholds.begin() + static_cast<std::ptrdiff_t>(thresholds.size() / 2);
        std::nth_element(thresholds.begin(), middle, thresholds.end());
        result.threshold = *middle;
    }
    result.kept = total > 0 ? kept / total : notANumber;
    result.moved = size > 0 ? moved / size : notANumber;
    return result;
}

}  // namespace mofo
