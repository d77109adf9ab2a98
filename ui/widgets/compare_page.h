// Page Compare: runs side by side. Of its tabs there is the configuration so far.
#pragma once

#include <QWidget>

#include "ui/controllers/store_worker.h"
#include "ui/models/config_diff.h"

class QCheckBox;
class QLabel;
class QStackedWidget;
class QTableView;

namespace mofo {

class MessageBar;

class ComparePage : public QWidget {
    Q_OBJECT
public:
    explicit ComparePage(StoreWorker* worker, QWidget* parent = nullptr);
    /// Reads the runs and shows them, the first as A.
    void compare(const QStringList& ids);
    [[nodiscard]] const ConfigDiffModel& model() const { return *m_model; }

private:
    void refresh();

    StoreWorker* m_worker;
    ConfigDiffModel* m_model;
    QStackedWidget* m_stack;
    QLabel* m_chips;
    QLabel* m_same;
    MessageBar* m_note;
    QCheckBox* m_all;
    QTableView* m_table;
};

}  // namespace mofo
