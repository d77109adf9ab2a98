#include "ui/widgets/controls_panel.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/base/text.h"
#include "ui/models/display_text.h"
#include "ui/widgets/effect_card.h"
#include "ui/widgets/key_row.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"
#include "ui/widgets/wrapped_height.h"

namespace mofo {

namespace {

const std::string alphaKey = "alpha";
const std::string granularityKey = "granularity";

/// The number of a granularity such as block:4096, or what is usual.
std::int64_t numberOf(const std::string& text, const QString& kind) {
    const Result<Granularity> parsed = Granularity::parse(text);
    if (parsed.ok() && parsed->n > 0 && text.starts_with(kind.toStdString())) return parsed->n;
    return kind == QLatin1String("block") ? 4096 : 4;
}

bool takesNumber(const QString& kind) { return kind == QLatin1String("block") || kind == QLatin1String("shards"); }

}  // namespace

ControlsPanel::ControlsPanel(WorkspaceSession* session, QWidget* parent) : QWidget(parent), m_data(&session->run()), m_tuning(&session->tuning()) {
    setObjectName(QStringLiteral("run.controls"));
    setAccessibleName(tr("Controls"));
    setMinimumWidth(214);
    setMaximumWidth(textPixels(320));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(5);
    layout->addWidget(makeAlpha());
    layout->addWidget(makeGranularity());
    auto* lr = new KeyRow(*findKey("lr"), m_data, m_tuning, this);
    m_rows.push_back(lr);
    layout->addWidget(lr);
    m_whatIf = new WhatIfCard(session, this);
    layout->addWidget(m_whatIf);
    layout->addWidget(makeApply());
    m_effect = new EffectCard(session, this);
    layout->addWidget(m_effect);
    QWidget* guards = nullptr;
    std::vector<std::string> guardNames;
    for (const GuardKeys& guard : guardKeys()) {
        guardNames.emplace_back(guard.key);
        guardNames.emplace_back(guard.actionKey);
    }
    guardNames.emplace_back("guard_action");
    m_guardsFold = makeFold(QStringLiteral("run.guards"), tr("Guard rails"), guardNames, guards);
    layout->addWidget(m_guardsFold);
    layout->addWidget(guards);
    QWidget* more = nullptr;
    QToolButton* moreFold =
        makeFold(QStringLiteral("run.more"), tr("More"),
                 {"rule", "clip", "l1", "l2", "alpha.attention", "alpha.mlp", "alpha.embedding", "alpha.head", "eval_every", "stats_every",
                  "checkpoint_every", "checkpoint_minutes", "keep", "early_stop", "probe_every", "probe_minutes", "probe_budget"},
                 more);
    layout->addWidget(moreFold);
    layout->addWidget(more);
    layout->addStretch(1);
    new WrappedHeight(this);
    connect(m_tuning, &TuningController::changed, this, &ControlsPanel::refresh);
    m_seconds = new QTimer(this);
    m_seconds->setInterval(500);
    connect(m_seconds, &QTimer::timeout, this, &ControlsPanel::refresh);
    refresh();
}

QWidget* ControlsPanel::makeAlpha() {
    auto* box = new QWidget(this);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 4);
    layout->setSpacing(4);
    auto* heading = makeHeading(tr("α: share that may move"), box);
    m_dial = new AlphaDial(box);
    m_dial->setObjectName(QStringLiteral("run.alphaDial"));
    m_dial->setAccessibleName(tr("Alpha"));
    m_dial->setToolTip(tr("Drag, or press the arrow keys: this stages a value, Apply sends it. The tinted band, 5 to 20 %, is advised."));
    m_spin = new QDoubleSpinBox(box);
    m_spin->setObjectName(QStringLiteral("run.alphaSpin"));
    m_spin->setAccessibleName(tr("Alpha in percent"));
    m_spin->setRange(0.1, 100);
    m_spin->setDecimals(2);
    m_spin->setSingleStep(1);
    m_spin->setSuffix(tr(" %"));
    m_spin->setAlignment(Qt::AlignRight);
    m_spin->setKeyboardTracking(false);
    new WheelGuard(m_spin);
    heading->setBuddy(m_spin);
    m_alphaState = makeLabel(QStringLiteral("run.alphaState"), box);
    m_alphaState->setAccessibleName(tr("State of alpha"));
    m_alphaState->setWordWrap(true);
    m_moves = makeLabel(QStringLiteral("run.alphaMoves"), box);
    m_moves->setWordWrap(true);
    for (QWidget* widget : {static_cast<QWidget*>(heading), static_cast<QWidget*>(m_dial), static_cast<QWidget*>(m_spin),
                            static_cast<QWidget*>(m_alphaState), static_cast<QWidget*>(m_moves)}) {
        layout->addWidget(widget);
    }
    connect(m_dial, &AlphaDial::alphaStaged, this, [this](double alpha) { m_tuning->stage(alphaKey, formatShortest(alpha)); });
    connect(m_dial, &AlphaDial::discardWanted, this, [this] { m_tuning->discard(alphaKey); });
    connect(m_spin, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        // Through decimal text: 15 / 100 must become 0.15 and nothing near it.
        if (!m_refreshing) m_tuning->stage(alphaKey, formatShortest(QString::number(value / 100, 'f', 5).toDouble()));
    });
    return box;
}

QWidget* ControlsPanel::makeGranularity() {
    auto* box = new QWidget(this);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 2);
    layout->setSpacing(3);
    auto* heading = makeHeading(tr("Granularity"), box);
    m_granularity = new QComboBox(box);
    m_granularity->setObjectName(QStringLiteral("run.granularity"));
    m_granularity->setAccessibleName(tr("Granularity"));
    const std::pair<const char*, QString> kinds[] = {
        {"model", tr("all filtered tensors compete")},
        {"layer", tr("the tensors of one layer compete")},
        {"module", tr("attention and MLP of one layer apart")},
        {"tensor", tr("each tensor by itself, as in the paper")},
        {"head", tr("each attention head; other tensors as they are")},
        {"row", tr("each output row")},
        {"block", tr("N coordinates in a row")},
        {"shards", tr("each tensor in S equal parts")},
    };
    for (const auto& [name, help] : kinds) {
        m_granularity->addItem(ui::granularityText(name), QString::fromLatin1(name));
        m_granularity->setItemData(m_granularity->count() - 1, help, Qt::ToolTipRole);
    }
    new WheelGuard(m_granularity);
    heading->setBuddy(m_granularity);
    m_granularityN = new QSpinBox(box);
    m_granularityN->setObjectName(QStringLiteral("run.granularityNumber"));
    m_granularityN->setAccessibleName(tr("N of the granularity"));
    m_granularityN->setKeyboardTracking(false);
    new WheelGuard(m_granularityN);
    m_granularityState = makeLabel(QStringLiteral("run.granularityState"), box);
    m_granularityState->setAccessibleName(tr("State of the granularity"));
    m_granularityState->setWordWrap(true);
    auto* row = new QHBoxLayout;
    row->addWidget(m_granularity, 3);
    row->addWidget(m_granularityN, 2);
    layout->addWidget(heading);
    layout->addLayout(row);
    layout->addWidget(m_granularityState);
    connect(m_granularity, &QComboBox::activated, this, &ControlsPanel::stageGranularity);
    connect(m_granularityN, &QSpinBox::valueChanged, this, [this] {
        if (!m_refreshing) stageGranularity();
    });
    return box;
}

void ControlsPanel::stageGranularity() {
    const QString kind = m_granularity->currentData().toString();
    std::string text = kind.toStdString();
    if (takesNumber(kind)) {
        const bool shown = !m_granularityN->isHidden() && m_granularityN->property("kind").toString() == kind;
        text += ':' + std::to_string(shown ? m_granularityN->value() : numberOf(std::string(), kind));
    }
    m_tuning->stage(granularityKey, text);
}

QWidget* ControlsPanel::makeApply() {
    auto* box = new QWidget(this);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(0, 4, 0, 4);
    layout->setSpacing(4);
    m_stagedCount = makeLabel(QStringLiteral("run.stagedCount"), box);
    m_stagedCount->setAccessibleName(tr("Staged changes"));
    m_stagedCount->setWordWrap(true);
    m_apply = new QPushButton(tr("Apply"), box);
    m_apply->setObjectName(QStringLiteral("run.apply"));
    m_apply->setAccessibleName(tr("Apply the staged changes"));
    m_apply->setToolTip(tr("Sends all staged changes as one command; they take effect at one step (Ctrl+Return)"));
    m_applyAt = new QToolButton(box);
    m_applyAt->setObjectName(QStringLiteral("run.applyAt"));
    m_applyAt->setAccessibleName(tr("Apply at a step"));
    m_applyAt->setText(tr("at…"));
    m_applyAt->setToolTip(tr("Apply at a step that you name"));
    m_applyAt->setMinimumHeight(24);
    m_discard = new QPushButton(tr("Discard"), box);
    m_discard->setObjectName(QStringLiteral("run.discard"));
    m_discard->setAccessibleName(tr("Discard the staged changes"));
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_apply, 1);
    buttons->addWidget(m_applyAt);
    buttons->addWidget(m_discard, 1);
    m_stepRow = new QWidget(box);
    auto* stepLayout = new QHBoxLayout(m_stepRow);
    stepLayout->setContentsMargins(0, 0, 0, 0);
    m_stepSpin = new QSpinBox(m_stepRow);
    m_stepSpin->setObjectName(QStringLiteral("run.applyStep"));
    m_stepSpin->setAccessibleName(tr("Step at which the staged changes take effect"));
    m_stepSpin->setPrefix(tr("step "));
    m_stepSpin->setGroupSeparatorShown(true);
    new WheelGuard(m_stepSpin);
    auto* send = new QPushButton(tr("Apply then"), m_stepRow);
    send->setObjectName(QStringLiteral("run.applyThen"));
    send->setAccessibleName(tr("Apply the staged changes at that step"));
    stepLayout->addWidget(m_stepSpin, 1);
    stepLayout->addWidget(send);
    m_stepRow->hide();
    m_problem = makeLabel(QStringLiteral("run.sendProblem"), box);
    m_problem->setAccessibleName(tr("Why nothing was sent"));
    m_problem->setWordWrap(true);
    layout->addWidget(m_stagedCount);
    layout->addLayout(buttons);
    layout->addWidget(m_stepRow);
    layout->addWidget(m_problem);
    connect(m_apply, &QPushButton::clicked, m_tuning, [this] { m_tuning->apply(); });
    connect(m_discard, &QPushButton::clicked, m_tuning, &TuningController::discardAll);
    connect(m_applyAt, &QToolButton::clicked, this, &ControlsPanel::askForStep);
    connect(send, &QPushButton::clicked, this, [this] {
        m_stepSpin->interpretText();
        m_tuning->apply(m_stepSpin->value());
        m_stepRow->hide();
    });
    return box;
}

QToolButton* ControlsPanel::makeFold(const QString& objectName, const QString& title, const std::vector<std::string>& keys, QWidget*& body) {
    auto* fold = new QToolButton(this);
    fold->setObjectName(objectName + QStringLiteral(".fold"));
    fold->setAccessibleName(title);
    fold->setText(title);
    fold->setCheckable(true);
    fold->setAutoRaise(true);
    fold->setArrowType(Qt::RightArrow);
    fold->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    fold->setFocusPolicy(Qt::StrongFocus);
    fold->setMinimumHeight(24);
    fold->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    body = new QWidget(this);
    body->setObjectName(objectName);
    auto* layout = new QVBoxLayout(body);
    layout->setContentsMargins(4, 0, 0, 6);
    layout->setSpacing(2);
    for (const std::string& name : keys) {
        const KeyDescription* key = findKey(name);
        if (key == nullptr || !key->live) continue;
        auto* row = new KeyRow(*key, m_data, m_tuning, body);
        m_rows.push_back(row);
        layout->addWidget(row);
    }
    body->hide();
    connect(fold, &QToolButton::toggled, body, [fold, body](bool on) {
        fold->setArrowType(on ? Qt::DownArrow : Qt::RightArrow);
        body->setVisible(on);
    });
    connect(fold, &QToolButton::toggled, this, &ControlsPanel::refresh);
    return fold;
}

void ControlsPanel::focusAlpha() { m_dial->setFocus(Qt::OtherFocusReason); }

void ControlsPanel::askForStep() {
    if (!m_tuning->canApply()) return;
    const auto next = static_cast<int>(m_data->newestStep()) + 1;
    const auto last = static_cast<int>(std::max<std::int64_t>(next, m_data->totalSteps()));
    m_stepSpin->setRange(next, last);
    m_stepSpin->setValue(std::min(last, next + 9));
    m_stepRow->show();
    m_stepSpin->setFocus(Qt::OtherFocusReason);
    m_stepSpin->selectAll();
}

double ControlsPanel::currentAlpha(const KeyState& state) const {
    if (m_data->run() && !selectsCoordinates(m_data->run()->config.optimizer)) return 1;
    if (const std::optional<double> constant = ui::constantAlpha(state.applied)) return *constant;
    return m_data->tuning().applied.alpha.common.at(std::max<std::int64_t>(1, m_data->newestStep()));
}

void ControlsPanel::nudgeAlpha(int direction) {
    if (!m_dial->isEnabled()) return;
    const KeyState state = m_tuning->state(alphaKey);
    const double present = ui::constantAlpha(state.wanted).value_or(currentAlpha(state));
    m_tuning->stage(alphaKey, formatShortest(AlphaDial::neighbour(present, direction)));
}

QString ControlsPanel::movesText(double alpha) const {
    double filtered = 0;
    for (const ParameterRow& row : m_data->parameters()) {
        if (row.filtered) filtered += static_cast<double>(row.size);
    }
    if (filtered == 0) return QStringLiteral(" ");
    return tr("≈ %1 of %2 filtered coordinates per step").arg(ui::shortCount(filtered * alpha), ui::shortCount(filtered));
}

QString ControlsPanel::guardsText() const {
    int on = 0;
    for (const GuardKeys& guard : guardKeys()) on += m_data->tuning().applied.*guard.limit > 0 ? 1 : 0;
    return m_data->run() ? tr("Guard rails on: %1").arg(on) : tr("Guard rails");
}

void ControlsPanel::refreshAlpha(const KeyState& state) {
    const double applied = currentAlpha(state);
    const bool differs = state.phase != KeyState::Phase::Applied;
    const std::optional<double> wanted = differs ? ui::constantAlpha(state.wanted) : std::nullopt;
    m_dial->setNeedles(applied, wanted, differs && state.phase != KeyState::Phase::Staged);
    const double shownPercent = wanted.value_or(applied) * 100;
    // Not while it is typed into: what the user writes is his.
    if (!m_spin->hasFocus() || differs || QString::number(m_spin->value()) != QString::number(shownPercent)) {
        m_refreshing = true;
        m_spin->setValue(shownPercent);
        m_refreshing = false;
    }
    showKeyState(m_alphaState, keyStateText(*m_data, alphaKey, state, true), state);
    m_moves->setText(movesText(wanted.value_or(applied)));
}

void ControlsPanel::refreshGranularity(const KeyState& state) {
    const QString wanted = QString::fromStdString(state.wanted);
    const QString kind = wanted.section(QLatin1Char(':'), 0, 0);
    const int index = m_granularity->findData(kind);
    if (index != m_granularity->currentIndex()) m_granularity->setCurrentIndex(index);
    m_granularityN->setVisible(takesNumber(kind));
    if (takesNumber(kind)) {
        m_refreshing = true;
        m_granularityN->setRange(kind == QLatin1String("block") ? 64 : 1, kind == QLatin1String("block") ? 1 << 30 : 65536);
        m_granularityN->setPrefix(kind == QLatin1String("block") ? QStringLiteral("N ") : QStringLiteral("S "));
        m_granularityN->setProperty("kind", kind);
        m_granularityN->setValue(static_cast<int>(numberOf(state.wanted, kind)));
        m_refreshing = false;
    }
    showKeyState(m_granularityState, keyStateText(*m_data, granularityKey, state, true), state);
}

void ControlsPanel::refresh() {
    const KeyState alpha = m_tuning->state(alphaKey);
    const KeyState granularity = m_tuning->state(granularityKey);
    refreshAlpha(alpha);
    refreshGranularity(granularity);
    for (KeyRow* row : m_rows) {
        if (row->isVisibleTo(this)) row->refresh();
    }
    m_guardsFold->setText(guardsText());
    const bool filters = m_data->run() && selectsCoordinates(m_data->run()->config.optimizer);
    const bool enabled = filters && m_tuning->canTune();
    QString why;
    if (!m_data->run())
        why = tr("No run is shown");
    else if (!m_tuning->canTune())
        why = tr("This run has ended");
    else if (!filters)
        why = tr("This run trains with AdamW: every coordinate moves");
    for (QWidget* widget : {static_cast<QWidget*>(m_spin), static_cast<QWidget*>(m_granularity), static_cast<QWidget*>(m_granularityN)}) {
        widget->setEnabled(enabled);
        widget->setToolTip(why);
    }
    m_dial->setEnabled(enabled);
    const auto staged = static_cast<int>(m_tuning->stagedCount());
    m_stagedCount->setText(staged > 0 ? tr("Staged changes: %1").arg(staged) : why.isEmpty() ? tr("No staged changes") : why);
    m_apply->setEnabled(m_tuning->canApply());
    m_applyAt->setEnabled(m_tuning->canApply());
    m_discard->setEnabled(staged > 0);
    if (staged == 0) m_stepRow->hide();
    QPalette colours = palette();
    colours.setColor(QPalette::WindowText, Theme::current().error);
    m_problem->setPalette(colours);
    const QString problem = m_tuning->stagedProblem().isEmpty() ? m_tuning->sendProblem() : m_tuning->stagedProblem();
    m_problem->setText(problem);
    m_problem->setVisible(!problem.isEmpty());
    if (m_tuning->isWaiting() != m_seconds->isActive()) m_tuning->isWaiting() ? m_seconds->start() : m_seconds->stop();
}

void ControlsPanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::ApplicationPaletteChange) refresh();
}

}  // namespace mofo
