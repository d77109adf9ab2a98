// What stands in the place of an empty run list: what MoFO does, what this machine can do, three acts.
#pragma once

#include <QWidget>

#include "ui/models/data_preview.h"

class QLabel;
class QLineEdit;
class QPushButton;

namespace mofo {

class FirstScreen : public QWidget {
    Q_OBJECT
public:
    explicit FirstScreen(QWidget* parent = nullptr);
    /// Null: not known yet.
    void setDevice(const DeviceCardPtr& device);
    /// Files of the demo; empty where `installer/bootstrap demo` has not fetched them.
    [[nodiscard]] static QString demoModel();
    [[nodiscard]] static QString demoData();
    /// The recorded workspace that comes with the program; empty where this build has none.
    [[nodiscard]] static QString sampleWorkspace();
    void setFolder(const QString& folder, bool missing);
    /// Enter starts what is offered first.
    void focusFirstAct();

Q_SIGNALS:
    void demoWanted();
    /// `text` is a path or a name on the Hub, or empty.
    void newRunWanted(const QString& text);
    void importWanted();
    void sampleWanted();
    void termWanted(const QString& term);

private:
    QWidget* makeAct(const char* name, const QString& title, const QString& text, QPushButton*& button);
    QLabel* m_machine;
    QLabel* m_place;
    QPushButton* m_demo = nullptr;
    QPushButton* m_new = nullptr;
    QPushButton* m_sample = nullptr;
    QLineEdit* m_model = nullptr;
};

}  // namespace mofo
