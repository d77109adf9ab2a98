#include "ui/widgets/run_header.h"

#include <QAction>
#include <QHBoxLayout>
#include <QProgressBar>
#include <QToolButton>
#include <cmath>

#include "ui/models/display_text.h"
#include "ui/widgets/small_widgets.h"

namespace mofo {

RunHeader::RunHeader(const RunData* data, TuningController* tuning, const Acts& acts, QWidget* parent)
    : QWidget(parent), m_data(data), m_tuning(tuning), m_acts(acts) {
    setObjectName(QStringLiteral("run.header"));
    setAccessibleName(tr("The run on screen"));
    m_layout = new QHBoxLayout(this);
    m_layout->setContentsMargins(10, 5, 8, 5);
    m_layout->setSpacing(6);
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
    m_progress->setMaximumWidth(textPixels(240));
    m_phase = new ElidedLabel(this);
    m_phase->setObjectName(QStringLiteral("run.phase"));
    m_phase->setAccessibleName(tr("Phase"));
    m_name->setMinimumWidth(110);
    m_layout->addWidget(m_name, 4);
    m_layout->addWidget(m_state);
    m_layout->addSpacing(4);
    m_layout->addWidget(m_progress, 2);
    m_layout->addSpacing(4);
    m_layout->addWidget(m_phase, 5);
    m_toolPlace = m_layout->count();
    // What acts on the run stands in the window's tool bar; here is what acts on the charts.
    for (QAction* action : {acts.follow, acts.fit}) {
        auto* button = new QToolButton(this);
        button->setObjectName(action->objectName() + QStringLiteral("Button"));
        button->setAccessibleName(action->text());
        button->setDefaultAction(action);
        button->setFocusPolicy(Qt::StrongFocus);
        button->setMinimumHeight(26);
        button->setAutoRaise(true);
        m_buttons.push_back(button);
        m_layout->addWidget(button);
    }
    refresh();
}

void RunHeader::addTool(QWidget* widget) { m_layout->insertWidget(m_toolPlace++, widget); }

void RunHeader::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    // Where there is no room for words, the pictures speak; their tips name them.
    const bool roomy = width() > 1080;
    for (QToolButton* button : m_buttons) button->setToolButtonStyle(roomy ? Qt::ToolButtonTextBesideIcon : Qt::ToolButtonIconOnly);
}

QString RunHeader::phaseText() const {
    const std::optional<RunRow>& run = m_data->run();
    if (!run) return {};
    QStringList parts;
    const StepRow* newest = m_data->steps().empty() ? nullptr : &m_data->steps().back();
    if (newest != nullptr && newest->epoch > 0) {
        const QString epoch = QLocale().toString(newest->epoch, 'f', 2);
        parts << (run->config.steps == 0 && run->config.epochs > 0 ? tr("epoch %1 of %2").arg(epoch, QLocale().toString(run->config.epochs, 'g', 4))
                                                                   : tr("epoch %1").arg(epoch));
    }
    if (m_data->status() && !isEnded(run->state)) {
        QString phase = ui::phaseText(m_data->status()->phase);
        if (!m_data->status()->detail.empty()) phase += QStringLiteral(", ") + ui::shown(m_data->status()->detail);
        parts << phase;
    }
    const EvalRow* best = nullptr;
    for (const EvalRow& row : m_data->evals()) {
        if (std::isfinite(row.loss) && (best == nullptr || row.loss < best->loss)) best = &row;
    }
    if (best != nullptr) parts << tr("best held out %1 @%2").arg(ui::fourDigits(best->loss), ui::count(best->step));
    if (!run->parentId.empty() || !run->notExact.empty()) {
        parts << (run->notExact.empty() ? tr("exact") : tr("not exact: %1").arg(ui::shown(run->notExact)));
    }
    return parts.join(QStringLiteral(" · "));
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
    m_phase->setFullText(phaseText());

    const bool resumes = state == RunState::Paused;
    const bool restarts = run && (state == RunState::Stopped || state == RunState::Failed || state == RunState::Lost);
    const auto isAsked = [this](const char* kind) { return m_tuning->isAsked(QLatin1String(kind)); };
    const bool asked = isAsked("pause") || isAsked("resume") || isAsked("restart");
    QAction* pause = m_acts.pause;
    if (isAsked("pause"))
        pause->setText(tr("Pausing …"));
    else if (isAsked("resume") || isAsked("restart"))
        pause->setText(tr("Resuming …"));
    else
        pause->setText(resumes || restarts ? tr("Resume") : tr("Pause"));
    const bool changes = run && !m_tuning->isRecording();
    pause->setEnabled(changes && !asked && (restarts || m_tuning->canTune()));
    pause->setToolTip(pause->isEnabled() || asked ? tr("%1 (F9)").arg(pause->text()) : tr("This run has ended: nothing to pause or resume"));
    const bool stopping = state == RunState::Stopping || isAsked("stop");
    const bool canStop = run && !stopping && !isEnded(state) && state != RunState::Draft;
    m_acts.stop->setText(stopping ? tr("Stopping …") : tr("Stop"));
    m_acts.stop->setEnabled(canStop);
    m_acts.stop->setToolTip(canStop ? tr("Stop after this step, with a checkpoint (Shift+F9)") : tr("Nothing to stop"));
    m_acts.stopNow->setEnabled(canStop);

    const bool live = m_tuning->isLive();
    const QString ended = tr("No engine is at work on this run");
    m_acts.checkpoint->setEnabled(live && !isAsked("checkpoint"));
    m_acts.checkpoint->setToolTip(
        live ? (isAsked("checkpoint") ? tr("A checkpoint is on its way") : tr("Write a checkpoint after this step (Ctrl+S)")) : ended);
    m_acts.evaluate->setEnabled(live && !isAsked("evaluate"));
    m_acts.evaluate->setToolTip(
        live ? (isAsked("evaluate") ? tr("An evaluation is on its way") : tr("Measure the held-out rows after this step (F8)")) : ended);
    m_acts.rewind->setEnabled(changes && !m_data->steps().empty() && !isAsked("undo"));
    m_acts.rewind->setToolTip(tr("Go back to a checkpoint (Ctrl+Alt+Z)"));
    m_acts.branch->setEnabled(changes && !m_data->steps().empty() && !isAsked("branch"));
    m_acts.branch->setToolTip(tr("Start a child run from a checkpoint (Ctrl+B)"));
}

}  // namespace mofo
