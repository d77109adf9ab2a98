#include "ui/widgets/first_screen.h"

#include <QFileInfo>
#include <QFrame>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>
#include <filesystem>

#include "core/base/paths.h"
#include "core/base/text.h"
#include "ui/models/display_text.h"
#include "ui/widgets/drift_picture.h"
#include "ui/widgets/small_widgets.h"

namespace mofo {

namespace {

// Weights, gradients and both moments in fp32, and about as much again for activations of short rows.
constexpr double bytesPerParameter = 20;
constexpr int contentWidth = 860;

QString existing(const std::filesystem::path& path) {
    std::error_code ec;
    return std::filesystem::exists(path, ec) ? QString::fromStdString(path.string()) : QString();
}

}  // namespace

QString FirstScreen::demoModel() { return existing(cachePath() / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"); }
QString FirstScreen::demoData() { return existing(cachePath() / "data" / "gsm8k-test.jsonl"); }

QString FirstScreen::sampleWorkspace() {
    const std::filesystem::path place = programFolder() / "sample";
    return existing(place / "workbench.db").isEmpty() ? QString() : QString::fromStdString(place.string());
}

FirstScreen::FirstScreen(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("runs.first"));
    auto* centred = new QHBoxLayout(this);
    auto* content = new QWidget(this);
    content->setMaximumWidth(textPixels(contentWidth));
    centred->addStretch(1);
    centred->addWidget(content, 20);
    centred->addStretch(1);
    auto* layout = new QVBoxLayout(content);
    layout->setSpacing(10);
    layout->addStretch(2);
    auto* title = makeHeading(tr("Fine-tune a language model without forgetting what it knew"), content);
    QFont large = title->font();
    large.setPointSizeF(large.pointSizeF() * 1.5);
    title->setFont(large);
    layout->addWidget(title);
    auto* what = makeLabel(QStringLiteral("runs.empty"), content);
    what->setWordWrap(true);
    what->setText(
        tr("MoFO moves, at every step, only the coordinates with the largest momentum within each partition of the model. Everything else stays "
           "where pretraining left it, so the model learns the task and keeps the rest. Here you set up a run, watch where it moves and how far it "
           "drifts, and steer it while it trains."));
    layout->addWidget(what);
    auto* terms = new QHBoxLayout;
    terms->setSpacing(4);
    const std::pair<const char*, QString> glossary[] = {
        {"partition", tr("partition")}, {"threshold", tr("threshold")}, {"churn", tr("churn")}, {"coverage", tr("coverage")}, {"drift", tr("drift")}};
    for (const auto& [name, text] : glossary) {
        auto* term = new QToolButton(content);
        term->setObjectName(QStringLiteral("runs.term.") + QLatin1String(name));
        term->setText(QStringLiteral("ⓘ ") + text);
        term->setAccessibleName(tr("What is %1?").arg(text));
        term->setAutoRaise(true);
        term->setFocusPolicy(Qt::StrongFocus);
        connect(term, &QToolButton::clicked, this, [this, key = QString::fromLatin1(name)] { Q_EMIT termWanted(key); });
        terms->addWidget(term);
    }
    terms->addStretch(1);
    layout->addLayout(terms);
    m_machine = makeLabel(QStringLiteral("runs.machine"), content);
    m_machine->setAccessibleName(tr("What this machine can do"));
    m_machine->setWordWrap(true);
    layout->addWidget(m_machine);
    layout->addSpacing(6);
    layout->addWidget(new DriftPicture(content), 4);
    layout->addSpacing(6);
    auto* acts = new QGridLayout;
    acts->setSpacing(10);
    const bool hasDemo = !demoModel().isEmpty() && !demoData().isEmpty();
    acts->addWidget(
        makeAct("demo", tr("Watch a live demo"),
                hasDemo
                    ? tr("SmolLM2-135M on grade-school maths: 40 steps, a few minutes on two cores, about 3 GiB of memory. Nothing is downloaded.")
                    : tr("Needs SmolLM2-135M (about 90 MB) and GSM8K's test problems (1 MB), which `installer/bootstrap demo` fetches."),
                m_demo),
        0, 0);
    acts->addWidget(
        makeAct("new", tr("Tune my model"),
                tr("Drop a model folder, a GGUF or a file of rows anywhere in this window, or name a model here or on the next page. Nothing is "
                   "downloaded or trained before you say so."),
                m_new),
        0, 1);
    m_model = new QLineEdit(m_new->parentWidget());
    m_model->setObjectName(QStringLiteral("runs.new.model"));
    m_model->setAccessibleName(tr("Model to tune"));
    m_model->setPlaceholderText(tr("hf:owner/name, or a path"));
    auto* newCard = static_cast<QVBoxLayout*>(m_new->parentWidget()->layout());
    newCard->insertWidget(newCard->indexOf(m_new), m_model);
    const bool hasSample = !sampleWorkspace().isEmpty();
    acts->addWidget(makeAct("sample", tr("Look at a recorded run"),
                            hasSample ? tr("A short real run with all its measurements, read-only; works offline and without a GPU.")
                                      : tr("This build comes without the recorded workspace."),
                            m_sample),
                    0, 2);
    for (int column = 0; column < 3; ++column) acts->setColumnStretch(column, 1);
    layout->addLayout(acts);
    m_demo->setEnabled(hasDemo);
    m_sample->setEnabled(hasSample);
    auto* more = new QHBoxLayout;
    auto* import = new QPushButton(tr("Import a model…"), content);
    import->setObjectName(QStringLiteral("runs.import"));
    import->setAccessibleName(tr("Import a model"));
    more->addWidget(import);
    m_place = makeLabel(QStringLiteral("runs.place"), content);
    m_place->setForegroundRole(QPalette::PlaceholderText);
    m_place->setWordWrap(true);
    more->addWidget(m_place, 1);
    layout->addLayout(more);
    layout->addStretch(3);
    connect(m_demo, &QPushButton::clicked, this, &FirstScreen::demoWanted);
    const auto tune = [this] { Q_EMIT newRunWanted(m_model->text().trimmed()); };
    connect(m_new, &QPushButton::clicked, this, tune);
    connect(m_model, &QLineEdit::returnPressed, this, tune);
    connect(m_sample, &QPushButton::clicked, this, &FirstScreen::sampleWanted);
    connect(import, &QPushButton::clicked, this, &FirstScreen::importWanted);
    setDevice({});
}

void FirstScreen::focusFirstAct() { (m_demo->isEnabled() ? m_demo : m_new)->setFocus(Qt::OtherFocusReason); }

QWidget* FirstScreen::makeAct(const char* name, const QString& title, const QString& text, QPushButton*& button) {
    auto* card = new QFrame(this);
    card->setFrameShape(QFrame::StyledPanel);
    card->setBackgroundRole(QPalette::Base);
    card->setAutoFillBackground(true);
    auto* layout = new QVBoxLayout(card);
    layout->setContentsMargins(12, 10, 12, 12);
    layout->addWidget(makeHeading(title, card));
    auto* words = makeLabel(QStringLiteral("runs.%1.text").arg(QLatin1String(name)), card);
    words->setText(text);
    words->setWordWrap(true);
    words->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    layout->addWidget(words, 1);
    button = new QPushButton(title, card);
    button->setObjectName(QStringLiteral("runs.") + QLatin1String(name));
    button->setAccessibleName(title);
    button->setAccessibleDescription(text);
    button->setMinimumHeight(32);
    layout->addWidget(button);
    return card;
}

void FirstScreen::setDevice(const DeviceCardPtr& device) {
    if (!device || device->freeBytes == 0) {
        m_machine->setText(device && !device->problem.isEmpty() ? device->problem : tr("Looking at this machine…"));
        return;
    }
    const double parameters = static_cast<double>(device->freeBytes) / bytesPerParameter;
    const QString free = ui::shown(formatBytes(device->freeBytes)), upTo = ui::shortCount(parameters);
    m_machine->setText(device->isCuda
                           ? tr("This machine: %1, %2 of GPU memory. Full MoFO in fp32 up to about %3 parameters.").arg(device->title, free, upTo)
                           : tr("This machine: %1, no usable GPU, %2 of memory free. Full MoFO in fp32 on the CPU up to about %3 parameters.")
                                 .arg(device->title, free, upTo));
}

void FirstScreen::setFolder(const QString& folder, bool missing) {
    m_place->setText(missing ? tr("There is no workspace in %1 yet: the first run makes it.").arg(folder)
                             : tr("No run yet in %1. Runs started on the command line appear here by themselves.").arg(folder));
}

}  // namespace mofo
