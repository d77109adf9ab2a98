// Under a field that names something on the Hugging Face Hub: what it is, how large, under which licence, whether there is room; its download; what
// went wrong and what helps.
#pragma once

#include <QFrame>

#include "ui/controllers/hub_source.h"

class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QTimer;

namespace mofo {

class ElidedLabel;
class MessageBar;

class HubCard : public QWidget {
    Q_OBJECT
public:
    /// `name` is the key of the field: parts are called "new.NAME.hub...".
    HubCard(const QString& name, HubSource* source, QWidget* parent = nullptr);

Q_SIGNALS:
    /// Another text is to stand in the field.
    void textWanted(const QString& text);

private:
    QWidget* makeFrame(const QString& name);
    QWidget* makeTokenRow(const QString& name);
    void refresh();
    void refreshProgress();
    void act(std::size_t index);
    [[nodiscard]] QString actText(HubSource::Act act) const;

    HubSource* m_source;
    QFrame* m_frame;
    QLabel* m_title = nullptr;
    QLabel* m_what = nullptr;
    QLabel* m_place = nullptr;
    QProgressBar* m_progress = nullptr;
    QLabel* m_progressText = nullptr;
    QPushButton* m_download = nullptr;
    QPushButton* m_cancel = nullptr;
    MessageBar* m_message;
    QWidget* m_tokenRow;
    QLineEdit* m_token = nullptr;
    QTimer* m_late;  ///< until "asking" is worth a word
};

}  // namespace mofo
