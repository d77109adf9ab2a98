#include "ui/widgets/key_row.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QGridLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>

#include "ui/models/display_text.h"
#include "ui/models/key_texts.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

constexpr double noAnswerSeconds = 30;
constexpr double lateSeconds = 1;

/// States belong to the tuning as a whole, not to one kind of row.
class Tuning {
    Q_DECLARE_TR_FUNCTIONS(Tuning)
};

QString waitingText(const RunData& data, const QString& wanted, const KeyState& state) {
    if (state.atStep) return Tuning::tr("%1 sent for step %2").arg(wanted, ui::count(*state.atStep));
    if (data.run() && data.run()->state == RunState::Lost) return Tuning::tr("%1 sent; taken when the run is resumed").arg(wanted);
    const double stepSeconds = data.steps().empty() ? 0 : data.steps().back().stepMs * 1e-3;
    const QString waited = ui::duration(state.waitingSeconds);
    if (state.waitingSeconds > noAnswerSeconds) return Tuning::tr("%1 sent: no answer for %2").arg(wanted, waited);
    if (state.waitingSeconds > stepSeconds + lateSeconds) return Tuning::tr("%1 sent, no answer yet… %2").arg(wanted, waited);
    return Tuning::tr("%1 sent, waiting for step… %2").arg(wanted, waited);
}

}  // namespace

QString keyStateText(const RunData& data, const std::string& key, const KeyState& state, bool plainWhenApplied) {
    const QString wanted = state.wanted.empty() ? Tuning::tr("nothing", "an empty value") : ui::valueText(key, state.wanted);
    const QString applied = state.applied.empty() ? Tuning::tr("nothing", "an empty value") : ui::valueText(key, state.applied);
    QString text;
    switch (state.phase) {
        case KeyState::Phase::Staged: text = Tuning::tr("staged %1, not sent").arg(wanted); break;
        case KeyState::Phase::Sending: text = Tuning::tr("sending %1 …").arg(wanted); break;
        case KeyState::Phase::Waiting:
            text = waitingText(data, wanted, state);
            if (state.who != "window") text += Tuning::tr(" · by %1").arg(ui::whoText(state.who));
            break;
        case KeyState::Phase::Applied:
            if (state.sinceStep && state.onResume)
                text = Tuning::tr("%1 will apply on resume, at step %2").arg(applied, ui::count(*state.sinceStep));
            else if (state.sinceStep)
                text = Tuning::tr("%1 since step %2").arg(applied, ui::count(*state.sinceStep));
            else if (data.run() && plainWhenApplied)
                text = Tuning::tr("applied");
            if (state.sinceStep && !state.sinceWho.empty() && state.sinceWho != "window")
                text += Tuning::tr(" · by %1").arg(ui::whoText(state.sinceWho));
            break;
    }
    if (!state.refusal.isEmpty()) text += (text.isEmpty() ? QString() : QStringLiteral("\n")) + Tuning::tr("✗ refused: %1").arg(state.refusal);
    return text;
}

void showKeyState(QLabel* label, const QString& text, const KeyState& state) {
    const Theme theme = Theme::current();
    QFont font = label->parentWidget()->font();
    font.setItalic(state.phase != KeyState::Phase::Applied);
    label->setFont(font);
    QPalette colours = label->parentWidget()->palette();
    const QColor colour = !state.refusal.isEmpty() ? theme.error : state.phase == KeyState::Phase::Applied ? theme.inkSoft : theme.accent;
    colours.setColor(QPalette::WindowText, colour);
    label->setPalette(colours);
    if (label->text() != text) label->setText(text);
    label->setVisible(!text.isEmpty());
}

KeyRow::KeyRow(const KeyDescription& key, const RunData* data, TuningController* tuning, QWidget* parent)
    : QWidget(parent), m_key(key.name), m_data(data), m_tuning(tuning) {
    const QString name = ui::shown(key.name);
    setObjectName(QStringLiteral("run.key.") + name);
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 1, 0, 1);
    grid->setHorizontalSpacing(6);
    grid->setVerticalSpacing(1);
    auto* label = makeLabel(objectName() + QStringLiteral(".name"), this);
    label->setText(key.unit.empty() ? name : QStringLiteral("%1 (%2)").arg(name, ui::unitText(key.unit)));
    label->setToolTip(ui::keyHelp(key).toHtmlEscaped());
    QWidget* field = nullptr;
    if (key.type == KeyDescription::Type::Choice && !key.choices.empty()) {
        m_choice = new QComboBox(this);
        for (const std::string& choice : key.choices) m_choice->addItem(ui::shown(choice), QString::fromStdString(choice));
        new WheelGuard(m_choice);
        connect(m_choice, &QComboBox::activated, this,
                [this](int index) { m_tuning->stage(m_key, m_choice->itemData(index).toString().toStdString()); });
        field = m_choice;
    } else {
        m_edit = new QLineEdit(this);
        m_edit->setAlignment(Qt::AlignRight);
        m_edit->installEventFilter(this);
        connect(m_edit, &QLineEdit::editingFinished, this, &KeyRow::stageText);
        field = m_edit;
    }
    field->setObjectName(objectName() + QStringLiteral(".field"));
    field->setAccessibleName(name);
    field->setAccessibleDescription(ui::keyHelp(key));
    field->setToolTip(ui::keyHelp(key).toHtmlEscaped());
    field->setMinimumWidth(60);
    label->setBuddy(field);
    m_state = makeLabel(objectName() + QStringLiteral(".state"), this);
    m_state->setAccessibleName(tr("State of %1").arg(name));
    m_state->setWordWrap(true);
    grid->addWidget(label, 0, 0);
    grid->addWidget(field, 0, 1);
    grid->setColumnStretch(0, 3);
    grid->setColumnStretch(1, 4);
    grid->addWidget(m_state, 1, 0, 1, 2);
}

bool KeyRow::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_edit && event->type() == QEvent::KeyPress && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
        m_tuning->discard(m_key);
        m_edit->setModified(false);
        refresh();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

void KeyRow::stageText() {
    if (!m_edit->isModified()) return;
    m_edit->setModified(false);
    RunConfig scratch = m_data->tuning().applied;
    if (const Result<void> set = setConfigValue(scratch, m_key, m_edit->text().trimmed().toStdString()); !set.ok()) {
        KeyState wrong = m_tuning->state(m_key);
        wrong.refusal = ui::shown(set.error().text());
        showKeyState(m_state, tr("✗ %1").arg(wrong.refusal), wrong);
        return;
    }
    m_tuning->stage(m_key, m_edit->text().trimmed().toStdString());
}

void KeyRow::refresh() {
    const KeyState state = m_tuning->state(m_key);
    const bool enabled = m_data->run() && m_tuning->canTune() && checkLiveKey(m_data->run()->config, m_key).ok();
    const QString wanted = QString::fromStdString(state.wanted);
    if (m_choice != nullptr) {
        m_choice->setEnabled(enabled);
        const int index = m_choice->findData(wanted);
        if (index != m_choice->currentIndex()) m_choice->setCurrentIndex(index);
    } else {
        m_edit->setEnabled(enabled);
        // Not while it is typed into: what the user writes is his.
        if (!(m_edit->hasFocus() && m_edit->isModified()) && m_edit->text() != wanted) m_edit->setText(wanted);
    }
    if (m_edit == nullptr || !m_edit->isModified()) showKeyState(m_state, keyStateText(*m_data, m_key, state, false), state);
}

}  // namespace mofo
