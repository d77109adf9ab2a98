// Right side of page Run: everything about one step, the one under the cursor or the newest.
#pragma once

#include <QWidget>

#include "ui/models/run_data.h"
#include "ui/models/step_axis.h"
#include "ui/models/tensor_table_model.h"

class QLabel;
class QTableView;
class QTableWidget;

namespace mofo {

class StepPanel : public QWidget {
    Q_OBJECT
public:
    StepPanel(const RunData* data, StepAxis* axis, QWidget* parent = nullptr);

    /// Follows the cursor, or the newest step; called once per drawing beat and at every move of the cursor.
    void refresh();
    [[nodiscard]] QString heading() const;
    [[nodiscard]] KindTableModel* kinds() { return m_kinds; }

protected:
    void changeEvent(QEvent* event) override;

private:
    class ShareDelegate;
    void fillFacts(const StepRow* step, std::optional<std::size_t> column);
    void fillTop(std::optional<std::size_t> column);
    [[nodiscard]] QString thresholdText(const TensorRow& row) const;

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
    QLabel* m_topHeading;
    QTableWidget* m_top;
};

}  // namespace mofo
