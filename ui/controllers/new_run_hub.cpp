// Model and data of a new run that are named on the Hugging Face Hub.
#include <QFileInfo>

#include "core/config/run_config.h"
#include "core/hub/reference.h"
#include "ui/controllers/hub_source.h"
#include "ui/controllers/new_run_controller.h"
#include "ui/models/display_text.h"

namespace mofo {

HubSource* NewRunController::hub(const std::string& key) const {
    const auto found = m_hub.find(key);
    return found != m_hub.end() ? found->second : nullptr;
}

RunConfig NewRunController::localConfig() const {
    RunConfig config = m_form->config();
    for (const auto& [key, value] : {std::pair("model", &config.model), std::pair("data", &config.data), std::pair("eval_data", &config.evalData)}) {
        if (const HubSource* const source = hub(key); source->state() != HubSource::State::None) *value = source->path();
    }
    return config;
}

QString NewRunController::commandLine() const {
    RunConfig config = m_form->config();
    for (const auto& [key, value] : {std::pair("model", &config.model), std::pair("data", &config.data), std::pair("eval_data", &config.evalData)}) {
        if (const std::optional<HubPlan>& plan = hub(key)->plan()) *value = plan->path.string();
    }
    return QString::fromStdString(trainCommandLine(config, m_form->name().trimmed().toStdString()));
}

void NewRunController::onHubChanged() {
    if (scanKey() != m_scannedKey) scanSoon();
    m_summaryTimer.start();
}

void NewRunController::addHubIssues(std::vector<FormIssue>& issues) const {
    for (const char* key : {"model", "data", "eval_data"}) {
        const HubSource* const source = hub(key);
        const QString name = ui::shown(source->text().toStdString());
        switch (source->state()) {
            case HubSource::State::None:
            case HubSource::State::Ready: break;
            case HubSource::State::Asking: issues.push_back({key, tr("The Hub is being asked for %1.").arg(name), true}); break;
            case HubSource::State::Planned: issues.push_back({key, tr("%1 is to be downloaded first.").arg(name), true}); break;
            case HubSource::State::Downloading: issues.push_back({key, tr("%1 is being downloaded.").arg(name), true}); break;
            case HubSource::State::Failed: issues.push_back({key, ui::shown(source->error().text()), true}); break;
        }
    }
}

void NewRunController::takePath(const QString& path) {
    const std::string text = path.toStdString();
    if (looksLikeHubReference(text)) {
        // What is wrong with it is said at the model's field.
        const auto reference = parseHubReference(text);
        m_form->setText(reference.ok() && reference->kind == HubKind::Dataset ? "data" : "model", path);
        return;
    }
    const QFileInfo file(path);
    const QString suffix = file.suffix().toLower();
    const bool isNamed = !file.exists() && !QStringList{"jsonl", "json", "csv", "tsv", "ndjson"}.contains(suffix);
    const bool isModel = file.isDir() || suffix == QLatin1String("gguf") || isNamed;
    m_form->setText(isModel ? "model" : "data", path);
}

}  // namespace mofo
