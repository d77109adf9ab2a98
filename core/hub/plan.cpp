#include <algorithm>
#include <utility>

#include "core/base/file.h"
#include "core/base/hub_path.h"
#include "core/base/text.h"
#include "core/hub/download_file.h"
#include "core/hub/hub.h"
#include "core/hub/hub_cache.h"
#include "core/hub/hub_client.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kIndexLimit = 64ull << 20;

/// The index from wherever it is; nothing is fetched.
Result<std::string> localIndex(const HubCache& cache, const std::string& commit, const HubFile& index) {
    const HubFile::Place place = cache.placeOf(commit, index);
    if (place == HubFile::Place::Hub) return Error{ErrorCode::NotFound, "the index is not there", index.name, "", "MISSING"};
    const fs::path folder = place == HubFile::Place::OwnCache ? cache.ownFolder(commit) : cache.userFolder(commit);
    return readWholeFile(folder / index.name, kIndexLimit);
}

Result<HubPlan> planOf(const HubCache& cache, const HubReference& reference, const HubListing& listing, const IndexReader& readIndex) {
    MOFO_TRY(HubSelection selection, selectFiles(reference, listing, readIndex));
    HubPlan plan;
    plan.reference = reference;
    plan.commit = listing.commit;
    plan.licence = listing.licence;
    plan.gated = listing.gated;
    const auto there = [&](const HubFile& file) { return cache.isInUserCache(listing.commit, file); };
    const auto needed = [&](const HubFile& file) { return file.optional || there(file); };
    if (std::all_of(selection.files.begin(), selection.files.end(), needed)) {
        // The user's programs leave out what they do not read.
        std::erase_if(selection.files, [&](const HubFile& file) { return !there(file); });
        for (HubFile& file : selection.files) file.place = HubFile::Place::UserCache;
        plan.folder = cache.userFolder(listing.commit);
    } else {
        plan.folder = cache.ownFolder(listing.commit);
        for (HubFile& file : selection.files) {
            file.place = cache.placeOf(listing.commit, file);
            if (file.place == HubFile::Place::OwnCache) continue;
            const std::uint64_t part = file.place == HubFile::Place::Hub ? sizeOfPart(plan.folder / file.name, file.sizeBytes) : 0;
            plan.neededBytes += file.sizeBytes - part;
            if (file.place == HubFile::Place::Hub) plan.missingBytes += file.sizeBytes - part;
        }
    }
    for (const HubFile& file : selection.files) plan.totalBytes += file.sizeBytes;
    plan.files = std::move(selection.files);
    plan.path = selection.main.empty() ? plan.folder : plan.folder / selection.main;
    MOFO_TRY(plan.freeBytes, freeBytes(plan.folder));
    return plan;
}

/// From what is on this machine alone: complete, or an error that says what is missing.
Result<HubPlan> planFromCaches(const HubCache& cache, const HubReference& reference, bool recordedOnly) {
    Error problem{ErrorCode::NotFound, "it is neither in your Hugging Face cache nor among what was downloaded before", reference.text(), "",
                  "OFFLINE"};
    for (const std::string& commit : cache.commitsOf(reference.revision)) {
        std::vector<HubListing> listings;
        if (auto recorded = cache.recordedListing(commit)) listings.push_back(std::move(*recorded));
        if (auto found = recordedOnly ? std::nullopt : cache.userListing(commit)) listings.push_back(std::move(*found));
        for (const HubListing& listing : listings) {
            auto plan = planOf(cache, reference, listing, [&](const HubFile& index) { return localIndex(cache, commit, index); });
            if (!plan.ok()) {
                problem = std::move(plan).error();
                continue;
            }
            if (plan->missingBytes == 0) return plan;
            const auto missing =
                std::find_if(plan->files.begin(), plan->files.end(), [](const HubFile& file) { return file.place == HubFile::Place::Hub; });
            problem = Error{ErrorCode::NotFound, "of commit " + commit.substr(0, 12) + " the file " + missing->name + " is not on this machine",
                            reference.text(), "", "OFFLINE"};
        }
    }
    return problem;
}

}  // namespace

std::string HubPlan::pinned() const { return reference.withRevision(commit).text(); }

Result<HubPlan> planHub(const HubSettings& settings, const HubReference& reference, const HubWatch& watch) {
    const HubCache cache(settings, reference);
    const auto goOn = [&] { return !watch || watch(HubProgress{}); };
    if (!goOn()) return hubInterrupted();
    if (settings.offline) {
        auto plan = planFromCaches(cache, reference, false);
        if (!plan.ok() && plan.error().tag == "OFFLINE") {
            Error error = plan.error();
            error.message = "HF_HUB_OFFLINE is set, and " + error.message;
            error.remedy = "Unset HF_HUB_OFFLINE to download it";
            return error;
        }
        return plan;
    }
    if (isHubCommit(reference.revision)) {
        auto plan = planFromCaches(cache, reference, true);
        if (plan.ok() && plan->isComplete()) return plan;
    }
    HubClient client(settings, reference, goOn);
    auto listing = client.listing();
    if (!listing.ok()) {
        if (!HubClient::isTransient(listing.error())) return std::move(listing).error();
        auto plan = planFromCaches(cache, reference, false);
        if (!plan.ok()) return std::move(listing).error();
        plan->note = "the Hub cannot be asked (" + listing.error().message + "), so commit " + plan->commit.substr(0, 12) +
                     ", which is on this machine, is taken; there may be a newer one";
        return plan;
    }
    // Only helps a later time without a network; where nothing can be written, the user's cache may still have everything.
    (void)cache.record(reference.revision, *listing).ok();
    return planOf(cache, reference, *listing, [&](const HubFile& index) -> Result<std::string> {
        if (cache.placeOf(listing->commit, index) == HubFile::Place::Hub) {
            MOFO_TRY(const FileLock lock, waitForDownload(cache.lockFile(listing->commit), goOn));
            if (cache.placeOf(listing->commit, index) == HubFile::Place::Hub) {
                MOFO_CHECK(
                    downloadFile(client, listing->commit, index, cache.ownFolder(listing->commit), [&](std::uint64_t, bool) { return goOn(); }));
            }
        }
        return localIndex(cache, listing->commit, index);
    });
}

}  // namespace mofo
