// What a person types or pastes to name something on the Hugging Face Hub.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace mofo {

enum class HubKind { Model, Dataset };

struct HubReference {
    HubKind kind = HubKind::Model;
    std::string id;                 ///< "owner/name"
    std::string revision = "main";  ///< branch, tag, commit, or refs/pr/N
    std::string file;               ///< path within the repository, or empty

    /// "hf:datasets/owner/name@revision:file"; the revision main is left out.
    [[nodiscard]] std::string text() const;
    /// The same with another revision (a commit) or file.
    [[nodiscard]] HubReference withRevision(std::string_view other) const;
    [[nodiscard]] HubReference withFile(std::string_view other) const;
    /// Name of the repository's folder in a cache: "models--owner--name".
    [[nodiscard]] std::string folderName() const;
    [[nodiscard]] std::string apiKind() const;  ///< "models" or "datasets"
    friend bool operator==(const HubReference&, const HubReference&) = default;
};

/// Whether the text is meant as such: it begins with hf:, http://, https://, huggingface.co/ or hf.co/. Any other text is a path or a name.
[[nodiscard]] bool looksLikeHubReference(std::string_view text);

/// Reads `hf:owner/name[@revision][:file]`, `hf:datasets/owner/name[...]` and addresses of huggingface.co, hf.co and of `endpoint`
/// (".../owner/name[/tree|blob|resolve|raw/REVISION[/FILE]]"). Usage with one sentence and the right form for everything else: names that are none
/// on the Hub, other hosts, and paths that lead elsewhere (.., absolute, control characters, too long).
Result<HubReference> parseHubReference(std::string_view text, std::string_view endpoint = {});

/// What stands where a model or a data set is due: nothing where the text names something on this machine (the disk is looked at), else as above.
/// Usage (HUB) where it names the other kind, with the right form.
Result<std::optional<HubReference>> hubReferenceFor(std::string_view text, HubKind wanted, std::string_view endpoint = {});

/// Whether a name from outside (an address, the Hub's list of files) can be a file below a folder of ours: relative, UTF-8, no empty, "." or ".."
/// parts, no backslash or control character, parts of at most 200 bytes, 1,000 bytes in all.
[[nodiscard]] bool isSafeHubFile(std::string_view file);

}  // namespace mofo
