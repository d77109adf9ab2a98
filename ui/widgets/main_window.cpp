#include "ui/widgets/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QComboBox>
#include <QDragEnterEvent>
#include <QMenuBar>
#include <QMimeData>
#include <QScreen>
#include <QSettings>
#include <QStackedWidget>
#include <QTemporaryDir>
#include <QTimer>
#include <QToolBar>
#include <QUrl>
#include <QVBoxLayout>
#include <algorithm>

#include "core/base/paths.h"
#include "ui/controllers/hub_source.h"
#include "ui/controllers/new_run_controller.h"
#include "ui/controllers/run_acts.h"
#include "ui/controllers/store_worker.h"
#include "ui/models/display_text.h"
#include "ui/models/hub_text.h"
#include "ui/widgets/application.h"
#include "ui/widgets/chart_view.h"
#include "ui/widgets/command_palette.h"
#include "ui/widgets/compare_page.h"
#include "ui/widgets/first_screen.h"
#include "ui/widgets/import_panel.h"
#include "ui/widgets/new_run_page.h"
#include "ui/widgets/run_page.h"
#include "ui/widgets/runs_page.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/window_parts.h"

namespace mofo {

namespace {

constexpr int diskEverySeconds = 20;
constexpr int rememberEverySeconds = 15;
constexpr int runsInChoice = 200;

/// The path of a dropped file, the address of a page of the Hub, or nothing.
QString droppedName(const QUrl& url) {
    if (url.isLocalFile()) return url.toLocalFile();
    return ui::hubAddress(url.toString());
}

}  // namespace

MainWindow::MainWindow(const std::filesystem::path& workspace, QSettings* settings, QWidget* parent)
    : QMainWindow(parent),
      m_settings(settings),
      m_session(new WorkspaceSession(workspace, this)),
      m_worker(new StoreWorker(workspace, this)),
      m_starter(new StoreWorker(workspace, this)),
      m_acts(new RunActs(m_worker, this)),
      m_newRun(new NewRunController(m_worker, m_starter)),
      m_importSource(new HubSource(HubKind::Model, m_newRun->hubAccess(), m_newRun)),
      m_presence(new WindowPresence(m_worker, settings, this)),
      m_tasks(new TaskList(this)),
      m_notices(new NoticeLog(this)),
      m_basePointSize(QApplication::font().pointSizeF()) {
    ChartView::installAccessibility();
    setObjectName(QStringLiteral("main"));
    setWindowIcon(QIcon(QStringLiteral(":/mofo/icons/mofo.svg")));
    setAcceptDrops(true);
    // Frame and title bar, which are not known yet, take their part of the screen.
    const QSize room = screen()->availableSize() - QSize(8, 40);
    resize(QSize(1440, 900).boundedTo(room));
    setMinimumSize(900, 600);
    if (m_settings != nullptr) setTextScale(m_settings->value(QStringLiteral("textScale"), 1.0).toDouble());
    build();
    connectNews();
    connect(m_session, &WorkspaceSession::dataMoved, this, &MainWindow::refreshTitle);
    connect(m_session, &WorkspaceSession::shownRunChanged, this, [this] {
        if (page() == RunIndex) m_session->runs().setUnread(m_session->shownRun(), false);
        refreshTitle();
        refreshRunList();
        m_status->refresh();
    });
    connect(m_session, &WorkspaceSession::listChanged, this, [this] {
        const std::vector<RunRow> runs = m_session->runs().allRuns();
        refreshRunList();
        m_newRun->setRuns(runs);
        noteStates(runs);
        // The first screen says what this machine can do.
        if (m_session->isListRead() && runs.empty() && !m_newRun->device()) m_newRun->rescan();
    });
    connect(&m_session->run(), &RunData::runChanged, this, [this] { m_status->refresh(); });
    connect(m_newRun, &NewRunController::started, this, [this](const QString& id) {
        m_session->readNow();
        m_session->showRun(id);
        showPage(RunIndex);
    });
    auto* second = new QTimer(this);
    second->setInterval(1000);
    connect(second, &QTimer::timeout, this, [this] {
        if (isVisible() && !isMinimized()) {
            m_status->refresh();
            m_runPage->tick();
        }
        if (m_seconds % diskEverySeconds == 0) refreshDisk();
        if (++m_seconds % rememberEverySeconds == 0) m_presence->remember();
    });
    second->start();
    if (m_settings != nullptr) {
        restoreGeometry(m_settings->value(QStringLiteral("main/geometry")).toByteArray());
        restoreLayout(*m_settings);
    }
    showPage(RunsIndex);
    refreshTitle();
    m_session->start();
}

MainWindow::~MainWindow() {
    const std::vector<Task> tasks = m_tasks->tasks();
    for (const Task& task : tasks) m_tasks->cancel(task.id);
    // Pages look at the controller, and the controller at the workers.
    delete m_centre;
    delete m_newRun;
}

void MainWindow::build() {
    makePages();
    makeRail();
    makeMenus();
    makeToolBar();
    m_status = new StatusLine(m_session, m_tasks, m_notices, this);
    setStatusBar(m_status);
    m_toast = new Toast(this);
    m_tasksPopover = new TasksPopover(m_tasks, this);
    m_noticesPopover = new NoticesPopover(m_notices, this);
    m_palette = new CommandPalette(this);
    m_import = new ImportPanel(m_importSource, this);
    connect(m_import, &ImportPanel::importWanted, this, &MainWindow::sealFrom);
    connect(m_status, &StatusLine::tasksWanted, m_tasksPopover, &Popover::toggle);
    connect(m_status, &StatusLine::noticesWanted, this, [this] {
        m_noticesPopover->toggle();
        m_notices->markRead();
    });
    connect(m_noticesPopover, &NoticesPopover::runWanted, this, &MainWindow::openRun);
    connect(m_toast, &Toast::undoWanted, m_acts, &RunActs::undo);
    refreshIcons();
    refreshRunList();
}

void MainWindow::tearDown() {
    // clear() alone leaves the menus alive, and their shortcuts with them.
    menuBar()->clear();
    for (QMenu* menu : menuBar()->findChildren<QMenu*>(QString(), Qt::FindDirectChildrenOnly)) delete menu;
    for (QWidget* part :
         std::initializer_list<QWidget*>{m_rail, m_bar, m_status, m_toast, m_tasksPopover, m_noticesPopover, m_import, m_palette, m_centre})
        delete part;
    m_pageActions.clear();
}

void MainWindow::makePages() {
    m_centre = new QWidget(this);
    auto* layout = new QVBoxLayout(m_centre);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    m_away = new MessageBar(QStringLiteral("main.away"), m_centre);
    connect(m_away, &MessageBar::actionTriggered, this, [this] {
        m_away->setMessage(MessageBar::Kind::Hint, {});
        openRun(m_awayRun);
    });
    m_recording = new MessageBar(QStringLiteral("main.recording"), m_centre);
    if (m_session->isRecording())
        m_recording->setMessage(MessageBar::Kind::Hint, tr("Recorded runs to look at, offline and without a GPU: nothing here can be changed."),
                                tr("Open my workspace"));
    connect(m_recording, &MessageBar::actionTriggered, this, [this] { startOther(QString::fromStdString(defaultWorkspacePath().string())); });
    m_pages = new QStackedWidget(m_centre);
    m_pages->setObjectName(QStringLiteral("main.pages"));
    m_runsPage = new RunsPage(m_session, m_acts);
    m_newPage = new NewRunPage(m_newRun);
    m_runPage = new RunPage(m_session);
    m_comparePage = new ComparePage(m_session, m_worker);
    auto* chat = new LaterPage(
        QStringLiteral("chat"), tr("Chat with the model before, during and after"),
        tr("Up to four columns will answer the same messages here with the same seed: the base, checkpoints, and the model as it trains, with their "
           "differences marked token by token. This version has the chat on the command line."),
        {{tr("Chat with a model or a checkpoint"), QStringLiteral("mofo chat RUN@last")},
         {tr("Ask once"), QStringLiteral("mofo chat RUN@last --prompt \"What is 3 x 14?\"")}});
    auto* models = new LaterPage(QStringLiteral("models"), tr("Models and checkpoints"),
                                 tr("Imported models with their runs and checkpoints will stand here: verified, pinned, interpolated with the base, "
                                    "exported. File > Import model "
                                    "seals one into the workspace; the rest is on the command line."),
                                 {{tr("List what is imported"), QStringLiteral("mofo models list")},
                                  {tr("Verify every hash of a checkpoint"), QStringLiteral("mofo verify RUN@last")},
                                  {tr("Export for Transformers"), QStringLiteral("mofo export RUN DIR --format hf")},
                                  {tr("Export for llama.cpp"), QStringLiteral("mofo export RUN DIR --format gguf --type q8_0")}});
    auto* setup = new LaterPage(
        QStringLiteral("setup"), tr("Setup and doctor"),
        tr("Settings, key bindings and the checks of this machine will stand here. Theme, language and text size are in the View menu already; the "
           "doctor is on "
           "the command line."),
        {{tr("Check this machine"), QStringLiteral("mofo doctor")}, {tr("Measure the optimizer step"), QStringLiteral("mofo bench optimizer")}});
    for (QWidget* page : std::initializer_list<QWidget*>{m_runsPage, m_newPage, m_runPage, m_comparePage, chat, models, setup})
        m_pages->addWidget(page);
    layout->addWidget(m_recording);
    layout->addWidget(m_away);
    layout->addWidget(m_pages, 1);
    setCentralWidget(m_centre);

    const auto open = [this](const QString& id) {
        m_session->showRun(id);
        showPage(RunIndex);
    };
    connect(m_runsPage, &RunsPage::openRequested, this, open);
    connect(m_runsPage, &RunsPage::twinRequested, this, &MainWindow::makeTwin);
    connect(m_runsPage, &RunsPage::otherWorkspaceRequested, this, &MainWindow::openWorkspace);
    connect(m_runsPage, &RunsPage::compareRequested, this, [this](QStringList ids) {
        // The baseline of the list is A.
        std::stable_partition(ids.begin(), ids.end(), [this](const QString& id) { return id.toStdString() == m_session->runs().baseline(); });
        m_comparePage->compare(ids);
        showPage(CompareIndex);
    });
    connect(m_comparePage, &ComparePage::openRequested, this, open);
    connect(m_comparePage, &ComparePage::said, this, [this](const QString& sentence) { m_toast->showText(sentence, false); });
    FirstScreen* first = m_runsPage->firstScreen();
    first->setDevice(m_newRun->device());
    connect(first, &FirstScreen::newRunWanted, this, [this](const QString& text) {
        if (!text.isEmpty()) m_newRun->takePath(text);
        showPage(NewIndex);
    });
    connect(first, &FirstScreen::importWanted, this, [this] { m_import->open(); });
    connect(first, &FirstScreen::demoWanted, this, &MainWindow::startDemo);
    connect(first, &FirstScreen::termWanted, this, &MainWindow::showGlossary);
    connect(first, &FirstScreen::sampleWanted, this, [this] { startOther(FirstScreen::sampleWorkspace()); });
    connect(m_newRun, &NewRunController::summaryChanged, first, [this, first] { first->setDevice(m_newRun->device()); });
}

void MainWindow::openRun(const QString& text) {
    m_session->showRunNamed(text);
    showPage(RunIndex);
}

void MainWindow::compareRuns(const QStringList& texts) {
    m_comparePage->compareNamed(texts);
    showPage(CompareIndex);
}

MainWindow::Page MainWindow::page() const { return static_cast<Page>(m_pages->currentIndex()); }

void MainWindow::showPage(Page page) {
    m_pages->setCurrentIndex(page);
    m_pageActions[page]->setChecked(true);
    if (page == RunIndex) {
        m_runPage->refresh();
        m_session->runs().setUnread(m_session->shownRun(), false);
    }
    // Keys of the page work at once.
    const QWidget* focused = QApplication::focusWidget();
    if (focused == nullptr || !m_pages->currentWidget()->isAncestorOf(focused)) m_pages->currentWidget()->setFocus(Qt::OtherFocusReason);
}

bool MainWindow::showPageNamed(const QString& name) {
    static const QStringList names{QStringLiteral("runs"), QStringLiteral("new"),    QStringLiteral("run"),  QStringLiteral("compare"),
                                   QStringLiteral("chat"), QStringLiteral("models"), QStringLiteral("setup")};
    const qsizetype index = names.indexOf(name);
    if (index >= 0) showPage(static_cast<Page>(index));
    return index >= 0;
}

void MainWindow::refreshRunList() {
    const QSignalBlocker quiet(m_runChoice);
    const std::vector<RunRow> runs = m_session->runs().allRuns();
    QStringList ids, names;
    for (std::size_t i = 0; i < runs.size() && i < runsInChoice; ++i) {
        ids << QString::fromStdString(runs[i].id);
        names << ui::stateGlyph(runs[i].state) + QLatin1Char(' ') + ui::shown(runs[i].name);
    }
    QStringList present;
    for (int i = 0; i < m_runChoice->count(); ++i) present << m_runChoice->itemData(i).toString();
    if (present != ids) {
        m_runChoice->clear();
        for (qsizetype i = 0; i < ids.size(); ++i) m_runChoice->addItem(names[i], ids[i]);
    } else {
        for (qsizetype i = 0; i < ids.size(); ++i) m_runChoice->setItemText(static_cast<int>(i), names[i]);
    }
    m_runChoice->setCurrentIndex(m_runChoice->findData(m_session->shownRun()));
    m_runChoice->setEnabled(!ids.isEmpty());
}

void MainWindow::refreshTitle() {
    const RunData& data = m_session->run();
    QString title = tr("MoFO Workbench");
    if (data.run()) {
        title = data.totalSteps() > 0 ? tr("%1, step %2 of %3 – MoFO Workbench")
                                            .arg(ui::shown(data.run()->name), ui::count(data.newestStep()), ui::count(data.totalSteps()))
                                      : tr("%1, step %2 – MoFO Workbench").arg(ui::shown(data.run()->name), ui::count(data.newestStep()));
    }
    // "[*]" would be taken for the mark of an unsaved document.
    title.replace(QLatin1String("[*]"), QLatin1String("[*][*]"));
    if (title != windowTitle()) setWindowTitle(title);
}

void MainWindow::saveLayout(QSettings& settings) const {
    m_runPage->saveLayout(settings);
    m_runsPage->saveLayout(settings);
    m_newPage->saveLayout(settings);
    m_comparePage->saveLayout(settings);
}

void MainWindow::restoreLayout(QSettings& settings) {
    m_runPage->restoreLayout(settings);
    m_runsPage->restoreLayout(settings);
    m_newPage->restoreLayout(settings);
    m_comparePage->restoreLayout(settings);
}

void MainWindow::resetLayout() {
    rebuild([] {}, false);
}

void MainWindow::changeLanguage(const QString& language) {
    rebuild(
        [&] {
            setLanguage(*qApp, language);
            if (m_settings != nullptr) m_settings->setValue(QStringLiteral("language"), language);
            m_session->runs().retranslate();
        },
        true);
}

void MainWindow::setTextScale(double scale) {
    constexpr double smallest = 0.8, largest = 2.0;
    const auto apply = [&] {
        m_textScale = std::clamp(scale, smallest, largest);
        QFont font = QApplication::font();
        font.setPointSizeF(m_basePointSize * m_textScale);
        QApplication::setFont(font);
        if (m_settings != nullptr) m_settings->setValue(QStringLiteral("textScale"), m_textScale);
    };
    // Many sizes follow the text's.
    if (m_centre != nullptr)
        rebuild(apply, true);
    else
        apply();
}

void MainWindow::rebuild(const std::function<void()>& change, bool keepsLayout) {
    // Sizes and columns live in the pages that are made anew; what is typed, read and shown lives in the models.
    const QTemporaryDir folder;
    QSettings layout(folder.filePath(QStringLiteral("layout.ini")), QSettings::IniFormat);
    saveLayout(layout);
    const Page shown = page();
    const QStringList compared = m_comparePage->runs().ids();
    tearDown();
    change();
    build();
    if (keepsLayout) restoreLayout(layout);
    if (m_comparePage->runs().ids() != compared) m_comparePage->compareNamed(compared);
    showPage(shown);
    setWindowTitle({});
    refreshTitle();
    m_session->readNow();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    const QList<QUrl> urls = event->mimeData()->urls();
    if (std::any_of(urls.begin(), urls.end(), [](const QUrl& url) { return !droppedName(url).isEmpty(); })) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    bool taken = false;
    for (const QUrl& url : event->mimeData()->urls()) {
        const QString name = droppedName(url);
        if (name.isEmpty()) continue;
        m_newRun->takePath(name);
        taken = true;
    }
    if (!taken) return;
    event->acceptProposedAction();
    showPage(NewIndex);
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (m_settings != nullptr) {
        m_settings->setValue(QStringLiteral("main/geometry"), saveGeometry());
        saveLayout(*m_settings);
        m_presence->remember();
    }
    QMainWindow::closeEvent(event);
}

void MainWindow::changeEvent(QEvent* event) {
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::ApplicationPaletteChange || event->type() == QEvent::PaletteChange) refreshIcons();
    if (event->type() == QEvent::WindowStateChange) m_session->setSlow(isMinimized());
}

void MainWindow::resizeEvent(QResizeEvent* event) {
    QMainWindow::resizeEvent(event);
    if (m_toast == nullptr) return;
    m_toast->place();
    m_tasksPopover->place();
    m_noticesPopover->place();
    m_import->place();
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
