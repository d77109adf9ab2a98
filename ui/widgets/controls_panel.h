// Left side of page Run: alpha, granularity, learning rate and whatever else can change while a run is on; staged and applied. Nothing is sent but by
// Apply.
#pragma once

#include <QWidget>
#include <vector>

#include "ui/controllers/workspace_session.h"
#include "ui/widgets/alpha_dial.h"

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSpinBox;
class QTimer;
class QToolButton;

namespace mofo {

class EffectCard;
class KeyRow;
class WhatIfCard;

class ControlsPanel : public QWidget {
    Q_OBJECT
public:
    explicit ControlsPanel(WorkspaceSession* session, QWidget* parent = nullptr);

    /// Stages the next round value of alpha below (-1) or above (+1) what is staged or applied.
    void nudgeAlpha(int direction);
    void focusAlpha();
    /// Asks for the step at which the staged changes are to take effect.
    void askForStep();
    [[nodiscard]] WhatIfCard* whatIf() { return m_whatIf; }

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeAlpha();
    QWidget* makeGranularity();
    QWidget* makeApply();
    /// Rows of keys under a heading that unfolds them.
    QToolButton* makeFold(const QString& objectName, const QString& title, const std::vector<std::string>& keys, QWidget*& body);
    void refresh();
    void refreshAlpha(const KeyState& state);
    void refreshGranularity(const KeyState& state);
    void stageGranularity();
    [[nodiscard]] double currentAlpha(const KeyState& state) const;
    [[nodiscard]] QString movesText(double alpha) const;
    [[nodiscard]] QString guardsText() const;

    const RunData* m_data;
    TuningController* m_tuning;
    AlphaDial* m_dial;
    QDoubleSpinBox* m_spin;
    QLabel* m_alphaState;
    QLabel* m_moves;
    QComboBox* m_granularity;
    QSpinBox* m_granularityN;
    QLabel* m_granularityState;
    WhatIfCard* m_whatIf;
    EffectCard* m_effect;
    std::vector<KeyRow*> m_rows;
    QToolButton* m_guardsFold = nullptr;
    QLabel* m_stagedCount;
    QPushButton* m_apply;
    QToolButton* m_applyAt;
    QPushButton* m_discard;
    QWidget* m_stepRow;
    QSpinBox* m_stepSpin;
    QLabel* m_problem;
    QTimer* m_seconds;  ///< counts while an answer is awaited
    bool m_refreshing = false;
};

}  // namespace mofo
