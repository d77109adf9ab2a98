#include "ui/widgets/run_header.h"

#include <QAction>
#include <QHBoxLayout>
#include <QProgressBar>
#include <QToolButton>

#include "ui/models/display_text.h"

namespace mofo {

RunHeader::RunHeader(const RunData* data, TuningController* tuning, QAction* pause, QAction* stop, QAction* follow, QAction* fit,
                     QWidget* parent)
    : QWidget(parent), m_data(data), m_tuning(tuning), m_pause(pause), m_stop(stop) {
    setObjectName(QStringLiteral("run.header"));
    setAccessibleName(tr("The run on screen"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(10, 6, 8, 6);
    layout->setSpacing(10);
    m_name = new ElidedLabel(this);
    m_name->setObjectName(QStringLiteral("run.name"));
    m_name->setAccessibleName(tr("Name of the run"));
    QFont big = font();
    big.setPointSizeF(big.pointSizeF() * 1.25);
    big.setBold(true);
    m_name->setFont(big);
    m_state = makeLabel(QStringLiteral("run.state"), this);
    m_state->setAccessibleName(tr("State"));
    m_progress = new QProgressBar(this);
    m_progress->setObjectName(QStringLiteral("run.progress"));
    m_progress->setAccessibleName(tr("Steps done"));
    m_progress->setMinimumWidth(150);
    m_progress->setMaximumWidth(300);
    m_phase = new ElidedLabel(this);
    m_phase->setObjectName(QStringLiteral("run.phase"));
    m_phase->setAccessibleName(tr("Phase"));
    layout->addWidget(m_name, 3);
    layout->addWidget(m_state);
    layout->addWidget(m_progress, 2);
    layout->addWidget(m_phase, 3);
    for (QAction* action : {follow, fit, pause, stop}) {
        auto* button = new QToolButton(this);
        button->setObjectName(action->objectName() + QStringLiteral("Button"));
        button->setAccessibleName(action->text());
        button->setDefaultAction(action);
        button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        button->setFocusPolicy(Qt::StrongFocus);
        button->setMinimumHeight(26);
        layout->addWidget(button);
    }
    refresh();
}

void RunHeader::refresh() {
    const std::optional<RunRow>& run = m_data->run();
    m_name->setFullText(run ? ui::shown(run->name) : tr("No run"));
    const RunState state = run ? run->state : RunState::Draft;
    m_state->setText(run ? ui::stateGlyph(state) + QLatin1Char(' ') + ui::stateText(state) : QString());
    const std::int64_t total = m_data->totalSteps();
    // The status row knows of steps whose rows are still being read; neither is ahead of what the engine committed.
    const std::int64_t step = std::max(m_data->newestStep(), m_data->status() ? m_data->status()->step : 0);
    m_progress->setVisible(run.has_value());
    m_progress->setRange(0, static_cast<int>(std::max<std::int64_t>(1, total)));
    m_progress->setValue(static_cast<int>(std::min(step, std::max<std::int64_t>(1, total))));
    m_progress->setFormat(total > 0 ? tr("step %1 of %2").arg(ui::count(step), ui::count(total)) : tr("step %1").arg(ui::count(step)));
    QString phase;
    if (run && m_data->status() && !isEnded(state)) {
        phase = ui::phaseText(m_data->status()->phase);
        const std::string& detail = m_data->status()->detail;
        if (!detail.empty()) phase += QStringLiteral(" · ") + ui::shown(detail);
    }
    m_phase->setFullText(phase);

    const bool resumes = state == RunState::Paused;
    const bool restarts = run && (state == RunState::Stopped || state == RunState::Failed || state == RunState::Lost);
    const bool asked = m_tuning->isAsked(QStringLiteral("pause")) || m_tuning->isAsked(QStringLiteral("resume")) ||
                       m_tuning->isAsked(QStringLiteral("restart"));
    if (m_tuning->isAsked(QStringLiteral("pause"))) m_pause->setText(tr("Pausing …"));
    else if (m_tuning->isAsked(QStringLiteral("resume")) || m_tuning->isAsked(QStringLiteral("restart"))) m_pause->setText(tr("Resuming …"));
    else m_pause->setText(resumes || restarts ? tr("Resume") : tr("Pause"));
    m_pause->setEnabled(run && !asked && (restarts || m_tuning->canTune()));
    m_pause->setToolTip(m_pause->isEnabled() || asked ? tr("%1 (F9)").arg(m_pause->text())
                                                     : tr("This run has ended: nothing to pause or resume"));
    const bool stopping = state == RunState::Stopping || m_tuning->isAsked(QStringLiteral("stop"));
    m_stop->setText(stopping ? tr("Stopping …") : tr("Stop"));
    m_stop->setEnabled(run && !stopping && !isEnded(state) && state != RunState::Draft);
    m_stop->setToolTip(m_stop->isEnabled() ? tr("Stop after this step, with a checkpoint (Shift+F9)") : tr("Nothing to stop"));
}

}  // namespace mofo
