// SHA-256 over streams of bytes (libcrypto).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mofo {

/// Streaming SHA-256. Not thread safe; one object per stream.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void update(std::span<const std::byte> bytes);
    void update(std::string_view text);
    /// 64 lower-case hexadecimal digits. The object may not be used afterwards.
    [[nodiscard]] std::string hex();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

/// SHA-256 of one buffer, 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256Hex(std::string_view text);

}  // namespace mofo
