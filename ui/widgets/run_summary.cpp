#include "ui/widgets/run_summary.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/base/text.h"
#include "core/client/sweep.h"
#include "ui/models/display_text.h"
#include "ui/widgets/plan_charts.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

constexpr int progressSteps = 1000;

/// A sentence that takes its reader to the field it is about.
class IssueButton : public QToolButton {
public:
    IssueButton(const QString& text, QWidget* parent) : QToolButton(parent), m_text(text) {
        setAutoRaise(true);
        setFocusPolicy(Qt::StrongFocus);
        setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    }
    QSize sizeHint() const override { return {200, heightForWidth(std::max(width(), 200))}; }
    QSize minimumSizeHint() const override { return {120, sizeHint().height()}; }
    int heightForWidth(int width) const override {
        return fontMetrics().boundingRect(QRect(0, 0, width - 10, 4000), Qt::TextWordWrap, m_text).height() + 8;
    }
    bool hasHeightForWidth() const override { return true; }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        const Theme theme = Theme::current();
        if (underMouse() || hasFocus()) painter.fillRect(rect(), theme.grid);
        if (hasFocus()) {
            painter.setPen(QPen(theme.train, 2));
            painter.drawRect(rect().adjusted(1, 1, -1, -1));
        }
        painter.setPen(m_text.startsWith(QChar(0x2717)) ? theme.error : m_text.startsWith(QChar(0x26a0)) ? theme.warning : theme.ink);
        painter.drawText(rect().adjusted(5, 4, -5, -4), Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, m_text);
    }
    void resizeEvent(QResizeEvent* event) override {
        QToolButton::resizeEvent(event);
        setFixedHeight(heightForWidth(width()));
    }

private:
    QString m_text;
};

}  // namespace

RunSummaryPanel::RunSummaryPanel(NewRunController* controller, QWidget* parent) : QWidget(parent), m_controller(controller) {
    setObjectName(QStringLiteral("new.summary"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(12, 10, 12, 10);
    layout->setSpacing(4);
    const auto label = [&](const char* name, const QString& accessibleName) {
        QLabel* made = makeLabel(QStringLiteral("new.summary.") + QLatin1String(name), this);
        made->setAccessibleName(accessibleName);
        made->setWordWrap(true);
        layout->addWidget(made);
        return made;
    };
    layout->addWidget(makeHeading(tr("Summary"), this));
    m_name = new QLineEdit(this);
    m_name->setObjectName(QStringLiteral("new.name"));
    m_name->setAccessibleName(tr("Name of the run"));
    m_name->setPlaceholderText(tr("name: made from model and α"));
    m_name->setText(controller->form().name());
    m_name->setMaxLength(120);
    connect(m_name, &QLineEdit::textEdited, this, [this](const QString& text) { m_controller->form().setName(text); });
    layout->addWidget(m_name);
    m_rows = label("rows", tr("Rows and steps"));
    m_time = label("time", tr("Time"));
    m_device = label("device", tr("Device"));
    layout->addSpacing(8);
    layout->addWidget(makeHeading(tr("Memory forecast"), this));
    auto* line = new QHBoxLayout;
    m_memory = makeLabel(QStringLiteral("new.summary.memory"), this);
    m_memory->setAccessibleName(tr("Memory forecast"));
    m_fit = makeHeading(QString(), this);
    m_fit->setObjectName(QStringLiteral("new.summary.fit"));
    m_fit->setAccessibleName(tr("Whether the forecast fits"));
    line->addWidget(m_memory, 1);
    line->addWidget(m_fit);
    layout->addLayout(line);
    m_bar = new MemoryBar(this);
    m_bar->setObjectName(QStringLiteral("new.memory"));
    layout->addWidget(m_bar);
    m_memoryNote = label("memoryNote", tr("What the forecast reckons with"));
    m_memoryNote->setForegroundRole(QPalette::PlaceholderText);
    layout->addSpacing(8);
    m_issueHeading = makeHeading(QString(), this);
    m_issueHeading->setObjectName(QStringLiteral("new.summary.issues"));
    layout->addWidget(m_issueHeading);
    m_issues = new QVBoxLayout;
    m_issues->setSpacing(0);
    layout->addLayout(m_issues);
    layout->addStretch(1);
    auto* working = new QHBoxLayout;
    m_progress = new QProgressBar(this);
    m_progress->setObjectName(QStringLiteral("new.progress"));
    m_progress->setAccessibleName(tr("Progress of the start"));
    m_progress->setRange(0, progressSteps);
    m_cancel = new QPushButton(tr("Cancel"), this);
    m_cancel->setObjectName(QStringLiteral("new.cancel"));
    m_cancel->setAccessibleName(tr("Cancel the start"));
    working->addWidget(m_progress, 1);
    working->addWidget(m_cancel);
    layout->addLayout(working);
    auto* buttons = new QHBoxLayout;
    m_start = new QPushButton(tr("Start now"), this);
    m_start->setObjectName(QStringLiteral("new.start"));
    m_start->setAccessibleName(tr("Start now"));
    m_start->setDefault(true);
    m_start->setMinimumHeight(32);
    m_queue = new QPushButton(tr("Add to queue"), this);
    m_queue->setObjectName(QStringLiteral("new.queue"));
    m_queue->setAccessibleName(tr("Add to queue"));
    m_queue->setMinimumHeight(32);
    buttons->addWidget(m_start, 1);
    buttons->addWidget(m_queue, 1);
    layout->addLayout(buttons);
    m_compare = new QPushButton(tr("Compare with AdamW…"), this);
    m_compare->setObjectName(QStringLiteral("new.compare"));
    m_compare->setAccessibleName(tr("Compare with AdamW"));
    m_compare->setMinimumHeight(32);
    layout->addWidget(m_compare);
    layout->addWidget(m_comparison = makeComparison());
    connect(m_compare, &QPushButton::clicked, controller, &NewRunController::prepareComparison);
    connect(controller, &NewRunController::comparisonChanged, this, &RunSummaryPanel::refreshComparison);
    connect(m_start, &QPushButton::clicked, controller, &NewRunController::start);
    connect(m_queue, &QPushButton::clicked, controller, &NewRunController::start);
    connect(m_cancel, &QPushButton::clicked, controller, &NewRunController::cancelStart);
    connect(controller, &NewRunController::summaryChanged, this, &RunSummaryPanel::refresh);
    connect(controller, &NewRunController::startProgress, this, [this](const QString& phase, double share) {
        m_progress->setFormat(phase);
        m_progress->setValue(static_cast<int>(share * progressSteps));
        refresh();
    });
    refresh();
}

void RunSummaryPanel::refresh() {
    const RunForecast& forecast = m_controller->forecast();
    const RunConfig& config = m_controller->form().config();
    if (!m_name->hasFocus()) m_name->setText(m_controller->form().name());
    if (forecast.steps.trainRows > 0) {
        QString text = config.steps > 0
                           ? tr("%1 rows, %2 steps").arg(ui::count(forecast.steps.trainRows), ui::count(forecast.steps.steps))
                           : tr("%1 rows, epochs %2 = %3 steps")
                                 .arg(ui::count(forecast.steps.trainRows), ui::shortNumber(config.epochs), ui::count(forecast.steps.steps));
        if (forecast.steps.heldOutRows > 0) text += tr(", %1 rows held out").arg(ui::count(forecast.steps.heldOutRows));
        if (!forecast.stepsKnown) text += tr(" (still counting)");
        m_rows->setText(text);
    } else {
        m_rows->setText(tr("Rows and steps appear once model and data are chosen."));
    }
    if (forecast.seconds) {
        m_time->setText(tr("about %1 at %2 tokens/s, as measured on %3")
                            .arg(ui::duration(*forecast.seconds), ui::shortCount(forecast.tokensPerSecond), forecast.measuredOn));
    } else {
        m_time->setText(forecast.steps.trainRows > 0 ? tr("Time: known after the first run of this model here.") : QString());
    }
    m_time->setVisible(!m_time->text().isEmpty());
    const DeviceCardPtr& device = m_controller->device();
    m_device->setText(device ? device->title.isEmpty() ? device->device : tr("%1: %2", "device, its name").arg(device->device, device->title)
                             : QString());
    m_device->setVisible(!m_device->text().isEmpty());
    const std::uint64_t free = device ? device->freeBytes : 0;
    m_bar->setPlan(forecast.memory, free);
    m_fit->setVisible(forecast.memory.has_value() && free > 0);
    m_memory->setVisible(forecast.memory.has_value());
    m_memoryNote->setVisible(forecast.memory.has_value());
    if (forecast.memory) {
        const QString needed = ui::shown(formatBytes(forecast.memory->deviceBytes()));
        m_memory->setText(free > 0 ? tr("%1 of %2 free").arg(needed, ui::shown(formatBytes(free))) : needed);
        m_fit->setText(MemoryBar::fitText(m_controller->fit()));
        const Theme theme = Theme::current();
        QPalette palette = m_fit->palette();
        const MemoryFit fit = m_controller->fit();
        palette.setColor(QPalette::WindowText, fit == MemoryFit::Fits ? theme.ink : fit == MemoryFit::Tight ? theme.warning : theme.error);
        m_fit->setPalette(palette);
        const QString rows = ui::count(effectiveMicroBatch(config)), length = ui::count(forecast.lengths.longestRow);
        m_memoryNote->setText(forecast.longestKnown ? tr("Computed from shapes, for the longest micro-batch: %1 rows, %2 tokens.")
                                                          .arg(rows, ui::count(forecast.lengths.microBatchTokens))
                                                    : tr("Computed from shapes, for %1 rows of %2 tokens (max_length).").arg(rows, length));
    }
    refreshIssues();
    const QString whyNotStart = m_controller->whyNotStart(), whyNotQueue = m_controller->whyNotQueue();
    const bool busy = !whyNotStart.isEmpty() && whyNotQueue.isEmpty();
    m_start->setEnabled(whyNotStart.isEmpty());
    m_start->setToolTip(whyNotStart.isEmpty() ? tr("Ctrl+Return") : whyNotStart.toHtmlEscaped());
    m_queue->setEnabled(busy);
    m_queue->setToolTip(busy                    ? tr("Ctrl+Shift+Return")
                        : whyNotQueue.isEmpty() ? tr("The device is free: the run can start now.")
                                                : whyNotQueue.toHtmlEscaped());
    m_compare->setEnabled(whyNotQueue.isEmpty() || busy);
    m_compare->setToolTip(m_compare->isEnabled()
                              ? tr("AdamW, and MoFO at 5 % and 15 %, with everything else as it stands here: same rows, same order, same probes. "
                                   "Time and disk are said first; a report is written when all have ended.")
                              : whyNotQueue.toHtmlEscaped());
    m_progress->setVisible(m_controller->isStarting());
    m_cancel->setVisible(m_controller->isStarting());
}

QWidget* RunSummaryPanel::makeComparison() {
    auto* frame = new QFrame(this);
    frame->setObjectName(QStringLiteral("new.comparison"));
    frame->setFrameShape(QFrame::StyledPanel);
    frame->setBackgroundRole(QPalette::Base);
    frame->setAutoFillBackground(true);
    auto* layout = new QVBoxLayout(frame);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->addWidget(makeHeading(tr("Compare with AdamW"), frame));
    m_comparisonText = makeLabel(QStringLiteral("new.comparison.text"), frame);
    m_comparisonText->setWordWrap(true);
    layout->addWidget(m_comparisonText);
    auto* buttons = new QHBoxLayout;
    m_comparisonQueue = new QPushButton(frame);
    m_comparisonQueue->setObjectName(QStringLiteral("new.comparison.queue"));
    m_comparisonQueue->setAccessibleName(tr("Queue all runs of the comparison"));
    auto* back = new QPushButton(tr("Not now"), frame);
    back->setObjectName(QStringLiteral("new.comparison.back"));
    back->setAccessibleName(tr("Queue nothing"));
    buttons->addWidget(m_comparisonQueue, 1);
    buttons->addWidget(back, 1);
    layout->addLayout(buttons);
    connect(m_comparisonQueue, &QPushButton::clicked, m_controller, &NewRunController::queueComparison);
    connect(back, &QPushButton::clicked, m_controller, &NewRunController::discardComparison);
    frame->hide();
    return frame;
}

void RunSummaryPanel::refreshComparison() {
    const std::shared_ptr<PreparedSweep>& prepared = m_controller->comparison();
    m_comparison->setVisible(prepared != nullptr);
    if (!prepared) return;
    const SweepForecast& forecast = prepared->forecast;
    const int runs = static_cast<int>(prepared->runs.size());
    QStringList names;
    for (const RunRow& run : prepared->runs) names << ui::shown(run.name);
    QStringList lines;
    lines << names.join(QStringLiteral(" · "));
    lines << (forecast.seconds ? tr("%1 steps in all, about %2 one after another (%3)")
                                     .arg(ui::count(forecast.steps), ui::duration(*forecast.seconds), ui::shown(forecast.basis))
                               : tr("%1 steps in all; the time is not known yet").arg(ui::count(forecast.steps)));
    lines << tr("%1 of checkpoints stay; %2 are free").arg(ui::shown(formatBytes(forecast.diskBytes)), ui::shown(formatBytes(forecast.freeBytes)));
    for (const std::string& note : prepared->notes) lines << ui::shown(note);
    lines << tr("They are queued as a group; a comparison report is written when all have ended.");
    m_comparisonText->setText(lines.join(QLatin1Char('\n')));
    m_comparisonQueue->setText(tr("Queue all %1").arg(runs));
    m_comparisonQueue->setFocus(Qt::OtherFocusReason);
    Q_EMIT comparisonShown(m_comparison);
}

void RunSummaryPanel::refreshIssues() {
    const std::vector<FormIssue> issues = m_controller->issues();
    QStringList texts;
    int errors = 0;
    for (const FormIssue& issue : issues) {
        texts << (issue.blocks ? QStringLiteral("✗ ") : QStringLiteral("⚠ ")) + issue.text;
        errors += issue.blocks ? 1 : 0;
    }
    if (texts == m_shownIssues && !m_issueHeading->text().isEmpty()) return;
    m_shownIssues = texts;
    m_issueHeading->setText(issues.empty() ? tr("✓ Nothing stands in the way")
                                           : tr("Errors: %1, warnings: %2").arg(errors).arg(static_cast<int>(issues.size()) - errors));
    while (QLayoutItem* item = m_issues->takeAt(0)) {
        item->widget()->hide();
        item->widget()->deleteLater();
        delete item;
    }
    for (std::size_t i = 0; i < issues.size(); ++i) {
        auto* button = new IssueButton(texts[static_cast<qsizetype>(i)], this);
        button->setObjectName(QStringLiteral("new.issue.%1").arg(i));
        button->setAccessibleName(texts[static_cast<qsizetype>(i)]);
        connect(button, &QToolButton::clicked, this, [this, key = QString::fromStdString(issues[i].key)] { Q_EMIT fieldWanted(key); });
        m_issues->addWidget(button);
    }
}

}  // namespace mofo
