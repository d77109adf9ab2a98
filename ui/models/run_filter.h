// The filter of the run list: plain words, and key:value with <, >, <=, >= for numbers ("alpha:<0.2 state:running tag:paper").
#pragma once

#include <QSortFilterProxyModel>
#include <QString>
#include <QStringList>
#include <optional>
#include <vector>

#include "core/store/registry.h"

namespace mofo {

class RunTableModel;

class RunFilter {
public:
    RunFilter() = default;
    /// Every term must hold. A word with a key that is not known is a plain word.
    explicit RunFilter(const QString& text);
    [[nodiscard]] bool matches(const RunRow& run) const;
    [[nodiscard]] bool isEmpty() const { return m_terms.empty(); }
    /// Keys that are known: for the completion and the help of the field.
    [[nodiscard]] static QStringList keys();

private:
    enum class Comparison { Contains, Less, LessOrEqual, Greater, GreaterOrEqual, Equal };
    struct Term {
        QString key;  ///< empty: a plain word
        Comparison comparison = Comparison::Contains;
        QString text;  ///< case-folded
        double number = 0;
    };
    [[nodiscard]] static bool holds(const Term& term, const RunRow& run);
    std::vector<Term> m_terms;
};

/// The tree filtered and sorted: a run stays where one of its branches does; pinned runs are on top whatever the order.
class RunFilterModel : public QSortFilterProxyModel {
    Q_OBJECT
public:
    explicit RunFilterModel(RunTableModel* runs, QObject* parent = nullptr);
    void setFilter(const QString& text);
    /// Runs that match by themselves.
    [[nodiscard]] int matchCount() const;

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
    bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

private:
    RunTableModel* m_runs;
    RunFilter m_filter;
};

}  // namespace mofo
