// Going back to a checkpoint, and starting a child run from one. Neither blocks the window: training goes on beside them.
#pragma once

#include <QDialog>

#include "ui/controllers/workspace_session.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QTableWidget;

namespace mofo {

class RewindDialog : public QDialog {
    Q_OBJECT
public:
    explicit RewindDialog(WorkspaceSession* session, QWidget* parent);
    /// Chooses the newest checkpoint at or before this step.
    void choose(std::int64_t step);

private:
    void fill();
    void refreshPreview();
    [[nodiscard]] std::int64_t chosen() const;

    WorkspaceSession* m_session;
    QTableWidget* m_table;
    QLabel* m_preview;
    QPushButton* m_rewind;
};

class BranchDialog : public QDialog {
    Q_OBJECT
public:
    /// `step`: where the cursor is; the newest checkpoint at or before it is offered.
    BranchDialog(WorkspaceSession* session, std::int64_t step, QWidget* parent);

private:
    WorkspaceSession* m_session;
    QComboBox* m_step;
    QLineEdit* m_name;
    QCheckBox* m_staged;
};

}  // namespace mofo
