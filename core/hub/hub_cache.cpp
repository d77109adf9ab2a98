#include "core/hub/hub_cache.h"

#include <algorithm>

#include "core/base/file.h"
#include "core/base/hub_path.h"
#include "core/base/json.h"
#include "core/base/text.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kRefLimit = 256;
constexpr std::uint64_t kRecordLimit = 64ull << 20;
constexpr std::size_t kMostFiles = 100'000;

/// Size of a regular file, links followed, or nothing.
std::optional<std::uint64_t> sizeOfFile(const fs::path& path) {
    std::error_code ec;
    if (!fs::is_regular_file(path, ec)) return std::nullopt;
    const std::uint64_t size = fs::file_size(path, ec);
    return ec ? std::nullopt : std::optional(size);
}

std::string commitIn(const fs::path& refs, const std::string& revision) {
    auto text = readWholeFile(refs / revision, kRefLimit);
    if (!text.ok()) return {};
    const std::string commit(trimText(*text));
    return isHubCommit(commit) ? commit : std::string();
}

}  // namespace

HubCache::HubCache(const HubSettings& settings, const HubReference& reference)
    : m_own(settings.ownCache / reference.folderName()), m_user(settings.userCache / reference.folderName()) {}

bool HubCache::isInUserCache(const std::string& commit, const HubFile& file) const {
    return sizeOfFile(userFolder(commit) / file.name) == file.sizeBytes;
}

HubFile::Place HubCache::placeOf(const std::string& commit, const HubFile& file) const {
    if (sizeOfFile(ownFolder(commit) / file.name) == file.sizeBytes) return HubFile::Place::OwnCache;
    return isInUserCache(commit, file) ? HubFile::Place::UserCache : HubFile::Place::Hub;
}

std::vector<std::string> HubCache::commitsOf(const std::string& revision) const {
    if (isHubCommit(revision)) return {revision};
    std::vector<std::string> commits;
    for (const fs::path& refs : {m_user / "refs", m_own / "refs"}) {
        if (std::string commit = commitIn(refs, revision); !commit.empty()) commits.push_back(std::move(commit));
    }
    return commits;
}

std::optional<HubListing> HubCache::recordedListing(const std::string& commit) const {
    auto text = readWholeFile(m_own / (commit + ".json"), kRecordLimit);
    if (!text.ok()) return std::nullopt;
    const auto json = parseJson(*text);
    if (!json.ok()) return std::nullopt;
    auto listing = listingFromJson(*json);
    // A damaged record is asked for anew.
    if (!listing.ok() || listing->commit != commit) return std::nullopt;
    return std::move(listing).value();
}

std::optional<HubListing> HubCache::userListing(const std::string& commit) const {
    const fs::path folder = userFolder(commit);
    std::error_code ec;
    if (!fs::is_directory(folder, ec)) return std::nullopt;
    HubListing listing;
    listing.commit = commit;
    for (fs::recursive_directory_iterator it(folder, ec), end; !ec && it != end && listing.files.size() < kMostFiles; it.increment(ec)) {
        const auto size = sizeOfFile(it->path());
        if (!size) continue;
        HubFile file;
        file.name = it->path().lexically_relative(folder).string();
        file.sizeBytes = *size;
        if (isSafeHubFile(file.name)) listing.files.push_back(std::move(file));
    }
    return listing;
}

Result<void> HubCache::record(const std::string& revision, const HubListing& listing) const {
    MOFO_CHECK(makeFolder(m_own, true));
    MOFO_CHECK(writeFileAtomic(m_own / (listing.commit + ".json"), listingToJson(listing).dump(-1, ' ', false, Json::error_handler_t::replace)));
    if (isHubCommit(revision)) return {};
    const fs::path ref = m_own / "refs" / revision;
    MOFO_CHECK(makeFolder(ref.parent_path(), true));
    return writeFileAtomic(ref, listing.commit);
}

HubHash::HubHash(const HubFile& file) {
    if (!file.sha256.empty()) {
        m_expected = file.sha256;
        m_sha256.emplace();
    } else if (!file.gitSha1.empty()) {
        m_expected = file.gitSha1;
        m_sha1.emplace();
        m_sha1->update("blob " + std::to_string(file.sizeBytes) + std::string(1, '\0'));
    }
}

void HubHash::update(std::span<const std::byte> bytes) {
    if (m_sha256) m_sha256->update(bytes);
    if (m_sha1) m_sha1->update(bytes);
}

bool HubHash::matches() { return m_sha256 ? m_sha256->hex() == m_expected : m_sha1 ? m_sha1->hex() == m_expected : true; }

}  // namespace mofo
