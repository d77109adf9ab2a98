#include "core/base/ids.h"

#include <sys/random.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace mofo {

namespace {
template <std::size_t N>
std::array<unsigned char, N> randomBytes() {
    std::array<unsigned char, N> bytes{};
    // getrandom of up to 256 bytes neither blocks after boot nor returns short.
    if (getrandom(bytes.data(), N, 0) != static_cast<ssize_t>(N)) std::abort();
    return bytes;
}
}  // namespace

std::string newUuid() {
    auto b = randomBytes<16>();
    b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x40);
    b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
    char text[37];
    std::snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
                  b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return text;
}

std::string newShortId() {
    static constexpr char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    std::string id;
    for (unsigned char byte : randomBytes<12>()) id += alphabet[byte & 31];
    return id;
}

}  // namespace mofo
