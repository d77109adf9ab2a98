#include "ui/models/map_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "ui/models/display_text.h"

namespace mofo {

namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

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
    for (const std::uint32_t member : members) {
        const std::size_t i = member;
        if (i >= parameters.size()) continue;
        switch (measure) {
            case MapMeasure::MovedShare: addCounts(row.selected, i); break;
            case MapMeasure::MaskShare: addCounts(row.masked, i); break;
            case MapMeasure::Changed: addCounts(row.changed, i); break;
            case MapMeasure::ChangedBf16: addCounts(row.changedBf16, i); break;
            case MapMeasure::Threshold: addWeighted(row.threshold, i); break;
            case MapMeasure::Churn: addWeighted(row.churn, i); break;
            case MapMeasure::Coverage: addWeighted(row.coverage, i); break;
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
    const bool isCount =
        measure == MapMeasure::MovedShare || measure == MapMeasure::MaskShare || measure == MapMeasure::Changed || measure == MapMeasure::ChangedBf16;
    const bool isMean = measure == MapMeasure::Threshold || measure == MapMeasure::Churn || measure == MapMeasure::Coverage;
    for (const ParameterRow& parameter : parameters) m_sizes.push_back(static_cast<double>(parameter.size));
    for (const MapRows::Row& row : rows) {
        double weight = 0;
        for (const std::uint32_t i : row.parameters) {
            if (i >= parameters.size() || (!parameters[i].filtered && (isMean || (isCount && row.filtered)))) continue;
            m_members.push_back(i);
            weight += measure == MapMeasure::RelativeL2 ? parameters[i].pretrainedL2 * parameters[i].pretrainedL2 : m_sizes[i];
        }
        m_end.push_back(m_members.size());
        m_weights.push_back(measure == MapMeasure::L2 ? 1 : weight);
    }
}

template <typename Value, typename Term, typename Finish>
void MeasuredRows::sums(const std::vector<Value>& of, Term term, Finish finish, float* values) const {
    std::size_t at = 0;
    for (std::size_t r = 0; r < m_end.size(); ++r) {
        const bool measured = at < m_end[r] && m_weights[r] > 0;
        double sum = 0;
        for (; at < m_end[r]; ++at) sum += term(of[m_members[at]], m_members[at]);
        values[r] = static_cast<float>(measured ? finish(sum / m_weights[r]) : notANumber);
    }
}

void MeasuredRows::read(const TensorRow& row, float* values) const {
    const auto plain = [](auto value, std::uint32_t) { return static_cast<double>(value); };
    const auto bySize = [&](float value, std::uint32_t i) { return m_sizes[i] * static_cast<double>(value); };
    const auto square = [](float value, std::uint32_t) { return static_cast<double>(value) * static_cast<double>(value); };
    const auto whole = [&](const auto& of) { return of.size() >= m_sizes.size(); };
    const auto asIs = [](double mean) { return mean; };
    const auto root = [](double mean) { return std::sqrt(mean); };
    switch (m_measure) {
        case MapMeasure::MovedShare:
            if (whole(row.selected)) return sums(row.selected, plain, asIs, values);
            break;
        case MapMeasure::MaskShare:
            if (whole(row.masked)) return sums(row.masked, plain, asIs, values);
            break;
        case MapMeasure::Changed:
            if (whole(row.changed)) return sums(row.changed, plain, asIs, values);
            break;
        case MapMeasure::ChangedBf16:
            if (whole(row.changedBf16)) return sums(row.changedBf16, plain, asIs, values);
            break;
        case MapMeasure::Threshold:
            if (whole(row.threshold)) return sums(row.threshold, bySize, asIs, values);
            break;
        case MapMeasure::Churn:
            if (whole(row.churn)) return sums(row.churn, bySize, asIs, values);
            break;
        case MapMeasure::Coverage:
            if (whole(row.coverage)) return sums(row.coverage, bySize, asIs, values);
            break;
        case MapMeasure::RelativeL2:
        case MapMeasure::L2:
            if (whole(row.driftL2)) return sums(row.driftL2, square, root, values);
            break;
        default: break;
    }
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
