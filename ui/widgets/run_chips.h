// The compared runs as a row of chips: letter, colour and dash of each, A the baseline. And the list from which another one is added.
#pragma once

#include <QFrame>
#include <QToolButton>
#include <vector>

#include "ui/models/compared_runs.h"

class QLineEdit;
class QListWidget;

namespace mofo {

class RunTableModel;

/// One run. Checked: its curves are shown. Del or the cross removes it, A and B make it the first or second of the pair.
class RunChip : public QToolButton {
    Q_OBJECT
public:
    explicit RunChip(QWidget* parent);
    void setRun(const ComparedRuns::Run& run, std::size_t place);
    [[nodiscard]] const QString& runId() const { return m_run.id; }
    QSize sizeHint() const override;

Q_SIGNALS:
    void removeWanted();
    void placeWanted(std::size_t place);
    void openWanted();

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    [[nodiscard]] QRect crossRect() const;
    ComparedRuns::Run m_run;
    std::size_t m_place = 0;
    bool m_crossPressed = false;
};

/// Chips in as many lines as they need, [+ Add] at the end.
class RunChips : public QWidget {
    Q_OBJECT
public:
    RunChips(ComparedRuns* runs, QWidget* parent = nullptr);
    [[nodiscard]] QToolButton* addButton() { return m_add; }
    [[nodiscard]] const std::vector<RunChip*>& chips() const { return m_chips; }
    QSize sizeHint() const override;
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override { return arrange(width, false); }

Q_SIGNALS:
    void openWanted(const QString& id);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void refresh();
    int arrange(int width, bool place) const;

    ComparedRuns* m_runs;
    std::vector<RunChip*> m_chips;
    QToolButton* m_add;
};

/// The runs of the workspace that are not compared yet, newest first; typing filters.
class RunChooser : public QFrame {
    Q_OBJECT
public:
    explicit RunChooser(QWidget* parent);
    void open(const RunTableModel& runs, const QStringList& without, const QPoint& below);

Q_SIGNALS:
    void chosen(const QString& id);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void filter(const QString& text);
    void take(int row);
    QLineEdit* m_find;
    QListWidget* m_list;
};

}  // namespace mofo
