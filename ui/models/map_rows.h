// The rows of the selection and drift maps: layers or kinds, each opening into its tensors. Both maps share rows, expansion and scroll.
#pragma once

#include <QObject>
#include <QString>
#include <cstdint>
#include <set>
#include <vector>

#include "ui/models/run_data.h"

namespace mofo {

/// What a map shows of each row. Concentration: the row's share of the squared update, over its share of the coordinates (1 = as its size).
enum class MapMeasure { MovedShare, MaskShare, Threshold, Churn, Coverage, Concentration, RelativeL2, L2, L1, LInf, Changed, ChangedBf16 };

[[nodiscard]] bool isDriftMeasure(MapMeasure measure);
/// Percent of 1 (shares) or a plain number on a logarithmic scale.
[[nodiscard]] bool isShareMeasure(MapMeasure measure);

/// The value of a group of tensors at one measurement, sums weighted by size; NaN where it was not measured, or where a number of it is none.
[[nodiscard]] double measureOf(MapMeasure measure, const TensorRow& row, const std::vector<ParameterRow>& parameters,
                               const std::vector<std::uint32_t>& members, bool filteredOnly);

class MapRows : public QObject {
    Q_OBJECT
public:
    enum class Grouping { Layers, Kinds };
    struct Row {
        QString label;  ///< "L07", under an opened row "q"
        QString title;  ///< "layer 7", the full name of a tensor
        std::vector<std::uint32_t> parameters;
        bool filtered = false;
        bool isTensor = false;
        bool isOpen = false;
        int group = 0;  ///< place of the group it belongs to
    };

    MapRows(const RunData* data, QObject* parent = nullptr);

    [[nodiscard]] const std::vector<Row>& rows() const { return m_rows; }
    [[nodiscard]] Grouping grouping() const { return m_grouping; }
    void setGrouping(Grouping grouping);
    /// Opens or closes the group that holds this row.
    void toggle(int row);
    void closeAll();
    [[nodiscard]] int current() const { return m_current; }
    /// The row that keys act on.
    void setCurrent(int row);
    /// First row on top where not all fit.
    [[nodiscard]] int scroll() const { return m_scroll; }
    void setScroll(int row);
    /// Whether the selection of this row left coordinates untouched that the mask had chosen: momentum zero, as of tokens that never came.
    [[nodiscard]] bool isIdle(const Row& row, const TensorRow& measured) const;

Q_SIGNALS:
    void rowsChanged();
    void currentChanged();

private:
    void build();
    void makeGroups();

    const RunData* m_data;
    Grouping m_grouping = Grouping::Layers;
    std::vector<Row> m_groups, m_rows;
    std::set<int> m_open;
    int m_current = -1, m_scroll = 0;
};

/// measureOf() of all rows of a map at once, for maps of many measurements: what does not change between them is summed once.
class MeasuredRows {
public:
    /// `parameters` must outlive it and stay as they are.
    MeasuredRows(MapMeasure measure, const std::vector<ParameterRow>& parameters, const std::vector<MapRows::Row>& rows);
    /// One value per row, each what measureOf() gives.
    void read(const TensorRow& row, float* values);

private:
    template <typename Value, typename Term>
    void averages(const std::vector<Value>& of, Term term, float* values);

    const MapMeasure m_measure;
    const std::vector<ParameterRow>& m_parameters;
    const std::vector<MapRows::Row>& m_rows;
    std::vector<std::uint32_t> m_members;    ///< of all rows, one after another; those that count
    std::vector<std::size_t> m_end;          ///< per row, into m_members
    std::vector<double> m_weights, m_sizes;  ///< per row: what its sum is divided by; per parameter: its size
    std::vector<double> m_terms, m_sums;     ///< per parameter: what it adds to the sum of a row; per row
};

}  // namespace mofo
