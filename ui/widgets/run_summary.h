// The right side of the New run page: what the run will be, whether it fits, what is wrong, and the start.
#pragma once

#include <QWidget>

#include "ui/controllers/new_run_controller.h"

class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QVBoxLayout;

namespace mofo {

class MemoryBar;

class RunSummaryPanel : public QWidget {
    Q_OBJECT
public:
    explicit RunSummaryPanel(NewRunController* controller, QWidget* parent = nullptr);
    void refresh();

Q_SIGNALS:
    /// An issue was clicked: the field of that key is wanted.
    void fieldWanted(const QString& key);
    /// What a comparison would queue is shown in `comparison`, and wants to be seen.
    void comparisonShown(QWidget* comparison);

private:
    void refreshIssues();
    QWidget* makeComparison();
    void refreshComparison();

    NewRunController* m_controller;
    QLineEdit* m_name;
    QLabel* m_rows;
    QLabel* m_time;
    QLabel* m_device;
    QLabel* m_memory;
    QLabel* m_fit;
    QLabel* m_memoryNote;
    MemoryBar* m_bar;
    QLabel* m_issueHeading;
    QVBoxLayout* m_issues;
    QPushButton* m_start;
    QPushButton* m_queue;
    QPushButton* m_compare;
    QWidget* m_comparison;  ///< what the comparison would be, until it is queued or given up
    QLabel* m_comparisonText = nullptr;
    QPushButton* m_comparisonQueue = nullptr;
    QProgressBar* m_progress;
    QPushButton* m_cancel;
    QStringList m_shownIssues;
};

}  // namespace mofo
