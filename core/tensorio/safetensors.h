// Reads and writes safetensors files (huggingface/safetensors, format of the README), one file or a sharded folder.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/file.h"
#include "core/base/result.h"
#include "core/tensorio/tensor_info.h"

namespace mofo {

/// One checked safetensors file: header validated whole (no hole, overlap, tail, duplicate) before anything is read.
class SafetensorsFile {
public:
    static Result<SafetensorsFile> open(const std::filesystem::path& path);
    /// The same for a file name inside a folder, which may not lead out of it.
    static Result<SafetensorsFile> openBeneath(const std::filesystem::path& folder, std::string_view name);

    [[nodiscard]] const std::filesystem::path& path() const { return m_file.path(); }
    [[nodiscard]] const std::vector<TensorInfo>& tensors() const { return m_tensors; }  ///< in order of their offsets
    [[nodiscard]] const TensorInfo* find(std::string_view name) const;
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return m_metadata; }
    [[nodiscard]] const std::vector<std::string>& warnings() const { return m_warnings; }
    /// Elements [first, first + out.size()) as fp32 (F64, F32, F16, BF16; others are refused by name: Unsupported, tag DTYPE).
    Result<void> readFloats(const TensorInfo& tensor, std::int64_t first, std::span<float> out) const;
    /// Raw bytes [first, first + out.size()) of the tensor. A BOOL byte that is neither 0 nor 1 is refused (tag RANGE).
    Result<void> readBytes(const TensorInfo& tensor, std::uint64_t first, std::span<std::byte> out) const;

private:
    static Result<SafetensorsFile> parse(FileReader file);
    explicit SafetensorsFile(FileReader file) : m_file(std::move(file)) {}
    FileReader m_file;
    std::vector<TensorInfo> m_tensors;
    std::unordered_map<std::string, std::size_t> m_index;
    std::map<std::string, std::string> m_metadata;
    std::vector<std::string> m_warnings;
};

/// All tensors of a Hugging Face folder: model.safetensors, or the shards that model.safetensors.index.json names.
/// Both present is refused: nobody can tell which one is meant.
class SafetensorsFolder {
public:
    static Result<SafetensorsFolder> open(const std::filesystem::path& folder);
    struct Place {
        std::size_t file;
        TensorInfo info;
    };
    [[nodiscard]] const std::vector<SafetensorsFile>& files() const { return m_files; }
    [[nodiscard]] const std::vector<Place>& tensors() const { return m_tensors; }
    [[nodiscard]] const Place* find(std::string_view name) const;
    Result<void> readFloats(const Place& place, std::int64_t first, std::span<float> out) const;
    [[nodiscard]] const std::vector<std::string>& warnings() const { return m_warnings; }

private:
    Result<void> openShards(const std::filesystem::path& folder);
    void addFile(SafetensorsFile file);

    std::vector<SafetensorsFile> m_files;
    std::vector<Place> m_tensors;
    std::unordered_map<std::string, std::size_t> m_index;
    std::vector<std::string> m_warnings;
};

/// Streams a safetensors file: the header is written at creation from the declared tensors, then each tensor's bytes follow in
/// that order, in as many pieces as the caller likes. Uses no more memory than the pieces. Never writes over an existing file.
class SafetensorsWriter {
public:
    struct Declaration {
        std::string name;
        DType dtype;  ///< a plain type
        std::vector<std::int64_t> shape;
    };
    static Result<SafetensorsWriter> create(const std::filesystem::path& path, std::vector<Declaration> tensors,
                                            const std::map<std::string, std::string>& metadata, unsigned mode = 0600);
    /// Bytes of the whole file that create() with these arguments would begin.
    static std::uint64_t fileSizeBytes(const std::vector<Declaration>& tensors, const std::map<std::string, std::string>& metadata);
    /// The order in which the safetensors library itself writes: widest dtype first, then by name.
    static void sortAsLibrary(std::vector<Declaration>& tensors);
    /// Appends raw bytes of the present tensor; more than all declared bytes is an Internal error.
    Result<void> write(std::span<const std::byte> bytes);
    /// Appends fp32 values converted (round to nearest even) to the dtype of the present tensor.
    Result<void> writeFloats(std::span<const float> values);
    /// fsync and close; SHA-256 of the whole file. Fails (Internal) where bytes are still due.
    Result<std::string> finish();

private:
    SafetensorsWriter(FileWriter file, std::vector<Declaration> tensors);
    FileWriter m_file;
    std::vector<Declaration> m_tensors;
    std::size_t m_present = 0;
    std::uint64_t m_leftOfPresent = 0;
    std::vector<std::byte> m_converted;
};

}  // namespace mofo
