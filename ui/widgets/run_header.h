// Top of page Run: which run, its state and progress, what its charts show. Keeps the texts of the acts that stop and start it.
#pragma once

#include <QWidget>
#include <vector>

#include "ui/controllers/tuning_controller.h"
#include "ui/models/run_data.h"
#include "ui/widgets/small_widgets.h"

class QAction;
class QProgressBar;
class QHBoxLayout;
class QToolButton;

namespace mofo {

class RunHeader : public QWidget {
    Q_OBJECT
public:
    /// The acts of the page: follow and fit have buttons here, the others in the window's tool bar.
    struct Acts {
        QAction *follow, *fit, *pause, *stop, *stopNow, *checkpoint, *evaluate, *rewind, *branch;
    };
    RunHeader(const RunData* data, TuningController* tuning, const Acts& acts, QWidget* parent = nullptr);
    void refresh();
    /// Puts a widget before the buttons.
    void addTool(QWidget* widget);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    const RunData* m_data;
    TuningController* m_tuning;
    [[nodiscard]] QString phaseText() const;
    Acts m_acts;
    std::vector<QToolButton*> m_buttons;
    QHBoxLayout* m_layout;
    int m_toolPlace = 0;
    ElidedLabel* m_name;
    QLabel* m_state;
    QProgressBar* m_progress;
    ElidedLabel* m_phase;
};

}  // namespace mofo
