// Models and data sets from the Hugging Face Hub: first a plan (what, how large, under which licence, where to), then the download. Both work on the
// calling thread and ask a callback at least every 50 ms, so that a window runs them on a thread of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/hub/listing.h"
#include "core/hub/reference.h"
#include "core/hub/settings.h"

namespace mofo {

struct HubProgress {
    enum class Phase { Ask, Wait, Download, Copy, Check };
    Phase phase = Phase::Ask;
    std::string file;              ///< at hand, or empty
    std::uint64_t doneBytes = 0;   ///< of all files, what is there already counted in
    std::uint64_t totalBytes = 0;  ///< 0 while that is not known
    double bytesPerSecond = 0;     ///< over the last seconds; 0 while not known
    std::optional<double> etaSeconds;
};
/// False cancels.
using HubWatch = std::function<bool(const HubProgress&)>;

struct HubPlan {
    HubReference reference;  ///< as it was asked for
    std::string commit;      ///< that its revision stands for now
    std::string licence;     ///< "apache-2.0", or empty where the repository names none
    bool gated = false;
    std::vector<HubFile> files;      ///< that are needed, small ones first
    std::filesystem::path folder;    ///< of the files
    std::filesystem::path path;      ///< what to use: the folder, or the one file in it
    std::uint64_t totalBytes = 0;    ///< of all files
    std::uint64_t missingBytes = 0;  ///< to be downloaded
    std::uint64_t neededBytes = 0;   ///< of new disk space: missing ones and those copied from the user's cache
    std::uint64_t freeBytes = 0;     ///< where the folder is or will be
    std::string note;                ///< a sentence for people, or empty: the Hub cannot be reached, and a kept commit is taken

    /// Everything is there: fetchHub returns at once.
    [[nodiscard]] bool isComplete() const { return neededBytes == 0; }
    /// "hf:owner/name@<commit>:file", which names the same bytes for good.
    [[nodiscard]] std::string pinned() const;
};

/// Asks the Hub what the reference stands for. No question is asked offline, nor for a commit of which everything is there. Takes what the user's
/// own Hugging Face cache has, else what was downloaded before; the user's cache is never written to. Errors are one sentence with a remedy:
/// Permission (gated, private, token refused), NotFound (repository, revision, file; with near names), Busy (limited, with the seconds), Io (server,
/// connection), InvalidInput (several files could be meant; an answer that is none), Unsupported (nothing that can be read here).
Result<HubPlan> planHub(const HubSettings& settings, const HubReference& reference, const HubWatch& watch = {});

/// Downloads what is missing into settings.ownCache/<models|datasets>--owner--name/<commit>/ and returns plan.path. Each file grows as FILE.part, is
/// compared with its SHA-256 (else its git hash), made read-only, synced and renamed; a part that is there is gone on with. One download per commit
/// at a time: others wait and find the files. OutOfSpace before the first byte where the disk is too small. Errors as above; parts stay except where
/// their hash is wrong.
Result<std::filesystem::path> fetchHub(const HubSettings& settings, const HubPlan& plan, const HubWatch& watch = {});

}  // namespace mofo
