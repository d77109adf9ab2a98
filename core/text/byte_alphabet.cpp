#include "core/text/byte_alphabet.h"

#include <array>

#include "core/base/text.h"
#include "core/text/unicode_classes.h"

namespace mofo {

namespace {

struct Alphabet {
    std::array<std::string, 256> characterOf;
    std::array<std::int16_t, 0x144> byteOf{};  // by code point

    Alphabet() {
        byteOf.fill(-1);
        char32_t next = 0x100;
        for (int byte = 0; byte < 256; ++byte) {
            const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
            const char32_t c = printable ? static_cast<char32_t>(byte) : next++;
            byteOf[c] = static_cast<std::int16_t>(byte);
            auto& text = characterOf[static_cast<std::size_t>(byte)];
            if (c < 0x80) {
                text = static_cast<char>(c);
            } else {
                text = {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
            }
        }
    }
};

const Alphabet& alphabet() {
    static const Alphabet instance;
    return instance;
}

}  // namespace

std::string_view alphabetCharacter(std::uint8_t byte) { return alphabet().characterOf[byte]; }

std::optional<std::string> bytesOfToken(std::string_view token) {
    if (!isValidUtf8(token)) return std::nullopt;
    std::string bytes;
    bytes.reserve(token.size());
    for (std::size_t at = 0; at < token.size();) {
        const DecodedCodePoint c = decodeAt(token, at);
        if (c.codePoint >= alphabet().byteOf.size() || alphabet().byteOf[c.codePoint] < 0) return std::nullopt;
        bytes += static_cast<char>(alphabet().byteOf[c.codePoint]);
        at += c.length;
    }
    return bytes;
}

std::string tokenOfBytes(std::string_view bytes) {
    std::string token;
    token.reserve(bytes.size() * 2);
    for (const char byte : bytes) token += alphabetCharacter(static_cast<std::uint8_t>(byte));
    return token;
}

}  // namespace mofo
