// Page Runs: every run of the workspace, live, branches below their parents.
#pragma once

#include <QAction>
#include <QWidget>
#include <vector>

#include "ui/controllers/run_acts.h"
#include "ui/controllers/workspace_session.h"
#include "ui/models/data_preview.h"

class QLabel;
class QLineEdit;
class QPushButton;
class QSettings;
class QStackedWidget;
class QTreeView;

namespace mofo {

class FirstScreen;
class MessageBar;
class RunFilterModel;
class RunStrip;

class RunsPage : public QWidget {
    Q_OBJECT
public:
    RunsPage(WorkspaceSession* session, RunActs* acts, QWidget* parent = nullptr);
    void focusFind();
    /// Pin, baseline, rename, note, trash, queue: for the menus; they act on the selection.
    [[nodiscard]] const std::vector<QAction*>& pageActions() const { return m_actions; }
    [[nodiscard]] QStringList selectedIds() const;
    [[nodiscard]] FirstScreen* firstScreen() const { return m_first; }
    void saveLayout(QSettings& settings) const;
    void restoreLayout(QSettings& settings);

Q_SIGNALS:
    /// Enter, double click.
    void openRequested(const QString& id);
    void twinRequested(const QString& id);
    void compareRequested(const QStringList& ids);
    void otherWorkspaceRequested();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;

private:
    void makeActions();
    QWidget* makeTop();
    QWidget* makeTree();
    QWidget* makeProblem();
    void refresh();
    /// Beside the values stand the differences to the baseline.
    void makeRoomForDifferences();
    void refreshSelection();
    [[nodiscard]] std::vector<RunRow> selectedRuns() const;
    [[nodiscard]] const RunRow* currentRun() const;

    WorkspaceSession* m_session;
    RunActs* m_acts;
    std::string m_widenedFor;  ///< the baseline whose differences have room
    std::vector<QAction*> m_actions;
    QLineEdit* m_find = nullptr;
    QLabel* m_count = nullptr;
    QPushButton* m_compare = nullptr;
    MessageBar* m_message = nullptr;
    QStackedWidget* m_stack = nullptr;
    QTreeView* m_tree = nullptr;
    RunStrip* m_strip = nullptr;
    FirstScreen* m_first = nullptr;
    QLabel* m_noHit = nullptr;
    QLabel* m_problem = nullptr;
    QWidget* m_listPage = nullptr;
    QWidget* m_noHitPage = nullptr;
    QWidget* m_problemPage = nullptr;
    QWidget* m_waitPage = nullptr;
    bool m_marking = false;  ///< runs are being selected by Space
    RunFilterModel* m_filter = nullptr;
};

}  // namespace mofo
