// SHA-256 and SHA-1 over streams of bytes (libcrypto).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mofo {

/// What the two have in common. Not thread safe; one object per stream.
class StreamHash {
public:
    StreamHash(StreamHash&&) noexcept;
    StreamHash& operator=(StreamHash&&) noexcept;
    ~StreamHash();
    void update(std::span<const std::byte> bytes);
    void update(std::string_view text);
    /// Lower-case hexadecimal digits. The object may not be used afterwards.
    [[nodiscard]] std::string hex();

protected:
    struct State;
    explicit StreamHash(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

/// 64 digits.
class Sha256 : public StreamHash {
public:
    Sha256();
};

/// 40 digits. Only for what others name so (git's blobs); nothing of ours relies on it.
class Sha1 : public StreamHash {
public:
    Sha1();
};

/// SHA-256 of one buffer, 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256Hex(std::string_view text);

}  // namespace mofo
