// What is in a repository at one commit, and which of it is needed. Private to core/hub, but for HubFile.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/hub/reference.h"

namespace mofo {

struct HubFile {
    enum class Place {
        Hub,        ///< to be downloaded
        OwnCache,   ///< there
        UserCache,  ///< in the user's Hugging Face cache
    };
    std::string name;  ///< path within the repository
    std::uint64_t sizeBytes = 0;
    std::string sha256;     ///< where the Hub gives it (large files), else empty
    std::string gitSha1;    ///< of the git blob, for the others
    bool optional = false;  ///< nothing reads it here: licences, and vocabularies beside a tokenizer.json
    Place place = Place::Hub;
};

struct HubListing {
    std::string commit;
    std::string licence;  ///< "apache-2.0", or empty where the repository names none
    bool gated = false;   ///< its files are given only to who has accepted its terms
    std::vector<HubFile> files;
};

/// The answer of {endpoint}/api/{models|datasets}/{id}/revision/{revision}?blobs=true: sha, cardData.license or a tag "license:...", gated (false,
/// "auto", "manual"), siblings[] of {rfilename, size, blobId, lfs{sha256, size}}. Source: ModelInfo and RepoSibling of huggingface_hub 2.4
/// (hf_api.py). Files whose names could lead elsewhere are left out; sizes and hashes are checked.
Result<HubListing> parseListing(const Json& answer);
/// Our own record of a listing, and back.
[[nodiscard]] Json listingToJson(const HubListing& listing);
Result<HubListing> listingFromJson(const Json& json);

struct HubSelection {
    std::vector<HubFile> files;  ///< small ones first
    std::string main;            ///< the one file that is used, or empty: the folder
};

/// The bytes of model.safetensors.index.json, asked for only where the shards are needed.
using IndexReader = std::function<Result<std::string>(const HubFile& index)>;

/// The files that a model or a data set needs, never a program (.bin, .pt, .pkl, .py): of a model its config, tokenizer, template, licence and
/// safetensors (only the shards that the index names), or the one GGUF file; of a data set one .jsonl, .json, .csv or .tsv. InvalidInput where
/// several could be meant, with what to type; NotFound or Unsupported where there is nothing.
Result<HubSelection> selectFiles(const HubReference& reference, const HubListing& listing, const IndexReader& readIndex);

}  // namespace mofo
