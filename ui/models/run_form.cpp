#include "ui/models/run_form.h"

#include <QLocale>
#include <algorithm>

#include "core/base/text.h"
#include "core/text/chat_template.h"
#include "ui/models/display_text.h"

namespace mofo {

namespace {

/// "message. Remedy." of an error, without the place, which is the field it stands under.
QString sentenceOf(const Error& error) {
    QString text = ui::shown(error.message);
    if (!text.isEmpty()) text[0] = text[0].toUpper();
    if (!error.remedy.empty()) text += QStringLiteral(". ") + ui::shown(error.remedy);
    return text;
}

/// The key that an error of checkConfig is about: its `where` is "key=value".
std::string keyOf(const Error& error) {
    const std::string key = error.where.substr(0, error.where.find('='));
    return findKey(key) != nullptr ? key : std::string();
}

bool isAlpha(const std::string& key) { return key == "alpha" || key.starts_with("alpha."); }

}  // namespace

QString alphaFromTyped(const QString& typed) {
    QString text = typed.trimmed();
    if (!text.endsWith(QLatin1Char('%'))) return text;
    text.chop(1);
    bool isNumber = false;
    const double percent = text.trimmed().toDouble(&isNumber);
    // Through the text, so that 15 % is 0.15 and not 0.15000000000000002.
    return isNumber ? QString::fromStdString(formatShortest(QString::number(percent / 100.0, 'g', 12).toDouble())) : typed.trimmed();
}

QStringList suggestionsFor(const std::string& key) {
    QStringList offered;
    if (key == "chat_template") {
        offered << QString();
        for (const std::string& name : ChatTemplate::names()) offered << QString::fromStdString(name);
    }
    if (const KeyDescription* const description = findKey(key); description != nullptr) {
        for (const std::string& choice : description->choices) offered << QString::fromStdString(choice);
    }
    return offered;
}

RunForm::RunForm(QObject* parent) : QObject(parent) { check(); }

QString RunForm::text(const std::string& key) const {
    const auto typed = m_texts.find(key);
    return typed != m_texts.end() ? typed->second : QString::fromStdString(configValue(m_config, key));
}

void RunForm::take(const std::string& key, const QString& text) {
    const QString value = isAlpha(key) ? alphaFromTyped(text) : text;
    RunConfig next = m_config;
    const Result<void> done = setConfigValue(next, key, value.toStdString());
    if (done.ok()) {
        m_config = next;
        m_errors.erase(key);
        m_texts.erase(key);
    } else {
        m_errors[key] = sentenceOf(done.error());
        m_texts[key] = text;
    }
}

void RunForm::setText(const std::string& key, const QString& text) {
    if (findKey(key) == nullptr || text == this->text(key)) return;
    take(key, text);
    m_fileErrors.erase(key);
    check();
    Q_EMIT keyChanged(QString::fromStdString(key));
    Q_EMIT changed();
}

void RunForm::resetKey(const std::string& key) {
    const KeyDescription* const description = findKey(key);
    if (description != nullptr) setText(key, QString::fromStdString(description->defaultText));
}

void RunForm::resetAll() {
    m_config = RunConfig();
    m_name.clear();
    m_texts.clear();
    m_errors.clear();
    m_fileErrors.clear();
    check();
    Q_EMIT keyChanged({});
    Q_EMIT changed();
}

bool RunForm::isChanged(const std::string& key) const {
    const KeyDescription* const description = findKey(key);
    return description != nullptr && text(key) != QString::fromStdString(description->defaultText);
}

std::vector<std::string> RunForm::changedKeys() const {
    std::vector<std::string> keys;
    for (const KeyDescription& key : keyDescriptions()) {
        if (isChanged(key.name)) keys.push_back(key.name);
    }
    return keys;
}

QString RunForm::error(const std::string& key) const {
    for (const auto* const errors : {&m_errors, &m_fileErrors, &m_crossErrors}) {
        if (const auto found = errors->find(key); found != errors->end()) return found->second;
    }
    return {};
}

std::vector<std::string> RunForm::wrongKeys() const {
    std::vector<std::string> keys;
    for (const KeyDescription& key : keyDescriptions()) {
        if (!error(key.name).isEmpty()) keys.push_back(key.name);
    }
    return keys;
}

void RunForm::setFileError(const std::string& key, const QString& sentence) {
    const auto present = m_fileErrors.find(key);
    if ((present == m_fileErrors.end() && sentence.isEmpty()) || (present != m_fileErrors.end() && present->second == sentence)) return;
    if (sentence.isEmpty())
        m_fileErrors.erase(key);
    else
        m_fileErrors[key] = sentence;
    Q_EMIT keyChanged(QString::fromStdString(key));
}

void RunForm::check() {
    m_crossErrors.clear();
    const Result<void> fits = checkConfig(m_config);
    if (fits.ok()) return;
    const std::string key = keyOf(fits.error());
    m_crossErrors[key.empty() ? "optimizer" : key] = sentenceOf(fits.error());
}

void RunForm::setName(const QString& name) {
    if (name == m_name) return;
    m_name = name;
    Q_EMIT changed();
}

void RunForm::applyPreset(const Preset& preset) {
    for (const auto& [key, value] : preset.values) take(key, QString::fromStdString(value));
    check();
    Q_EMIT keyChanged({});
    Q_EMIT changed();
}

void RunForm::setConfig(const RunConfig& config) {
    const std::string model = m_config.model, data = m_config.data;
    m_config = config;
    if (config.model.empty()) m_config.model = model;
    if (config.data.empty()) m_config.data = data;
    m_texts.clear();
    m_errors.clear();
    m_fileErrors.clear();
    check();
    Q_EMIT keyChanged({});
    Q_EMIT changed();
}

Json RunForm::draft() const {
    Json values = Json::object();
    for (const std::string& key : changedKeys()) values[key] = text(key).toStdString();
    return {{"name", m_name.toStdString()}, {"values", std::move(values)}};
}

void RunForm::restore(const Json& draft) {
    m_config = RunConfig();
    m_texts.clear();
    m_errors.clear();
    m_fileErrors.clear();
    m_name.clear();
    if (draft.is_object()) {
        if (const auto name = draft.find("name"); name != draft.end() && name->is_string()) m_name = QString::fromStdString(name->get<std::string>());
        const auto values = draft.find("values");
        if (values != draft.end() && values->is_object()) {
            for (const auto& [key, value] : values->items()) {
                if (value.is_string() && findKey(key) != nullptr) take(key, QString::fromStdString(value.get<std::string>()));
            }
        }
    }
    check();
    Q_EMIT keyChanged({});
    Q_EMIT changed();
}

bool RunForm::isPristine() const { return m_name.isEmpty() && changedKeys().empty(); }

}  // namespace mofo
