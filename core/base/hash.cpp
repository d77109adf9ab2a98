#include "core/base/hash.h"

#include <openssl/evp.h>

#include <array>
#include <utility>

namespace mofo {

struct StreamHash::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    explicit State(const EVP_MD* kind) { EVP_DigestInit_ex(context, kind, nullptr); }
    ~State() { EVP_MD_CTX_free(context); }
};

StreamHash::StreamHash(std::unique_ptr<State> state) : m_state(std::move(state)) {}
StreamHash::StreamHash(StreamHash&&) noexcept = default;
StreamHash& StreamHash::operator=(StreamHash&&) noexcept = default;
StreamHash::~StreamHash() = default;

Sha256::Sha256() : StreamHash(std::make_unique<State>(EVP_sha256())) {}
Sha1::Sha1() : StreamHash(std::make_unique<State>(EVP_sha1())) {}

void StreamHash::update(std::span<const std::byte> bytes) { EVP_DigestUpdate(m_state->context, bytes.data(), bytes.size()); }
void StreamHash::update(std::string_view text) { EVP_DigestUpdate(m_state->context, text.data(), text.size()); }

std::string StreamHash::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(m_state->context, digest.data(), &length);
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(2 * length);
    for (unsigned i = 0; i < length; ++i) {
        out += digits[digest[i] >> 4];
        out += digits[digest[i] & 15];
    }
    return out;
}

std::string sha256Hex(std::string_view text) {
    Sha256 hash;
    hash.update(text);
    return hash.hex();
}

}  // namespace mofo
