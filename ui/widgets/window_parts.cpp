#include "ui/widgets/window_parts.h"

#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QFontDatabase>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "core/base/clock.h"
#include "core/base/process_memory.h"
#include "core/base/text.h"
#include "ui/models/display_text.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"

namespace mofo {

namespace {

constexpr int toastMs = 8000;
constexpr int popoverWidth = 420;
constexpr int edge = 12;
constexpr double newsSeconds = 30;
constexpr int progressSteps = 1000;

}  // namespace

Toast::Toast(QWidget* window) : QFrame(window) {
    setObjectName(QStringLiteral("main.toast"));
    setAccessibleName(tr("Done"));
    setFrameShape(QFrame::StyledPanel);
    setBackgroundRole(QPalette::ToolTipBase);
    setForegroundRole(QPalette::ToolTipText);
    setAutoFillBackground(true);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(14, 8, 8, 8);
    m_text = makeLabel(QStringLiteral("main.toast.text"), this);
    m_text->setForegroundRole(QPalette::ToolTipText);
    m_undo = new QPushButton(tr("Undo"), this);
    m_undo->setObjectName(QStringLiteral("main.toast.undo"));
    m_undo->setAccessibleName(tr("Undo"));
    layout->addWidget(m_text, 1);
    layout->addWidget(m_undo);
    m_timer.setSingleShot(true);
    m_timer.setInterval(toastMs);
    connect(&m_timer, &QTimer::timeout, this, [this] {
        if (underMouse() || m_undo->hasFocus())
            m_timer.start();
        else
            hide();
    });
    connect(m_undo, &QPushButton::clicked, this, [this] {
        hide();
        Q_EMIT undoWanted();
    });
    hide();
}

QString Toast::text() const { return m_text->text(); }

void Toast::showText(const QString& text, bool undoable) {
    m_text->setText(text);
    m_undo->setVisible(undoable);
    place();
    show();
    raise();
    m_timer.start();
}

void Toast::place() {
    adjustSize();
    const QWidget* window = parentWidget();
    const QSize size = sizeHint().boundedTo(window->size() - QSize(2 * edge, 2 * edge));
    setGeometry((window->width() - size.width()) / 2, window->height() - size.height() - 44, size.width(), size.height());
}

bool Toast::event(QEvent* event) {
    if (event->type() == QEvent::LanguageChange) m_undo->setText(tr("Undo"));
    return QFrame::event(event);
}

Popover::Popover(const QString& objectName, const QString& title, QWidget* window) : QFrame(window) {
    setObjectName(objectName);
    setAccessibleName(title);
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    setFocusPolicy(Qt::StrongFocus);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(12, 10, 12, 10);
    auto* top = new QHBoxLayout;
    top->addWidget(makeHeading(title, this), 1);
    auto* close = new QToolButton(this);
    close->setObjectName(objectName + QStringLiteral(".close"));
    close->setText(QStringLiteral("✕"));
    close->setAccessibleName(tr("Close"));
    close->setAutoRaise(true);
    connect(close, &QToolButton::clicked, this, &QWidget::hide);
    top->addWidget(close);
    layout->addLayout(top);
    m_rows = new QVBoxLayout;
    m_rows->setSpacing(6);
    layout->addLayout(m_rows);
    hide();
}

void Popover::place() {
    const QWidget* window = parentWidget();
    const int width = std::min(popoverWidth, window->width() - 2 * edge);
    const int height = std::min(layout()->hasHeightForWidth() ? layout()->heightForWidth(width) : sizeHint().height(), window->height() - 120);
    setGeometry(window->width() - width - edge, window->height() - height - 36, width, height);
}

void Popover::toggle() {
    if (isVisible()) {
        hide();
        return;
    }
    place();
    show();
    raise();
    setFocus();
}

void Popover::clear() {
    while (QLayoutItem* item = m_rows->takeAt(0)) {
        if (item->widget() != nullptr) {
            item->widget()->hide();
            item->widget()->deleteLater();
        }
        delete item;
    }
}

void Popover::addText(const QString& text) {
    auto* label = makeLabel(objectName() + QStringLiteral(".text"), this);
    label->setText(text);
    label->setWordWrap(true);
    m_rows->addWidget(label);
}

void Popover::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape)
        hide();
    else
        QFrame::keyPressEvent(event);
}

TasksPopover::TasksPopover(TaskList* tasks, QWidget* window) : Popover(QStringLiteral("main.tasks"), tr("Tasks"), window), m_tasks(tasks) {
    connect(tasks, &TaskList::changed, this, &TasksPopover::refresh);
    refresh();
}

void TasksPopover::refresh() {
    // Rows stay while only their shares move: a button that is being pressed must not be made anew under the pointer.
    QStringList shown;
    for (const Task& task : m_tasks->tasks())
        shown << task.id + QLatin1Char('|') + task.title + QLatin1Char('|') + (task.ended ? task.result : QString());
    if (shown != m_shown || shown.isEmpty()) {
        m_shown = shown;
        build();
    }
    for (std::size_t i = 0; i < m_bars.size(); ++i) {
        if (m_bars[i] == nullptr) continue;
        const Task& task = m_tasks->tasks()[i];
        m_bars[i]->setValue(static_cast<int>(task.share * progressSteps));
        const double seconds = static_cast<double>(task.started.msecsTo(QDateTime::currentDateTime())) / 1e3;
        std::optional<double> secondsLeft = task.secondsLeft;
        if (!secondsLeft && task.share > 0.02 && seconds > 1) secondsLeft = seconds * (1 - task.share) / task.share;
        const QString left = secondsLeft ? tr(", %1 left").arg(ui::duration(*secondsLeft)) : QString();
        m_bars[i]->setFormat(task.phase + QStringLiteral(" ") + ui::percent(task.share) + left);
    }
}

void TasksPopover::build() {
    clear();
    m_bars.clear();
    if (m_tasks->tasks().empty()) addText(tr("Nothing is being done beside training."));
    for (const Task& task : m_tasks->tasks()) {
        auto* row = new QWidget(this);
        auto* layout = new QGridLayout(row);
        layout->setContentsMargins(0, 0, 0, 0);
        auto* title = makeLabel(QStringLiteral("main.task.title"), row);
        title->setText(task.failed ? QStringLiteral("✗ ") + task.title : task.ended ? QStringLiteral("✓ ") + task.title : task.title);
        title->setWordWrap(true);
        layout->addWidget(title, 0, 0, 1, 2);
        m_bars.push_back(nullptr);
        if (task.ended) {
            auto* result = makeLabel(QStringLiteral("main.task.result"), row);
            result->setText(task.result);
            result->setWordWrap(true);
            layout->addWidget(result, 1, 0, 1, 2);
        } else {
            auto* bar = new QProgressBar(row);
            bar->setObjectName(QStringLiteral("main.task.progress"));
            bar->setAccessibleName(task.title);
            bar->setRange(0, progressSteps);
            layout->addWidget(bar, 1, 0);
            m_bars.back() = bar;
            if (task.cancel) {
                auto* cancel = new QPushButton(tr("Cancel"), row);
                cancel->setObjectName(QStringLiteral("main.task.cancel"));
                cancel->setAccessibleName(tr("Cancel: %1").arg(task.title));
                // By its id: the list may hold other tasks by the time it is pressed.
                connect(cancel, &QPushButton::clicked, this, [this, id = task.id] { m_tasks->cancel(id); });
                layout->addWidget(cancel, 1, 1);
            }
        }
        rows()->addWidget(row);
        // Else the layout leaves it out of its height until the next turn of the event loop.
        row->show();
    }
    if (isVisible()) place();
}

NoticesPopover::NoticesPopover(NoticeLog* notices, QWidget* window)
    : Popover(QStringLiteral("main.notices"), tr("Notifications"), window), m_notices(notices) {
    connect(notices, &NoticeLog::changed, this, &NoticesPopover::refresh);
    refresh();
}

void NoticesPopover::refresh() {
    constexpr std::size_t shown = 12;
    clear();
    if (m_notices->notices().empty()) addText(tr("Nothing has happened since this window was opened."));
    for (std::size_t i = 0; i < m_notices->notices().size() && i < shown; ++i) {
        const Notice& notice = m_notices->notices()[i];
        auto* row = new QWidget(this);
        auto* layout = new QHBoxLayout(row);
        layout->setContentsMargins(0, 0, 0, 0);
        auto* text = makeLabel(QStringLiteral("main.notice.text"), row);
        const QString glyph = notice.kind == Notice::Kind::Hint      ? QStringLiteral("✓ ")
                              : notice.kind == Notice::Kind::Warning ? QStringLiteral("⚠ ")
                                                                     : QStringLiteral("✗ ");
        text->setText(notice.when.toString(QStringLiteral("HH:mm")) + QStringLiteral("  ") + glyph + notice.text);
        text->setWordWrap(true);
        layout->addWidget(text, 1);
        if (!notice.runId.isEmpty()) {
            auto* open = new QPushButton(tr("Open"), row);
            open->setObjectName(QStringLiteral("main.notice.open"));
            open->setAccessibleName(tr("Open the run"));
            connect(open, &QPushButton::clicked, this, [this, id = notice.runId] {
                hide();
                Q_EMIT runWanted(id);
            });
            layout->addWidget(open);
        }
        rows()->addWidget(row);
    }
    if (isVisible()) place();
}

StatusLine::StatusLine(WorkspaceSession* session, TaskList* tasks, NoticeLog* notices, QWidget* parent)
    : QStatusBar(parent), m_session(session), m_taskList(tasks), m_noticeLog(notices) {
    setObjectName(QStringLiteral("main.status"));
    setSizeGripEnabled(false);
    setContentsMargins(10, 0, 10, 0);
    m_state = addPart("state", tr("State"),
                      ui::stateGlyph(RunState::Finished) + QLatin1Char(' ') + ui::stateText(RunState::Finished) + QStringLiteral(" 00,000 / 00,000"));
    m_device = addPart("device", tr("Load, temperature and power of the device"), QStringLiteral("GPU 100 % 100 °C 1,000 W"));
    m_deviceMemory = addPart("deviceMemory", tr("Memory of the device"), tr("VRAM %1 / %2 GiB").arg("000.0", "000.0"));
    m_speed = addPart("speed", tr("Speed"), tr("%1 tokens/s").arg("000.0 k"));
    m_left = addPart("left", tr("Time left"), tr("%1 left, %2", "duration, time of day").arg(ui::duration(86399), "00:00"));
    m_memory = addPart("memory", tr("Memory of this machine"), tr("RAM %1 / %2 GiB").arg("000.0", "000.0"));
    m_disk = addPart("disk", tr("Free disk"), tr("disk %1").arg("000.0 GiB"));
    m_age = addPart("age", tr("Age of the newest news"), tr("⚠ no news for %1").arg(ui::duration(3599)));
    m_workspace = new ElidedLabel(this);
    m_workspace->setObjectName(QStringLiteral("main.status.workspace"));
    m_workspace->setAccessibleName(tr("Workspace"));
    m_workspace->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_workspace->setFullText(ui::shown(session->folder().string()));
    addPermanentWidget(m_workspace, 1);
    const auto addButton = [this](const char* name, const QString& accessibleName, auto signal) {
        auto* button = new QToolButton(this);
        button->setObjectName(QStringLiteral("main.status.") + QLatin1String(name));
        button->setAccessibleName(accessibleName);
        button->setAutoRaise(true);
        connect(button, &QToolButton::clicked, this, signal);
        addPermanentWidget(button);
        return button;
    };
    m_tasks = addButton("tasks", tr("Tasks"), &StatusLine::tasksWanted);
    m_notices = addButton("notices", tr("Notifications"), &StatusLine::noticesWanted);
    connect(tasks, &TaskList::changed, this, &StatusLine::refresh);
    connect(notices, &NoticeLog::changed, this, &StatusLine::refresh);
    refresh();
}

QLabel* StatusLine::addPart(const char* name, const QString& accessibleName, const QString& widest) {
    QLabel* label = makeLabel(QStringLiteral("main.status.") + QLatin1String(name), this);
    label->setAccessibleName(accessibleName);
    label->setMinimumWidth(label->fontMetrics().horizontalAdvance(widest) + 10);
    addWidget(label);
    return label;
}

void StatusLine::setDisk(quint64 freeBytes) { m_disk->setText(freeBytes > 0 ? tr("disk %1").arg(ui::shown(formatBytes(freeBytes))) : QString()); }

void StatusLine::refresh() {
    refreshRun();
    refreshDevice();
    constexpr double gibibyte = 1 << 30;
    const MachineMemory host = machineMemory();
    const double total = static_cast<double>(host.totalBytes) / gibibyte;
    const double used = static_cast<double>(host.totalBytes - host.availableBytes) / gibibyte;
    m_memory->setText(total > 0 ? tr("RAM %1 / %2 GiB").arg(QLocale().toString(used, 'f', 1), QLocale().toString(total, 'f', 1)) : QString());
    m_tasks->setText(tr("tasks %1").arg(m_taskList->running()));
    m_notices->setText(tr("news %1").arg(m_noticeLog->unread()));
}

void StatusLine::refreshDevice() {
    const RunData& data = m_session->run();
    const MachineRow* newest = data.machine().empty() ? nullptr : &data.machine().back();
    const bool live = data.run() && !isEnded(data.run()->state) && data.run()->state != RunState::Queued;
    const bool isKnown = live && newest != nullptr && newest->deviceTotalBytes > 0;
    m_device->setVisible(isKnown);
    m_deviceMemory->setVisible(isKnown);
    if (!isKnown) return;
    constexpr double gib = 1024.0 * 1024.0 * 1024.0;
    const QLocale locale;
    QStringList parts{QStringLiteral("GPU")};
    if (!std::isnan(newest->deviceShare)) parts << QStringLiteral("%1 %").arg(std::lround(newest->deviceShare * 100));
    if (!std::isnan(newest->deviceCelsius)) parts << QStringLiteral("%1 °C").arg(std::lround(newest->deviceCelsius));
    if (!std::isnan(newest->deviceWatts)) parts << QStringLiteral("%1 W").arg(std::lround(newest->deviceWatts));
    m_device->setText(parts.join(QLatin1Char(' ')));
    m_device->setToolTip(tr("Load, temperature and power of the device, as the engine last read them"));
    m_deviceMemory->setText(tr("VRAM %1 / %2 GiB")
                                .arg(locale.toString(static_cast<double>(newest->deviceUsedBytes) / gib, 'f', 1),
                                     locale.toString(static_cast<double>(newest->deviceTotalBytes) / gib, 'f', 1)));
    if (!data.steps().empty())
        m_deviceMemory->setToolTip(tr("Memory of the device in use and in all; by this run: %1 GiB")
                                       .arg(locale.toString(static_cast<double>(data.steps().back().memoryBytes) / gib, 'f', 1)));
}

void StatusLine::refreshRun() {
    const RunData& data = m_session->run();
    const std::optional<RunRow>& run = data.run();
    if (!run) {
        m_state->setText(tr("No run shown"));
        for (QLabel* label : {m_speed, m_left, m_age}) label->clear();
        return;
    }
    m_state->setText(tr("%1 %2 of %3", "state, step, steps in all")
                         .arg(ui::stateGlyph(run->state) + QLatin1Char(' ') + ui::stateText(run->state), ui::count(data.newestStep()),
                              ui::count(data.totalSteps())));
    const std::optional<double> speed = data.tokensPerSecond();
    m_speed->setText(tr("%1 tokens/s").arg(speed ? ui::shortCount(*speed) : QStringLiteral("--")));
    m_speed->setToolTip(tr("Trained tokens per second, mean of the last 30 s of training"));
    const bool live = !isEnded(run->state) && run->state != RunState::Queued;
    const std::optional<StatusRow>& status = data.status();
    m_left->setVisible(live);
    m_age->setVisible(live);
    if (!live) return;
    if (status && status->etaSeconds >= 0) {
        const QString clock = QDateTime::currentDateTime().addSecs(static_cast<qint64>(status->etaSeconds)).toString(QStringLiteral("HH:mm"));
        m_left->setText(tr("%1 left, %2", "duration, time of day").arg(ui::duration(status->etaSeconds), clock));
    } else {
        m_left->setText(tr("-- left", "time left is not known yet"));
    }
    if (!status || status->bootId != bootId()) {
        m_age->setText(QString());
        return;
    }
    const double age = std::max(0.0, static_cast<double>(bootNs() - status->heartbeatBootNs) * 1e-9);
    m_age->setText(age > newsSeconds ? tr("⚠ no news for %1").arg(ui::duration(age)) : tr("newest %1 ago").arg(ui::duration(age)));
}

LaterPage::LaterPage(const QString& objectName, const QString& title, const QString& text, const std::vector<Command>& commands, QWidget* parent)
    : QWidget(parent) {
    constexpr int contentWidth = 720;
    setObjectName(objectName);
    setAccessibleName(title);
    auto* centred = new QHBoxLayout(this);
    auto* content = new QWidget(this);
    content->setMaximumWidth(textPixels(contentWidth));
    centred->addStretch(1);
    centred->addWidget(content, 20);
    centred->addStretch(1);
    auto* layout = new QVBoxLayout(content);
    layout->setSpacing(8);
    layout->addStretch(2);
    QLabel* heading = makeHeading(title, content);
    QFont large = heading->font();
    large.setPointSizeF(large.pointSizeF() * 1.4);
    heading->setFont(large);
    layout->addWidget(heading);
    QLabel* words = makeLabel(objectName + QStringLiteral(".text"), content);
    words->setText(text);
    words->setWordWrap(true);
    layout->addWidget(words);
    layout->addSpacing(8);
    if (!commands.empty()) layout->addWidget(makeHeading(tr("On the command line today"), content));
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(16);
    for (std::size_t i = 0; i < commands.size(); ++i) {
        const int row = static_cast<int>(i);
        QLabel* what = makeLabel(objectName + QStringLiteral(".what"), content);
        what->setText(commands[i].what);
        QLabel* line = makeLabel(objectName + QStringLiteral(".line"), content);
        line->setText(commands[i].line);
        line->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
        line->setTextInteractionFlags(Qt::TextSelectableByMouse);
        line->setAccessibleName(commands[i].what);
        auto* copy = new QToolButton(content);
        copy->setObjectName(objectName + QStringLiteral(".copy%1").arg(i));
        copy->setText(tr("Copy"));
        copy->setAccessibleName(tr("Copy %1").arg(commands[i].line));
        copy->setFocusPolicy(Qt::StrongFocus);
        connect(copy, &QToolButton::clicked, this, [command = commands[i].line] { QApplication::clipboard()->setText(command); });
        grid->addWidget(what, row, 0);
        grid->addWidget(line, row, 1);
        grid->addWidget(copy, row, 2);
    }
    grid->setColumnStretch(1, 1);
    layout->addLayout(grid);
    layout->addStretch(3);
}

}  // namespace mofo
