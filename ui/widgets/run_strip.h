// The strip below the run list: one run at a glance, and what can be done with it.
#pragma once

#include <QFrame>
#include <vector>

#include "ui/controllers/run_acts.h"

class QLabel;
class QLineEdit;
class QPushButton;
class QToolButton;

namespace mofo {

class ElidedLabel;

/// A curve without axes: its course, its newest value. NaN breaks the line and leaves a cross.
class Sparkline : public QWidget {
    Q_OBJECT
public:
    Sparkline(const QString& objectName, const QString& title, QWidget* parent = nullptr);
    void setValues(const std::vector<double>& values);
    QSize sizeHint() const override { return {200, 46}; }
    QSize minimumSizeHint() const override { return {90, 40}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    QString m_title;
    std::vector<double> m_values;
};

class RunStrip : public QFrame {
    Q_OBJECT
public:
    /// In a recording nothing can be changed.
    RunStrip(RunActs* acts, bool isRecording, QWidget* parent = nullptr);
    /// Null empties it. `problem`: why its files cannot be read, or empty.
    void setRun(const RunRow* run, const QString& problem);
    void focusNote();

Q_SIGNALS:
    void openWanted(const QString& id);
    void twinWanted(const QString& id);

private:
    QPushButton* addButton(const char* name, const QString& text);
    void show(const RunGlance& glance);

    RunActs* m_acts;
    const bool m_isRecording;
    RunRow m_run;
    bool m_hasRun = false;
    ElidedLabel* m_title;
    ElidedLabel* m_detail;
    Sparkline* m_loss;
    Sparkline* m_drift;
    QLineEdit* m_note;
    QLineEdit* m_tags;
    QPushButton* m_open = nullptr;
    QPushButton* m_resume = nullptr;
    QPushButton* m_twin = nullptr;
    QPushButton* m_branch = nullptr;
    QPushButton* m_trash = nullptr;
    QString m_problem;
    std::int64_t m_glancedStep = -1;
};

}  // namespace mofo
