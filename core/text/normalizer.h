// Normalisation of text before it is cut, with the place in the input that each byte comes from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mofo {

/// Normalised text; byte i of it stands for the input bytes [begin[i], end[i]).
struct AlignedText {
    std::string text;
    std::vector<std::uint32_t> begin;
    std::vector<std::uint32_t> end;
};

/// Unicode Normalization Form C. `text` must be valid UTF-8.
[[nodiscard]] AlignedText normalizeNfc(std::string_view text);
/// Whether a text is surely NFC already (the quick check of all its characters), so that nothing needs to be done.
[[nodiscard]] bool isSurelyNfc(std::string_view text);

}  // namespace mofo
