// The tabs below the charts of page Run: probes, events, tensors, machine, samples, config, log.
#pragma once

#include <QTabWidget>
#include <vector>

#include "ui/controllers/workspace_session.h"
#include "ui/models/step_axis.h"

class QComboBox;
class QLineEdit;
class QStringListModel;
class QTableView;

namespace mofo {

class ChartView;
class TensorTableModel;

class RunTables : public QTabWidget {
    Q_OBJECT
public:
    enum Tab { Probes, Events, Tensors, Machine, Samples, Config, Log };

    RunTables(WorkspaceSession* session, StepAxis* axis, QWidget* parent = nullptr);

    [[nodiscard]] const std::vector<ChartView*>& charts() const { return m_charts; }
    void drawIfNeeded();
    /// The measures of the step under the cursor, where they are in view.
    void refreshTensors();
    /// Brings the tab of tensors forward, filtered by this name.
    void showTensor(const QString& name);

Q_SIGNALS:
    void said(const QString& sentence, bool isError);

private:
    QWidget* makeProbes();
    QWidget* makeEvents();
    QWidget* makeTensors();
    QWidget* makeMachine();
    QWidget* makeSamples();
    QWidget* makeConfig();
    QWidget* makeLog();
    void refreshTitles();
    void refreshLog();

    WorkspaceSession* m_session;
    const RunData* m_data;
    StepAxis* m_axis;
    std::vector<ChartView*> m_charts;
    QTableView* m_events = nullptr;
    QTableView* m_tensors = nullptr;
    QLineEdit* m_tensorsFind = nullptr;
    TensorTableModel* m_tensorModel = nullptr;
    QStringListModel* m_logLines = nullptr;
    QLineEdit* m_logFind = nullptr;
    QComboBox* m_logLevel = nullptr;
    QWidget* m_logView = nullptr;
};

}  // namespace mofo
