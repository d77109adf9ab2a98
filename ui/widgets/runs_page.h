// Page Runs: every run of the workspace, live.
#pragma once

#include <QWidget>

#include "ui/controllers/workspace_session.h"

class QLabel;
class QLineEdit;
class QSettings;
class QSortFilterProxyModel;
class QStackedWidget;
class QTableView;

namespace mofo {

class MessageBar;

class RunsPage : public QWidget {
    Q_OBJECT
public:
    explicit RunsPage(WorkspaceSession* session, QWidget* parent = nullptr);
    void focusFind();
    void saveLayout(QSettings& settings) const;
    void restoreLayout(QSettings& settings);

Q_SIGNALS:
    /// Enter, double click.
    void openRequested(const QString& id);

private:
    void refresh();

    WorkspaceSession* m_session;
    QLineEdit* m_find;
    QLabel* m_count;
    MessageBar* m_message;
    QStackedWidget* m_stack;
    QTableView* m_table;
    QLabel* m_emptyText;
    QLabel* m_emptyCommands;
    QLabel* m_noHit;
    QWidget* m_emptyPage;
    QWidget* m_noHitPage;
    QSortFilterProxyModel* m_proxy;
};

}  // namespace mofo
