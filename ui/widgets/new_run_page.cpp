#include "ui/widgets/new_run_page.h"

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QFontDatabase>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>
#include <QSplitter>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/models/display_text.h"
#include "ui/models/key_texts.h"
#include "ui/widgets/config_field.h"
#include "ui/widgets/data_card.h"
#include "ui/widgets/hub_card.h"
#include "ui/widgets/run_summary.h"
#include "ui/widgets/small_widgets.h"

namespace mofo {

namespace {

constexpr int twoColumnsFrom = 760;
constexpr int summaryWidth = 320;

}  // namespace

FormSection::FormSection(const QString& objectName, const QString& title, QWidget* parent) : QWidget(parent), m_title(title) {
    setObjectName(objectName);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 6);
    layout->setSpacing(2);
    m_header = new QToolButton(this);
    m_header->setObjectName(objectName + QStringLiteral(".header"));
    m_header->setAccessibleName(title);
    m_header->setText(title);
    m_header->setAutoRaise(true);
    m_header->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_header->setFocusPolicy(Qt::StrongFocus);
    m_header->setMinimumHeight(26);
    QFont font = m_header->font();
    font.setBold(true);
    m_header->setFont(font);
    auto* line = new QFrame(this);
    line->setFrameShape(QFrame::HLine);
    line->setFrameShadow(QFrame::Plain);
    line->setForegroundRole(QPalette::Midlight);
    m_body = new QWidget(this);
    auto* body = new QVBoxLayout(m_body);
    body->setContentsMargins(22, 0, 4, 0);
    body->setSpacing(2);
    m_grid = new QGridLayout;
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setHorizontalSpacing(24);
    m_grid->setVerticalSpacing(3);
    body->addLayout(m_grid);
    layout->addWidget(m_header, 0, Qt::AlignLeft);
    layout->addWidget(line);
    layout->addWidget(m_body);
    connect(m_header, &QToolButton::clicked, this, [this] { setExpanded(!m_expanded); });
    m_header->setArrowType(Qt::RightArrow);
    m_body->hide();
}

void FormSection::addCard(QWidget* card) {
    m_cards.push_back(card);
    m_body->layout()->addWidget(card);
}

void FormSection::setExpanded(bool expanded) {
    m_expanded = expanded;
    m_header->setArrowType(expanded ? Qt::DownArrow : Qt::RightArrow);
    m_header->setAccessibleDescription(expanded ? tr("open") : tr("closed"));
    m_body->setVisible(expanded);
}

void FormSection::setNote(const QString& note) {
    if (note == m_note) return;
    m_note = note;
    m_header->setText(note.isEmpty() ? m_title : m_title + QStringLiteral("   ") + note);
}

void FormSection::arrange(int columns, const std::vector<ConfigField*>& wanted, bool showCards) {
    for (ConfigField* field : m_fields) {
        m_grid->removeWidget(field);
        field->setVisible(false);
    }
    int row = 0, column = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        ConfigField* const field = wanted[i];
        if (field->isWide() && column != 0) {
            ++row;
            column = 0;
        }
        // Nothing comes beside it: its help has the whole row.
        const bool alone = column == 0 && (i + 1 == wanted.size() || wanted[i + 1]->isWide());
        const int span = field->isWide() || alone ? columns : 1;
        m_grid->addWidget(field, row, column, 1, span);
        field->setVisible(true);
        column += span;
        if (column >= columns) {
            ++row;
            column = 0;
        }
    }
    for (int i = 0; i < 2; ++i) m_grid->setColumnStretch(i, i < columns ? 1 : 0);
    for (QWidget* card : m_cards) card->setVisible(showCards);
    setVisible(!wanted.empty() || (showCards && !m_cards.empty()));
}

NewRunPage::NewRunPage(NewRunController* controller, QWidget* parent) : QWidget(parent), m_controller(controller) {
    setObjectName(QStringLiteral("new"));
    setAccessibleName(tr("New run"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    m_draft = new MessageBar(QStringLiteral("new.draft"), this);
    m_message = new MessageBar(QStringLiteral("new.message"), this);
    auto* left = new QWidget;
    auto* column = new QVBoxLayout(left);
    column->setContentsMargins(10, 8, 0, 6);
    column->setSpacing(6);
    column->addWidget(makeTop());
    column->addWidget(m_draft);
    column->addWidget(m_message);
    column->addWidget(makeForm(), 1);
    column->addWidget(makeCommand());
    m_summary = new RunSummaryPanel(controller);
    auto* right = new QScrollArea;
    right->setObjectName(QStringLiteral("new.summaryArea"));
    right->setAccessibleName(tr("Summary"));
    right->setWidget(m_summary);
    right->setWidgetResizable(true);
    right->setFrameShape(QFrame::NoFrame);
    right->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    right->setFocusPolicy(Qt::NoFocus);
    right->setMinimumWidth(260);
    // Once the layout knows how tall it is.
    connect(m_summary, &RunSummaryPanel::comparisonShown, right,
            [right](QWidget* comparison) { QTimer::singleShot(0, right, [right, comparison] { right->ensureWidgetVisible(comparison, 0, 6); }); });
    right->viewport()->setBackgroundRole(QPalette::Base);
    right->viewport()->setAutoFillBackground(true);
    m_summary->setBackgroundRole(QPalette::Base);
    m_summary->setAutoFillBackground(true);
    m_columns = new QSplitter(Qt::Horizontal, this);
    m_columns->setObjectName(QStringLiteral("new.columns"));
    m_columns->addWidget(left);
    m_columns->addWidget(right);
    m_columns->setStretchFactor(0, 1);
    m_columns->setStretchFactor(1, 0);
    m_columns->setCollapsible(0, false);
    m_columns->setCollapsible(1, false);
    m_columns->setSizes({1000, summaryWidth});
    layout->addWidget(m_columns);
    makeActions();

    connect(&controller->form(), &RunForm::keyChanged, this, &NewRunPage::refreshFields);
    connect(controller, &NewRunController::modelChanged, this, &NewRunPage::refreshModelCard);
    connect(controller, &NewRunController::summaryChanged, this, &NewRunPage::refreshSummary);
    connect(controller, &NewRunController::presetsChanged, this, &NewRunPage::refreshPresets);
    connect(controller, &NewRunController::startFailed, this,
            [this](const QString& sentence) { m_message->setMessage(MessageBar::Kind::Error, sentence); });
    connect(controller, &NewRunController::started, this, [this] { m_message->setMessage(MessageBar::Kind::Hint, {}); });
    connect(&controller->form(), &RunForm::changed, this, [this] { m_message->setMessage(MessageBar::Kind::Hint, {}); });
    const auto offerDraft = [this] {
        m_draft->setMessage(MessageBar::Kind::Hint,
                            m_controller->hasDraft() ? tr("A draft was kept: %1.").arg(m_controller->draftSummary()) : QString(), tr("Restore"));
    };
    connect(controller, &NewRunController::draftFound, this, offerDraft);
    connect(m_draft, &MessageBar::actionTriggered, this, [this] {
        m_controller->restoreDraft();
        m_draft->setMessage(MessageBar::Kind::Hint, {});
    });
    offerDraft();
    connect(m_summary, &RunSummaryPanel::fieldWanted, this, &NewRunPage::showField);
    refreshFields({});
    refreshModelCard();
    refreshSummary();
    arrange();
}

void NewRunPage::makeActions() {
    const auto add = [this](const char* name, const QString& text, const QList<QKeySequence>& keys, auto act) {
        auto* action = new QAction(text, this);
        action->setObjectName(QStringLiteral("new.") + QLatin1String(name));
        action->setShortcuts(keys);
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        connect(action, &QAction::triggered, this, act);
        addAction(action);
        m_actions.push_back(action);
    };
    add("startAction", tr("Start the new run"), {Qt::CTRL | Qt::Key_Return, Qt::CTRL | Qt::Key_Enter}, [this] {
        if (m_controller->whyNotStart().isEmpty())
            m_controller->start();
        else
            m_message->setMessage(MessageBar::Kind::Warning, m_controller->whyNotStart());
    });
    add("queueAction", tr("Add the new run to the queue"), {Qt::CTRL | Qt::SHIFT | Qt::Key_Return, Qt::CTRL | Qt::SHIFT | Qt::Key_Enter}, [this] {
        if (m_controller->whyNotQueue().isEmpty())
            m_controller->start();
        else
            m_message->setMessage(MessageBar::Kind::Warning, m_controller->whyNotQueue());
    });
    add("nextProblem", tr("Next problem row"), {Qt::Key_F7}, [this] { m_controller->stepProblem(1); });
    add("previousProblem", tr("Previous problem row"), {Qt::SHIFT | Qt::Key_F7}, [this] { m_controller->stepProblem(-1); });
}

QWidget* NewRunPage::makeTop() {
    auto* top = new QWidget(this);
    auto* layout = new QHBoxLayout(top);
    layout->setContentsMargins(0, 0, 10, 0);
    layout->setSpacing(8);
    auto* label = makeLabel(QStringLiteral("new.presetLabel"), top);
    label->setText(tr("Preset"));
    m_presets = new QComboBox(top);
    m_presets->setObjectName(QStringLiteral("new.preset"));
    m_presets->setAccessibleName(tr("Preset"));
    m_presets->setMinimumWidth(190);
    new WheelGuard(m_presets);
    connect(m_presets, &QComboBox::activated, this, [this](int index) {
        const std::vector<Preset> presets = m_controller->presets();
        if (index >= 1 && index <= static_cast<int>(presets.size()))
            m_controller->form().applyPreset(presets[static_cast<std::size_t>(index - 1)]);
        else if (index == 0) {
            const QString model = m_controller->form().text("model"), data = m_controller->form().text("data");
            m_controller->form().resetAll();
            m_controller->form().setText("model", model);
            m_controller->form().setText("data", data);
        }
    });
    m_savePreset = new QToolButton(top);
    m_savePreset->setObjectName(QStringLiteral("new.savePreset"));
    m_savePreset->setText(tr("Save as…"));
    m_savePreset->setAccessibleName(tr("Save the settings as a preset"));
    m_savePreset->setFocusPolicy(Qt::StrongFocus);
    m_presetName = new QLineEdit(top);
    m_presetName->setObjectName(QStringLiteral("new.presetName"));
    m_presetName->setAccessibleName(tr("Name of the preset"));
    m_presetName->setPlaceholderText(tr("name, Enter saves"));
    m_presetName->setMaximumWidth(textPixels(160));
    m_presetName->hide();
    connect(m_savePreset, &QToolButton::clicked, this, [this] {
        m_presetName->show();
        m_presetName->setFocus();
    });
    connect(m_presetName, &QLineEdit::returnPressed, this, &NewRunPage::savePreset);
    m_all = new QCheckBox(tr("Show all settings"), top);
    m_all->setObjectName(QStringLiteral("new.all"));
    m_all->setAccessibleName(tr("Show all settings"));
    connect(m_all, &QCheckBox::toggled, this, [this] { arrange(); });
    m_find = new QLineEdit(top);
    m_find->setObjectName(QStringLiteral("new.find"));
    m_find->setAccessibleName(tr("Find a setting"));
    m_find->setPlaceholderText(tr("Find a setting"));
    m_find->setClearButtonEnabled(true);
    m_find->setMaximumWidth(textPixels(220));
    connect(m_find, &QLineEdit::textChanged, this, [this] { arrange(); });
    layout->addWidget(label);
    layout->addWidget(m_presets);
    layout->addWidget(m_savePreset);
    layout->addWidget(m_presetName);
    layout->addStretch(1);
    layout->addWidget(m_all);
    layout->addWidget(m_find);
    refreshPresets();
    return top;
}

QWidget* NewRunPage::makeForm() {
    m_form = new QWidget;
    auto* layout = new QVBoxLayout(m_form);
    layout->setContentsMargins(0, 0, 8, 0);
    layout->setSpacing(2);
    FormSection* section = nullptr;
    std::string name;
    for (const KeyDescription& key : keyDescriptions()) {
        if (section == nullptr || key.section != name) {
            name = key.section;
            const auto known = std::find_if(m_sections.begin(), m_sections.end(), [&](const FormSection* other) {
                return other->objectName() == QStringLiteral("new.section.") + QString::fromStdString(name).remove(QLatin1Char(' '));
            });
            if (known != m_sections.end()) {
                section = *known;
            } else {
                section = new FormSection(QStringLiteral("new.section.") + QString::fromStdString(name).remove(QLatin1Char(' ')),
                                          ui::sectionText(name), m_form);
                section->setExpanded(name == "Model" || name == "Data" || name == "Method" || name == "Schedule");
                m_sections.push_back(section);
                layout->addWidget(section);
            }
        }
        auto* field = new ConfigField(key, &m_controller->form(), section);
        section->addField(field);
        m_fields.push_back(field);
        if (HubSource* const hub = m_controller->hub(key.name); hub != nullptr) {
            auto* card = new HubCard(QString::fromStdString(key.name), hub, field);
            connect(card, &HubCard::textWanted, this, [this, key = key.name](const QString& text) { m_controller->form().setText(key, text); });
            field->addBelow(card);
        }
        if (key.name == "alpha") {
            m_selection = makeLabel(QStringLiteral("new.selection"), m_form);
            m_selection->setAccessibleName(tr("What a step moves"));
            m_selection->setWordWrap(true);
        }
    }
    m_modelCard = new QWidget(m_form);
    m_modelCard->setObjectName(QStringLiteral("new.modelCard"));
    auto* card = new QVBoxLayout(m_modelCard);
    card->setContentsMargins(0, 0, 0, 4);
    card->setSpacing(1);
    m_modelLine = makeLabel(QStringLiteral("new.model.line"), m_modelCard);
    m_modelLine->setAccessibleName(tr("Model"));
    m_modelLine->setWordWrap(true);
    m_modelNote = makeLabel(QStringLiteral("new.model.note"), m_modelCard);
    m_modelNote->setAccessibleName(tr("Notes on the model"));
    m_modelNote->setWordWrap(true);
    m_modelNote->setForegroundRole(QPalette::PlaceholderText);
    card->addWidget(m_modelLine);
    card->addWidget(m_modelNote);
    for (FormSection* each : m_sections) {
        if (each->objectName().endsWith(QLatin1String(".Model"))) each->addCard(m_modelCard);
        if (each->objectName().endsWith(QLatin1String(".Data"))) {
            m_data = new DataCard(m_controller);
            each->addCard(m_data);
        }
        if (each->objectName().endsWith(QLatin1String(".Method")) && m_selection != nullptr) each->addCard(m_selection);
    }
    m_noHit = makeLabel(QStringLiteral("new.noHit"), m_form);
    m_noHit->setAlignment(Qt::AlignCenter);
    m_noHit->hide();
    layout->addWidget(m_noHit);
    layout->addStretch(1);
    m_scroll = new QScrollArea(this);
    m_scroll->setObjectName(QStringLiteral("new.form"));
    m_scroll->setAccessibleName(tr("Settings"));
    m_scroll->setWidget(m_form);
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setFocusPolicy(Qt::NoFocus);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAsNeeded);
    return m_scroll;
}

QWidget* NewRunPage::makeCommand() {
    auto* strip = new QFrame(this);
    strip->setFrameShape(QFrame::StyledPanel);
    strip->setBackgroundRole(QPalette::Base);
    strip->setAutoFillBackground(true);
    auto* layout = new QHBoxLayout(strip);
    layout->setContentsMargins(8, 2, 4, 2);
    m_command = new ElidedLabel(strip);
    m_command->setObjectName(QStringLiteral("new.command"));
    m_command->setAccessibleName(tr("The command that starts the same run"));
    m_command->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    auto* copy = new QToolButton(strip);
    copy->setObjectName(QStringLiteral("new.copy"));
    copy->setText(tr("Copy"));
    copy->setAccessibleName(tr("Copy the command"));
    copy->setFocusPolicy(Qt::StrongFocus);
    connect(copy, &QToolButton::clicked, this, [this] { QApplication::clipboard()->setText(m_controller->commandLine()); });
    layout->addWidget(m_command, 1);
    layout->addWidget(copy);
    return strip;
}

ConfigField* NewRunPage::field(const std::string& key) const {
    const auto found = std::find_if(m_fields.begin(), m_fields.end(), [&](const ConfigField* field) { return field->key().name == key; });
    return found != m_fields.end() ? *found : nullptr;
}

void NewRunPage::arrange() {
    const int columns = m_scroll->viewport()->width() >= twoColumnsFrom ? 2 : 1;
    m_arranged = columns;
    const QString find = m_find->text().trimmed();
    bool any = false;
    int widest = 0;
    for (FormSection* section : m_sections) {
        std::vector<ConfigField*> wanted;
        for (ConfigField* field : section->fields()) {
            const bool matches = find.isEmpty() ? field->key().basic || m_all->isChecked() || m_controller->form().isChanged(field->key().name) ||
                                                      !m_controller->form().error(field->key().name).isEmpty()
                                                : field->matches(find);
            if (!matches) continue;
            wanted.push_back(field);
            widest = std::max(widest, field->labelWidth());
        }
        any = any || !wanted.empty();
        if (!find.isEmpty() && !wanted.empty()) section->setExpanded(true);
        section->arrange(columns, wanted, find.isEmpty());
    }
    for (ConfigField* field : m_fields) field->setLabelWidth(std::min(widest, 190));
    m_noHit->setText(tr("No setting matches “%1”.").arg(find));
    m_noHit->setVisible(!any);
    const ModelCardPtr& card = m_controller->model();
    m_modelCard->setVisible(find.isEmpty() && card && card->problem.isEmpty());
}

void NewRunPage::refreshFields(const QString& key) {
    for (ConfigField* field : m_fields) {
        if (key.isEmpty() || field->key().name == key.toStdString()) field->refresh();
    }
    // Values that are right or wrong only beside others.
    for (ConfigField* field : m_fields) field->refresh();
    for (FormSection* section : m_sections) {
        QStringList changed;
        for (const ConfigField* field : section->fields()) {
            const std::string& name = field->key().name;
            if (!field->isWide() && m_controller->form().isChanged(name)) {
                changed << QString::fromStdString(name) + QLatin1Char(' ') + ui::valueText(name, m_controller->form().text(name).toStdString());
            }
        }
        section->setNote(changed.size() > 4 ? tr("%1 changed").arg(changed.size()) : changed.join(QStringLiteral(", ")));
    }
    const ConfigField* one = key.isEmpty() ? nullptr : field(key.toStdString());
    if (key.isEmpty() || (one != nullptr && one->isHidden())) arrange();
}

void NewRunPage::refreshModelCard() {
    const ModelCardPtr& card = m_controller->model();
    const bool usable = card && card->problem.isEmpty();
    m_modelCard->setVisible(usable);
    if (!usable) return;
    const ModelDescription& model = card->description;
    QStringList parts{card->name, ui::shown(model.family), tr("%1 layers").arg(ui::count(model.layerCount)),
                      tr("%1 parameters").arg(ui::shortCount(static_cast<double>(card->parameterCount))), card->format};
    if (!card->tokenizer.isEmpty()) parts << tr("%1 tokens", "size of the vocabulary").arg(card->tokenizer);
    if (card->templateKnown) parts << (card->chatTemplate.isEmpty() ? tr("no chat template") : card->chatTemplate);
    m_modelLine->setText(parts.join(QStringLiteral("  ·  ")));
    QStringList notes;
    if (card->isQuantised) notes << tr("Weights are dequantised from %1; drift is measured against those.").arg(card->format);
    notes << (card->isSealed ? tr("In the workspace, sealed.") : tr("The start copies it into the workspace and seals it."));
    const std::optional<HubPlan>& plan = m_controller->hub("model")->plan();
    if (plan && !plan->licence.empty()) {
        notes << tr("Licence: %1, as the Hub says.").arg(ui::shown(plan->licence));
    } else {
        notes << (card->licence.isEmpty() ? tr("No licence file beside it.") : tr("Licence: %1.").arg(card->licence));
    }
    for (const QString& warning : card->warnings) notes << QStringLiteral("⚠ ") + warning + QLatin1Char('.');
    m_modelNote->setText(notes.join(QLatin1Char(' ')));
}

void NewRunPage::refreshSummary() {
    m_command->setFullText(m_controller->commandLine());
    const std::optional<SelectionPlan>& plan = m_controller->forecast().selection;
    QString text;
    if (plan) {
        text = tr("%1 of %2 filtered coordinates move per step, in %3 partitions; %4 tensors are not filtered.")
                   .arg(ui::shortCount(static_cast<double>(plan->selected)), ui::shortCount(static_cast<double>(plan->filtered)),
                        ui::count(plan->partitions), ui::count(plan->unfilteredTensors));
    }
    m_selection->setText(text);
    field("model")->setRecent(m_controller->recentModels());
    field("data")->setRecent(m_controller->recentData());
    if (!m_controller->hasDraft()) m_draft->setMessage(MessageBar::Kind::Hint, {});
}

void NewRunPage::refreshPresets() {
    const QString chosen = m_presets->currentText();
    m_presets->clear();
    m_presets->addItem(tr("Defaults"));
    for (const Preset& preset : m_controller->presets()) {
        m_presets->addItem(ui::presetTitle(preset));
        m_presets->setItemData(m_presets->count() - 1, ui::presetHelp(preset), Qt::ToolTipRole);
    }
    m_presets->setCurrentIndex(std::max(0, m_presets->findText(chosen)));
}

void NewRunPage::savePreset() {
    m_controller->savePreset(m_presetName->text());
    m_presets->setCurrentText(m_presetName->text().trimmed());
    m_presetName->clear();
    m_presetName->hide();
}

void NewRunPage::focusFind() {
    m_find->setFocus(Qt::ShortcutFocusReason);
    m_find->selectAll();
}

void NewRunPage::showField(const QString& key) {
    ConfigField* wanted = field(key.toStdString());
    if (wanted == nullptr) return;
    if (wanted->isHidden()) setShowAll(true);
    for (FormSection* section : m_sections) {
        const auto& fields = section->fields();
        if (std::find(fields.begin(), fields.end(), wanted) != fields.end()) section->setExpanded(true);
    }
    wanted->editor()->setFocus(Qt::OtherFocusReason);
    // Once the section has its place.
    QTimer::singleShot(0, this, [this, wanted] { m_scroll->ensureWidgetVisible(wanted); });
}

void NewRunPage::setShowAll(bool all) { m_all->setChecked(all); }

void NewRunPage::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    const int columns = m_scroll->viewport()->width() >= twoColumnsFrom ? 2 : 1;
    if (columns != m_arranged) arrange();
}

void NewRunPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    m_controller->lookForDraft();
    m_controller->rescan();
}

void NewRunPage::saveLayout(QSettings& settings) const {
    settings.setValue(QStringLiteral("new/columns"), m_columns->saveState());
    settings.setValue(QStringLiteral("new/all"), m_all->isChecked());
}

void NewRunPage::restoreLayout(QSettings& settings) {
    const QByteArray columns = settings.value(QStringLiteral("new/columns")).toByteArray();
    if (!columns.isEmpty()) m_columns->restoreState(columns);
    m_all->setChecked(settings.value(QStringLiteral("new/all"), false).toBool());
}

}  // namespace mofo
