#include "ui/widgets/run_page.h"

#include <QAction>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QSplitter>
#include <QStackedWidget>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/base/clock.h"
#include "ui/models/display_text.h"
#include "ui/widgets/chart_stack.h"
#include "ui/widgets/controls_panel.h"
#include "ui/widgets/effect_card.h"
#include "ui/widgets/loss_chart.h"
#include "ui/widgets/map_chart.h"
#include "ui/widgets/run_charts.h"
#include "ui/widgets/run_dialogs.h"
#include "ui/widgets/run_header.h"
#include "ui/widgets/run_tables.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/step_panel.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

constexpr double stalledSeconds = 30;

QScrollArea* scrolled(QWidget* content, const QString& objectName, const QString& accessibleName) {
    auto* area = new QScrollArea;
    area->setObjectName(objectName);
    area->setAccessibleName(accessibleName);
    area->setWidget(content);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setFocusPolicy(Qt::NoFocus);
    return area;
}

}  // namespace

RunPage::RunPage(WorkspaceSession* session, QWidget* parent)
    : QWidget(parent), m_session(session), m_data(session->run()), m_axis(new StepAxis(this)) {
    setObjectName(QStringLiteral("run"));
    setAccessibleName(tr("Run"));
    makeActions();
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    m_header =
        new RunHeader(&m_data, &session->tuning(), {m_follow, m_fit, m_pause, m_stop, m_stopNow, m_checkpoint, m_evaluate, m_rewind, m_branch}, this);
    m_message = new MessageBar(QStringLiteral("run.message"), this);
    m_hint = new MessageBar(QStringLiteral("run.hint"), this);
    layout->addWidget(m_header);
    layout->addWidget(m_message);
    layout->addWidget(m_hint);
    makeOffer();
    layout->addWidget(m_offer);

    m_controls = new ControlsPanel(session);
    m_step = new StepPanel(session, m_axis);
    m_controlsArea = scrolled(m_controls, QStringLiteral("run.controlsArea"), tr("Controls"));
    // Wide enough for its buttons beside the scroll bar.
    const int least = m_controls->minimumSizeHint().width() + style()->pixelMetric(QStyle::PM_ScrollBarExtent) + 6;
    m_controlsArea->setMinimumWidth(least);
    m_controlsArea->setMaximumWidth(std::max(textPixels(330), least));
    m_stepArea = scrolled(m_step, QStringLiteral("run.stepArea"), tr("At one step"));
    m_stepArea->setMinimumWidth(textPixels(262));
    m_centre = new QStackedWidget;
    m_centre->setObjectName(QStringLiteral("run.centre"));
    m_centre->addWidget(makeCharts());
    m_startingPage = makeStarting();
    m_centre->addWidget(m_startingPage);

    m_columns = new QSplitter(Qt::Horizontal);
    m_columns->setObjectName(QStringLiteral("run.columns"));
    m_columns->addWidget(m_controlsArea);
    m_columns->addWidget(m_centre);
    m_columns->addWidget(m_stepArea);
    m_columns->setStretchFactor(0, 0);
    m_columns->setStretchFactor(1, 1);
    m_columns->setStretchFactor(2, 0);
    m_columns->setCollapsible(1, false);
    m_rows = new QSplitter(Qt::Vertical, this);
    m_rows->setObjectName(QStringLiteral("run.rows"));
    m_rows->addWidget(m_columns);
    m_tables = new RunTables(session, m_axis);
    m_rows->addWidget(m_tables);
    m_rows->setStretchFactor(0, 1);
    m_rows->setStretchFactor(1, 0);
    m_rows->setCollapsible(0, false);
    layout->addWidget(m_rows, 1);
    m_toast = makeLabel(QStringLiteral("run.toast"), this);
    m_toast->setAccessibleName(tr("What was done"));
    m_toast->setContentsMargins(12, 4, 12, 4);
    m_toast->setWordWrap(true);
    m_toast->hide();
    m_toastTimer = new QTimer(this);
    m_toastTimer->setSingleShot(true);
    m_toastTimer->setInterval(8000);
    connect(m_toastTimer, &QTimer::timeout, m_toast, &QWidget::hide);
    layout->addWidget(m_toast);
    makeTools();

    connect(m_axis, &StepAxis::rangeChanged, this, &RunPage::drawSoon);
    connect(m_axis, &StepAxis::cursorChanged, this, &RunPage::drawSoon);
    connect(m_axis, &StepAxis::followingChanged, m_follow, &QAction::setChecked);
    connect(&m_data, &RunData::stepsChanged, this, &RunPage::drawSoon);
    connect(&m_data, &RunData::runChanged, this, &RunPage::drawSoon);
    connect(session, &WorkspaceSession::dataMoved, this, &RunPage::refresh);
    connect(&m_data, &RunData::checkpointsChanged, this, &RunPage::refreshMessages);
    connect(session, &WorkspaceSession::shownRunChanged, this, [this] {
        m_axis->reset();
        refresh();
    });
    connect(&session->tuning(), &TuningController::changed, this, [this] {
        m_header->refresh();
        refreshMessages();
        refreshOffer();
        m_learningRate->setStaged(m_session->tuning().stagedConfig());
    });
    connect(m_controls->whatIf(), &WhatIfCard::estimated, this, [this] { m_step->setEstimate(m_controls->whatIf()->estimate()); });
    connect(&session->tuning(), &TuningController::branchMade, this, [this](const QString& id, const QString& warnings) {
        const QString made = tr("The child run %1 is queued; it is listed below this run on page Runs.").arg(id);
        // What goes on in the place of a failed run is what one wants to see.
        if (m_data.run() && m_data.run()->state == RunState::Failed) m_session->showRun(id);
        say(warnings.isEmpty() ? made : made + QLatin1Char(' ') + warnings, false);
    });
    connect(m_charts, &ChartStack::said, this, &RunPage::say);
    connect(m_charts, &ChartStack::fullWanted, this, &RunPage::setFull);
    connect(m_tables, &RunTables::said, this, &RunPage::say);
    connect(m_message, &MessageBar::actionTriggered, this, [this] {
        const std::int64_t smaller = smallerMicroBatch();
        if (smaller > 0)
            m_session->tuning().resumeAsChild({QStringLiteral("micro_batch=%1").arg(smaller)});
        else
            m_pause->trigger();
    });
    refreshIcons();
    refresh();
}

void RunPage::makeActions() {
    const auto add = [this](const char* name, const QString& text, const QList<QKeySequence>& keys, std::vector<QAction*>& list) {
        auto* action = new QAction(text, this);
        action->setObjectName(QStringLiteral("run.") + QLatin1String(name));
        action->setShortcuts(keys);
        list.push_back(action);
        return action;
    };
    TuningController* tuning = &m_session->tuning();
    m_pause = add("pause", tr("Pause"), {Qt::Key_F9}, m_runActions);
    connect(m_pause, &QAction::triggered, tuning, &TuningController::pauseOrResume);
    m_stop = add("stop", tr("Stop"), {Qt::SHIFT | Qt::Key_F9}, m_runActions);
    connect(m_stop, &QAction::triggered, tuning, [tuning] { tuning->stop(true); });
    QAction* apply = add("applyAction", tr("Apply staged changes"), {Qt::CTRL | Qt::Key_Return, Qt::CTRL | Qt::Key_Enter}, m_runActions);
    connect(apply, &QAction::triggered, tuning, [tuning] { tuning->apply(); });
    connect(tuning, &TuningController::changed, apply, [apply, tuning] { apply->setEnabled(tuning->canApply()); });
    apply->setEnabled(false);
    QAction* applyAt = add("applyAtAction", tr("Apply staged changes at a step …"), {Qt::CTRL | Qt::SHIFT | Qt::Key_Return}, m_runActions);
    connect(applyAt, &QAction::triggered, this, [this] { m_controls->askForStep(); });
    connect(tuning, &TuningController::changed, applyAt, [applyAt, tuning] { applyAt->setEnabled(tuning->canApply()); });
    applyAt->setEnabled(false);
    QAction* undoAction = add("undo", tr("Undo the newest change"), {QKeySequence::Undo}, m_runActions);
    connect(undoAction, &QAction::triggered, this, &RunPage::undo);
    m_checkpoint = add("checkpoint", tr("Checkpoint"), {Qt::CTRL | Qt::Key_S}, m_runActions);
    connect(m_checkpoint, &QAction::triggered, tuning, &TuningController::checkpoint);
    m_evaluate = add("evaluate", tr("Probe now"), {Qt::Key_F8}, m_runActions);
    connect(m_evaluate, &QAction::triggered, tuning, &TuningController::evaluate);
    m_rewind = add("rewind", tr("Undo to …"), {Qt::CTRL | Qt::ALT | Qt::Key_Z}, m_runActions);
    connect(m_rewind, &QAction::triggered, this, [this] { (new RewindDialog(m_session, this))->show(); });
    m_branch = add("branch", tr("Branch"), {Qt::CTRL | Qt::Key_B}, m_runActions);
    connect(m_branch, &QAction::triggered, this, [this] {
        const double step = m_axis->cursor().value_or(static_cast<double>(m_data.newestStep()));
        (new BranchDialog(m_session, static_cast<std::int64_t>(step), this))->show();
    });
    m_stopNow = add("stopNow", tr("Stop without saving"), {}, m_runActions);
    connect(m_stopNow, &QAction::triggered, tuning, [tuning] { tuning->stop(false); });
    QAction* down = add("alphaDown", tr("Lower alpha (stages)"), {Qt::CTRL | Qt::Key_BracketLeft}, m_runActions);
    connect(down, &QAction::triggered, this, [this] { m_controls->nudgeAlpha(-1); });
    QAction* up = add("alphaUp", tr("Raise alpha (stages)"), {Qt::CTRL | Qt::Key_BracketRight}, m_runActions);
    connect(up, &QAction::triggered, this, [this] { m_controls->nudgeAlpha(1); });

    m_follow = add("follow", tr("Follow"), {}, m_chartActions);
    m_follow->setCheckable(true);
    m_follow->setChecked(true);
    m_follow->setToolTip(tr("Keep the newest step in view (F in a chart)"));
    connect(m_follow, &QAction::toggled, m_axis, &StepAxis::setFollowing);
    m_fit = add("fit", tr("Fit"), {}, m_chartActions);
    m_fit->setToolTip(tr("Show the whole run (0 in a chart)"));
    connect(m_fit, &QAction::triggered, m_axis, &StepAxis::fit);
    m_full = add("full", tr("This chart alone"), {Qt::Key_F11}, m_chartActions);
    m_full->setCheckable(true);
    connect(m_full, &QAction::triggered, this, [this](bool on) { setFull(on ? focusedChart() : nullptr); });

    const std::array<std::pair<QString, QKeySequence>, 3> panels{
        std::pair{tr("Controls"), QKeySequence(Qt::CTRL | Qt::Key_Backslash)},
        std::pair{tr("Bottom panel"), QKeySequence(Qt::CTRL | Qt::Key_J)},
        std::pair{tr("Step panel"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_J)},
    };
    for (std::size_t i = 0; i < panels.size(); ++i) {
        m_toggles[i] = new QAction(panels[i].first, this);
        m_toggles[i]->setObjectName(QStringLiteral("run.panel%1").arg(i));
        m_toggles[i]->setShortcut(panels[i].second);
        m_toggles[i]->setCheckable(true);
        m_toggles[i]->setChecked(true);
        connect(m_toggles[i], &QAction::toggled, this, [this, i](bool on) {
            QWidget* const widgets[] = {m_controlsArea, m_tables, m_stepArea};
            widgets[i]->setVisible(on);
        });
    }
}

QWidget* RunPage::makeCharts() {
    m_charts = new ChartStack(QStringLiteral("run.charts"));
    m_mapRows = new MapRows(&m_data, this);
    m_loss = new LossChart(QStringLiteral("run.loss"), &m_data, m_axis);
    m_selection = new MapChart(QStringLiteral("run.selection"), MapMeasure::MovedShare, m_mapRows, &m_data, m_axis);
    m_drift = new MapChart(QStringLiteral("run.drift"), MapMeasure::RelativeL2, m_mapRows, &m_data, m_axis);
    m_learningRate = new LearningRateChart(&m_data, m_axis);
    m_charts->add(m_loss, 5, true);
    m_charts->add(m_learningRate, 3, false);
    m_charts->add(makeGradientChart(&m_data, m_axis), 3, false);
    m_charts->add(m_selection, 4, true);
    m_charts->add(makeThresholdChart(&m_data, m_axis), 3, false);
    m_charts->add(makeChurnChart(&m_data, m_axis), 3, false);
    m_charts->add(m_drift, 4, true);
    m_charts->add(makeDriftLines(&m_data, m_axis), 3, false);
    m_charts->add(new AlphaStrip(&m_data, m_axis), 0, true);
    return m_charts;
}

QWidget* RunPage::makeStarting() {
    auto* page = new QWidget;
    page->setObjectName(QStringLiteral("run.starting"));
    auto* layout = new QVBoxLayout(page);
    layout->addStretch(2);
    m_startingText = makeLabel(QStringLiteral("run.starting.text"), page);
    m_startingText->setAlignment(Qt::AlignCenter);
    QFont big = m_startingText->font();
    big.setPointSizeF(big.pointSizeF() * 1.4);
    m_startingText->setFont(big);
    m_startingText->setWordWrap(true);
    m_startingProgress = new QProgressBar(page);
    m_startingProgress->setObjectName(QStringLiteral("run.starting.progress"));
    m_startingProgress->setAccessibleName(tr("Progress of the phase"));
    m_startingProgress->setMaximumWidth(textPixels(360));
    m_startingProgress->setRange(0, 1000);
    m_startingProgress->setTextVisible(false);
    m_startingDetail = makeLabel(QStringLiteral("run.starting.detail"), page);
    m_startingDetail->setAlignment(Qt::AlignCenter);
    m_startingDetail->setWordWrap(true);
    layout->addWidget(m_startingText);
    layout->addSpacing(8);
    layout->addWidget(m_startingProgress, 0, Qt::AlignHCenter);
    m_startingProgress->setMinimumWidth(300);
    layout->addWidget(m_startingDetail);
    layout->addStretch(3);
    return page;
}

void RunPage::makeTools() {
    auto* unit = new QComboBox(this);
    unit->setObjectName(QStringLiteral("run.xUnit"));
    unit->setAccessibleName(tr("What the x axis counts"));
    unit->setToolTip(tr("What the x axis of all charts counts"));
    unit->addItems({tr("x: step"), tr("x: epoch"), tr("x: tokens"), tr("x: time")});
    new WheelGuard(unit);
    connect(unit, &QComboBox::activated, this, [this](int index) {
        const auto chosen = static_cast<StepUnit>(index);
        m_axis->setUnit(chosen, &m_data.series().scale(chosen));
    });
    m_header->addTool(unit);
    auto* charts = new QToolButton(this);
    charts->setObjectName(QStringLiteral("run.chooseCharts"));
    charts->setAccessibleName(tr("Which charts are shown"));
    charts->setText(tr("Charts"));
    charts->setToolTip(tr("Which charts are shown"));
    charts->setIcon(themedIcon(QStringLiteral("charts"), palette()));
    charts->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    charts->setPopupMode(QToolButton::InstantPopup);
    charts->setAutoRaise(true);
    charts->setFocusPolicy(Qt::StrongFocus);
    charts->setMinimumHeight(26);
    auto* menu = new QMenu(charts);
    for (QAction* choice : m_charts->choices()) {
        menu->addAction(choice);
        m_chartActions.push_back(choice);
    }
    charts->setMenu(menu);
    m_header->addTool(charts);
}

void RunPage::makeOffer() {
    m_offer = new QFrame(this);
    m_offer->setObjectName(QStringLiteral("run.offer"));
    m_offer->setFrameShape(QFrame::StyledPanel);
    auto* layout = new QHBoxLayout(m_offer);
    layout->setContentsMargins(12, 4, 8, 4);
    m_offerText = makeLabel(QStringLiteral("run.offer.text"), m_offer);
    m_offerText->setWordWrap(true);
    const auto button = [&](const char* name, auto&& act) {
        auto* made = new QPushButton(m_offer);
        made->setObjectName(QStringLiteral("run.offer.") + QLatin1String(name));
        made->setAccessibleName(tr("Take back the change"));
        connect(made, &QPushButton::clicked, this, act);
        return made;
    };
    TuningController* tuning = &m_session->tuning();
    m_offerBack = button("setBack", [tuning] { tuning->setBack(); });
    m_offerRewind = button("rewind", [tuning] {
        if (const std::optional<std::int64_t> step = tuning->rewindStep()) tuning->rewind(*step);
    });
    QPushButton* close = button("close", [tuning] { tuning->dismissOffer(); });
    close->setText(tr("Keep it"));
    close->setAccessibleName(tr("Keep the change"));
    layout->addWidget(m_offerText, 1);
    layout->addWidget(m_offerBack);
    layout->addWidget(m_offerRewind);
    layout->addWidget(close);
    m_offer->hide();
}

void RunPage::refreshOffer() {
    const AppliedChange* offered = m_session->tuning().offered();
    m_offer->setVisible(offered != nullptr);
    if (offered == nullptr) return;
    QStringList what, back;
    for (const auto& [key, value] : offered->values) {
        const auto before = offered->before.find(key);
        const QString old = before != offered->before.end() ? ui::valueText(key, before->second) : QString();
        what << tr("%1 went %2 → %3", "config key, old and new value").arg(ui::shown(key), old, ui::valueText(key, value));
        back << old;
    }
    m_offerText->setText(tr("%1 at step %2.").arg(what.join(QStringLiteral(", ")), ui::count(offered->step)));
    m_offer->setAccessibleName(m_offerText->text());
    m_offerBack->setText(tr("Set back to %1, from the next step").arg(back.join(QStringLiteral(", "))));
    m_offerBack->setAccessibleName(m_offerBack->text());
    const std::optional<std::int64_t> step = m_session->tuning().rewindStep();
    m_offerRewind->setEnabled(step.has_value());
    m_offerRewind->setText(step ? tr("Rewind to %1").arg(ui::count(*step)) : tr("No checkpoint before it"));
    m_offerRewind->setAccessibleName(m_offerRewind->text());
}

void RunPage::undo() {
    if (!m_session->tuning().undo()) say(tr("There is no live change to take back."), false);
}

void RunPage::say(const QString& sentence, bool isError) {
    m_toast->setText((isError ? QStringLiteral("✗ ") : QStringLiteral("✓ ")) + sentence);
    QPalette colours = palette();
    colours.setColor(QPalette::WindowText, isError ? Theme::current().error : Theme::current().ink);
    m_toast->setPalette(colours);
    m_toast->show();
    m_toastTimer->start();
}

ChartView* RunPage::focusedChart() const {
    for (ChartView* chart : m_charts->charts()) {
        if (chart->isVisible() && (chart->hasFocus() || chart->isAncestorOf(focusWidget()))) return chart;
    }
    return m_loss;
}

void RunPage::setFull(ChartView* chart) {
    // The same again brings the others back.
    if (chart == m_charts->alone()) chart = nullptr;
    m_charts->setAlone(chart);
    m_full->setChecked(chart != nullptr);
    QWidget* const others[] = {m_controlsArea, m_tables, m_stepArea};
    for (std::size_t i = 0; i < 3; ++i) others[i]->setVisible(chart == nullptr && m_toggles[i]->isChecked());
    if (chart != nullptr) chart->setFocus(Qt::OtherFocusReason);
}

void RunPage::showTensor(const QString& name) {
    m_toggles[1]->setChecked(true);
    m_tables->showTensor(name);
}

void RunPage::drawSoon() {
    if (m_drawQueued) return;
    m_drawQueued = true;
    QTimer::singleShot(0, this, [this] {
        m_drawQueued = false;
        refresh();
    });
}

void RunPage::refresh() {
    m_axis->setExtent(m_data.newestStep(), m_data.totalSteps());
    m_header->refresh();
    refreshMessages();
    refreshStarting();
    m_charts->drawIfNeeded();
    if (m_step->isVisible()) m_step->refresh();
    m_tables->drawIfNeeded();
    m_tables->refreshTensors();
}

std::int64_t RunPage::smallerMicroBatch() const {
    const std::optional<RunRow>& run = m_data.run();
    if (!run || run->state != RunState::Failed || m_session->tuning().resumable().empty()) return 0;
    if (run->endReason.find("out of memory") == std::string::npos && run->endReason.find("out of device memory") == std::string::npos) return 0;
    return effectiveMicroBatch(run->config) / 2;
}

QString RunPage::whatResumeDoes() const {
    const std::vector<CheckpointRow> checkpoints = m_session->tuning().resumable();
    return checkpoints.empty() ? tr("There is no checkpoint: Resume starts again, with the changes at their steps.")
                               : tr("Resume goes on from checkpoint %1.").arg(ui::count(checkpoints.back().step));
}

void RunPage::refreshMessages() {
    const std::optional<RunRow>& run = m_data.run();
    const QString resume = tr("Resume");
    if (!m_data.problem().isEmpty()) {
        m_message->setMessage(MessageBar::Kind::Error, m_data.problem());
    } else if (run && run->state == RunState::Lost) {
        const QString step = ui::count(m_data.newestStep());
        const QString what = run->endReason.empty() ? tr("The engine of this run ended without saying so at step %1.").arg(step)
                                                    : tr("Lost at step %1: %2.").arg(step, ui::shown(run->endReason));
        m_message->setMessage(MessageBar::Kind::Error, what + QLatin1Char(' ') + whatResumeDoes(), resume);
    } else if (run && run->state == RunState::Failed) {
        const QString reason = run->endReason.empty() ? tr("no reason was given") : ui::shown(run->endReason);
        QString text = tr("This run failed at step %1: %2").arg(ui::count(m_data.newestStep()), reason);
        const std::vector<CheckpointRow> checkpoints = m_session->tuning().resumable();
        text += QLatin1Char(' ') + (checkpoints.empty() ? tr("There is no checkpoint to go on from.")
                                                        : tr("Nothing after checkpoint %1 is kept.").arg(ui::count(checkpoints.back().step)));
        // Where memory ran out the same again would fail again.
        if (smallerMicroBatch() > 0)
            m_message->setMessage(MessageBar::Kind::Error, text, tr("Go on with micro-batch %1").arg(smallerMicroBatch()));
        else
            m_message->setMessage(MessageBar::Kind::Error, text, resume);
    } else if (run && run->state == RunState::Stopped) {
        m_message->setMessage(MessageBar::Kind::Warning,
                              tr("This run was stopped at step %1.").arg(ui::count(m_data.newestStep())) + QLatin1Char(' ') + whatResumeDoes(),
                              resume);
    } else if (run && !isEnded(run->state) && m_data.status() && m_data.status()->bootId == bootId() && m_data.status()->heartbeatBootNs > 0 &&
               static_cast<double>(bootNs() - m_data.status()->heartbeatBootNs) * 1e-9 > stalledSeconds) {
        const double silence = static_cast<double>(bootNs() - m_data.status()->heartbeatBootNs) * 1e-9;
        m_message->setMessage(
            MessageBar::Kind::Warning,
            tr("No news from the engine for %1. It may be busy or stopped; changes wait until it answers.").arg(ui::duration(silence)));
    } else {
        m_message->setMessage(MessageBar::Kind::Warning, QString());
    }
    const bool invites = m_session->tuning().invitesTuning();
    m_hint->setMessage(MessageBar::Kind::Hint,
                       invites ? tr("Turn alpha now: drag the dial or press Ctrl+[ / Ctrl+], then Apply (Ctrl+Return).") : QString());
}

void RunPage::refreshStarting() {
    const std::optional<RunRow>& run = m_data.run();
    const bool waits = m_data.steps().empty() && (!run || !isEnded(run->state));
    QWidget* const wanted = waits ? m_startingPage : m_centre->widget(0);
    if (m_centre->currentWidget() != wanted) m_centre->setCurrentWidget(wanted);
    if (!waits) return;
    QString text, detail;
    double progress = -1;
    if (!run) {
        text = m_session->shownRun().isEmpty() ? tr("No run is shown. Choose one on page Runs (Ctrl+1).") : tr("Reading the run …");
    } else if (run->state == RunState::Queued) {
        text = tr("Queued: starts when the device is free.");
    } else if (m_data.status()) {
        text = tr("starting: %1 …", "phase").arg(ui::phaseText(m_data.status()->phase));
        detail = ui::shown(m_data.status()->detail);
        progress = m_data.status()->progress;
    } else {
        text = tr("starting: the engine has not reported yet …");
    }
    m_startingText->setText(text);
    m_startingDetail->setText(detail);
    m_startingProgress->setVisible(progress >= 0);
    m_startingProgress->setValue(static_cast<int>(progress * 1000));
}

void RunPage::tick() {
    if (isVisible()) refreshMessages();
}

void RunPage::cyclePane(int direction) {
    QWidget* const panes[] = {m_controls->findChild<AlphaDial*>(), m_loss, m_selection, m_drift, m_tables->currentWidget()};
    constexpr int count = 5;
    int present = -1;
    for (int i = 0; i < count; ++i) {
        QWidget* focus = focusWidget();
        if (focus != nullptr && (panes[i] == focus || panes[i]->isAncestorOf(focus) || (i == 0 && m_controls->isAncestorOf(focus)))) present = i;
    }
    for (int i = 1; i <= count; ++i) {
        const int next = present < 0 ? (direction > 0 ? i - 1 : count - i) : ((present + direction * i) % count + count) % count;
        if (!panes[next]->isVisible() || !panes[next]->isEnabled()) continue;
        panes[next]->setFocus(Qt::OtherFocusReason);
        return;
    }
}

void RunPage::saveLayout(QSettings& settings) const {
    settings.setValue(QStringLiteral("run/columns"), m_columns->saveState());
    settings.setValue(QStringLiteral("run/rows"), m_rows->saveState());
    m_charts->saveLayout(settings);
}

void RunPage::restoreLayout(QSettings& settings) {
    const bool columns = m_columns->restoreState(settings.value(QStringLiteral("run/columns")).toByteArray());
    const bool rows = m_rows->restoreState(settings.value(QStringLiteral("run/rows")).toByteArray());
    m_layoutKept = columns && rows;
    m_charts->restoreLayout(settings);
}

void RunPage::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    if (m_layoutKept || width() < 400) return;
    // First sizes: the charts get what the sides can spare.
    const int controls = std::clamp(width() / 6, 226, 250);
    const int step = std::clamp(width() / 5, 262, 300);
    m_columns->setSizes({controls, width() - controls - step, step});
    const int tables = std::clamp(height() / 5, 96, 190);
    m_rows->setSizes({height() - tables, tables});
}

void RunPage::refreshIcons() {
    m_pause->setIcon(themedIcon(QStringLiteral("pause"), palette()));
    m_stop->setIcon(themedIcon(QStringLiteral("stop"), palette()));
    m_follow->setIcon(themedIcon(QStringLiteral("follow"), palette()));
    m_fit->setIcon(themedIcon(QStringLiteral("fit"), palette()));
    m_checkpoint->setIcon(themedIcon(QStringLiteral("checkpoint"), palette()));
    m_evaluate->setIcon(themedIcon(QStringLiteral("probe"), palette()));
    m_rewind->setIcon(themedIcon(QStringLiteral("undo"), palette()));
    m_branch->setIcon(themedIcon(QStringLiteral("branch"), palette()));
}

void RunPage::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::ApplicationPaletteChange) {
        refreshIcons();
        drawSoon();
    }
}

}  // namespace mofo
