// File > Import a model: a path or a name on the Hugging Face Hub, what is behind it, and the act. Lies over the page and is never modal.
#pragma once

#include <QFrame>

class QLabel;
class QLineEdit;
class QPushButton;

namespace mofo {

class HubSource;

class ImportPanel : public QFrame {
    Q_OBJECT
public:
    /// `source` outlives the panel: a download goes on when the panel is closed.
    ImportPanel(HubSource* source, QWidget* window);
    /// Shows it with the cursor in its field.
    void open();
    /// Back to its place, after the window or what it holds changed its size.
    void place();

Q_SIGNALS:
    /// A GGUF file or a Hugging Face folder on this machine.
    void importWanted(const QString& path);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    void browse();
    void refresh();
    void act();

    HubSource* m_source;
    QLineEdit* m_field;
    QLabel* m_problem;
    QPushButton* m_import;
    bool m_importWhenThere = false;  ///< Import was pressed before all of it was on this machine
};

}  // namespace mofo
