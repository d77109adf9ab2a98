// Top of page Run: which run, its state and progress, and the buttons that stop and start it.
#pragma once

#include <QWidget>

#include "ui/controllers/tuning_controller.h"
#include "ui/models/run_data.h"
#include "ui/widgets/small_widgets.h"

class QAction;
class QProgressBar;
class QToolButton;

namespace mofo {

class RunHeader : public QWidget {
    Q_OBJECT
public:
    RunHeader(const RunData* data, TuningController* tuning, QAction* pause, QAction* stop, QAction* follow, QAction* fit,
              QWidget* parent = nullptr);
    void refresh();

private:
    const RunData* m_data;
    TuningController* m_tuning;
    QAction* m_pause;
    QAction* m_stop;
    ElidedLabel* m_name;
    QLabel* m_state;
    QProgressBar* m_progress;
    ElidedLabel* m_phase;
};

}  // namespace mofo
