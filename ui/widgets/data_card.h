// What the rows of a data file become: one row as tokens, steps through rows and problems, lengths, counts.
#pragma once

#include <QWidget>

#include "ui/controllers/new_run_controller.h"

class QLabel;
class QPushButton;
class QToolButton;

namespace mofo {

class LengthHistogram;
class TokenView;

class DataCard : public QWidget {
    Q_OBJECT
public:
    explicit DataCard(NewRunController* controller, QWidget* parent = nullptr);
    void refreshCounts();
    void refreshRow();

private:
    QToolButton* addStep(const char* name, const QString& text, const QString& accessibleName, const QString& toolTip);

    NewRunController* m_controller;
    QLabel* m_place;
    QLabel* m_reason;
    QLabel* m_counts;
    QLabel* m_legend;
    QToolButton* m_previous = nullptr;
    QToolButton* m_next = nullptr;
    QToolButton* m_random = nullptr;
    QToolButton* m_problems = nullptr;
    TokenView* m_tokens;
    LengthHistogram* m_lengths;
};

}  // namespace mofo
