#include <utility>

#include "core/base/file.h"
#include "core/hub/download_file.h"
#include "core/hub/hub.h"
#include "core/hub/hub_cache.h"
#include "core/hub/hub_client.h"
#include "core/hub/reporter.h"

namespace mofo {

namespace fs = std::filesystem;

Result<fs::path> fetchHub(const HubSettings& settings, const HubPlan& plan, const HubWatch& watch) {
    if (plan.isComplete()) return plan.path;
    const std::string shown = plan.reference.text();
    const HubCache cache(settings, plan.reference);
    MOFO_CHECK(requireFreeBytes(plan.folder, plan.neededBytes, "downloading " + shown));
    Reporter reporter(watch, plan.totalBytes);
    reporter.begin(HubProgress::Phase::Wait, {}, 0);
    MOFO_TRY(const FileLock lock, waitForDownload(cache.lockFile(plan.commit), [&] { return reporter.tell(); }));
    HubClient client(settings, plan.reference, [&] { return reporter.tell(); });
    std::uint64_t done = 0;
    for (const HubFile& file : plan.files) {
        const auto progress = [&](std::uint64_t bytes, bool checking) { return reporter.at(bytes, checking); };
        HubFile::Place place = cache.placeOf(plan.commit, file);
        if (place == HubFile::Place::UserCache) {
            reporter.begin(HubProgress::Phase::Copy, file.name, done);
            auto copied = copyFile(cache.userFolder(plan.commit) / file.name, file, plan.folder, progress);
            if (!copied.ok() && copied.error().tag != "HASH") return std::move(copied).error().in(shown);
            // A damaged file in the user's cache stays what it is; ours comes from the Hub.
            if (!copied.ok()) place = HubFile::Place::Hub;
        }
        if (place == HubFile::Place::Hub) {
            if (settings.offline)
                return Error{ErrorCode::NotFound, "HF_HUB_OFFLINE is set, and " + file.name + " is missing", shown,
                             "Unset HF_HUB_OFFLINE to download it", "OFFLINE"};
            reporter.begin(HubProgress::Phase::Download, file.name, done);
            auto fetched = downloadFile(client, plan.commit, file, plan.folder, progress);
            if (!fetched.ok()) {
                Error error = std::move(fetched).error();
                return error.code == ErrorCode::Interrupted || error.where.starts_with("hf:") ? std::move(error) : std::move(error).in(shown);
            }
        }
        done += file.sizeBytes;
    }
    return plan.path;
}

}  // namespace mofo
