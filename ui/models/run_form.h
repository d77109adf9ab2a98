// The form of a new run: one text per RunConfig key, as it was typed, with what is wrong about it. Knows no widget and reads no file.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <map>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/config/run_config.h"

namespace mofo {

class RunForm : public QObject {
    Q_OBJECT
public:
    explicit RunForm(QObject* parent = nullptr);

    /// The config of all values that are right; a wrong one leaves the last right one.
    [[nodiscard]] const RunConfig& config() const { return m_config; }
    /// As it was typed, or canonical where it was not.
    [[nodiscard]] QString text(const std::string& key) const;
    void setText(const std::string& key, const QString& text);
    /// Back to the default.
    void resetKey(const std::string& key);
    void resetAll();
    [[nodiscard]] bool isChanged(const std::string& key) const;
    /// Keys whose value is not the default.
    [[nodiscard]] std::vector<std::string> changedKeys() const;

    /// One sentence, or empty: what is wrong with the value of the key, or with it beside others.
    [[nodiscard]] QString error(const std::string& key) const;
    /// Keys with an error, in the order of the form.
    [[nodiscard]] std::vector<std::string> wrongKeys() const;
    /// What checks of files found about a key (the model cannot be opened ...); stays until the next one. Empty: nothing.
    void setFileError(const std::string& key, const QString& sentence);

    [[nodiscard]] const QString& name() const { return m_name; }
    void setName(const QString& name);

    /// Sets every value of a preset; the others keep theirs.
    void applyPreset(const Preset& preset);
    /// Takes all values of a config, those of `model` and `data` only where they are named.
    void setConfig(const RunConfig& config);

    /// {"name":..., "values":{key: text as typed}} of what differs from the defaults, and back. Unknown keys of a newer program are left out.
    [[nodiscard]] Json draft() const;
    void restore(const Json& draft);
    /// Whether nothing was filled in.
    [[nodiscard]] bool isPristine() const;

Q_SIGNALS:
    void changed();
    /// Text or error of one key; empty: any.
    void keyChanged(const QString& key);

private:
    void take(const std::string& key, const QString& text);
    void check();

    RunConfig m_config;
    QString m_name;
    std::map<std::string, QString> m_texts;        ///< as typed, where that is not canonical
    std::map<std::string, QString> m_errors;       ///< of the value itself
    std::map<std::string, QString> m_crossErrors;  ///< beside others
    std::map<std::string, QString> m_fileErrors;
};

/// Values that are offered for a key beside its own choices: the names of the chat templates.
[[nodiscard]] QStringList suggestionsFor(const std::string& key);

/// "15 %" and "15%" of an alpha as the share that configs take; everything else as it is.
[[nodiscard]] QString alphaFromTyped(const QString& typed);

}  // namespace mofo
