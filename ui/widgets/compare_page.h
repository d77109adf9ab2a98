// Page Compare: up to 12 runs side by side. Tab Overlay draws their series over one axis, tab Config diff what they were told.
#pragma once

#include <QWidget>

#include "ui/controllers/compare_reader.h"
#include "ui/controllers/workspace_session.h"
#include "ui/models/config_diff.h"
#include "ui/models/step_axis.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QSettings;
class QStackedWidget;
class QTabWidget;
class QTableView;

namespace mofo {

class ChartStack;
class ChartView;
class MessageBar;
class OverlayChart;
class RunChips;
class RunChooser;
class StoreWorker;

class ComparePage : public QWidget {
    Q_OBJECT
public:
    ComparePage(WorkspaceSession* session, StoreWorker* worker, QWidget* parent = nullptr);
    ~ComparePage() override;
    /// Reads the runs and shows them, the first as A.
    void compare(const QStringList& ids);
    /// The same by id, unique prefix or name, as soon as the list of runs is there; those that are not in it are left out.
    void compareNamed(const QStringList& texts);
    [[nodiscard]] const ConfigDiffModel& model() const { return *m_model; }
    [[nodiscard]] ComparedRuns& runs() { return *m_runs; }
    [[nodiscard]] const std::vector<OverlayChart*>& charts() const { return m_overlays; }
    [[nodiscard]] StepAxis& axis() { return *m_axis; }
    /// Draws what changed, now instead of with the next beat.
    void refresh();
    void saveLayout(QSettings& settings) const;
    void restoreLayout(QSettings& settings);

Q_SIGNALS:
    void openRequested(const QString& id);
    /// A sentence for the toast: a file was written, or why not.
    void said(const QString& sentence);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    [[nodiscard]] QWidget* makeEmpty();
    [[nodiscard]] QWidget* makeOverlay();
    [[nodiscard]] QWidget* makeDiff();
    [[nodiscard]] QWidget* makeTools();
    void chooseX();
    void chooseSeries(std::size_t chart, const std::string& id);
    void refreshTools();
    void drawSoon();
    void onRuns();
    void readConfigs();
    void refreshDiff();
    void openChooser(QWidget* below);
    void resolveWanted();

    WorkspaceSession* m_session;
    StoreWorker* m_worker;
    ComparedRuns* m_runs;
    CompareFollower* m_follower;
    RunData* m_none;  ///< a run without rows: the charts are of several
    StepAxis* m_axis;
    StepScale m_scale;
    ConfigDiffModel* m_model;
    QStackedWidget* m_stack;
    QTabWidget* m_tabs = nullptr;
    RunChips* m_chips = nullptr;
    RunChooser* m_chooser = nullptr;
    ChartStack* m_charts = nullptr;
    std::vector<OverlayChart*> m_overlays;
    QWidget* m_tools = nullptr;
    QComboBox* m_unit = nullptr;
    QComboBox* m_align = nullptr;
    QCheckBox* m_means = nullptr;
    QLabel* m_same = nullptr;
    MessageBar* m_note = nullptr;
    MessageBar* m_problem = nullptr;
    QCheckBox* m_all = nullptr;
    QTableView* m_table = nullptr;
    QStringList m_read;        ///< whose configurations are shown, or on their way
    QStringList m_wantedRuns;  ///< asked for, until the list of runs is there
    bool m_drawQueued = false;
};

}  // namespace mofo
