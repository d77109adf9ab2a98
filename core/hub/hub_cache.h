// The two places on this machine where files of the Hub may be. Private to core/hub.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/hub/listing.h"
#include "core/hub/reference.h"
#include "core/hub/settings.h"

namespace mofo {

/// One repository in the user's Hugging Face cache (refs/, snapshots/COMMIT/; only read) and in ours (refs/, COMMIT/, COMMIT.json).
class HubCache {
public:
    HubCache(const HubSettings& settings, const HubReference& reference);

    [[nodiscard]] std::filesystem::path ownFolder(const std::string& commit) const { return m_own / commit; }
    [[nodiscard]] std::filesystem::path userFolder(const std::string& commit) const { return m_user / "snapshots" / commit; }
    [[nodiscard]] std::filesystem::path lockFile(const std::string& commit) const { return m_own / (commit + ".lock"); }
    /// Where a file of the listing's size is: in our folder, else in the user's snapshot.
    [[nodiscard]] HubFile::Place placeOf(const std::string& commit, const HubFile& file) const;
    [[nodiscard]] bool isInUserCache(const std::string& commit, const HubFile& file) const;

    /// The commit that a revision stood for when it was last asked for: first by the user's programs, then by ours. A commit stands for itself.
    [[nodiscard]] std::vector<std::string> commitsOf(const std::string& revision) const;
    /// What we noted when the Hub listed this commit, or nothing.
    [[nodiscard]] std::optional<HubListing> recordedListing(const std::string& commit) const;
    /// The files of the user's snapshot, without hashes; nothing where there is none.
    [[nodiscard]] std::optional<HubListing> userListing(const std::string& commit) const;
    /// Notes both for a later time without a network.
    Result<void> record(const std::string& revision, const HubListing& listing) const;

private:
    std::filesystem::path m_own, m_user;
};

/// SHA-256, or git's hash, or nothing where the listing has neither.
class HubHash {
public:
    explicit HubHash(const HubFile& file);
    void update(std::span<const std::byte> bytes);
    /// Whether there is a hash to compare with.
    [[nodiscard]] bool isKnown() const { return !m_expected.empty(); }
    /// Whether what was fed is the file's content.
    [[nodiscard]] bool matches();

private:
    std::string m_expected;
    std::optional<Sha256> m_sha256;
    std::optional<Sha1> m_sha1;
};

}  // namespace mofo
