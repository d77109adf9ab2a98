// One key of the configuration that can change while a run is on: its name, a field, and below it what is staged, sent, applied or refused.
#pragma once

#include <QWidget>
#include <string>

#include "ui/controllers/tuning_controller.h"

class QComboBox;
class QLabel;
class QLineEdit;

namespace mofo {

/// "staged 5 %, not sent", "5 % sent, waiting for step… 3 s", "5 % since step 1,211", "✗ refused: ..."; empty where the value is as it was started
/// with and `plainWhenApplied` is not set.
[[nodiscard]] QString keyStateText(const RunData& data, const std::string& key, const KeyState& state, bool plainWhenApplied);
/// Colour, slant and text of a state line; an empty text hides it.
void showKeyState(QLabel* label, const QString& text, const KeyState& state);

class KeyRow : public QWidget {
    Q_OBJECT
public:
    KeyRow(const KeyDescription& key, const RunData* data, TuningController* tuning, QWidget* parent = nullptr);
    void refresh();
    [[nodiscard]] const std::string& key() const { return m_key; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void stageText();

    const std::string m_key;
    const RunData* m_data;
    TuningController* m_tuning;
    QLineEdit* m_edit = nullptr;
    QComboBox* m_choice = nullptr;
    QLabel* m_state;
};

}  // namespace mofo
