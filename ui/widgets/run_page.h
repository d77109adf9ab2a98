// Page Run: live and finished runs alike. Controls, charts over one step axis, one step in detail, tables below.
#pragma once

#include <QAction>
#include <QWidget>
#include <array>
#include <vector>

#include "ui/controllers/workspace_session.h"
#include "ui/models/step_axis.h"

class QLabel;
class QFrame;
class QProgressBar;
class QPushButton;
class QSettings;
class QSplitter;
class QStackedWidget;
class QTimer;

namespace mofo {

class ChartStack;
class ChartView;
class ControlsPanel;
class LossChart;
class LearningRateChart;
class LineChart;
class MapChart;
class MapRows;
class MessageBar;
class RunHeader;
class RunTables;
class StepPanel;

class RunPage : public QWidget {
    Q_OBJECT
public:
    explicit RunPage(WorkspaceSession* session, QWidget* parent = nullptr);

    [[nodiscard]] const std::vector<QAction*>& runActions() const { return m_runActions; }
    [[nodiscard]] const std::vector<QAction*>& chartActions() const { return m_chartActions; }
    [[nodiscard]] QAction* togglePanel(int index) const { return m_toggles[static_cast<std::size_t>(index)]; }
    [[nodiscard]] StepAxis& axis() { return *m_axis; }

    /// The row of this tensor below the charts.
    void showTensor(const QString& name);
    void saveLayout(QSettings& settings) const;
    void restoreLayout(QSettings& settings);
    /// Draws everything that changed; called by the session's beat, and at once by tests.
    void refresh();
    /// Once a second: ages and stalls.
    void tick();
    void cyclePane(int direction);

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void makeActions();
    QWidget* makeCharts();
    QWidget* makeStarting();
    void makeOffer();
    void makeTools();
    void refreshOffer();
    /// What to go on with after memory ran out; 0 where it did not, or where nothing smaller is left.
    [[nodiscard]] std::int64_t smallerMicroBatch() const;
    void say(const QString& sentence, bool isError);
    void undo();
    void setFull(ChartView* chart);
    [[nodiscard]] ChartView* focusedChart() const;
    void drawSoon();
    void refreshMessages();
    /// Where a run that ended goes on.
    [[nodiscard]] QString whatResumeDoes() const;
    void refreshStarting();
    void refreshIcons();

    WorkspaceSession* m_session;
    RunData& m_data;
    StepAxis* m_axis;
    std::vector<QAction*> m_runActions, m_chartActions;
    std::array<QAction*, 3> m_toggles{};
    QAction* m_pause = nullptr;
    QAction* m_stop = nullptr;
    QAction* m_stopNow = nullptr;
    QAction* m_checkpoint = nullptr;
    QAction* m_evaluate = nullptr;
    QAction* m_rewind = nullptr;
    QAction* m_branch = nullptr;
    QAction* m_full = nullptr;
    QAction* m_follow = nullptr;
    QAction* m_fit = nullptr;
    RunHeader* m_header = nullptr;
    MessageBar* m_message = nullptr;
    MessageBar* m_hint = nullptr;
    ControlsPanel* m_controls = nullptr;
    StepPanel* m_step = nullptr;
    QWidget* m_controlsArea = nullptr;
    QWidget* m_stepArea = nullptr;
    QStackedWidget* m_centre = nullptr;
    QWidget* m_startingPage = nullptr;
    QLabel* m_startingText = nullptr;
    QLabel* m_startingDetail = nullptr;
    QProgressBar* m_startingProgress = nullptr;
    LossChart* m_loss = nullptr;
    MapChart* m_selection = nullptr;
    MapChart* m_drift = nullptr;
    LearningRateChart* m_learningRate = nullptr;
    MapRows* m_mapRows = nullptr;
    ChartStack* m_charts = nullptr;
    QSplitter* m_columns = nullptr;
    QSplitter* m_rows = nullptr;
    RunTables* m_tables = nullptr;
    QFrame* m_offer = nullptr;
    QLabel* m_offerText = nullptr;
    QPushButton* m_offerBack = nullptr;
    QPushButton* m_offerRewind = nullptr;
    QLabel* m_toast = nullptr;
    QTimer* m_toastTimer = nullptr;
    bool m_layoutKept = false;  ///< the user's sizes were restored
    bool m_drawQueued = false;
};

}  // namespace mofo
