#include "ui/widgets/controls_panel.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QTimer>
#include <QVBoxLayout>

#include "core/base/text.h"
#include "ui/models/display_text.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

const std::string alphaKey = "alpha";
const std::string granularityKey = "granularity";
constexpr double noAnswerSeconds = 30;

}  // namespace

ControlsPanel::ControlsPanel(const RunData* data, TuningController* tuning, QWidget* parent)
    : QWidget(parent), m_data(data), m_tuning(tuning) {
    setObjectName(QStringLiteral("run.controls"));
    setAccessibleName(tr("Controls"));
    setMinimumWidth(214);
    setMaximumWidth(320);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(5);

    auto* alphaHeading = makeHeading(tr("α: share that may move"), this);
    m_dial = new AlphaDial(this);
    m_dial->setObjectName(QStringLiteral("run.alphaDial"));
    m_dial->setAccessibleName(tr("Alpha"));
    m_dial->setToolTip(tr("Drag, or press the arrow keys: this stages a value, Apply sends it. The tinted band, 5 to 20 %, is advised."));
    m_spin = new QDoubleSpinBox(this);
    m_spin->setObjectName(QStringLiteral("run.alphaSpin"));
    m_spin->setAccessibleName(tr("Alpha in percent"));
    m_spin->setRange(0.1, 100);
    m_spin->setDecimals(2);
    m_spin->setSingleStep(1);
    m_spin->setSuffix(tr(" %"));
    m_spin->setAlignment(Qt::AlignRight);
    m_spin->setKeyboardTracking(false);
    new WheelGuard(m_spin);
    alphaHeading->setBuddy(m_spin);
    m_alphaState = makeLabel(QStringLiteral("run.alphaState"), this);
    m_alphaState->setAccessibleName(tr("State of alpha"));
    m_alphaState->setWordWrap(true);
    m_moves = makeLabel(QStringLiteral("run.alphaMoves"), this);
    m_moves->setWordWrap(true);

    auto* granularityHeading = makeHeading(tr("Granularity"), this);
    m_granularity = new QComboBox(this);
    m_granularity->setObjectName(QStringLiteral("run.granularity"));
    m_granularity->setAccessibleName(tr("Granularity"));
    m_granularity->setToolTip(tr("What competes with what: each part of the model selects its own share"));
    new WheelGuard(m_granularity);
    granularityHeading->setBuddy(m_granularity);
    m_granularityState = makeLabel(QStringLiteral("run.granularityState"), this);
    m_granularityState->setAccessibleName(tr("State of the granularity"));
    m_granularityState->setWordWrap(true);

    m_stagedCount = makeLabel(QStringLiteral("run.stagedCount"), this);
    m_stagedCount->setAccessibleName(tr("Staged changes"));
    m_stagedCount->setWordWrap(true);
    m_apply = new QPushButton(tr("Apply"), this);
    m_apply->setObjectName(QStringLiteral("run.apply"));
    m_apply->setAccessibleName(tr("Apply the staged changes"));
    m_apply->setToolTip(tr("Sends all staged changes as one command; they take effect at one step (Ctrl+Return)"));
    m_discard = new QPushButton(tr("Discard"), this);
    m_discard->setObjectName(QStringLiteral("run.discard"));
    m_discard->setAccessibleName(tr("Discard the staged changes"));
    m_problem = makeLabel(QStringLiteral("run.sendProblem"), this);
    m_problem->setAccessibleName(tr("Why nothing was sent"));
    m_problem->setWordWrap(true);

    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_apply, 1);
    buttons->addWidget(m_discard, 1);
    layout->addWidget(alphaHeading);
    layout->addWidget(m_dial);
    layout->addWidget(m_spin);
    layout->addWidget(m_alphaState);
    layout->addWidget(m_moves);
    layout->addSpacing(6);
    layout->addWidget(granularityHeading);
    layout->addWidget(m_granularity);
    layout->addWidget(m_granularityState);
    layout->addSpacing(6);
    layout->addWidget(m_stagedCount);
    layout->addLayout(buttons);
    layout->addWidget(m_problem);
    layout->addStretch(1);

    connect(m_dial, &AlphaDial::alphaStaged, this, [this](double alpha) { m_tuning->stage(alphaKey, formatShortest(alpha)); });
    connect(m_dial, &AlphaDial::discardWanted, this, [this] { m_tuning->discard(alphaKey); });
    connect(m_spin, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        // Through decimal text: 15 / 100 must become 0.15 and nothing near it.
        if (!m_refreshing) m_tuning->stage(alphaKey, formatShortest(QString::number(value / 100, 'f', 5).toDouble()));
    });
    connect(m_granularity, &QComboBox::activated, this,
            [this](int index) { m_tuning->stage(granularityKey, m_granularity->itemData(index).toString().toStdString()); });
    connect(m_apply, &QPushButton::clicked, m_tuning, &TuningController::apply);
    connect(m_discard, &QPushButton::clicked, m_tuning, &TuningController::discardAll);
    connect(m_tuning, &TuningController::changed, this, &ControlsPanel::refresh);
    m_seconds = new QTimer(this);
    m_seconds->setInterval(500);
    connect(m_seconds, &QTimer::timeout, this, &ControlsPanel::refresh);
    refresh();
}

void ControlsPanel::focusAlpha() { m_dial->setFocus(Qt::OtherFocusReason); }

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

QString ControlsPanel::stateText(const std::string& key, const KeyState& state) const {
    const QString wanted = ui::valueText(key, state.wanted);
    QString text;
    switch (state.phase) {
        case KeyState::Phase::Staged: text = tr("staged %1, not sent").arg(wanted); break;
        case KeyState::Phase::Sending: text = tr("sending %1 …").arg(wanted); break;
        case KeyState::Phase::Waiting: {
            const bool elsewhere = state.who != "window";
            if (state.atStep) text = tr("%1 sent for step %2").arg(wanted, ui::count(*state.atStep));
            else if (m_data->run() && m_data->run()->state == RunState::Lost) text = tr("%1 sent; taken when the run is resumed").arg(wanted);
            else if (state.waitingSeconds > noAnswerSeconds) text = tr("%1 sent: no answer for %2").arg(wanted, ui::duration(state.waitingSeconds));
            else text = tr("%1 sent, waiting for step… %2").arg(wanted, ui::duration(state.waitingSeconds));
            if (elsewhere) text += tr(" · by %1").arg(ui::whoText(state.who));
            break;
        }
        case KeyState::Phase::Applied:
            if (state.sinceStep && state.onResume) text = tr("%1 will apply on resume, at step %2").arg(ui::valueText(key, state.applied), ui::count(*state.sinceStep));
            else if (state.sinceStep) text = tr("%1 since step %2").arg(ui::valueText(key, state.applied), ui::count(*state.sinceStep));
            else if (m_data->run()) text = tr("applied");
            break;
    }
    if (!state.refusal.isEmpty()) text += (text.isEmpty() ? QString() : QStringLiteral("\n")) + tr("✗ refused: %1").arg(state.refusal);
    return text;
}

void ControlsPanel::showState(QLabel* label, const QString& text, const KeyState& state) {
    const Theme theme = Theme::current();
    QFont italic = font();
    italic.setItalic(state.phase != KeyState::Phase::Applied);
    label->setFont(italic);
    QPalette colours = palette();
    const QColor colour = !state.refusal.isEmpty() ? theme.error : state.phase == KeyState::Phase::Applied ? theme.inkSoft : theme.accent;
    colours.setColor(QPalette::WindowText, colour);
    label->setPalette(colours);
    if (label->text() != text) label->setText(text);
}

QString ControlsPanel::movesText(double alpha) const {
    double filtered = 0;
    for (const ParameterRow& row : m_data->parameters()) {
        if (row.filtered) filtered += static_cast<double>(row.size);
    }
    if (filtered == 0) return QStringLiteral(" ");
    return tr("≈ %1 of %2 filtered coordinates per step").arg(ui::shortCount(filtered * alpha), ui::shortCount(filtered));
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
    showState(m_alphaState, stateText(alphaKey, state), state);
    m_moves->setText(movesText(wanted.value_or(applied)));
}

void ControlsPanel::refreshGranularity(const KeyState& state) {
    const QString wanted = QString::fromStdString(state.wanted);
    if (m_granularity->count() == 0) {
        for (const char* name : {"tensor", "layer", "model"}) m_granularity->addItem(ui::granularityText(name), QString::fromLatin1(name));
    }
    if (!wanted.isEmpty() && m_granularity->findData(wanted) < 0) m_granularity->addItem(ui::granularityText(state.wanted), wanted);
    const int index = m_granularity->findData(wanted);
    if (index != m_granularity->currentIndex()) m_granularity->setCurrentIndex(index);
    showState(m_granularityState, stateText(granularityKey, state), state);
}

void ControlsPanel::refresh() {
    const KeyState alpha = m_tuning->state(alphaKey);
    const KeyState granularity = m_tuning->state(granularityKey);
    refreshAlpha(alpha);
    refreshGranularity(granularity);
    const bool filters = m_data->run() && selectsCoordinates(m_data->run()->config.optimizer);
    const bool enabled = filters && m_tuning->canTune();
    QString why;
    if (!m_data->run()) why = tr("No run is shown");
    else if (!filters) why = tr("This run trains with AdamW: every coordinate moves");
    else if (!enabled) why = tr("This run has ended");
    for (QWidget* widget : {static_cast<QWidget*>(m_spin), static_cast<QWidget*>(m_granularity)}) {
        widget->setEnabled(enabled);
        widget->setToolTip(why);
    }
    m_dial->setEnabled(enabled);
    const auto staged = static_cast<int>(m_tuning->stagedCount());
    m_stagedCount->setText(staged > 0 ? tr("Staged changes: %1").arg(staged) : why.isEmpty() ? tr("No staged changes") : why);
    m_apply->setEnabled(m_tuning->canApply());
    m_discard->setEnabled(staged > 0);
    QPalette colours = palette();
    colours.setColor(QPalette::WindowText, Theme::current().error);
    m_problem->setPalette(colours);
    m_problem->setText(m_tuning->sendProblem());
    m_problem->setVisible(!m_tuning->sendProblem().isEmpty());
    if (m_tuning->isWaiting() != m_seconds->isActive()) m_tuning->isWaiting() ? m_seconds->start() : m_seconds->stop();
}

void ControlsPanel::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::ApplicationPaletteChange) refresh();
}

}  // namespace mofo
