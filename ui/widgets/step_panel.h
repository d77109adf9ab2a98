// Right side of page Run: everything about one step, the one under the cursor or the newest.
#pragma once

#include <QWidget>

#include "ui/controllers/workspace_session.h"
#include "ui/models/step_axis.h"
#include "ui/models/tensor_table_model.h"

class QComboBox;
class QLabel;
class QTableView;
class QTableWidget;

namespace mofo {

class HistogramPlot;
struct WhatIf;

class StepPanel : public QWidget {
    Q_OBJECT
public:
    StepPanel(WorkspaceSession* session, StepAxis* axis, QWidget* parent = nullptr);

    /// Follows the cursor, or the newest step; called once per drawing beat and at every move of the cursor.
    void refresh();
    [[nodiscard]] QString heading() const;
    [[nodiscard]] KindTableModel* kinds() { return m_kinds; }
    /// Draws what a staged change would give hollow beside what is; null = nothing is staged.
    void setEstimate(const WhatIf* estimate);

protected:
    void changeEvent(QEvent* event) override;
    bool event(QEvent* event) override;

private:
    class ShareDelegate;
    void fillFacts(const StepRow* step, std::optional<std::size_t> column);
    void fillTop(std::optional<std::size_t> column);
    [[nodiscard]] QString thresholdText(const TensorRow& row) const;

    void fillHistogram(std::optional<std::size_t> column);

    WorkspaceSession* m_session;
    const RunData* m_data;
    StepAxis* m_axis;
    QLabel* m_heading;
    QLabel* m_note;
    struct Fact {
        QLabel* name;
        QLabel* value;
    };
    std::vector<Fact> m_facts;
    KindTableModel* m_kinds;
    ShareDelegate* m_delegate;
    QLabel* m_kindHeading;
    QTableView* m_kindView;
    QLabel* m_kindNote;
    QComboBox* m_grouping;
    QLabel* m_histogramHeading;
    HistogramPlot* m_histogram;
    QLabel* m_spreadNote;
    double m_stagedThreshold = 0;
    QLabel* m_topHeading;
    QTableWidget* m_top;
};

}  // namespace mofo
