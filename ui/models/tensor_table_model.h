// The measures of one logged step, tensor by tensor and kind by kind.
#pragma once

#include <QAbstractTableModel>
#include <optional>
#include <vector>

#include "ui/models/run_data.h"

namespace mofo {

/// One row per parameter, in parameter order.
class TensorTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column {
        Name,
        Kind,
        Layer,
        Size,
        Share,
        Masked,
        Threshold,
        Drift,
        Trend,
        DriftL2,
        DriftL1,
        DriftMax,
        Changed,
        ChangedBf16,
        Churn,
        Coverage,
        ColumnCount
    };
    /// TrendRole: the tensor's drift over the run as QVector<double>, at most some dozens of points; for a delegate that draws a line.
    enum Role { SortRole = Qt::UserRole + 1, TrendRole };

    explicit TensorTableModel(const RunData* data, QObject* parent = nullptr);
    /// Shows the logged step with this index in RunData::tensors(); empty = nothing measured yet.
    void setColumn(std::optional<std::size_t> column);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    [[nodiscard]] double measure(std::size_t parameter, int column) const;  ///< NaN where not measured
    void onParameters();

    const RunData* m_data;
    int m_count = 0;
    std::optional<std::size_t> m_column;
};

/// One row per tensor kind, or per layer, that the model has: moved share and drift at one logged step.
class KindTableModel : public QAbstractTableModel {
    Q_OBJECT
public:
    enum Column { Kind, Share, Drift, ColumnCount };
    /// EstimateRole: the moved share that a staged change would give, NaN without one. IdleRole: less moved than the mask had chosen.
    enum Role { ValueRole = Qt::UserRole + 1, FilteredRole, EstimateRole, IdleRole };

    explicit KindTableModel(const RunData* data, QObject* parent = nullptr);
    void setByLayer(bool byLayer);
    /// Moved share per parameter if what is staged were applied; empty = nothing is estimated.
    void setEstimate(std::vector<double> movedShare);
    void setColumn(std::optional<std::size_t> column);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Row {
        std::string kind;
        bool filtered = false;
        std::vector<std::uint32_t> parameters;
        double share = 0, drift = 0, masked = 0;
        std::string title;
    };
    [[nodiscard]] std::vector<Row> layerRows() const;
    [[nodiscard]] std::vector<Row> kindRows() const;
    void onParameters();
    void measure();
    [[nodiscard]] double estimateOf(const Row& row) const;

    const RunData* m_data;
    std::vector<Row> m_rows;
    std::vector<double> m_estimate;
    bool m_byLayer = false;
    std::optional<std::size_t> m_column;
};

}  // namespace mofo
