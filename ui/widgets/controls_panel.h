// Left side of page Run: alpha and granularity, staged and applied. Nothing is sent but by Apply.
#pragma once

#include <QWidget>

#include "ui/controllers/tuning_controller.h"
#include "ui/models/run_data.h"
#include "ui/widgets/alpha_dial.h"

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QTimer;

namespace mofo {

class ControlsPanel : public QWidget {
    Q_OBJECT
public:
    ControlsPanel(const RunData* data, TuningController* tuning, QWidget* parent = nullptr);

    /// Stages the next round value of alpha below (-1) or above (+1) what is staged or applied.
    void nudgeAlpha(int direction);
    void focusAlpha();

protected:
    void changeEvent(QEvent* event) override;

private:
    void refresh();
    void refreshAlpha(const KeyState& state);
    void refreshGranularity(const KeyState& state);
    [[nodiscard]] QString stateText(const std::string& key, const KeyState& state) const;
    void showState(QLabel* label, const QString& text, const KeyState& state);
    [[nodiscard]] double currentAlpha(const KeyState& state) const;
    [[nodiscard]] QString movesText(double alpha) const;

    const RunData* m_data;
    TuningController* m_tuning;
    AlphaDial* m_dial;
    QDoubleSpinBox* m_spin;
    QLabel* m_alphaState;
    QLabel* m_moves;
    QComboBox* m_granularity;
    QLabel* m_granularityState;
    QLabel* m_stagedCount;
    QPushButton* m_apply;
    QPushButton* m_discard;
    QLabel* m_problem;
    QTimer* m_seconds;  ///< counts while an answer is awaited
    bool m_refreshing = false;
};

}  // namespace mofo
