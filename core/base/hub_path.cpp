#include "core/base/hub_path.h"

#include <algorithm>
#include <vector>

#include "core/base/text.h"

namespace mofo {

namespace {

constexpr std::string_view kModels = "models--";
constexpr std::string_view kDatasets = "datasets--";

/// "models--owner--name"; names on the Hub never hold two hyphens in a row.
std::optional<HubPlace> repositoryOf(std::string_view folder) {
    HubPlace place;
    place.isDataset = folder.starts_with(kDatasets);
    if (!place.isDataset && !folder.starts_with(kModels)) return std::nullopt;
    folder.remove_prefix(place.isDataset ? kDatasets.size() : kModels.size());
    const auto cut = folder.find("--");
    if (cut == std::string_view::npos || cut == 0 || cut + 2 >= folder.size() || folder.find("--", cut + 2) != std::string_view::npos)
        return std::nullopt;
    place.id = std::string(folder.substr(0, cut)) + '/' + std::string(folder.substr(cut + 2));
    return place;
}

}  // namespace

bool isHubCommit(std::string_view text) {
    constexpr std::size_t digits = 40;
    return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string HubPlace::text() const {
    std::string text = (isDataset ? "hf:datasets/" : "hf:") + id + '@' + commit;
    if (!file.empty()) text += ':' + file;
    return text;
}

std::optional<HubPlace> hubPlaceOfPath(std::string_view path) {
    std::vector<std::string> parts = splitText(path, '/');
    while (!parts.empty() && parts.back().empty()) parts.pop_back();
    for (std::size_t i = parts.size(); i-- > 1;) {
        if (!isHubCommit(parts[i])) continue;
        const std::size_t above = parts[i - 1] == "snapshots" && i > 1 ? i - 2 : i - 1;
        std::optional<HubPlace> place = repositoryOf(parts[above]);
        if (!place) continue;
        place->commit = parts[i];
        parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        place->file = joinText(parts, "/");
        return place;
    }
    return std::nullopt;
}

std::string hubNameOrPath(std::string_view path) {
    const std::optional<HubPlace> place = hubPlaceOfPath(path);
    return place ? place->text() : std::string(path);
}

}  // namespace mofo
