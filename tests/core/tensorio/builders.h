// Small builders of GGUF and safetensors files, right and wrong ones, for the malformed-file corpora.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mofo::test {

template <class T>
std::string raw(T value) {
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

inline std::string zeros(std::size_t count) { return std::string(count, '\0'); }

inline std::string repeat(std::string_view text, std::size_t count) {
    std::string out;
    out.reserve(text.size() * count);
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

/// A safetensors file: length, header as given, data as given.
inline std::string safetensorsFile(const std::string& header, const std::string& data = {}) {
    return raw<std::uint64_t>(header.size()) + header + data;
}

/// `"name":{"dtype":...,"shape":...,"data_offsets":...}`
inline std::string tensorEntry(const std::string& name, const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return '"' + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + '}';
}

/// A file of one tensor "a".
inline std::string oneTensor(const std::string& dtype, const std::string& shape, const std::string& offsets, const std::string& data) {
    return safetensorsFile('{' + tensorEntry("a", dtype, shape, offsets) + '}', data);
}

enum GgufType : std::uint32_t {
    ggufU8,
    ggufI8,
    ggufU16,
    ggufI16,
    ggufU32,
    ggufI32,
    ggufF32,
    ggufBool,
    ggufString,
    ggufArray,
    ggufU64,
    ggufI64,
    ggufF64
};

inline std::string ggufText(std::string_view text) { return raw<std::uint64_t>(text.size()) + std::string(text); }

/// Builds a GGUF file byte by byte; every count can be made a lie.
struct GgufBuilder {
    std::string magic = "GGUF";
    std::uint32_t version = 3;
    std::optional<std::int64_t> tensorCount;
    std::optional<std::int64_t> pairCount;
    std::uint64_t alignment = 32;
    std::string data;

    /// `bytes`: the value as it is stored, without its type.
    GgufBuilder& pair(std::string_view key, std::uint32_t type, const std::string& bytes) { return rawPair(ggufText(key) + raw(type) + bytes); }
    GgufBuilder& rawPair(const std::string& bytes) {
        m_pairs += bytes;
        ++m_pairCount;
        return *this;
    }
    GgufBuilder& text(std::string_view key, std::string_view value) { return pair(key, ggufString, ggufText(value)); }
    GgufBuilder& u32(std::string_view key, std::uint32_t value) { return pair(key, ggufU32, raw(value)); }
    GgufBuilder& f32(std::string_view key, float value) { return pair(key, ggufF32, raw(value)); }
    GgufBuilder& strings(std::string_view key, const std::vector<std::string>& values) {
        std::string bytes = raw<std::uint32_t>(ggufString) + raw<std::uint64_t>(values.size());
        for (const std::string& value : values) bytes += ggufText(value);
        return pair(key, ggufArray, bytes);
    }
    GgufBuilder& array(std::string_view key, std::uint32_t type, std::uint64_t count, const std::string& bytes) {
        return pair(key, ggufArray, raw(type) + raw(count) + bytes);
    }
    /// A tensor entry as given; adds no data.
    GgufBuilder& entry(std::string_view name, const std::vector<std::int64_t>& ne, std::uint32_t type, std::uint64_t offset,
                       std::optional<std::uint32_t> rank = {}) {
        std::string bytes = ggufText(name) + raw(rank.value_or(static_cast<std::uint32_t>(ne.size())));
        for (const std::int64_t size : ne) bytes += raw(size);
        m_tensors += bytes + raw(type) + raw(offset);
        ++m_tensorCount;
        return *this;
    }
    /// A proper tensor: entry at the end of the data so far, data padded to the alignment.
    GgufBuilder& tensor(std::string_view name, const std::vector<std::int64_t>& ne, std::uint32_t type, const std::string& bytes) {
        entry(name, ne, type, data.size());
        data += bytes;
        data += zeros((alignment - data.size() % alignment) % alignment);
        return *this;
    }
    [[nodiscard]] std::string head() const {
        return magic + raw(version) + raw(tensorCount.value_or(m_tensorCount)) + raw(pairCount.value_or(m_pairCount)) + m_pairs + m_tensors;
    }
    [[nodiscard]] std::string build() const {
        std::string file = head();
        file += zeros((alignment - file.size() % alignment) % alignment);
        return file + data;
    }

private:
    std::string m_pairs, m_tensors;
    std::int64_t m_pairCount = 0, m_tensorCount = 0;
};

/// 32-bit pieces of a linear congruential sequence; the golden hashes were computed over the same bytes.
inline std::string noise(std::uint64_t seed, std::size_t bytes) {
    std::string out;
    out.reserve(bytes + 4);
    for (std::uint64_t x = seed; out.size() < bytes;) {
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        out += raw(static_cast<std::uint32_t>(x >> 33));
    }
    out.resize(bytes);
    return out;
}

/// What a corpus file must lead to: "R:TAG" refused with that tag, "A" accepted, "W" accepted with a warning.
struct CorpusCase {
    const char* id;
    const char* expected;
    std::string (*build)();
};

inline void PrintTo(const CorpusCase& item, std::ostream* out) { *out << item.id << " expects " << item.expected; }

}  // namespace mofo::test
