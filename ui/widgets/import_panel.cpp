#include "ui/widgets/import_panel.h"

#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/controllers/hub_source.h"
#include "ui/models/display_text.h"
#include "ui/widgets/hub_card.h"
#include "ui/widgets/small_widgets.h"

namespace mofo {

namespace {

using State = HubSource::State;

constexpr int panelWidth = 640, edge = 12, fromTop = 72;

/// config.json stands for the folder it lies in.
QString modelAt(const QString& path) {
    const QFileInfo file(path);
    return file.fileName() == QLatin1String("config.json") ? file.absolutePath() : path;
}

}  // namespace

ImportPanel::ImportPanel(HubSource* source, QWidget* window) : QFrame(window), m_source(source) {
    setObjectName(QStringLiteral("import"));
    setAccessibleName(tr("Import a model"));
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(14, 10, 14, 12);
    layout->setSpacing(8);
    auto* top = new QHBoxLayout;
    top->addWidget(makeHeading(tr("Import a model"), this), 1);
    auto* close = new QToolButton(this);
    close->setObjectName(QStringLiteral("import.close"));
    close->setText(QStringLiteral("✕"));
    close->setAccessibleName(tr("Close"));
    close->setAutoRaise(true);
    top->addWidget(close);
    layout->addLayout(top);
    auto* what = makeLabel(QStringLiteral("import.what"), this);
    what->setText(tr("It is copied into the workspace and sealed there: the weights that drift is measured against."));
    what->setWordWrap(true);
    what->setForegroundRole(QPalette::PlaceholderText);
    layout->addWidget(what);
    auto* row = new QHBoxLayout;
    m_field = new QLineEdit(m_source->text(), this);
    m_field->setObjectName(QStringLiteral("import.field"));
    m_field->setAccessibleName(tr("Model to import"));
    m_field->setPlaceholderText(tr("hf:owner/name, a GGUF file, or a Hugging Face folder"));
    m_field->setClearButtonEnabled(true);
    row->addWidget(m_field, 1);
    auto* choose = new QPushButton(tr("Choose…"), this);
    choose->setObjectName(QStringLiteral("import.choose"));
    choose->setAccessibleName(tr("Choose a file"));
    row->addWidget(choose);
    m_import = new QPushButton(tr("Import"), this);
    m_import->setObjectName(QStringLiteral("import.act"));
    m_import->setAccessibleName(tr("Import"));
    row->addWidget(m_import);
    layout->addLayout(row);
    auto* card = new HubCard(QStringLiteral("import"), m_source, this);
    layout->addWidget(card);
    m_problem = makeLabel(QStringLiteral("import.problem"), this);
    m_problem->setWordWrap(true);
    layout->addWidget(m_problem);
    connect(close, &QToolButton::clicked, this, &QWidget::hide);
    connect(choose, &QPushButton::clicked, this, &ImportPanel::browse);
    connect(m_import, &QPushButton::clicked, this, &ImportPanel::act);
    connect(m_field, &QLineEdit::returnPressed, this, &ImportPanel::act);
    connect(m_field, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_importWhenThere = false;
        m_source->setText(text.trimmed());
        refresh();
    });
    connect(card, &HubCard::textWanted, m_field, &QLineEdit::setText);
    connect(m_source, &HubSource::changed, this, &ImportPanel::refresh);
    hide();
}

void ImportPanel::open() {
    refresh();
    show();
    raise();
    m_field->setFocus(Qt::OtherFocusReason);
    m_field->selectAll();
}

void ImportPanel::place() {
    const QWidget* window = parentWidget();
    const int width = std::min(textPixels(panelWidth), window->width() - 2 * edge);
    const int height = layout()->hasHeightForWidth() ? layout()->totalHeightForWidth(width) : sizeHint().height();
    setGeometry((window->width() - width) / 2, fromTop, width, std::min(height, window->height() - fromTop - edge));
}

void ImportPanel::browse() {
    auto* dialog = new QFileDialog(this, tr("Import a model: a GGUF file, or the config.json of a Hugging Face folder"), QDir::homePath());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setNameFilters({tr("Models (*.gguf config.json)"), tr("All files (*)")});
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) { m_field->setText(modelAt(path)); });
    dialog->open();
}

void ImportPanel::refresh() {
    const QString text = m_field->text().trimmed();
    const State state = m_source->state();
    const bool isLocal = state == State::None;
    const bool missing = isLocal && !text.isEmpty() && !QFileInfo::exists(text);
    m_problem->setVisible(missing);
    m_problem->setText(missing ? tr("There is no file or folder of this name.") : QString());
    m_import->setText(state == State::Planned ? tr("Download and import") : tr("Import"));
    m_import->setEnabled((isLocal && !text.isEmpty() && !missing) || state == State::Planned || state == State::Ready);
    if (state == State::Failed) m_importWhenThere = false;
    if (m_importWhenThere && state == State::Ready) act();
}

void ImportPanel::act() {
    if (!m_import->isEnabled()) return;
    if (m_source->state() == State::Planned) {
        m_importWhenThere = true;
        m_source->download();
        return;
    }
    m_importWhenThere = false;
    const QString path = m_source->state() == State::Ready ? QString::fromStdString(m_source->path())
                                                           : modelAt(QFileInfo(m_field->text().trimmed()).absoluteFilePath());
    hide();
    Q_EMIT importWanted(path);
}

void ImportPanel::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape) {
        hide();
        parentWidget()->setFocus(Qt::OtherFocusReason);
        return;
    }
    QFrame::keyPressEvent(event);
}

bool ImportPanel::event(QEvent* event) {
    // What the Hub says makes it higher or lower.
    if (event->type() == QEvent::LayoutRequest || event->type() == QEvent::Show) place();
    return QFrame::event(event);
}

}  // namespace mofo
