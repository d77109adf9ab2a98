#include "ui/widgets/main_window.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QDateTime>
#include <QDialog>
#include <QHeaderView>
#include <QLineEdit>
#include <QMenuBar>
#include <QMessageBox>
#include <QSettings>
#include <QScreen>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTableWidget>
#include <QTimer>
#include <QToolBar>
#include <QVBoxLayout>

#include "core/base/clock.h"
#include "ui/models/display_text.h"
#include "ui/widgets/chart_view.h"
#include "ui/widgets/run_page.h"
#include "ui/widgets/runs_page.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/theme.h"

namespace mofo {

MainWindow::MainWindow(const std::filesystem::path& workspace, QSettings* settings, QWidget* parent)
    : QMainWindow(parent), m_settings(settings), m_session(new WorkspaceSession(workspace, this)) {
    ChartView::installAccessibility();
    setObjectName(QStringLiteral("main"));
    setWindowIcon(QIcon(QStringLiteral(":/mofo/icons/mofo.svg")));
    // Frame and title bar, which are not known yet, take their part of the screen.
    const QSize room = screen()->availableSize() - QSize(8, 40);
    resize(QSize(1440, 900).boundedTo(room));
    setMinimumSize(900, 600);
    m_pages = new QStackedWidget(this);
    m_pages->setObjectName(QStringLiteral("main.pages"));
    m_runsPage = new RunsPage(m_session);
    m_runPage = new RunPage(m_session);
    m_pages->addWidget(m_runsPage);
    m_pages->addWidget(m_runPage);
    setCentralWidget(m_pages);
    makeRail();
    makeMenus();
    makeStatusBar();
    refreshIcons();

    connect(m_runsPage, &RunsPage::openRequested, this, [this](const QString& id) {
        m_session->showRun(id);
        showPage(RunIndex);
    });
    connect(m_session, &WorkspaceSession::dataMoved, this, &MainWindow::refreshTitle);
    connect(m_session, &WorkspaceSession::shownRunChanged, this, &MainWindow::refreshTitle);
    connect(m_session, &WorkspaceSession::shownRunChanged, this, &MainWindow::refreshStatus);
    m_second = new QTimer(this);
    m_second->setInterval(1000);
    connect(m_second, &QTimer::timeout, this, [this] {
        refreshStatus();
        m_runPage->tick();
    });
    m_second->start();
    if (m_settings != nullptr) {
        restoreGeometry(m_settings->value(QStringLiteral("main/geometry")).toByteArray());
        m_runPage->restoreLayout(*m_settings);
        m_runsPage->restoreLayout(*m_settings);
    }
    showPage(RunsIndex);
    refreshTitle();
    refreshStatus();
    m_session->start();
}

MainWindow::~MainWindow() = default;

void MainWindow::openRun(const QString& text) {
    m_session->showRunNamed(text);
    showPage(RunIndex);
}

void MainWindow::showPage(Page page) {
    m_pages->setCurrentIndex(page);
    (page == RunsIndex ? m_showRuns : m_showRun)->setChecked(true);
    if (page == RunIndex) m_runPage->refresh();
}

void MainWindow::makeRail() {
    m_rail = new QToolBar(this);
    m_rail->setObjectName(QStringLiteral("main.rail"));
    m_rail->setAccessibleName(tr("Pages"));
    m_rail->setWindowTitle(tr("Pages"));
    m_rail->setOrientation(Qt::Vertical);
    m_rail->setMovable(false);
    m_rail->setFloatable(false);
    m_rail->setContextMenuPolicy(Qt::PreventContextMenu);
    m_rail->setToolButtonStyle(Qt::ToolButtonTextUnderIcon);
    m_rail->setIconSize(QSize(28, 28));
    auto* group = new QActionGroup(this);
    const auto add = [&](const QString& text, const QString& name, const QKeySequence& key, Page page) {
        QAction* action = m_rail->addAction(text);
        action->setObjectName(name);
        action->setCheckable(true);
        action->setShortcut(key);
        action->setToolTip(tr("%1 (%2)", "page and its shortcut").arg(text, key.toString(QKeySequence::NativeText)));
        group->addAction(action);
        connect(action, &QAction::triggered, this, [this, page] { showPage(page); });
        if (QWidget* button = m_rail->widgetForAction(action)) {
            button->setObjectName(name + QStringLiteral("Button"));
            button->setAccessibleName(text);
            button->setFocusPolicy(Qt::StrongFocus);
            button->setMinimumSize(64, 56);
        }
        return action;
    };
    m_showRuns = add(tr("Runs"), QStringLiteral("main.showRuns"), Qt::CTRL | Qt::Key_1, RunsIndex);
    m_showRun = add(tr("Run"), QStringLiteral("main.showRun"), Qt::CTRL | Qt::Key_3, RunIndex);
    addToolBar(Qt::LeftToolBarArea, m_rail);
}

void MainWindow::makeMenus() {
    QMenu* file = menuBar()->addMenu(tr("&File"));
    QAction* close = file->addAction(tr("Close window (training goes on)"), QKeySequence(Qt::CTRL | Qt::Key_W), this, &QWidget::close);
    close->setObjectName(QStringLiteral("main.close"));
    QAction* quit = file->addAction(tr("Quit (training goes on)"), QKeySequence(Qt::CTRL | Qt::Key_Q), this, &QWidget::close);
    quit->setObjectName(QStringLiteral("main.quit"));

    QMenu* view = menuBar()->addMenu(tr("&View"));
    view->addAction(m_showRuns);
    view->addAction(m_showRun);
    QAction* find = view->addAction(tr("Find a run"), QKeySequence(Qt::CTRL | Qt::Key_F), this, [this] {
        showPage(RunsIndex);
        m_runsPage->focusFind();
    });
    find->setObjectName(QStringLiteral("main.find"));
    view->addSeparator();
    for (int i = 0; i < 3; ++i) view->addAction(m_runPage->togglePanel(i));
    QAction* next = view->addAction(tr("Next pane"), QKeySequence(Qt::Key_F6), this, [this] { m_runPage->cyclePane(1); });
    next->setObjectName(QStringLiteral("main.nextPane"));
    QAction* previous = view->addAction(tr("Previous pane"), QKeySequence(Qt::SHIFT | Qt::Key_F6), this, [this] { m_runPage->cyclePane(-1); });
    previous->setObjectName(QStringLiteral("main.previousPane"));
    view->addSeparator();
    QMenu* theme = view->addMenu(tr("Theme"));
    auto* themes = new QActionGroup(this);
    const QString chosen = m_settings != nullptr ? m_settings->value(QStringLiteral("theme")).toString() : QString();
    const auto addTheme = [&](const QString& text, const QString& name, Theme::Choice choice) {
        QAction* action = theme->addAction(text);
        action->setObjectName(QStringLiteral("main.theme.") + name);
        action->setCheckable(true);
        action->setChecked(Theme::choiceOf(chosen) == choice);
        themes->addAction(action);
        connect(action, &QAction::triggered, this, [this, name, choice] {
            Theme::apply(*qApp, choice);
            if (m_settings != nullptr) m_settings->setValue(QStringLiteral("theme"), name);
        });
    };
    addTheme(tr("As the desktop"), QStringLiteral("desktop"), Theme::Choice::Desktop);
    addTheme(tr("Light"), QStringLiteral("light"), Theme::Choice::Light);
    addTheme(tr("Dark"), QStringLiteral("dark"), Theme::Choice::Dark);

    QMenu* run = menuBar()->addMenu(tr("&Run"));
    for (QAction* action : m_runPage->runActions()) run->addAction(action);
    QMenu* chart = menuBar()->addMenu(tr("&Chart"));
    for (QAction* action : m_runPage->chartActions()) chart->addAction(action);
    QMenu* help = menuBar()->addMenu(tr("&Help"));
    QAction* keys = help->addAction(tr("Keys"), QKeySequence(Qt::Key_F1), this, &MainWindow::showKeys);
    keys->setObjectName(QStringLiteral("main.keys"));
    QAction* about = help->addAction(tr("About MoFO Workbench"), this, &MainWindow::showAbout);
    about->setObjectName(QStringLiteral("main.about"));
}

void MainWindow::makeStatusBar() {
    QStatusBar* bar = statusBar();
    bar->setObjectName(QStringLiteral("main.status"));
    bar->setSizeGripEnabled(false);
    bar->setContentsMargins(10, 0, 10, 0);
    // Room for the widest text, so that nothing moves when numbers change.
    const auto add = [&](const char* name, const QString& accessibleName, const QString& widest) {
        QLabel* label = makeLabel(QStringLiteral("main.status.") + QLatin1String(name), this);
        label->setAccessibleName(accessibleName);
        label->setMinimumWidth(label->fontMetrics().horizontalAdvance(widest) + 10);
        bar->addWidget(label);
        return label;
    };
    m_stateLabel = add("state", tr("State"), tr("%1 %2 of %3").arg(QStringLiteral("▶ ") + ui::stateText(RunState::Stopping), QStringLiteral("0,000"), QStringLiteral("0,000")));
    m_speedLabel = add("speed", tr("Trained tokens per second"), tr("%1 tokens/s").arg(QStringLiteral("000.0 k")));
    m_leftLabel = add("left", tr("Time left"), tr("%1 left, %2", "duration, time of day").arg(ui::duration(36000), QStringLiteral("00:00")));
    m_ageLabel = add("age", tr("Age of the newest news"), tr("no news for %1").arg(ui::duration(3599)));
    m_workspaceLabel = new ElidedLabel(this);
    m_workspaceLabel->setObjectName(QStringLiteral("main.status.workspace"));
    m_workspaceLabel->setAccessibleName(tr("Workspace"));
    m_workspaceLabel->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_workspaceLabel->setFullText(ui::shown(m_session->folder().string()));
    bar->addPermanentWidget(m_workspaceLabel, 1);
}

void MainWindow::refreshStatus() {
    const RunData& data = m_session->run();
    const std::optional<RunRow>& run = data.run();
    if (!run) {
        m_stateLabel->setText(tr("No run shown"));
        for (QLabel* label : {m_speedLabel, m_leftLabel, m_ageLabel}) label->clear();
        return;
    }
    m_stateLabel->setText(tr("%1 %2 of %3", "state, step, steps in all")
                              .arg(ui::stateGlyph(run->state) + QLatin1Char(' ') + ui::stateText(run->state), ui::count(data.newestStep()),
                                   ui::count(data.totalSteps())));
    const std::optional<double> speed = data.tokensPerSecond();
    m_speedLabel->setText(tr("%1 tokens/s").arg(speed ? ui::shortCount(*speed) : QStringLiteral("--")));
    m_speedLabel->setToolTip(tr("Trained tokens per second, mean of the last 30 s of training"));
    const bool live = !isEnded(run->state) && run->state != RunState::Queued;
    const std::optional<StatusRow>& status = data.status();
    m_leftLabel->setVisible(live);
    m_ageLabel->setVisible(live);
    if (!live) return;
    if (status && status->etaSeconds >= 0) {
        const QString clock = QDateTime::currentDateTime().addSecs(static_cast<qint64>(status->etaSeconds)).toString(QStringLiteral("HH:mm"));
        m_leftLabel->setText(tr("%1 left, %2", "duration, time of day").arg(ui::duration(status->etaSeconds), clock));
    } else {
        m_leftLabel->setText(tr("-- left", "time left is not known yet"));
    }
    if (!status || status->bootId != bootId()) {
        m_ageLabel->setText(QString());
        return;
    }
    const double age = std::max(0.0, static_cast<double>(bootNs() - status->heartbeatBootNs) * 1e-9);
    m_ageLabel->setText(age > 30 ? tr("⚠ no news for %1").arg(ui::duration(age)) : tr("newest %1 ago").arg(ui::duration(age)));
}

void MainWindow::refreshTitle() {
    const RunData& data = m_session->run();
    QString title = tr("MoFO Workbench");
    if (data.run()) {
        title = data.totalSteps() > 0 ? tr("%1, step %2 of %3 – MoFO Workbench").arg(ui::shown(data.run()->name), ui::count(data.newestStep()), ui::count(data.totalSteps()))
                                      : tr("%1, step %2 – MoFO Workbench").arg(ui::shown(data.run()->name), ui::count(data.newestStep()));
    }
    // "[*]" would be taken for the mark of an unsaved document.
    title.replace(QLatin1String("[*]"), QLatin1String("[*][*]"));
    if (title != windowTitle()) setWindowTitle(title);
}

void MainWindow::refreshIcons() {
    m_showRuns->setIcon(themedIcon(QStringLiteral("runs"), palette()));
    m_showRun->setIcon(themedIcon(QStringLiteral("run"), palette()));
}

void MainWindow::showKeys() {
    auto* dialog = findChild<QDialog*>(QStringLiteral("main.keysDialog"));
    if (dialog != nullptr) {
        dialog->raise();
        dialog->activateWindow();
        return;
    }
    dialog = new QDialog(this);
    dialog->setObjectName(QStringLiteral("main.keysDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Keys"));
    dialog->resize(520, 560);
    auto* layout = new QVBoxLayout(dialog);
    auto* find = new QLineEdit(dialog);
    find->setObjectName(QStringLiteral("keys.find"));
    find->setAccessibleName(tr("Find a key"));
    find->setPlaceholderText(tr("Find"));
    auto* table = new QTableWidget(0, 2, dialog);
    table->setObjectName(QStringLiteral("keys.table"));
    table->setAccessibleName(tr("Keys"));
    table->setHorizontalHeaderLabels({tr("Action"), tr("Key")});
    table->verticalHeader()->hide();
    table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table->setShowGrid(false);
    const auto addRow = [&](QString action, const QString& key) {
        const int row = table->rowCount();
        table->insertRow(row);
        table->setItem(row, 0, new QTableWidgetItem(action.remove(QLatin1Char('&'))));
        table->setItem(row, 1, new QTableWidgetItem(key));
    };
    // Made from the actions themselves, so that the list cannot differ from what the keys do.
    for (const QAction* menu : menuBar()->actions()) {
        for (const QAction* action : menu->menu()->actions()) {
            if (!action->shortcut().isEmpty()) addRow(action->text(), QKeySequence::listToString({action->shortcut()}, QKeySequence::NativeText));
        }
    }
    addRow(tr("In a chart: cursor one step, one tenth of the view"), tr("Left/Right, Shift+Left/Right"));
    addRow(tr("In a chart: first step, newest step"), tr("Home, End"));
    addRow(tr("In a chart: zoom in, zoom out, whole run"), tr("+, -, 0"));
    addRow(tr("In a chart: follow, logarithmic, copy image"), tr("F, L, C"));
    addRow(tr("In a chart: next event, previous event, next NaN"), tr("E, Shift+E, N"));
    addRow(tr("On the dial: 1 % and 5 % of the scale, discard"), tr("Up/Down, PageUp/PageDown, Esc"));
    addRow(tr("Tabs below the charts"), tr("Alt+1, Alt+2, Alt+3"));
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    table->horizontalHeader()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    connect(find, &QLineEdit::textChanged, table, [table](const QString& text) {
        for (int row = 0; row < table->rowCount(); ++row) {
            const bool hit = table->item(row, 0)->text().contains(text, Qt::CaseInsensitive) || table->item(row, 1)->text().contains(text, Qt::CaseInsensitive);
            table->setRowHidden(row, !hit);
        }
    });
    layout->addWidget(find);
    layout->addWidget(table);
    dialog->show();
}

void MainWindow::showAbout() {
    auto* box = new QMessageBox(this);
    box->setObjectName(QStringLiteral("main.aboutDialog"));
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setWindowModality(Qt::NonModal);
    box->setWindowTitle(tr("About MoFO Workbench"));
    box->setTextFormat(Qt::PlainText);
    box->setIconPixmap(windowIcon().pixmap(64, 64));
    box->setText(tr("MoFO Workbench %1\n\nFine-tunes language models with MoFO and shows what they keep.\n"
                    "This program is under the GNU General Public License, version 3 or later (it uses QCustomPlot).\nQt %2")
                     .arg(QCoreApplication::applicationVersion(), QString::fromLatin1(qVersion())));
    box->show();
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (m_settings != nullptr) {
        m_settings->setValue(QStringLiteral("main/geometry"), saveGeometry());
        m_runPage->saveLayout(*m_settings);
        m_runsPage->saveLayout(*m_settings);
    }
    QMainWindow::closeEvent(event);
}

void MainWindow::changeEvent(QEvent* event) {
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::ApplicationPaletteChange || event->type() == QEvent::PaletteChange) refreshIcons();
    if (event->type() == QEvent::WindowStateChange) m_session->setSlow(isMinimized());
}

void MainWindow::hideEvent(QHideEvent* event) {
    QMainWindow::hideEvent(event);
    m_session->setSlow(true);
}

void MainWindow::showEvent(QShowEvent* event) {
    QMainWindow::showEvent(event);
    m_session->setSlow(isMinimized());
}

}  // namespace mofo
