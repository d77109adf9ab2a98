// The window: pages on the left rail, menus, status bar. It reads the store and writes command rows; training lives elsewhere.
#pragma once

#include <QMainWindow>
#include <filesystem>

#include "ui/controllers/workspace_session.h"

class QActionGroup;
class QLabel;
class QSettings;
class QStackedWidget;
class QTimer;
class QToolBar;

namespace mofo {

class ElidedLabel;
class RunPage;
class RunsPage;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    enum Page { RunsIndex, RunIndex };

    /// `settings` outlives the window; null keeps nothing.
    MainWindow(const std::filesystem::path& workspace, QSettings* settings, QWidget* parent = nullptr);
    ~MainWindow() override;

    [[nodiscard]] WorkspaceSession& session() { return *m_session; }
    /// Opens page Run on a run named by id, prefix or name, as soon as the workspace holds it.
    void openRun(const QString& text);
    void showPage(Page page);

protected:
    void closeEvent(QCloseEvent* event) override;
    void changeEvent(QEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void makeRail();
    void makeMenus();
    void makeStatusBar();
    void refreshStatus();
    void refreshTitle();
    void refreshIcons();
    void showKeys();
    void showAbout();

    QSettings* m_settings;
    WorkspaceSession* m_session;
    QToolBar* m_rail = nullptr;
    QAction* m_showRuns = nullptr;
    QAction* m_showRun = nullptr;
    QStackedWidget* m_pages = nullptr;
    RunsPage* m_runsPage = nullptr;
    RunPage* m_runPage = nullptr;
    QLabel* m_stateLabel = nullptr;
    QLabel* m_speedLabel = nullptr;
    QLabel* m_leftLabel = nullptr;
    QLabel* m_ageLabel = nullptr;
    ElidedLabel* m_workspaceLabel = nullptr;
    QTimer* m_second = nullptr;
};

}  // namespace mofo
