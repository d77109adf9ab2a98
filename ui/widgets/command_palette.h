// Ctrl+K: every page, act, run, setting and tensor by a few letters of its name.
#pragma once

#include <QDialog>
#include <functional>
#include <vector>

class QLineEdit;
class QListWidget;

namespace mofo {

struct PaletteEntry {
    QString text;   ///< "Pause"
    QString group;  ///< "run", "page", "setting" ... shown at the right
    QString key;    ///< shortcut, or empty
    bool enabled = true;
    QString why;  ///< of one that is not enabled
    std::function<void()> act;
};

class CommandPalette : public QDialog {
    Q_OBJECT
public:
    explicit CommandPalette(QWidget* parent = nullptr);
    /// Shows it over the upper part of the window, with these entries.
    void open(std::vector<PaletteEntry> entries);
    /// How well `text` is found by what was typed: smaller is better, -1 not at all. All words must occur, those at word starts first.
    [[nodiscard]] static int rank(const QString& typed, const QString& text);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void filter();
    void trigger(int row);

    QLineEdit* m_find;
    QListWidget* m_list;
    std::vector<PaletteEntry> m_entries;
};

}  // namespace mofo
