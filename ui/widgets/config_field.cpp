#include "ui/widgets/config_field.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>
#include <cmath>
#include <limits>

#include "core/base/text.h"
#include "ui/models/display_text.h"
#include "ui/models/key_texts.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

using Type = KeyDescription::Type;

// Enough digits that rounding to them never changes a value that a person types.
constexpr int manyDecimals = 60;
constexpr int numberWidth = 116;
constexpr int choiceWidth = 176;

/// "~/x" and "file:///x" as the path they mean; "hf:" and workspace names stay.
QString pathFromTyped(QString text) {
    text = text.trimmed();
    if (text.startsWith(QLatin1String("~/"))) text = QDir::homePath() + text.mid(1);
    if (text.startsWith(QLatin1String("file://"))) text = QUrl(text).toLocalFile();
    return text;
}

}  // namespace

NumberSpin::NumberSpin(QWidget* parent) : QDoubleSpinBox(parent) {
    setDecimals(manyDecimals);
    setStepType(QAbstractSpinBox::AdaptiveDecimalStepType);
    setLocale(QLocale::c());
}

QString NumberSpin::textFromValue(double value) const { return QString::fromStdString(formatShortest(value)); }

double NumberSpin::valueFromText(const QString& text) const { return text.trimmed().toDouble(); }

QValidator::State NumberSpin::validate(QString& text, int&) const {
    bool isNumber = false;
    const double value = text.trimmed().toDouble(&isNumber);
    if (isNumber && std::isfinite(value) && value >= minimum() && value <= maximum()) return QValidator::Acceptable;
    for (const QChar c : text) {
        if (!c.isDigit() && !QStringLiteral("+-.eE ").contains(c)) return QValidator::Invalid;
    }
    return QValidator::Intermediate;
}

void NumberSpin::fixup(QString& text) const { text = textFromValue(value()); }

ConfigField::ConfigField(const KeyDescription& key, RunForm* form, QWidget* parent) : QWidget(parent), m_key(key), m_form(form) {
    const QString name = QStringLiteral("new.") + QString::fromStdString(key.name);
    setObjectName(name + QStringLiteral(".field"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 1, 0, 3);
    layout->setSpacing(1);
    m_row = new QHBoxLayout;
    m_row->setSpacing(6);
    m_label = makeLabel(name + QStringLiteral(".label"), this);
    m_label->setText(ui::keyLabel(key.name));
    m_label->setToolTip(tr("Key of --set: %1").arg(QString::fromStdString(key.name)).toHtmlEscaped());
    m_row->addWidget(m_label);
    m_editor = makeEditor();
    m_editor->setObjectName(name);
    m_editor->setAccessibleName(ui::keyLabel(key.name));
    m_editor->setAccessibleDescription(ui::keyHelp(key));
    m_label->setBuddy(m_editor);
    if (!key.unit.empty()) m_row->addWidget(new QLabel(ui::unitText(key.unit), this));
    m_reset = new QToolButton(this);
    m_reset->setObjectName(name + QStringLiteral(".reset"));
    m_reset->setAutoRaise(true);
    m_reset->setText(QStringLiteral("↺"));
    m_reset->setAccessibleName(tr("Back to the default of %1").arg(ui::keyLabel(key.name)));
    m_reset->setToolTip(key.defaultText.empty() ? tr("Back to the default: empty")
                                                : tr("Back to the default: %1").arg(ui::valueText(key.name, key.defaultText)).toHtmlEscaped());
    // Its room stays when it is hidden, so that nothing moves.
    QSizePolicy policy = m_reset->sizePolicy();
    policy.setRetainSizeWhenHidden(true);
    m_reset->setSizePolicy(policy);
    connect(m_reset, &QToolButton::clicked, this, [this] {
        m_form->resetKey(m_key.name);
        m_editor->setFocus();
    });
    m_row->addWidget(m_reset);
    if (!isWide()) m_row->addStretch(1);
    layout->addLayout(m_row);
    m_help = new ElidedLabel(this);
    m_help->setObjectName(name + QStringLiteral(".help"));
    m_help->setFullText(ui::keyHelp(key));
    m_error = makeLabel(name + QStringLiteral(".error"), this);
    m_error->setWordWrap(true);
    m_error->setAccessibleName(tr("What is wrong with %1").arg(ui::keyLabel(key.name)));
    layout->addWidget(m_help);
    layout->addWidget(m_error);
    colour();
    refresh();
}

int ConfigField::labelWidth() const {
    // As wide as it is once the value was changed.
    QFont bold = m_label->font();
    bold.setBold(true);
    return QFontMetrics(bold).horizontalAdvance(m_label->text()) + 4;
}

void ConfigField::setLabelWidth(int width) {
    m_label->setFixedWidth(width);
    for (QLabel* label : {static_cast<QLabel*>(m_help), m_error}) label->setContentsMargins(width + 6, 0, 0, 0);
    if (m_below != nullptr) m_below->setContentsMargins(width + 6, 0, 0, 0);
}

void ConfigField::addBelow(QWidget* widget) {
    m_below = widget;
    layout()->addWidget(widget);
}

QWidget* ConfigField::makeEditor() {
    const auto edited = [this](const QString& text) { m_form->setText(m_key.name, text); };
    switch (m_key.type) {
        case Type::Path: return makePath();
        case Type::Alpha: return makeAlpha();
        case Type::Granularity: return makeGranularity();
        case Type::Flag: {
            auto* box = new QCheckBox(this);
            connect(box, &QCheckBox::toggled, this, [edited](bool on) { edited(on ? QStringLiteral("true") : QStringLiteral("false")); });
            m_show = [box](const QString& text) { box->setChecked(text == QLatin1String("true")); };
            m_row->addWidget(box);
            return box;
        }
        case Type::Number: {
            auto* spin = new NumberSpin(this);
            spin->setRange(m_key.minimum, m_key.maximum > m_key.minimum ? m_key.maximum : std::numeric_limits<double>::max());
            spin->setFixedWidth(textPixels(numberWidth));
            new WheelGuard(spin);
            connect(spin, &QDoubleSpinBox::valueChanged, this, [edited](double value) { edited(QString::fromStdString(formatShortest(value))); });
            m_show = [spin](const QString& text) { spin->setValue(text.toDouble()); };
            m_row->addWidget(spin);
            return spin;
        }
        case Type::Integer:
            if (m_key.maximum <= std::numeric_limits<int>::max()) {
                auto* spin = new QSpinBox(this);
                spin->setLocale(QLocale::c());
                spin->setRange(static_cast<int>(m_key.minimum), static_cast<int>(m_key.maximum));
                spin->setFixedWidth(textPixels(numberWidth));
                new WheelGuard(spin);
                connect(spin, &QSpinBox::valueChanged, this, [edited](int value) { edited(QString::number(value)); });
                m_show = [spin](const QString& text) { spin->setValue(text.toInt()); };
                m_row->addWidget(spin);
                return spin;
            }
            break;
        case Type::Choice:
        case Type::Text: {
            const QStringList offered = suggestionsFor(m_key.name);
            if (offered.isEmpty()) break;
            auto* box = new QComboBox(this);
            box->addItems(offered);
            box->setEditable(m_key.type == Type::Text);
            box->setInsertPolicy(QComboBox::NoInsert);
            box->setMinimumWidth(textPixels(choiceWidth));
            new WheelGuard(box);
            if (box->isEditable()) {
                connect(box, &QComboBox::editTextChanged, this, edited);
                m_show = [box](const QString& text) { box->setEditText(text); };
            } else {
                connect(box, &QComboBox::currentTextChanged, this, edited);
                m_show = [box](const QString& text) { box->setCurrentText(text); };
            }
            m_row->addWidget(box);
            return box;
        }
    }
    auto* line = new QLineEdit(this);
    line->setMinimumWidth(textPixels(choiceWidth));
    connect(line, &QLineEdit::textEdited, this, edited);
    m_show = [line](const QString& text) {
        if (line->text() != text) line->setText(text);
    };
    m_row->addWidget(line, 1);
    return line;
}

QWidget* ConfigField::makePath() {
    auto* box = new QComboBox(this);
    box->setEditable(true);
    box->setInsertPolicy(QComboBox::NoInsert);
    box->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    box->setMinimumContentsLength(20);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    new WheelGuard(box);
    box->lineEdit()->setPlaceholderText(m_key.name == "model" ? tr("GGUF file, Hugging Face folder, workspace model, or hf:owner/name")
                                                              : tr("JSONL, JSON array, CSV or TSV file, or hf:datasets/owner/name"));
    connect(box, &QComboBox::editTextChanged, this, [this](const QString& text) { m_form->setText(m_key.name, pathFromTyped(text)); });
    m_show = [box](const QString& text) {
        if (pathFromTyped(box->currentText()) != text) box->setEditText(text);
    };
    m_row->addWidget(box, 1);
    auto* browse = new QToolButton(this);
    browse->setObjectName(QStringLiteral("new.%1.browse").arg(QString::fromStdString(m_key.name)));
    browse->setText(tr("Browse…"));
    browse->setAccessibleName(tr("Browse for %1").arg(ui::keyLabel(m_key.name)));
    if (m_key.name == "model") {
        auto* menu = new QMenu(browse);
        menu->addAction(tr("GGUF file…"), this, [this] { this->browse(false); });
        menu->addAction(tr("Hugging Face folder…"), this, [this] { this->browse(true); });
        browse->setMenu(menu);
        browse->setPopupMode(QToolButton::InstantPopup);
    } else {
        connect(browse, &QToolButton::clicked, this, [this] { this->browse(false); });
    }
    m_row->addWidget(browse);
    return box;
}

void ConfigField::browse(bool folder) {
    const QFileInfo present(m_form->text(m_key.name));
    auto* dialog = new QFileDialog(this, ui::keyLabel(m_key.name), present.exists() ? present.absolutePath() : QDir::homePath());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(folder ? QFileDialog::Directory : QFileDialog::ExistingFile);
    if (!folder) {
        dialog->setNameFilters(m_key.name == "model" ? QStringList{tr("GGUF models (*.gguf)"), tr("All files (*)")}
                                                     : QStringList{tr("Rows (*.jsonl *.json *.csv *.tsv *.ndjson)"), tr("All files (*)")});
    }
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) { m_form->setText(m_key.name, path); });
    dialog->open();
}

QWidget* ConfigField::makeAlpha() {
    auto* line = new QLineEdit(this);
    line->setMinimumWidth(textPixels(numberWidth));
    line->setMaximumWidth(textPixels(choiceWidth * 2));
    line->setPlaceholderText(m_key.name == "alpha" ? QString() : tr("as alpha"));
    connect(line, &QLineEdit::textEdited, this, [this](const QString& text) { m_form->setText(m_key.name, text); });
    m_show = [this, line](const QString& text) {
        // What is being typed stays as it is typed as long as it means the same.
        if (line->hasFocus() && alphaFromTyped(line->text()) == text) return;
        const std::string canonical = text.toStdString();
        const QString shown = ui::constantAlpha(canonical) ? ui::percent(*ui::constantAlpha(canonical)) : text;
        if (line->text() != shown) line->setText(shown);
    };
    connect(line, &QLineEdit::editingFinished, this, [this] { refresh(); });
    m_row->addWidget(line);
    return line;
}

QWidget* ConfigField::makeGranularity() {
    auto* box = new QComboBox(this);
    for (const char* kind : {"tensor", "layer", "model", "module", "head", "row", "block", "shards"}) {
        box->addItem(ui::granularityText(kind), QString::fromLatin1(kind));
    }
    box->setMinimumWidth(textPixels(choiceWidth));
    new WheelGuard(box);
    auto* count = new QSpinBox(this);
    count->setObjectName(QStringLiteral("new.granularity.n"));
    count->setAccessibleName(tr("Size of a block, or number of shards"));
    count->setLocale(QLocale::c());
    count->setRange(1, 1 << 30);
    count->setFixedWidth(textPixels(numberWidth));
    new WheelGuard(count);
    m_count = count;
    const auto edited = [this, box, count] {
        const QString kind = box->currentData().toString();
        const bool hasCount = kind == QLatin1String("block") || kind == QLatin1String("shards");
        m_form->setText(m_key.name, hasCount ? QStringLiteral("%1:%2").arg(kind).arg(count->value()) : kind);
    };
    connect(box, &QComboBox::currentIndexChanged, this, [box, count, edited] {
        const QSignalBlocker quiet(count);
        if (box->currentData() == QLatin1String("block")) count->setValue(4096);
        if (box->currentData() == QLatin1String("shards")) count->setValue(4);
        edited();
    });
    connect(count, &QSpinBox::valueChanged, this, edited);
    m_show = [box, count](const QString& text) {
        const QString kind = text.section(QLatin1Char(':'), 0, 0);
        const QSignalBlocker quiet(count);
        box->setCurrentIndex(box->findData(kind));
        if (text.contains(QLatin1Char(':'))) count->setValue(text.section(QLatin1Char(':'), 1).toInt());
        count->setVisible(text.contains(QLatin1Char(':')));
    };
    m_row->addWidget(box);
    m_row->addWidget(count);
    return box;
}

void ConfigField::setRecent(const QStringList& paths) {
    auto* box = qobject_cast<QComboBox*>(m_editor);
    if (box == nullptr || !isWide()) return;
    const QSignalBlocker quiet(box);
    const QString typed = box->currentText();
    box->clear();
    box->addItems(paths);
    box->setEditText(typed);
}

bool ConfigField::matches(const QString& text) const {
    return QString::fromStdString(m_key.name).contains(text, Qt::CaseInsensitive) || ui::keyLabel(m_key.name).contains(text, Qt::CaseInsensitive) ||
           ui::keyHelp(m_key).contains(text, Qt::CaseInsensitive);
}

void ConfigField::refresh() {
    {
        const QSignalBlocker quiet(m_editor);
        m_show(m_form->text(m_key.name));
    }
    const QString error = m_form->error(m_key.name);
    m_error->setText(error.isEmpty() ? QString() : QStringLiteral("✗ ") + error);
    m_error->setVisible(!error.isEmpty());
    m_help->setVisible(error.isEmpty());
    m_reset->setVisible(m_form->isChanged(m_key.name));
    QFont font = m_label->font();
    if (font.bold() != m_form->isChanged(m_key.name)) {
        font.setBold(m_form->isChanged(m_key.name));
        m_label->setFont(font);
    }
}

void ConfigField::colour() {
    const Theme theme = Theme::current();
    const auto paint = [](QLabel* label, const QColor& colour) {
        QPalette palette = label->palette();
        palette.setColor(QPalette::WindowText, colour);
        label->setPalette(palette);
    };
    paint(m_help, theme.inkSoft);
    paint(m_error, theme.error);
}

void ConfigField::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::ApplicationPaletteChange) colour();
}

}  // namespace mofo
