#include "ui/models/tensor_table_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "ui/models/display_text.h"

namespace mofo {

namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();
QVariant rightAligned() { return QVariant::fromValue(Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter)); }

double at(const std::vector<float>& values, std::size_t index) { return index < values.size() ? values[index] : notANumber; }

}  // namespace

TensorTableModel::TensorTableModel(const RunData* data, QObject* parent) : QAbstractTableModel(parent), m_data(data) {
    connect(data, &RunData::parametersChanged, this, &TensorTableModel::onParameters);
    m_count = static_cast<int>(data->parameters().size());
}

void TensorTableModel::onParameters() {
    const int now = static_cast<int>(m_data->parameters().size());
    m_column.reset();
    if (m_count > 0) {
        beginRemoveRows({}, 0, m_count - 1);
        m_count = 0;
        endRemoveRows();
    }
    if (now > 0) {
        beginInsertRows({}, 0, now - 1);
        m_count = now;
        endInsertRows();
    }
}

void TensorTableModel::setColumn(std::optional<std::size_t> column) {
    m_column = column;
    if (m_count > 0) Q_EMIT dataChanged(index(0, Share), index(m_count - 1, ColumnCount - 1));
}

int TensorTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : m_count; }

int TensorTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

double TensorTableModel::measure(std::size_t parameter, int column) const {
    if (!m_column || *m_column >= m_data->tensors().size()) return notANumber;
    const TensorRow& row = m_data->tensors()[*m_column];
    const ParameterRow& info = m_data->parameters()[parameter];
    switch (column) {
        case Share: return parameter < row.selected.size() && info.size > 0 ? row.selected[parameter] / static_cast<double>(info.size) : notANumber;
        case Masked: return parameter < row.masked.size() && info.size > 0 ? row.masked[parameter] / static_cast<double>(info.size) : notANumber;
        case DriftL2: return at(row.driftL2, parameter);
        case DriftL1: return at(row.driftL1, parameter);
        case Changed: return parameter < row.changed.size() && info.size > 0 ? row.changed[parameter] / static_cast<double>(info.size) : notANumber;
        case ChangedBf16:
            return parameter < row.changedBf16.size() && info.size > 0 ? row.changedBf16[parameter] / static_cast<double>(info.size) : notANumber;
        case Threshold: return info.filtered ? at(row.threshold, parameter) : notANumber;
        case Drift: return info.pretrainedL2 > 0 ? at(row.driftL2, parameter) / info.pretrainedL2 : notANumber;
        case DriftMax: return at(row.driftMax, parameter);
        case Churn: return at(row.churn, parameter);
        case Coverage: return at(row.coverage, parameter);
        default: return notANumber;
    }
}

QVariant TensorTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= m_count || static_cast<std::size_t>(index.row()) >= m_data->parameters().size()) return {};
    const auto parameter = static_cast<std::size_t>(index.row());
    const ParameterRow& info = m_data->parameters()[parameter];
    const int column = index.column();
    if (role == Qt::TextAlignmentRole) return column >= Layer ? rightAligned() : QVariant();
    if (role == SortRole) {
        switch (column) {
            case Name: return static_cast<qlonglong>(info.index);
            case Kind: return QString::fromStdString(info.kind);
            case Layer: return static_cast<qlonglong>(info.layer);
            case Size: return static_cast<qlonglong>(info.size);
            default: {
                const double value = measure(parameter, column);
                return std::isnan(value) ? -1.0 : value;
            }
        }
    }
    if (role == TrendRole && column == Trend) {
        const auto& measured = m_data->tensors();
        constexpr std::size_t most = 60;
        const std::size_t stride = std::max<std::size_t>(1, measured.size() / most);
        QVector<double> trend;
        for (std::size_t i = 0; i < measured.size(); i += stride) trend << at(measured[i].driftL2, parameter);
        return QVariant::fromValue(trend);
    }
    if (role == Qt::ToolTipRole && column == Kind) return ui::kindTitle(info.kind).toHtmlEscaped();
    if (role != Qt::DisplayRole) return {};
    switch (column) {
        case Name: return ui::shown(info.name);
        case Kind: return ui::shown(info.kind);
        case Layer: return info.layer < 0 ? QStringLiteral("–") : QString::number(info.layer);
        case Size: return ui::count(info.size);
        default: {
            if (column == Trend) return {};
            const double value = measure(parameter, column);
            if (std::isnan(value)) return QStringLiteral("–");
            if (column == Share || column == Masked || column == Changed || column == ChangedBf16 || column == Coverage)
                return ui::measuredPercent(value);
            return ui::fourDigits(value);
        }
    }
}

QVariant TensorTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole) {
        return QVariant::fromValue(Qt::Alignment((section >= Layer ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    }
    if (role == Qt::ToolTipRole) {
        switch (section) {
            case Share: return tr("Coordinates that moved at this step: selected, and momentum not zero");
            case Threshold: return tr("Least |momentum| that was selected; median over the tensor's parts");
            case Masked: return tr("Coordinates that the mask selected, whether or not their momentum was zero");
            case Trend: return tr("Drift over the whole run");
            case Changed: return tr("Coordinates that differ from the pretrained weights in fp32");
            case ChangedBf16: return tr("Coordinates that still differ after rounding to bf16");
            case Drift: return tr("‖p − p₀‖ / ‖p₀‖: distance from the pretrained weights");
            case DriftMax: return tr("Largest change of one coordinate since the pretrained weights");
            case Churn: return tr("Share of the previous logged selection that was not selected again");
            case Coverage: return tr("Share of the coordinates selected at one logged step at least");
            default: return {};
        }
    }
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Name: return tr("Tensor");
        case Kind: return tr("Kind");
        case Layer: return tr("Layer");
        case Size: return tr("Size");
        case Share: return tr("Moved");
        case Masked: return tr("Mask");
        case Threshold: return tr("Threshold");
        case Drift: return tr("Drift");
        case Trend: return tr("Drift, trend");
        case DriftL2: return QStringLiteral("L2");
        case DriftL1: return QStringLiteral("L1");
        case Changed: return tr("Changed, fp32");
        case ChangedBf16: return tr("Changed, bf16");
        case DriftMax: return tr("Largest change");
        case Churn: return tr("Churn");
        case Coverage: return tr("Ever moved");
        default: return {};
    }
}

KindTableModel::KindTableModel(const RunData* data, QObject* parent) : QAbstractTableModel(parent), m_data(data) {
    connect(data, &RunData::parametersChanged, this, &KindTableModel::onParameters);
    onParameters();
}

std::vector<KindTableModel::Row> KindTableModel::layerRows() const {
    std::vector<Row> rows;
    for (const MapRow& layer : m_data->mapRows()) {
        Row row;
        row.kind = layer.label.toStdString();
        row.title = layer.title.toStdString();
        row.filtered = layer.filtered;
        // Norms of a layer are not filtered: with them no layer would be at the alpha asked for.
        for (const std::uint32_t i : layer.parameters) {
            if (m_data->parameters()[i].filtered == layer.filtered) row.parameters.push_back(i);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<KindTableModel::Row> KindTableModel::kindRows() const {
    static constexpr std::array<std::string_view, 10> order{"embed", "q", "k", "v", "o", "gate", "up", "down", "norm", "head"};
    std::vector<Row> rows;
    const auto addRow = [&](std::string_view kind, bool filtered) {
        Row row;
        row.kind = kind;
        row.title = ui::kindTitle(kind).toStdString();
        row.filtered = filtered;
        for (std::size_t i = 0; i < m_data->parameters().size(); ++i) {
            const ParameterRow& info = m_data->parameters()[i];
            if (info.kind == kind && info.filtered == filtered) row.parameters.push_back(static_cast<std::uint32_t>(i));
        }
        if (!row.parameters.empty()) rows.push_back(std::move(row));
    };
    for (const std::string_view kind : order) {
        addRow(kind, true);
        addRow(kind, false);
    }
    return rows;
}

void KindTableModel::setByLayer(bool byLayer) {
    if (byLayer == m_byLayer) return;
    m_byLayer = byLayer;
    const std::optional<std::size_t> column = m_column;
    onParameters();
    setColumn(column);
}

void KindTableModel::setEstimate(std::vector<double> movedShare) {
    m_estimate = std::move(movedShare);
    if (!m_rows.empty()) Q_EMIT dataChanged(index(0, Share), index(static_cast<int>(m_rows.size()) - 1, Share));
}

double KindTableModel::estimateOf(const Row& row) const {
    double moved = 0, size = 0;
    for (const std::uint32_t i : row.parameters) {
        if (i >= m_estimate.size() || std::isnan(m_estimate[i])) continue;
        moved += m_estimate[i] * static_cast<double>(m_data->parameters()[i].size);
        size += static_cast<double>(m_data->parameters()[i].size);
    }
    return size > 0 ? moved / size : notANumber;
}

void KindTableModel::onParameters() {
    if (!m_rows.empty()) {
        beginRemoveRows({}, 0, static_cast<int>(m_rows.size()) - 1);
        m_rows.clear();
        endRemoveRows();
    }
    m_column.reset();
    std::vector<Row> rows = m_byLayer ? layerRows() : kindRows();
    if (rows.empty()) return;
    beginInsertRows({}, 0, static_cast<int>(rows.size()) - 1);
    m_rows = std::move(rows);
    endInsertRows();
}

void KindTableModel::setColumn(std::optional<std::size_t> column) {
    m_column = column;
    measure();
    if (!m_rows.empty()) Q_EMIT dataChanged(index(0, 0), index(static_cast<int>(m_rows.size()) - 1, ColumnCount - 1));
}

void KindTableModel::measure() {
    const bool known = m_column && *m_column < m_data->tensors().size();
    for (Row& row : m_rows) {
        row.share = row.drift = row.masked = notANumber;
        if (!known) continue;
        const TensorRow& measured = m_data->tensors()[*m_column];
        double selected = 0, masked = 0, size = 0, drift2 = 0, pretrained2 = 0;
        for (const std::uint32_t i : row.parameters) {
            if (i < measured.masked.size()) masked += measured.masked[i];
            if (i >= measured.selected.size() || i >= measured.driftL2.size()) continue;
            const ParameterRow& info = m_data->parameters()[i];
            selected += measured.selected[i];
            size += static_cast<double>(info.size);
            drift2 += static_cast<double>(measured.driftL2[i]) * measured.driftL2[i];
            pretrained2 += info.pretrainedL2 * info.pretrainedL2;
        }
        if (size > 0) row.share = selected / size;
        if (size > 0) row.masked = masked / size;
        if (pretrained2 > 0) row.drift = std::sqrt(drift2 / pretrained2);
    }
}

int KindTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

int KindTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant KindTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= static_cast<int>(m_rows.size())) return {};
    const Row& row = m_rows[static_cast<std::size_t>(index.row())];
    const bool idle = row.filtered && row.share < 0.995 * row.masked;
    switch (role) {
        case Qt::DisplayRole:
            if (index.column() == Kind) return idle ? ui::shown(row.kind) + QStringLiteral(" ◌") : ui::shown(row.kind);
            if (index.column() == Share) return std::isnan(row.share) ? QStringLiteral("–") : ui::measuredPercent(row.share);
            return std::isnan(row.drift) ? QStringLiteral("–") : ui::fourDigits(row.drift);
        case Qt::TextAlignmentRole: return index.column() == Kind ? QVariant() : rightAligned();
        case Qt::ToolTipRole:
            return row.filtered ? QString::fromStdString(row.title).toHtmlEscaped() +
                                      (idle ? tr(": idle rows, the mask chose %1").arg(ui::measuredPercent(row.masked)) : QString())
                                : tr("%1: not filtered, every coordinate may move").arg(QString::fromStdString(row.title)).toHtmlEscaped();
        case ValueRole: return index.column() == Drift ? row.drift : row.share;
        case FilteredRole: return row.filtered;
        case EstimateRole: return estimateOf(row);
        case IdleRole: return idle;
        default: return {};
    }
}

QVariant KindTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole) {
        return QVariant::fromValue(Qt::Alignment((section == Kind ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    }
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Kind: return m_byLayer ? tr("Layer") : tr("Kind");
        case Share: return tr("Moved");
        case Drift: return tr("Drift");
        default: return {};
    }
}

}  // namespace mofo
