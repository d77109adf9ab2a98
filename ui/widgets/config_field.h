// One RunConfig key as a field: label, editor, unit, a reset arrow where it was changed, one help line, and what is wrong with it.
#pragma once

#include <QDoubleSpinBox>
#include <QWidget>

#include "core/config/run_config.h"
#include "ui/models/run_form.h"

class QComboBox;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QToolButton;

namespace mofo {

class ElidedLabel;

/// A number as configs write it: the shortest text that reads back, exponents allowed ("2e-05"), independent of the locale.
class NumberSpin : public QDoubleSpinBox {
    Q_OBJECT
public:
    explicit NumberSpin(QWidget* parent = nullptr);
    QString textFromValue(double value) const override;
    double valueFromText(const QString& text) const override;
    QValidator::State validate(QString& text, int& position) const override;
    void fixup(QString& text) const override;
};

class ConfigField : public QWidget {
    Q_OBJECT
public:
    ConfigField(const KeyDescription& key, RunForm* form, QWidget* parent = nullptr);

    [[nodiscard]] const KeyDescription& key() const { return m_key; }
    /// The widget that is typed into or chosen from.
    [[nodiscard]] QWidget* editor() const { return m_editor; }
    /// Whether it takes the whole width of the form.
    [[nodiscard]] bool isWide() const { return m_key.type == KeyDescription::Type::Path; }
    /// Paths used before, for the list under the field.
    void setRecent(const QStringList& paths);
    /// Whether name, label or help has the text.
    [[nodiscard]] bool matches(const QString& text) const;
    void setLabelWidth(int width);
    /// A widget below the field, beside the label's column.
    void addBelow(QWidget* widget);
    [[nodiscard]] int labelWidth() const;
    /// Takes over what the form says now.
    void refresh();

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* makeEditor();
    QWidget* makePath();
    QWidget* makeGranularity();
    QWidget* makeAlpha();
    void browse(bool folder);
    void colour();

    KeyDescription m_key;
    RunForm* m_form;
    QHBoxLayout* m_row = nullptr;
    QLabel* m_label = nullptr;
    QWidget* m_editor = nullptr;
    QToolButton* m_reset = nullptr;
    ElidedLabel* m_help = nullptr;
    QLabel* m_error = nullptr;
    QWidget* m_below = nullptr;
    QWidget* m_count = nullptr;                  ///< N of block, S of shards
    std::function<void(const QString&)> m_show;  ///< puts a text into the editor
};

}  // namespace mofo
