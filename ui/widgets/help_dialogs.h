// The list of keys, made from the actions themselves, and the glossary.
#pragma once

#include <QDialog>
#include <vector>

class QAction;
class QLineEdit;
class QTableWidget;
class QTextBrowser;

namespace mofo {

struct ShortcutRow {
    QString act, key;
};

/// F1.
class KeysDialog : public QDialog {
    Q_OBJECT
public:
    KeysDialog(const std::vector<ShortcutRow>& rows, QWidget* parent = nullptr);

private:
    QTableWidget* m_table;
};

class GlossaryDialog : public QDialog {
    Q_OBJECT
public:
    explicit GlossaryDialog(QWidget* parent = nullptr);
    /// Scrolls to a term; an unknown one stays at the top.
    void showTerm(const QString& key);

private:
    QTextBrowser* m_text;
};

}  // namespace mofo
