// Reads GGUF files (llama.cpp's format, versions 2 and 3, little endian). Source: ggml/docs/gguf.md and the checks of ggml's gguf.cpp.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/base/file.h"
#include "core/base/result.h"
#include "core/tensorio/tensor_info.h"

namespace mofo {

/// One metadata value. Integers of every width become int64 (uint64 above 2^63 is refused, tag RANGE), both float widths double.
/// Strings are bytes: a GGUF token need not be UTF-8. An empty array is an empty vector of its element type.
using GgufValue = std::variant<bool, std::int64_t, double, std::string, std::vector<bool>, std::vector<std::int64_t>, std::vector<double>,
                               std::vector<std::string>>;

class GgufFile {
public:
    /// Parses and checks header, metadata and tensor table (all bounds before any allocation). Errors carry file and byte or key.
    /// Tensors lie one after the other, padded to the alignment, and all of them inside the file; tensor data is not looked at.
    static Result<GgufFile> open(const std::filesystem::path& path);

    [[nodiscard]] const std::filesystem::path& path() const { return m_file.path(); }
    [[nodiscard]] const std::vector<TensorInfo>& tensors() const { return m_tensors; }
    [[nodiscard]] const TensorInfo* findTensor(std::string_view name) const;
    /// The value of a key, or nullptr.
    [[nodiscard]] const GgufValue* find(std::string_view key) const;
    /// Typed look-ups: absent = error tag MISSING, other type = tag TYPE; both name the key.
    Result<std::string> getString(std::string_view key) const;
    Result<std::int64_t> getInt(std::string_view key) const;
    Result<double> getFloat(std::string_view key) const;  ///< integers are converted
    Result<bool> getBool(std::string_view key) const;
    Result<std::span<const std::string>> getStrings(std::string_view key) const;
    Result<std::span<const std::int64_t>> getInts(std::string_view key) const;
    Result<std::span<const double>> getFloats(std::string_view key) const;
    /// All keys in file order.
    [[nodiscard]] const std::vector<std::string>& keys() const { return m_keys; }
    /// Things to show that do not stop us (bytes after the last tensor, and the like).
    [[nodiscard]] const std::vector<std::string>& warnings() const { return m_warnings; }
    /// Reads elements [first, first + out.size()) of a tensor in row-major order, dequantised to fp32. `first` and the count
    /// must be multiples of the block. Unsupported types are refused by name (Unsupported, tag DTYPE). Any thread.
    Result<void> readFloats(const TensorInfo& tensor, std::int64_t first, std::span<float> out) const;

private:
    friend class GgufParser;
    explicit GgufFile(FileReader file) : m_file(std::move(file)) {}
    [[nodiscard]] Error missingKey(std::string_view key) const;
    [[nodiscard]] Error wrongType(std::string_view key, std::string_view wanted) const;
    template <class T>
    Result<std::span<const T>> getArray(std::string_view key, std::string_view wanted) const;

    FileReader m_file;
    std::vector<TensorInfo> m_tensors;
    std::unordered_map<std::string, std::size_t> m_tensorIndex;
    std::vector<std::string> m_keys;
    std::unordered_map<std::string, GgufValue> m_values;
    std::vector<std::string> m_warnings;
};

}  // namespace mofo
