#include "app/cli/hub_argument.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "app/cli/hub_view.h"
#include "core/base/text.h"

namespace mofo::cli {

namespace {

void announce(const HubPlan& plan) {
    printNote(fmt::format("{}: commit {}, {}{}", plan.reference.text(), plan.commit,
                          plan.licence.empty() ? "no licence named" : "licence " + plan.licence, plan.gated ? ", gated" : ""));
    if (!plan.note.empty()) printNote("warning: " + plan.note);
    const std::string files = plan.files.size() == 1 ? "1 file" : fmt::format("{} files", plan.files.size());
    const std::string place = escapeForDisplay(plan.folder.string());
    if (plan.isComplete()) {
        printNote(fmt::format("  {}, {}, on this machine in {}", files, formatBytes(plan.totalBytes), place));
        return;
    }
    const std::uint64_t copied = plan.neededBytes - plan.missingBytes;
    printNote(fmt::format("  {}, {}; {} to download{}, into {} ({} free)", files, formatBytes(plan.totalBytes), formatBytes(plan.missingBytes),
                          copied > 0 ? ", " + formatBytes(copied) + " to copy from your Hugging Face cache" : "", place,
                          formatBytes(plan.freeBytes)));
}

/// Nothing where the text names something on this machine.
Result<std::optional<HubReference>> hubReferenceIn(const std::string& text, HubKind wanted) {
    if (!looksLikeHubReference(text)) return std::optional<HubReference>();
    MOFO_TRY(const HubSettings settings, HubSettings::fromEnvironment());
    return hubReferenceFor(text, wanted, settings.endpoint);
}

}  // namespace

Result<HubPlan> getFromHub(const HubReference& reference) {
    MOFO_TRY(const HubSettings settings, HubSettings::fromEnvironment());
    watchInterrupts();
    HubView view;
    const HubWatch watch = [&](const HubProgress& progress) { return view(progress); };
    auto plan = planHub(settings, reference, watch);
    view.clear();
    if (!plan.ok()) return plan;
    announce(*plan);
    auto path = fetchHub(settings, *plan, watch);
    view.clear();
    if (!path.ok()) return std::move(path).error();
    return plan;
}

Result<std::string> localPathOf(const std::string& text, HubKind wanted) {
    MOFO_TRY(const std::optional<HubReference> reference, hubReferenceIn(text, wanted));
    if (!reference) return text;
    MOFO_TRY(const HubPlan plan, getFromHub(*reference));
    return plan.path.string();
}

Result<std::vector<std::string>> withLocalPaths(std::vector<std::string> assignments) {
    for (std::string& assignment : assignments) {
        for (const auto& [key, kind] :
             {std::pair("model=", HubKind::Model), std::pair("data=", HubKind::Dataset), std::pair("eval_data=", HubKind::Dataset)}) {
            if (!assignment.starts_with(key)) continue;
            MOFO_TRY(const std::string path, localPathOf(assignment.substr(std::string_view(key).size()), kind));
            assignment = key + path;
        }
    }
    return assignments;
}

Result<void> useLocalPaths(RunConfig& config) {
    // What is wrong with any of them shows before the largest is downloaded.
    MOFO_CHECK(hubReferenceIn(config.model, HubKind::Model));
    MOFO_CHECK(hubReferenceIn(config.evalData, HubKind::Dataset));
    MOFO_TRY(config.data, localPathOf(config.data, HubKind::Dataset));
    MOFO_TRY(config.evalData, localPathOf(config.evalData, HubKind::Dataset));
    MOFO_TRY(config.model, localPathOf(config.model, HubKind::Model));
    return {};
}

}  // namespace mofo::cli
