#include "core/report/pareto.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mofo::report {

std::vector<bool> paretoSet(std::span<const Tradeoff> points) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (!std::isnan(points[i].learning) && !std::isnan(points[i].forgetting)) order.push_back(i);
    }
    std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
        if (points[x].forgetting != points[y].forgetting) return points[x].forgetting < points[y].forgetting;
        if (points[x].learning != points[y].learning) return points[x].learning > points[y].learning;
        return x < y;
    });
    std::vector<bool> inSet(points.size(), false);
    double most = -std::numeric_limits<double>::infinity();  // of those that forget strictly less
    for (std::size_t i = 0; i < order.size();) {
        const double forgetting = points[order[i]].forgetting, best = points[order[i]].learning;
        std::size_t end = i;
        for (; end < order.size() && points[order[end]].forgetting == forgetting; ++end) {
            inSet[order[end]] = points[order[end]].learning == best && (best > most || i == 0);
        }
        most = std::max(most, best);
        i = end;
    }
    return inSet;
}

LayerDifference layerDifference(const LayerHistory& a, const LayerHistory& b) {
    LayerDifference difference;
    std::vector<std::pair<std::size_t, std::size_t>> rows, columns;
    for (std::size_t i = 0; i < a.rows.size(); ++i) {
        for (std::size_t j = 0; j < b.rows.size(); ++j) {
            if (a.rows[i].label == b.rows[j].label) rows.emplace_back(i, j);
        }
    }
    for (std::size_t i = 0, j = 0; i < a.steps.size() && j < b.steps.size();) {
        if (a.steps[i] == b.steps[j]) {
            columns.emplace_back(i++, j++);
        } else {
            ++(a.steps[i] < b.steps[j] ? i : j);
        }
    }
    for (const auto& [i, j] : columns) difference.steps.push_back(a.steps[i]);
    for (const auto& [rowA, rowB] : rows) {
        difference.rows.push_back(a.rows[rowA].label);
        std::vector<double> drift, selected;
        for (const auto& [i, j] : columns) {
            const double from = a.drift[rowA][i], to = b.drift[rowB][j];
            drift.push_back(from > 0 && to > 0 ? std::log2(to / from) : kNothing);
            selected.push_back(b.selected[rowB][j] - a.selected[rowA][i]);
        }
        difference.driftLog2.push_back(std::move(drift));
        difference.selectedMinus.push_back(std::move(selected));
    }
    return difference;
}

}  // namespace mofo::report
