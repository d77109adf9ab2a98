#include "ui/models/map_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "ui/models/display_text.h"

namespace mofo {

namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

/// Of measures that are shares of counted coordinates: the counts; null for others.
const std::vector<std::uint32_t>* countsOf(MapMeasure measure, const TensorRow& row) {
    switch (measure) {
        case MapMeasure::MovedShare: return &row.selected;
        case MapMeasure::MaskShare: return &row.masked;
        case MapMeasure::Changed: return &row.changed;
        case MapMeasure::ChangedBf16: return &row.changedBf16;
        default: return nullptr;
    }
}

/// Of measures that are means over the filtered tensors, weighted by size: the numbers; null for others.
const std::vector<float>* meansOf(MapMeasure measure, const TensorRow& row) {
    switch (measure) {
        case MapMeasure::Threshold: return &row.threshold;
        case MapMeasure::Churn: return &row.churn;
        case MapMeasure::Coverage: return &row.coverage;
        default: return nullptr;
    }
}

}  // namespace

bool isDriftMeasure(MapMeasure measure) { return measure >= MapMeasure::RelativeL2; }

bool isShareMeasure(MapMeasure measure) {
    switch (measure) {
        case MapMeasure::Threshold:
        case MapMeasure::Concentration:
        case MapMeasure::RelativeL2:
        case MapMeasure::L2:
        case MapMeasure::L1:
        case MapMeasure::LInf: return false;
        default: return true;
    }
}

double measureOf(MapMeasure measure, const TensorRow& row, const std::vector<ParameterRow>& parameters, const std::vector<std::uint32_t>& members,
                 bool filteredOnly) {
    double sum = 0, weight = 0, greatest = 0;
    bool measured = false;
    const auto addCounts = [&](const std::vector<std::uint32_t>& counts, std::size_t i) {
        if (i >= counts.size() || (filteredOnly && !parameters[i].filtered)) return;
        sum += counts[i];
        weight += static_cast<double>(parameters[i].size);
        measured = true;
    };
    const auto addWeighted = [&](const std::vector<float>& values, std::size_t i) {
        if (i >= values.size() || !parameters[i].filtered) return;
        const auto size = static_cast<double>(parameters[i].size);
        sum += size * values[i];
        weight += size;
        measured = true;
    };
    const auto* const counts = countsOf(measure, row);
    const auto* const means = meansOf(measure, row);
    for (const std::uint32_t member : members) {
        const std::size_t i = member;
        if (i >= parameters.size()) continue;
        if (counts != nullptr) addCounts(*counts, i);
        if (means != nullptr) addWeighted(*means, i);
        switch (measure) {
            case MapMeasure::Concentration:
                if (i < row.squaredUpdate.size()) {
                    sum += row.squaredUpdate[i];
                    weight += static_cast<double>(parameters[i].size);
                    measured = true;
                }
                break;
            case MapMeasure::RelativeL2:
                if (i < row.driftL2.size()) {
                    sum += static_cast<double>(row.driftL2[i]) * row.driftL2[i];
                    weight += parameters[i].pretrainedL2 * parameters[i].pretrainedL2;
                    measured = true;
                }
                break;
            case MapMeasure::L2:
                if (i < row.driftL2.size()) {
                    sum += static_cast<double>(row.driftL2[i]) * row.driftL2[i];
                    measured = true;
                }
                break;
            case MapMeasure::L1:
                if (i < row.driftL1.size()) {
                    sum += row.driftL1[i];
                    measured = true;
                }
                break;
            case MapMeasure::LInf:
                if (i < row.driftMax.size()) {
                    greatest = std::isnan(row.driftMax[i]) || std::isnan(greatest) ? notANumber : std::max<double>(greatest, row.driftMax[i]);
                    measured = true;
                }
                break;
            default: break;
        }
    }
    if (!measured) return notANumber;
    switch (measure) {
        case MapMeasure::RelativeL2: return weight > 0 ? std::sqrt(sum / weight) : notANumber;
        case MapMeasure::L2: return std::sqrt(sum);
        case MapMeasure::L1: return sum;
        case MapMeasure::LInf: return greatest;
        case MapMeasure::Concentration: {
            double wholeUpdate = 0, wholeSize = 0;
            for (std::size_t i = 0; i < row.squaredUpdate.size() && i < parameters.size(); ++i) {
                wholeUpdate += row.squaredUpdate[i];
                wholeSize += static_cast<double>(parameters[i].size);
            }
            return wholeUpdate > 0 && weight > 0 ? (sum / wholeUpdate) / (weight / wholeSize) : notANumber;
        }
        default: return weight > 0 ? sum / weight : notANumber;
    }
}

MeasuredRows::MeasuredRows(MapMeasure measure, const std::vector<ParameterRow>& parameters, const std::vector<MapRows::Row>& rows)
    : m_measure(measure), m_parameters(parameters), m_rows(rows) {
    const bool isCount = countsOf(measure, {}) != nullptr, isMean = meansOf(measure, {}) != nullptr;
    for (const ParameterRow& parameter : parameters) m_sizes.push_back(static_cast<double>(parameter.size));
    for (const MapRows::Row& row : rows) {
        double weight = 0;
        for (const std::uint32_t i : row.parameters) {
            if (i >= parameters.size() || (!parameters[i].filtered && (isMean || (isCount && row.filtered)))) continue;
            m_members.push_back(i);
            weight += measure == MapMeasure::RelativeL2 ? parameters[i].pretrainedL2 * parameters[i].pretrainedL2 : m_sizes[i];
        }
        const bool measured = m_members.size() > (m_end.empty() ? 0 : m_end.back()) && weight > 0;
        m_end.push_back(m_members.size());
        // Where there is nothing to divide by, NaN comes out by itself.
        m_weights.push_back(!measured ? notANumber : measure == MapMeasure::L2 ? 1 : weight);
    }
    m_terms.resize(parameters.size());
    m_sums.resize(rows.size());
}

template <typename Value, typename Term>
void MeasuredRows::averages(const std::vector<Value>& of, Term term, float* values) {
    // One after the other, so that what is the same for each is done for several at a time.
    for (std::size_t i = 0; i < m_terms.size(); ++i) m_terms[i] = term(of[i], m_sizes[i]);
    std::size_t at = 0;
    for (std::size_t r = 0; r < m_end.size(); ++r) {
        double sum = 0;
        for (; at < m_end[r]; ++at) sum += m_terms[m_members[at]];
        m_sums[r] = sum;
    }
    const std::size_t count = m_sums.size();
    const double* const sums = m_sums.data();
    const double* const weights = m_weights.data();
    if (m_measure == MapMeasure::RelativeL2 || m_measure == MapMeasure::L2) {
        for (std::size_t r = 0; r < count; ++r) values[r] = static_cast<float>(std::sqrt(sums[r] / weights[r]));
    } else {
        for (std::size_t r = 0; r < count; ++r) values[r] = static_cast<float>(sums[r] / weights[r]);
    }
}

void MeasuredRows::read(const TensorRow& row, float* values) {
    const auto plain = [](auto value, double) { return static_cast<double>(value); };
    const auto bySize = [](float value, double size) { return size * static_cast<double>(value); };
    const auto square = [](float value, double) { return static_cast<double>(value) * static_cast<double>(value); };
    const auto whole = [&](const auto& of) { return of.size() >= m_sizes.size(); };
    if (const auto* counts = countsOf(m_measure, row); counts != nullptr && whole(*counts)) return averages(*counts, plain, values);
    if (const auto* means = meansOf(m_measure, row); means != nullptr && whole(*means)) return averages(*means, bySize, values);
    const bool isDistance = m_measure == MapMeasure::RelativeL2 || m_measure == MapMeasure::L2;
    if (isDistance && whole(row.driftL2)) return averages(row.driftL2, square, values);
    // Measures that are seldom looked at, and rows of which only some tensors were measured.
    for (std::size_t r = 0; r < m_rows.size(); ++r)
        values[r] = static_cast<float>(measureOf(m_measure, row, m_parameters, m_rows[r].parameters, m_rows[r].filtered));
}

MapRows::MapRows(const RunData* data, QObject* parent) : QObject(parent), m_data(data) {
    connect(data, &RunData::parametersChanged, this, [this] {
        m_open.clear();
        m_current = -1;
        m_scroll = 0;
        build();
    });
    build();
}

void MapRows::makeGroups() {
    m_groups.clear();
    if (m_grouping == Grouping::Layers) {
        for (const MapRow& row : m_data->mapRows()) m_groups.push_back({row.label, row.title, row.parameters, row.filtered, false, false, 0});
        return;
    }
    const std::vector<ParameterRow>& parameters = m_data->parameters();
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const auto [place, isNew] = places.try_emplace(parameters[i].kind, m_groups.size());
        if (isNew) m_groups.push_back({ui::shown(parameters[i].kind), ui::kindTitle(parameters[i].kind), {}, false, false, false, 0});
        Row& group = m_groups[place->second];
        group.parameters.push_back(static_cast<std::uint32_t>(i));
        group.filtered = group.filtered || parameters[i].filtered;
    }
}

void MapRows::build() {
    makeGroups();
    m_rows.clear();
    for (std::size_t group = 0; group < m_groups.size(); ++group) {
        Row row = m_groups[group];
        row.group = static_cast<int>(group);
        row.isOpen = m_open.contains(row.group);
        m_rows.push_back(row);
        if (!row.isOpen) continue;
        for (const std::uint32_t parameter : row.parameters) {
            const ParameterRow& info = m_data->parameters()[parameter];
            QString label = ui::shown(info.kind);
            if (m_grouping == Grouping::Kinds) {
                label = info.layer < 0 ? ui::shown(info.kind) : QStringLiteral("L%1").arg(info.layer, 2, 10, QLatin1Char('0'));
            } else if (info.kind == "norm" && info.layer >= 0) {
                label = info.name.find("input") != std::string::npos ? QStringLiteral("norm 1") : QStringLiteral("norm 2");
            }
            m_rows.push_back({label, ui::shown(info.name), {parameter}, info.filtered, true, false, row.group});
        }
    }
    m_current = std::min(m_current, static_cast<int>(m_rows.size()) - 1);
    m_scroll = std::clamp(m_scroll, 0, std::max(0, static_cast<int>(m_rows.size()) - 1));
    Q_EMIT rowsChanged();
}

void MapRows::setGrouping(Grouping grouping) {
    if (grouping == m_grouping) return;
    m_grouping = grouping;
    m_open.clear();
    m_current = -1;
    m_scroll = 0;
    build();
}

void MapRows::toggle(int row) {
    if (row < 0 || row >= static_cast<int>(m_rows.size())) return;
    const int group = m_rows[static_cast<std::size_t>(row)].group;
    if (m_open.erase(group) == 0) m_open.insert(group);
    // The cursor goes to the group's own row, which is there in both states.
    build();
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        if (m_rows[i].group == group && !m_rows[i].isTensor) setCurrent(static_cast<int>(i));
    }
}

void MapRows::closeAll() {
    if (m_open.empty()) return;
    m_open.clear();
    build();
}

void MapRows::setCurrent(int row) {
    row = std::clamp(row, -1, static_cast<int>(m_rows.size()) - 1);
    if (row == m_current) return;
    m_current = row;
    Q_EMIT currentChanged();
}

void MapRows::setScroll(int row) {
    row = std::clamp(row, 0, std::max(0, static_cast<int>(m_rows.size()) - 1));
    if (row == m_scroll) return;
    m_scroll = row;
    Q_EMIT currentChanged();
}

bool MapRows::isIdle(const Row& row, const TensorRow& measured) const {
    if (!row.filtered) return false;
    const std::vector<ParameterRow>& parameters = m_data->parameters();
    double selected = 0, masked = 0;
    for (const std::uint32_t i : row.parameters) {
        if (!parameters[i].filtered || i >= measured.selected.size() || i >= measured.masked.size()) continue;
        selected += measured.selected[i];
        masked += measured.masked[i];
    }
    return masked > 0 && selected < 0.995 * masked;
}

}  // namespace mofo
