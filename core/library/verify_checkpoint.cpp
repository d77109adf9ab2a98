#include "core/library/verify_checkpoint.h"

#include <algorithm>
#include <vector>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/tensorio/safetensors.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kManifestLimit = 64 << 20;
constexpr std::size_t kPieceBytes = 1 << 20;

Error changed(std::string message, const fs::path& file) {
    return Error{ErrorCode::InvalidInput, std::move(message), escapeForDisplay(file.string()), "Use another checkpoint", "CHANGED"};
}

/// Reads on and on, and tells how far it is.
class Reading {
public:
    explicit Reading(const VerifyProgress& progress) : m_progress(progress), m_buffer(kPieceBytes) {}

    /// SHA-256 of `size` bytes that `read(offset, out)` gives.
    template <class Read>
    Result<std::string> hash(std::uint64_t size, const Read& read) {
        Sha256 hash;
        for (std::uint64_t at = 0; at < size;) {
            const auto piece = std::span(m_buffer).first(std::min<std::uint64_t>(m_buffer.size(), size - at));
            MOFO_CHECK(read(at, piece));
            hash.update(piece);
            at += piece.size();
            m_done += static_cast<std::int64_t>(piece.size());
            if (m_progress && !m_progress(m_done)) return Error{ErrorCode::Interrupted, "interrupted", "", "", ""};
        }
        return hash.hex();
    }

private:
    const VerifyProgress& m_progress;
    std::vector<std::byte> m_buffer;
    std::int64_t m_done = 0;
};

Result<std::int64_t> checkTensors(const fs::path& path, const Json& hashes, Reading& reading) {
    MOFO_TRY(const SafetensorsFile file, SafetensorsFile::open(path));
    if (file.tensors().size() != hashes.size()) {
        return changed("the file has " + std::to_string(file.tensors().size()) + " tensors, and its manifest names " + std::to_string(hashes.size()),
                       path);
    }
    for (const auto& [name, expected] : hashes.items()) {
        const TensorInfo* const tensor = file.find(name);
        if (tensor == nullptr) return changed("the tensor " + escapeForDisplay(name) + " is missing", path);
        MOFO_TRY(const std::string hash,
                 reading.hash(tensor->sizeBytes, [&](std::uint64_t at, std::span<std::byte> out) { return file.readBytes(*tensor, at, out); }));
        if (Json(hash) != expected)
            return changed("the tensor " + escapeForDisplay(name) + " is damaged: its SHA-256 differs from the manifest's", path);
    }
    return static_cast<std::int64_t>(hashes.size());
}

}  // namespace

Result<VerifiedCheckpoint> verifyCheckpoint(const fs::path& folder, const CheckpointRow& row, const VerifyProgress& progress) {
    const fs::path manifestPath = folder / "manifest.json";
    MOFO_TRY(const std::string text, readWholeFile(manifestPath, kManifestLimit));
    if (!row.manifestSha256.empty() && sha256Hex(text) != row.manifestSha256) {
        return changed("the manifest is not the one that was written: its SHA-256 differs from the run's record", manifestPath);
    }
    auto manifest = parseJson(text);
    if (!manifest.ok()) return std::move(manifest).error().in(manifestPath.string());
    if (!manifest->is_object() || !manifest->contains("files") || !(*manifest)["files"].is_object() || (*manifest)["files"].empty()) {
        return changed("not a manifest of this program's checkpoints", manifestPath);
    }
    const Json tensors = manifest->contains("tensors") && (*manifest)["tensors"].is_object() ? (*manifest)["tensors"] : Json::object();
    Reading reading(progress);
    VerifiedCheckpoint verified;
    for (const auto& [name, entry] : (*manifest)["files"].items()) {
        if (name.empty() || name.find('/') != std::string::npos || !entry.is_object() || !entry.contains("sha256") || !entry.contains("size")) {
            return changed("the manifest has a damaged entry " + escapeForDisplay(name), manifestPath);
        }
        const fs::path path = folder / name;
        MOFO_TRY(const FileReader file, FileReader::open(path));
        if (entry["size"] != Json(file.sizeBytes())) {
            return changed("the file has " + std::to_string(file.sizeBytes()) + " bytes, and its manifest says " + entry["size"].dump(), path);
        }
        // The tensors first: of what is damaged they say where.
        if (tensors.contains(name) && tensors[name].is_object()) {
            MOFO_TRY(const std::int64_t count, checkTensors(path, tensors[name], reading));
            verified.tensors += count;
        }
        MOFO_TRY(const std::string hash,
                 reading.hash(file.sizeBytes(), [&](std::uint64_t at, std::span<std::byte> out) { return file.readAt(at, out); }));
        if (Json(hash) != entry["sha256"]) return changed("the file is damaged: its SHA-256 differs from the manifest's", path);
        ++verified.files;
        verified.sizeBytes += static_cast<std::int64_t>(file.sizeBytes());
    }
    return verified;
}

}  // namespace mofo
