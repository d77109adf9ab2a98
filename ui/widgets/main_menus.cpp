// Rail, tool bar, menus, palette and key list of the main window.
#include <QAbstractButton>
#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QCompleter>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QRegularExpression>
#include <QSettings>
#include <QTableView>
#include <QToolBar>
#include <QToolButton>
#include <QTreeView>
#include <functional>

#include "ui/controllers/new_run_controller.h"
#include "ui/controllers/run_acts.h"
#include "ui/models/display_text.h"
#include "ui/models/glossary.h"
#include "ui/models/key_texts.h"
#include "ui/widgets/command_palette.h"
#include "ui/widgets/first_screen.h"
#include "ui/widgets/help_dialogs.h"
#include "ui/widgets/import_panel.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/new_run_page.h"
#include "ui/widgets/run_page.h"
#include "ui/widgets/runs_page.h"
#include "ui/widgets/table_tools.h"
#include "ui/widgets/theme.h"
#include "ui/widgets/window_parts.h"

namespace mofo {

namespace {

constexpr double textStep = 1.1;

QString withoutMnemonic(QString text) {
    text = text.section(QLatin1Char('\t'), 0, 0);
    // Japanese menus write the mnemonic behind the word: ファイル(&F).
    static const QRegularExpression behind(QStringLiteral("\\(&[A-Z]\\)"));
    return text.remove(behind).remove(QLatin1Char('&'));
}

QString keyText(const QAction& action) {
    const QString shown = action.text().section(QLatin1Char('\t'), 1);
    return action.shortcut().isEmpty() ? shown : action.shortcut().toString(QKeySequence::NativeText);
}

/// Keys that mean something else on another page act only where their page has the focus.
bool belongsToItsPage(const QAction& action) {
    for (const QKeySequence& key : action.shortcuts()) {
        for (const QKeySequence& shared : {QKeySequence(Qt::CTRL | Qt::Key_Return), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Return),
                                           QKeySequence(Qt::CTRL | Qt::Key_Z), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z)}) {
            if (key == shared) return true;
        }
    }
    return false;
}

}  // namespace

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
    m_rail->setIconSize(QSize(26, 26));
    auto* group = new QActionGroup(m_rail);
    const std::pair<QString, const char*> pages[] = {
        {tr("Runs"), "main.showRuns"}, {tr("New run"), "main.showNew"},   {tr("Run"), "main.showRun"},    {tr("Compare"), "main.showCompare"},
        {tr("Chat"), "main.showChat"}, {tr("Models"), "main.showModels"}, {tr("Setup"), "main.showSetup"}};
    for (int i = 0; i < PageCount; ++i) {
        const auto& [text, name] = pages[i];
        QAction* action = m_rail->addAction(text);
        action->setObjectName(QLatin1String(name));
        action->setCheckable(true);
        action->setShortcut(QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + i)));
        action->setToolTip(tr("%1 (%2)", "page and its shortcut").arg(text, action->shortcut().toString(QKeySequence::NativeText)));
        group->addAction(action);
        m_pageActions.push_back(action);
        connect(action, &QAction::triggered, this, [this, i] { showPage(static_cast<Page>(i)); });
        if (QWidget* button = m_rail->widgetForAction(action)) {
            button->setObjectName(QLatin1String(name) + QStringLiteral("Button"));
            button->setAccessibleName(text);
            button->setFocusPolicy(Qt::StrongFocus);
            button->setMinimumSize(68, 54);
        }
    }
    addToolBar(Qt::LeftToolBarArea, m_rail);
}

void MainWindow::makeToolBar() {
    m_bar = new QToolBar(this);
    m_bar->setObjectName(QStringLiteral("main.bar"));
    m_bar->setAccessibleName(tr("Acts on the run"));
    m_bar->setWindowTitle(tr("Acts on the run"));
    m_bar->setMovable(false);
    m_bar->setFloatable(false);
    m_bar->setContextMenuPolicy(Qt::PreventContextMenu);
    m_bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_bar->setIconSize(QSize(18, 18));
    const auto addButton = [this](QAction* action) {
        m_bar->addAction(action);
        QWidget* button = m_bar->widgetForAction(action);
        button->setObjectName(QStringLiteral("main.bar.") + action->objectName());
        button->setAccessibleName(withoutMnemonic(action->text()));
        button->setFocusPolicy(Qt::StrongFocus);
    };
    auto* newRun = findChild<QAction*>(QStringLiteral("main.newRun"));
    addButton(newRun);
    m_bar->addSeparator();
    static const QStringList shown{QStringLiteral("run.pause"),    QStringLiteral("run.stop"),   QStringLiteral("run.checkpoint"),
                                   QStringLiteral("run.evaluate"), QStringLiteral("run.rewind"), QStringLiteral("run.branch")};
    for (const QString& name : shown) {
        for (QAction* action : m_runPage->runActions()) {
            if (action->objectName() != name) continue;
            addButton(action);
            if (name != QLatin1String("run.stop")) continue;
            auto* button = static_cast<QToolButton*>(m_bar->widgetForAction(action));
            auto* menu = new QMenu(button);
            for (QAction* each : m_runPage->runActions()) {
                if (each->objectName().startsWith(QLatin1String("run.stop"))) menu->addAction(each);
            }
            button->setMenu(menu);
            button->setPopupMode(QToolButton::MenuButtonPopup);
        }
    }
    auto* space = new QWidget(m_bar);
    space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    m_bar->addWidget(space);
    m_runChoice = new QComboBox(m_bar);
    m_runChoice->setObjectName(QStringLiteral("main.runChoice"));
    m_runChoice->setAccessibleName(tr("Run that the buttons act on"));
    m_runChoice->setToolTip(tr("Run that the buttons act on"));
    m_runChoice->setEditable(true);
    m_runChoice->setInsertPolicy(QComboBox::NoInsert);
    m_runChoice->completer()->setFilterMode(Qt::MatchContains);
    m_runChoice->completer()->setCompletionMode(QCompleter::PopupCompletion);
    m_runChoice->lineEdit()->setPlaceholderText(tr("run"));
    m_runChoice->setMinimumWidth(230);
    connect(m_runChoice, &QComboBox::activated, this, [this](int index) {
        const QString id = m_runChoice->itemData(index).toString();
        if (id.isEmpty()) return;
        m_session->showRun(id);
        showPage(RunIndex);
    });
    m_bar->addWidget(m_runChoice);
    addButton(findChild<QAction*>(QStringLiteral("main.palette")));
    addToolBar(Qt::TopToolBarArea, m_bar);
}

QAction* MainWindow::add(QMenu* menu, const char* name, const QString& text, const QKeySequence& key, const std::function<void()>& act) {
    QAction* action = menu->addAction(text);
    action->setObjectName(QStringLiteral("main.") + QLatin1String(name));
    action->setShortcut(key);
    connect(action, &QAction::triggered, this, act);
    return action;
}

QAction* MainWindow::addLater(QMenu* menu, const char* name, const QString& text, const QKeySequence& key, const QString& why) {
    QAction* action = add(menu, name, text, key, [] {});
    action->setEnabled(false);
    action->setToolTip(why);
    action->setStatusTip(why);
    return action;
}

void MainWindow::makeMenus() {
    makeFileMenu();
    makeEditMenu();
    makeViewMenu();
    QMenu* run = menuBar()->addMenu(tr("&Run"));
    for (QAction* action : m_runPage->runActions()) {
        run->addAction(action);
        if (!belongsToItsPage(*action)) continue;
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        m_runPage->addAction(action);
    }
    run->addSeparator();
    for (QAction* action : m_newPage->pageActions()) run->addAction(action);
    QMenu* chart = menuBar()->addMenu(tr("&Chart"));
    for (QAction* action : m_runPage->chartActions()) chart->addAction(action);
    makeToolsMenu();
    makeHelpMenu();
    for (const QAction* menu : menuBar()->actions()) menu->menu()->setToolTipsVisible(true);
}

void MainWindow::makeFileMenu() {
    QMenu* file = menuBar()->addMenu(tr("&File"));
    add(file, "newRun", tr("New run"), Qt::CTRL | Qt::Key_N, [this] { showPage(NewIndex); });
    add(file, "newTwin", tr("New twin of this run"), Qt::CTRL | Qt::SHIFT | Qt::Key_N, [this] { makeTwin(m_session->shownRun()); });
    file->addSeparator();
    add(file, "import", tr("Import a model…"), Qt::CTRL | Qt::Key_I, [this] { m_import->open(); })->setEnabled(!m_session->isRecording());
    add(file, "open", tr("Open a workspace…"), Qt::CTRL | Qt::Key_O, [this] { openWorkspace(); });
    add(file, "openSample", tr("Open the recorded runs"), {}, [this] {
        startOther(FirstScreen::sampleWorkspace());
    })->setEnabled(!FirstScreen::sampleWorkspace().isEmpty() && !m_session->isRecording());
    file->addSeparator();
    addLater(file, "export", tr("Export a checkpoint…"), Qt::CTRL | Qt::Key_E,
             tr("Not in the window yet: `mofo export RUN DIR --format hf` does it."));
    addLater(file, "report", tr("Export a report…"), Qt::CTRL | Qt::SHIFT | Qt::Key_E, tr("Reports come with a later version."));
    file->addSeparator();
    add(file, "close", tr("Close window (training goes on)"), Qt::CTRL | Qt::Key_W, [this] { close(); });
    add(file, "quit", tr("Quit (training goes on)"), Qt::CTRL | Qt::Key_Q, [this] { close(); });
}

void MainWindow::makeEditMenu() {
    QMenu* edit = menuBar()->addMenu(tr("&Edit"));
    m_undo = add(edit, "undo", tr("Undo the last act on runs"), Qt::CTRL | Qt::Key_Z, [this] { m_acts->undo(); });
    // On page Run the same keys take back what was staged or applied.
    m_undo->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    m_runsPage->addAction(m_undo);
    // Ctrl+C itself belongs to the widget that has the focus.
    add(edit, "copy", tr("Copy\tCtrl+C"), {}, [this] { copyFocused(); });
    add(edit, "copyCommand", tr("Copy as command"), Qt::CTRL | Qt::SHIFT | Qt::Key_C, [this] { copyAsCommand(); });
    add(edit, "find", tr("Find in page"), Qt::CTRL | Qt::Key_F, [this] { findInPage(); });
    edit->addSeparator();
    for (QAction* action : m_runsPage->pageActions()) edit->addAction(action);
    edit->addSeparator();
    add(edit, "settings", tr("Settings"), Qt::CTRL | Qt::Key_Comma, [this] { showPage(SetupIndex); });
}

void MainWindow::later(const std::function<void()>& act) { QMetaObject::invokeMethod(this, act, Qt::QueuedConnection); }

void MainWindow::makeViewMenu() {
    QMenu* view = menuBar()->addMenu(tr("&View"));
    for (QAction* action : m_pageActions) view->addAction(action);
    view->addSeparator();
    for (int i = 0; i < 3; ++i) view->addAction(m_runPage->togglePanel(i));
    add(view, "nextPane", tr("Next pane"), Qt::Key_F6, [this] { m_runPage->cyclePane(1); });
    add(view, "previousPane", tr("Previous pane"), Qt::SHIFT | Qt::Key_F6, [this] { m_runPage->cyclePane(-1); });
    add(view, "resetLayout", tr("Reset the layout"), {}, [this] { later([this] { resetLayout(); }); });
    view->addSeparator();
    add(view, "larger", tr("Larger text"), Qt::CTRL | Qt::Key_Plus, [this] { later([this] { setTextScale(m_textScale * textStep); }); });
    findChild<QAction*>(QStringLiteral("main.larger"))->setShortcuts({Qt::CTRL | Qt::Key_Plus, Qt::CTRL | Qt::Key_Equal});
    add(view, "smaller", tr("Smaller text"), Qt::CTRL | Qt::Key_Minus, [this] { later([this] { setTextScale(m_textScale / textStep); }); });
    add(view, "normalText", tr("Text as the desktop has it"), Qt::CTRL | Qt::Key_0, [this] { later([this] { setTextScale(1); }); });
    makeAppearanceMenus(view);
}

void MainWindow::makeAppearanceMenus(QMenu* view) {
    QMenu* theme = view->addMenu(tr("Theme"));
    auto* themes = new QActionGroup(theme);
    const QString chosenTheme = m_settings != nullptr ? m_settings->value(QStringLiteral("theme")).toString() : QString();
    const auto addTheme = [&](const QString& text, const char* name, Theme::Choice choice) {
        QAction* action = add(theme, name, text, {}, [this, name, choice] {
            Theme::apply(*qApp, choice);
            if (m_settings != nullptr) m_settings->setValue(QStringLiteral("theme"), QString::fromLatin1(name).section(QLatin1Char('.'), 1));
        });
        action->setCheckable(true);
        action->setChecked(Theme::choiceOf(chosenTheme) == choice);
        themes->addAction(action);
    };
    addTheme(tr("As the desktop"), "theme.desktop", Theme::Choice::Desktop);
    addTheme(tr("Light"), "theme.light", Theme::Choice::Light);
    addTheme(tr("Dark"), "theme.dark", Theme::Choice::Dark);

    QMenu* language = view->addMenu(tr("Language"));
    auto* languages = new QActionGroup(language);
    const QString chosen = m_settings != nullptr ? m_settings->value(QStringLiteral("language")).toString() : QLocale().name().left(2);
    const auto addLanguage = [&](const QString& text, const char* name, const QString& code) {
        QAction* action = add(language, name, text, {}, [this, code] { later([this, code] { changeLanguage(code); }); });
        action->setCheckable(true);
        action->setChecked(chosen == code);
        languages->addAction(action);
    };
    addLanguage(tr("As the desktop"), "language.desktop", QString());
    // A language is called by its own name in every language.
    addLanguage(QStringLiteral("English"), "language.en", QStringLiteral("en"));
    addLanguage(QStringLiteral("日本語"), "language.ja", QStringLiteral("ja"));
}

void MainWindow::makeToolsMenu() {
    QMenu* tools = menuBar()->addMenu(tr("&Tools"));
    add(tools, "palette", tr("Command palette"), Qt::CTRL | Qt::Key_K, [this] { openPalette(); })->setIconText(tr("Find  Ctrl+K"));
    add(tools, "tasks", tr("Tasks"), Qt::CTRL | Qt::Key_T, [this] { m_tasksPopover->toggle(); });
    add(tools, "notices", tr("Notifications"), Qt::CTRL | Qt::SHIFT | Qt::Key_M, [this] {
        m_noticesPopover->toggle();
        m_notices->markRead();
    });
    tools->addSeparator();
    addLater(tools, "doctor", tr("Doctor"), {}, tr("Not in the window yet: `mofo doctor` checks this machine."));
}

void MainWindow::makeHelpMenu() {
    QMenu* help = menuBar()->addMenu(tr("&Help"));
    add(help, "keys", tr("Keys"), Qt::Key_F1, [this] { showKeys(); });
    add(help, "glossary", tr("Glossary"), {}, [this] { showGlossary({}); });
    add(help, "about", tr("About MoFO Workbench"), {}, [this] { showAbout(); });
}

void MainWindow::refreshIcons() {
    if (m_pageActions.empty()) return;
    static const char* const icons[] = {"runs", "new", "run", "compare", "chat", "models", "setup"};
    for (int i = 0; i < PageCount; ++i) m_pageActions[static_cast<std::size_t>(i)]->setIcon(themedIcon(QLatin1String(icons[i]), palette()));
    const std::pair<const char*, const char*> others[] = {{"main.newRun", "new"}, {"main.palette", "find"}};
    for (const auto& [name, icon] : others) {
        if (auto* action = findChild<QAction*>(QLatin1String(name))) action->setIcon(themedIcon(QLatin1String(icon), palette()));
    }
}

void MainWindow::copyFocused() {
    QWidget* focused = QApplication::focusWidget();
    if (auto* line = qobject_cast<QLineEdit*>(focused))
        line->copy();
    else if (const auto* table = qobject_cast<QTableView*>(focused))
        QApplication::clipboard()->setText(selectionAsTsv(*table));
    else if (const auto* tree = qobject_cast<QTreeView*>(focused))
        copyAsTsv(*tree);
}

void MainWindow::copyAsCommand() {
    QString line;
    if (page() == NewIndex) {
        line = m_newRun->commandLine();
    } else if (page() == RunsIndex && !m_runsPage->selectedIds().isEmpty()) {
        if (const RunRow* run = m_session->runs().run(m_runsPage->selectedIds().constFirst())) line = QString::fromStdString(run->commandLine);
    } else if (m_session->run().run()) {
        line = QString::fromStdString(m_session->run().run()->commandLine);
    }
    if (line.isEmpty()) return;
    QApplication::clipboard()->setText(line);
    m_toast->showText(tr("Copied: %1").arg(ui::shown(line.left(120).toStdString())), false);
}

void MainWindow::findInPage() {
    if (page() == NewIndex) {
        m_newPage->focusFind();
        return;
    }
    showPage(RunsIndex);
    m_runsPage->focusFind();
}

std::vector<ShortcutRow> MainWindow::keyRows() const {
    std::vector<ShortcutRow> rows;
    // Made from the actions themselves, so that the list cannot differ from what the keys do.
    for (const QAction* menu : menuBar()->actions()) {
        for (const QAction* action : menu->menu()->actions()) {
            if (const QString key = keyText(*action); !key.isEmpty()) rows.push_back({withoutMnemonic(action->text()), key});
        }
    }
    rows.push_back({tr("In the run list: open, select for comparing"), tr("Enter, Space")});
    rows.push_back({tr("In a chart: cursor one step, one tenth of the view"), tr("Left/Right, Shift+Left/Right")});
    rows.push_back({tr("In a chart: first step, newest step"), tr("Home, End")});
    rows.push_back({tr("In a chart: zoom in, zoom out, whole run"), tr("+, -, 0")});
    rows.push_back({tr("In a chart: follow, logarithmic, copy image"), tr("F, L, C")});
    rows.push_back({tr("In a chart: next event, previous event, next NaN"), tr("E, Shift+E, N")});
    rows.push_back({tr("On the dial: 1 % and 5 % of the scale, discard"), tr("Up/Down, PageUp/PageDown, Esc")});
    rows.push_back({tr("Tabs below the charts"), tr("Alt+1, Alt+2, Alt+3")});
    return rows;
}

std::vector<PaletteEntry> MainWindow::paletteEntries() {
    std::vector<PaletteEntry> entries;
    for (const QAction* menu : menuBar()->actions()) {
        const QString group = withoutMnemonic(menu->text());
        const std::function<void(const QMenu*, const QString&)> take = [&](const QMenu* of, const QString& path) {
            for (QAction* action : of->actions()) {
                if (action->isSeparator()) continue;
                const QString text = path + withoutMnemonic(action->text());
                if (action->menu() != nullptr) {
                    take(action->menu(), text + QStringLiteral(": "));
                    continue;
                }
                entries.push_back({text, group, keyText(*action), action->isEnabled(), action->toolTip(), [action] { action->trigger(); }});
            }
        };
        take(menu->menu(), {});
    }
    for (const RunRow& run : m_session->runs().allRuns()) {
        const QString id = QString::fromStdString(run.id);
        entries.push_back({ui::shown(run.name), tr("run"), {}, true, {}, [this, id] { openRun(id); }});
    }
    for (const ParameterRow& parameter : m_session->run().parameters()) {
        const QString name = ui::shortTensorName(parameter.name);
        entries.push_back({name, tr("tensor of this run"), {}, true, {}, [this, name] {
                               showPage(RunIndex);
                               m_runPage->showTensor(name);
                           }});
    }
    for (const KeyDescription& key : keyDescriptions()) {
        const QString name = QString::fromStdString(key.name);
        entries.push_back({ui::keyLabel(key.name) + QStringLiteral("  ") + name, tr("setting of a new run"), {}, true, {}, [this, name] {
                               showPage(NewIndex);
                               m_newPage->showField(name);
                           }});
    }
    for (const ui::GlossaryEntry& entry : ui::glossary()) {
        entries.push_back({entry.term, tr("glossary"), {}, true, {}, [this, key = entry.key] { showGlossary(key); }});
    }
    return entries;
}

void MainWindow::openPalette() { m_palette->open(paletteEntries()); }

void MainWindow::showKeys() {
    if (auto* open = findChild<KeysDialog*>()) {
        open->raise();
        open->activateWindow();
        return;
    }
    (new KeysDialog(keyRows(), this))->show();
}

void MainWindow::showGlossary(const QString& term) {
    auto* dialog = findChild<GlossaryDialog*>();
    if (dialog == nullptr) dialog = new GlossaryDialog(this);
    dialog->show();
    dialog->raise();
    dialog->activateWindow();
    if (!term.isEmpty()) dialog->showTerm(term);
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

}  // namespace mofo
