// The window: pages on the left rail, menus, tool bar, status line. It reads the store and writes command rows; training lives elsewhere.
#pragma once

#include <QMainWindow>
#include <filesystem>
#include <functional>
#include <map>
#include <vector>

#include "ui/controllers/window_presence.h"
#include "ui/controllers/workspace_session.h"
#include "ui/models/task_list.h"

class QComboBox;
class QDragEnterEvent;
class QDropEvent;
class QMenu;
class QSettings;
class QStackedWidget;
class QToolBar;

namespace mofo {

class CommandPalette;
class ComparePage;
class HubSource;
class ImportPanel;
class MessageBar;
class NewRunController;
class NewRunPage;
class NoticesPopover;
class RunActs;
class RunPage;
class RunsPage;
class StatusLine;
class StoreWorker;
class TasksPopover;
class Toast;
struct ShortcutRow;
struct PaletteEntry;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    enum Page { RunsIndex, NewIndex, RunIndex, CompareIndex, ChatIndex, ModelsIndex, SetupIndex, PageCount };

    /// `settings` outlives the window; null keeps nothing.
    MainWindow(const std::filesystem::path& workspace, QSettings* settings, QWidget* parent = nullptr);
    ~MainWindow() override;

    [[nodiscard]] WorkspaceSession& session() { return *m_session; }
    [[nodiscard]] NewRunController& newRun() { return *m_newRun; }
    [[nodiscard]] RunActs& acts() { return *m_acts; }
    [[nodiscard]] TaskList& tasks() { return *m_tasks; }
    [[nodiscard]] NoticeLog& notices() { return *m_notices; }
    /// Opens page Run on a run named by id, prefix or name, as soon as the workspace holds it.
    void openRun(const QString& text);
    /// Page Compare with these: ids, unique prefixes or names.
    void compareRuns(const QStringList& texts);
    void showPage(Page page);
    [[nodiscard]] Page page() const;
    /// "runs", "new", "run", "compare", "chat", "models", "setup"; false for any other.
    bool showPageNamed(const QString& name);
    /// Sizes, columns and panels as in a first start; what is typed and shown stays.
    void resetLayout();
    /// "en", "ja" or empty (the desktop's): every text at once, without a restart.
    void changeLanguage(const QString& language);
    /// 1 is the desktop's size; 2 at most.
    void setTextScale(double scale);
    /// Comes to the front when the program is started again on this workspace.
    void watchForRaise() { m_presence->watch(); }

protected:
    void closeEvent(QCloseEvent* event) override;
    void changeEvent(QEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    // main_window.cpp
    void build();
    /// Makes the pages anew around a change that all of them have to follow.
    void rebuild(const std::function<void()>& change, bool keepsLayout);
    void tearDown();
    void makePages();
    void refreshTitle();
    void refreshRunList();
    void saveLayout(QSettings& settings) const;
    void restoreLayout(QSettings& settings);
    // main_menus.cpp
    void makeRail();
    void makeToolBar();
    void makeMenus();
    void makeFileMenu();
    void makeEditMenu();
    /// Once the menu has closed: it goes with the pages that are made anew.
    void later(const std::function<void()>& act);
    void makeViewMenu();
    void makeAppearanceMenus(QMenu* view);
    void makeToolsMenu();
    void makeHelpMenu();
    QAction* add(QMenu* menu, const char* name, const QString& text, const QKeySequence& key, const std::function<void()>& act);
    /// An act that this version has not: said in its tooltip.
    QAction* addLater(QMenu* menu, const char* name, const QString& text, const QKeySequence& key, const QString& why);
    void refreshIcons();
    void copyFocused();
    void copyAsCommand();
    void findInPage();
    void openPalette();
    [[nodiscard]] std::vector<PaletteEntry> paletteEntries();
    [[nodiscard]] std::vector<ShortcutRow> keyRows() const;
    void showKeys();
    void showGlossary(const QString& term);
    void showAbout();
    // main_news.cpp
    void connectNews();
    /// A download as a task, and its end as news.
    void connectDownload(HubSource& source, const QString& task);
    void noteStates(const std::vector<RunRow>& runs);
    void showAway(const AwayNews& news);
    void tellDesktop(const Notice& notice);
    void sealFrom(const QString& path);
    void openWorkspace();
    void startOther(const QString& workspace);
    void startDemo();
    void makeTwin(const QString& id);
    void refreshDisk();
    void comeToFront();

    QSettings* m_settings;
    WorkspaceSession* m_session;
    StoreWorker* m_worker;   ///< short reads and writes
    StoreWorker* m_starter;  ///< starts and imports, which can take minutes
    RunActs* m_acts;
    NewRunController* m_newRun;
    HubSource* m_importSource;
    WindowPresence* m_presence;
    TaskList* m_tasks;
    NoticeLog* m_notices;

    QWidget* m_centre = nullptr;
    MessageBar* m_away = nullptr;
    MessageBar* m_recording = nullptr;
    QStackedWidget* m_pages = nullptr;
    RunsPage* m_runsPage = nullptr;
    NewRunPage* m_newPage = nullptr;
    RunPage* m_runPage = nullptr;
    ComparePage* m_comparePage = nullptr;
    QToolBar* m_rail = nullptr;
    QToolBar* m_bar = nullptr;
    QComboBox* m_runChoice = nullptr;
    std::vector<QAction*> m_pageActions;  ///< in the order of Page
    QAction* m_undo = nullptr;
    StatusLine* m_status = nullptr;
    Toast* m_toast = nullptr;
    TasksPopover* m_tasksPopover = nullptr;
    NoticesPopover* m_noticesPopover = nullptr;
    ImportPanel* m_import = nullptr;
    CommandPalette* m_palette = nullptr;

    std::map<std::string, RunState> m_states;
    QString m_awayRun;
    double m_textScale = 1;
    double m_basePointSize;
    int m_seconds = 0;
    bool m_listSeen = false;
};

}  // namespace mofo
