#include "ui/widgets/run_strip.h"

#include <QEvent>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPainter>
#include <QPainterPath>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "ui/models/display_text.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

// A live run's strip is read again after so many of its steps.
constexpr std::int64_t glanceEverySteps = 20;

}  // namespace

Sparkline::Sparkline(const QString& objectName, const QString& title, QWidget* parent) : QWidget(parent), m_title(title) {
    setObjectName(objectName);
    setAccessibleName(title);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void Sparkline::setValues(const std::vector<double>& values) {
    m_values = values;
    const auto last = std::find_if(values.rbegin(), values.rend(), [](double value) { return std::isfinite(value); });
    setAccessibleDescription(last == values.rend() ? tr("no values") : tr("newest %1").arg(ui::fourDigits(*last)));
    update();
}

void Sparkline::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Theme theme = Theme::current();
    const QFontMetrics metrics(font());
    painter.setPen(theme.inkSoft);
    painter.drawText(QRect(0, 0, width(), metrics.height()), Qt::AlignLeft, m_title);
    double low = INFINITY, high = -INFINITY, newest = NAN;
    for (const double value : m_values) {
        if (!std::isfinite(value)) continue;
        low = std::min(low, value);
        high = std::max(high, value);
        newest = value;
    }
    const QRectF area(1, metrics.height() + 2, width() - 2.0, height() - metrics.height() - 5.0);
    if (!std::isfinite(low)) {
        painter.drawText(area, Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("–"));
        return;
    }
    painter.setPen(theme.ink);
    painter.drawText(QRect(0, 0, width(), metrics.height()), Qt::AlignRight, ui::fourDigits(newest));
    const double span = high > low ? high - low : 1;
    const auto x = [&](std::size_t i) {
        return area.left() + area.width() * (m_values.size() > 1 ? static_cast<double>(i) / static_cast<double>(m_values.size() - 1) : 1.0);
    };
    const auto y = [&](double value) { return area.bottom() - area.height() * (value - low) / span; };
    QPainterPath path;
    bool drawing = false;
    for (std::size_t i = 0; i < m_values.size(); ++i) {
        if (!std::isfinite(m_values[i])) {
            drawing = false;
            painter.setPen(QPen(theme.error, 1.5));
            painter.drawLine(QPointF(x(i) - 2, area.bottom() - 2), QPointF(x(i) + 2, area.bottom() + 2));
            painter.drawLine(QPointF(x(i) - 2, area.bottom() + 2), QPointF(x(i) + 2, area.bottom() - 2));
            continue;
        }
        const QPointF at(x(i), y(m_values[i]));
        if (drawing)
            path.lineTo(at);
        else
            path.moveTo(at);
        drawing = true;
    }
    painter.setPen(QPen(theme.train, 1.5));
    painter.drawPath(path);
    painter.setBrush(theme.train);
    painter.drawEllipse(QPointF(area.right() - 1, y(newest)), 2.2, 2.2);
}

void Sparkline::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) update();
}

RunStrip::RunStrip(RunActs* acts, bool isRecording, QWidget* parent) : QFrame(parent), m_acts(acts), m_isRecording(isRecording) {
    setObjectName(QStringLiteral("runs.strip"));
    setFrameShape(QFrame::StyledPanel);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(10, 6, 10, 6);
    layout->setSpacing(16);
    auto* about = new QVBoxLayout;
    about->setSpacing(2);
    m_title = new ElidedLabel(this);
    m_title->setObjectName(QStringLiteral("runs.strip.title"));
    QFont bold = m_title->font();
    bold.setBold(true);
    m_title->setFont(bold);
    m_detail = new ElidedLabel(this);
    m_detail->setObjectName(QStringLiteral("runs.strip.detail"));
    m_detail->setAccessibleName(tr("About the run"));
    about->addWidget(m_title);
    about->addWidget(m_detail);
    about->addStretch(1);
    layout->addLayout(about, 3);
    m_loss = new Sparkline(QStringLiteral("runs.strip.loss"), tr("loss"), this);
    m_drift = new Sparkline(QStringLiteral("runs.strip.drift"), tr("drift"), this);
    layout->addWidget(m_loss, 2);
    layout->addWidget(m_drift, 2);
    auto* notes = new QGridLayout;
    notes->setVerticalSpacing(3);
    m_note = new QLineEdit(this);
    m_note->setObjectName(QStringLiteral("runs.strip.note"));
    m_note->setAccessibleName(tr("Note"));
    m_note->setPlaceholderText(tr("note"));
    m_tags = new QLineEdit(this);
    m_tags->setObjectName(QStringLiteral("runs.strip.tags"));
    m_tags->setAccessibleName(tr("Tags"));
    m_tags->setPlaceholderText(tr("tags, with commas"));
    notes->addWidget(m_note, 0, 0);
    notes->addWidget(m_tags, 1, 0);
    layout->addLayout(notes, 3);
    auto* buttons = new QGridLayout;
    buttons->setSpacing(4);
    m_open = addButton("open", tr("Open"));
    m_resume = addButton("resume", tr("Resume"));
    m_twin = addButton("twin", tr("Twin"));
    m_branch = addButton("branch", tr("Branch"));
    m_trash = addButton("trash", tr("Trash"));
    m_twin->setToolTip(tr("A new run with the same values, to change one of them"));
    m_branch->setToolTip(tr("A new run from the newest checkpoint"));
    buttons->addWidget(m_open, 0, 0);
    buttons->addWidget(m_resume, 0, 1);
    buttons->addWidget(m_twin, 0, 2);
    buttons->addWidget(m_branch, 1, 0);
    buttons->addWidget(m_trash, 1, 1);
    layout->addLayout(buttons);
    connect(m_open, &QPushButton::clicked, this, [this] { Q_EMIT openWanted(QString::fromStdString(m_run.id)); });
    connect(m_twin, &QPushButton::clicked, this, [this] { Q_EMIT twinWanted(QString::fromStdString(m_run.id)); });
    connect(m_resume, &QPushButton::clicked, this, [this] { m_acts->resume(m_run); });
    connect(m_branch, &QPushButton::clicked, this, [this] { m_acts->branch(m_run, {}); });
    connect(m_trash, &QPushButton::clicked, this, [this] { m_acts->trash({m_run}); });
    connect(m_note, &QLineEdit::editingFinished, this, [this] {
        if (m_hasRun) m_acts->setNote(m_run, m_note->text());
    });
    connect(m_tags, &QLineEdit::editingFinished, this, [this] {
        if (m_hasRun) m_acts->setTags(m_run, m_tags->text().split(QLatin1Char(','), Qt::SkipEmptyParts));
    });
    connect(acts, &RunActs::glanced, this, &RunStrip::show);
    setRun(nullptr, {});
}

QPushButton* RunStrip::addButton(const char* name, const QString& text) {
    auto* button = new QPushButton(text, this);
    button->setObjectName(QStringLiteral("runs.strip.") + QLatin1String(name));
    button->setAccessibleName(text);
    return button;
}

void RunStrip::focusNote() {
    m_note->setFocus(Qt::ShortcutFocusReason);
    m_note->selectAll();
}

void RunStrip::setRun(const RunRow* run, const QString& problem) {
    const bool isOther = run == nullptr || !m_hasRun || run->id != m_run.id;
    m_hasRun = run != nullptr;
    m_problem = problem;
    if (run == nullptr) {
        m_run = RunRow();
        m_title->setFullText(tr("No run chosen"));
        m_detail->setFullText({});
        m_loss->setValues({});
        m_drift->setValues({});
        m_note->clear();
        m_tags->clear();
        for (QWidget* part : std::initializer_list<QWidget*>{m_note, m_tags, m_open, m_resume, m_twin, m_branch, m_trash}) part->setEnabled(false);
        return;
    }
    m_run = *run;
    const bool isReadable = run->unreadable.empty() && problem.isEmpty();
    const bool isStoppedEarly = run->state == RunState::Stopped || run->state == RunState::Failed || run->state == RunState::Lost;
    m_title->setFullText(ui::shown(run->name));
    if (isOther) {
        m_detail->setFullText(isReadable ? QString() : QStringLiteral("! ") + (problem.isEmpty() ? ui::shown(run->unreadable) : problem));
        m_loss->setValues({});
        m_drift->setValues({});
    }
    QStringList tags;
    for (const std::string& tag : run->tags) tags << QString::fromStdString(tag);
    if (isOther || !m_note->hasFocus()) {
        m_note->setText(QString::fromStdString(run->note));
        m_note->setCursorPosition(0);
    }
    if (isOther || !m_tags->hasFocus()) m_tags->setText(tags.join(QStringLiteral(", ")));
    m_open->setEnabled(true);
    m_note->setEnabled(!m_isRecording);
    m_tags->setEnabled(!m_isRecording);
    m_resume->setEnabled(!m_isRecording && isReadable && isStoppedEarly);
    m_resume->setToolTip(isStoppedEarly ? tr("Goes on from the newest checkpoint") : tr("Only a run that was stopped, failed or lost can go on"));
    m_twin->setEnabled(!m_isRecording && run->unreadable.empty());
    m_branch->setEnabled(!m_isRecording && isReadable && run->summary.step > 0);
    m_trash->setEnabled(!m_isRecording && isEnded(run->state));
    m_trash->setToolTip(isEnded(run->state) ? tr("Files stay for 7 days; Ctrl+Z takes it back")
                                            : tr("A run that is not over cannot go to the trash: stop it first"));
    if (isOther || run->summary.step >= m_glancedStep + glanceEverySteps || (isEnded(run->state) && run->summary.step != m_glancedStep)) {
        m_glancedStep = run->summary.step;
        m_acts->glance(QString::fromStdString(run->id));
    }
}

void RunStrip::show(const RunGlance& glance) {
    if (!m_hasRun || glance.id != QString::fromStdString(m_run.id)) return;
    if (!glance.problem.isEmpty()) {
        m_detail->setFullText(QStringLiteral("! ") + glance.problem);
        return;
    }
    m_loss->setValues(glance.loss);
    m_drift->setValues(glance.drift);
    QStringList parts{ui::stateText(m_run.state)};
    if (!m_run.endReason.empty()) parts << ui::shown(m_run.endReason);
    if (glance.checkpoints > 0) {
        parts << tr("checkpoints: %1, %2")
                     .arg(ui::count(glance.checkpoints), ui::shown(formatBytes(static_cast<std::uint64_t>(glance.checkpointBytes))));
    } else {
        parts << tr("no checkpoint");
    }
    if (!m_run.parentId.empty()) parts << tr("branch from step %1").arg(ui::count(m_run.parentStep));
    m_detail->setFullText(parts.join(QStringLiteral("  ·  ")));
}

}  // namespace mofo
