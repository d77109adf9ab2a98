// Files of the Hugging Face Hub lie in folders whose names say what they are, in the user's own cache
// (<hub>/models--OWNER--NAME/snapshots/COMMIT/FILE) as in ours (<hub>/models--OWNER--NAME/COMMIT/FILE). So a path that a run keeps names the
// repository, the commit and the file that it was trained with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mofo {

struct HubPlace {
    bool isDataset = false;
    std::string id;      ///< "owner/name"
    std::string commit;  ///< 40 hexadecimal digits
    std::string file;    ///< "data/train.jsonl", or empty for the folder of the commit itself

    /// "hf:owner/name@commit", "hf:datasets/owner/name@commit:data/train.jsonl": what every --model and --data takes.
    [[nodiscard]] std::string text() const;
};

/// What the path says; nothing where it is no such path. Looks at the text alone, never at the disk.
[[nodiscard]] std::optional<HubPlace> hubPlaceOfPath(std::string_view path);
/// HubPlace::text() of such a path, and any other path as it is.
[[nodiscard]] std::string hubNameOrPath(std::string_view path);
/// 40 lower-case hexadecimal digits.
[[nodiscard]] bool isHubCommit(std::string_view text);

}  // namespace mofo
