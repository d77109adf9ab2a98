// Page New run: the form made from the keys of core/config, what the rows become, and what the run will be.
#pragma once

#include <QAction>
#include <QWidget>
#include <vector>

#include "ui/controllers/new_run_controller.h"

class QCheckBox;
class QComboBox;
class QGridLayout;
class QLabel;
class QLineEdit;
class QScrollArea;
class QSettings;
class QSplitter;
class QToolButton;

namespace mofo {

class ConfigField;
class DataCard;
class ElidedLabel;
class MessageBar;
class RunSummaryPanel;

/// A collapsible group of fields with what is changed in it beside its name.
class FormSection : public QWidget {
    Q_OBJECT
public:
    FormSection(const QString& objectName, const QString& title, QWidget* parent = nullptr);
    void addField(ConfigField* field) { m_fields.push_back(field); }
    /// A widget below the fields, over the whole width.
    void addCard(QWidget* card);
    [[nodiscard]] const std::vector<ConfigField*>& fields() const { return m_fields; }
    void setExpanded(bool expanded);
    /// Lays the wanted fields out in so many columns; a section without any hides unless it has a card.
    void arrange(int columns, const std::vector<ConfigField*>& wanted, bool showCards);
    void setNote(const QString& note);

private:
    QToolButton* m_header;
    QWidget* m_body;
    QGridLayout* m_grid;
    std::vector<ConfigField*> m_fields;
    std::vector<QWidget*> m_cards;
    QString m_title, m_note;
    bool m_expanded = false;
};

class NewRunPage : public QWidget {
    Q_OBJECT
public:
    explicit NewRunPage(NewRunController* controller, QWidget* parent = nullptr);

    /// Start, queue, next and previous problem: for the menus and the keys list.
    [[nodiscard]] const std::vector<QAction*>& pageActions() const { return m_actions; }
    [[nodiscard]] ConfigField* field(const std::string& key) const;
    void focusFind();
    /// Shows the field of a key, and its section, and puts the focus there.
    void showField(const QString& key);
    void setShowAll(bool all);
    void saveLayout(QSettings& settings) const;
    void restoreLayout(QSettings& settings);

protected:
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void makeActions();
    QWidget* makeTop();
    QWidget* makeForm();
    QWidget* makeCommand();
    void arrange();
    void refreshFields(const QString& key);
    void refreshModelCard();
    void refreshSummary();
    void refreshPresets();
    void savePreset();

    NewRunController* m_controller;
    std::vector<QAction*> m_actions;
    QSplitter* m_columns;
    QComboBox* m_presets = nullptr;
    QLineEdit* m_presetName = nullptr;
    QToolButton* m_savePreset = nullptr;
    QCheckBox* m_all = nullptr;
    QLineEdit* m_find = nullptr;
    QLabel* m_noHit = nullptr;
    MessageBar* m_draft;
    MessageBar* m_message;
    QScrollArea* m_scroll = nullptr;
    QWidget* m_form = nullptr;
    std::vector<FormSection*> m_sections;
    std::vector<ConfigField*> m_fields;
    QWidget* m_modelCard = nullptr;
    QLabel* m_modelLine = nullptr;
    QLabel* m_modelNote = nullptr;
    DataCard* m_data = nullptr;
    QLabel* m_selection = nullptr;
    RunSummaryPanel* m_summary = nullptr;
    ElidedLabel* m_command = nullptr;
    int m_arranged = 0;  ///< columns of the last arrangement
};

}  // namespace mofo
