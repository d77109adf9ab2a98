#include "core/hub/listing.h"

#include <algorithm>

#include "core/base/hub_path.h"
#include "core/base/text.h"

namespace mofo {

namespace {

constexpr std::size_t kMostFiles = 200'000;
constexpr std::uint64_t kMostBytes = 1ull << 60;
constexpr std::size_t kLicenceLimit = 120;

Error wrongAnswer(std::string what) {
    return Error{ErrorCode::Io, "the Hub's answer about the repository cannot be used: " + std::move(what), "",
                 "Try again later, or check HF_ENDPOINT", "JSON"};
}

bool isHex(std::string_view text, std::size_t digits) {
    return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string textOf(const Json& object, const char* key) {
    if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return {};
    return object[key].get<std::string>();
}

std::string licenceOf(const Json& answer) {
    const auto shown = [](const std::string& text) { return escapeForDisplay(std::string_view(text).substr(0, kLicenceLimit)); };
    const Json card = answer.contains("cardData") ? answer["cardData"] : Json();
    if (card.is_object() && card.contains("license")) {
        const Json& licence = card["license"];
        if (licence.is_string()) {
            const std::string name = textOf(card, "license_name");
            return shown(licence.get<std::string>() == "other" && !name.empty() ? name : licence.get<std::string>());
        }
        std::vector<std::string> names;
        if (licence.is_array()) {
            for (const Json& one : licence) {
                if (one.is_string()) names.push_back(one.get<std::string>());
            }
        }
        if (!names.empty()) return shown(joinText(names, ", "));
    }
    if (answer.contains("tags") && answer["tags"].is_array()) {
        for (const Json& tag : answer["tags"]) {
            if (tag.is_string() && tag.get<std::string>().starts_with("license:")) return shown(tag.get<std::string>().substr(8));
        }
    }
    return {};
}

Result<std::uint64_t> sizeOf(const Json& entry, const std::string& name) {
    const Json size = entry.contains("size") ? entry["size"] : Json();
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > kMostBytes) {
        return wrongAnswer("it does not say how large " + escapeForDisplay(name) + " is");
    }
    return size.get<std::uint64_t>();
}

Result<void> checkHashes(const HubFile& file) {
    if ((!file.sha256.empty() && !isHex(file.sha256, 64)) || (!file.gitSha1.empty() && !isHex(file.gitSha1, 40))) {
        return wrongAnswer("a hash of " + escapeForDisplay(file.name) + " is none");
    }
    return {};
}

}  // namespace

Result<HubListing> parseListing(const Json& answer) {
    if (!answer.is_object()) return wrongAnswer("it is not an object");
    HubListing listing;
    listing.commit = textOf(answer, "sha");
    if (!isHubCommit(listing.commit)) return wrongAnswer("it names no commit");
    listing.licence = licenceOf(answer);
    if (answer.contains("gated")) listing.gated = answer["gated"].is_string() || (answer["gated"].is_boolean() && answer["gated"].get<bool>());
    if (!answer.contains("siblings") || !answer["siblings"].is_array()) return wrongAnswer("it lists no files");
    const Json& siblings = answer["siblings"];
    if (siblings.size() > kMostFiles) return wrongAnswer("it lists more than " + formatCount(kMostFiles) + " files");
    for (const Json& entry : siblings) {
        HubFile file;
        file.name = textOf(entry, "rfilename");
        if (!isSafeHubFile(file.name)) continue;
        const bool large = entry.contains("lfs") && entry["lfs"].is_object();
        if (large) {
            file.sha256 = textOf(entry["lfs"], "sha256");
            if (file.sha256.empty()) return wrongAnswer("there is no hash of " + file.name);
        } else {
            file.gitSha1 = textOf(entry, "blobId");
        }
        MOFO_TRY(file.sizeBytes, sizeOf(large && entry["lfs"].contains("size") ? entry["lfs"] : entry, file.name));
        MOFO_CHECK(checkHashes(file));
        listing.files.push_back(std::move(file));
    }
    return listing;
}

Json listingToJson(const HubListing& listing) {
    Json files = Json::array();
    for (const HubFile& file : listing.files) {
        Json entry = {{"name", file.name}, {"size", file.sizeBytes}};
        if (!file.sha256.empty()) entry["sha256"] = file.sha256;
        if (!file.gitSha1.empty()) entry["git_sha1"] = file.gitSha1;
        files.push_back(std::move(entry));
    }
    return {{"format", 1}, {"commit", listing.commit}, {"licence", listing.licence}, {"gated", listing.gated}, {"files", std::move(files)}};
}

Result<HubListing> listingFromJson(const Json& json) {
    HubListing listing;
    listing.commit = textOf(json, "commit");
    if (!isHubCommit(listing.commit) || !json.contains("files") || !json["files"].is_array()) return wrongAnswer("the record of it is damaged");
    listing.licence = textOf(json, "licence");
    listing.gated = json.contains("gated") && json["gated"].is_boolean() && json["gated"].get<bool>();
    for (const Json& entry : json["files"]) {
        HubFile file;
        file.name = textOf(entry, "name");
        if (!isSafeHubFile(file.name)) return wrongAnswer("the record of it is damaged");
        file.sha256 = textOf(entry, "sha256");
        file.gitSha1 = textOf(entry, "git_sha1");
        MOFO_TRY(file.sizeBytes, sizeOf(entry, file.name));
        MOFO_CHECK(checkHashes(file));
        listing.files.push_back(std::move(file));
    }
    return listing;
}

}  // namespace mofo
