#include "core/engine/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>

#include "core/base/clock.h"
#include "core/base/disk_reserve.h"
#include "core/base/failpoint.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/engine/training_state.h"
#include "core/tensorio/safetensors.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr const char* weightsFile = "model.safetensors";
constexpr const char* momentsFile = "optimizer.safetensors";
constexpr const char* stateFile = "state.json";
constexpr const char* manifestFile = "manifest.json";
constexpr int formatNow = 2;
constexpr std::int64_t pieceElements = 4 << 20;

std::vector<SafetensorsWriter::Declaration> weightDeclarations(const std::vector<ParameterInfo>& infos, std::string_view prefix) {
    std::vector<SafetensorsWriter::Declaration> list;
    for (const ParameterInfo& info : infos) list.push_back({std::string(prefix) + info.name, DType::F32, info.shape});
    return list;
}

const std::map<std::string, std::string> safetensorsMetadata{{"format", "pt"}};

/// One safetensors file being written, with the SHA-256 of each tensor.
class HashedTensors {
public:
    static Result<HashedTensors> create(const fs::path& path, std::vector<SafetensorsWriter::Declaration> declarations, WritingProgress& progress) {
        MOFO_TRY(SafetensorsWriter file, SafetensorsWriter::create(path, std::move(declarations), safetensorsMetadata));
        return HashedTensors(std::move(file), progress);
    }
    Result<void> add(const std::string& name, std::span<const std::byte> bytes) {
        Sha256 hash;
        // The writer takes the present tensor to be done with its last byte; an empty one is passed over by itself.
        hash.update(bytes);
        MOFO_CHECK(write(bytes));
        m_hashes[name] = hash.hex();
        return {};
    }
    /// All tensors of an arena, in pieces: on the CPU straight from its memory, elsewhere through a small copy on the host.
    Result<void> add(std::string_view prefix, const std::vector<ParameterInfo>& infos, const ParameterArena& arena) {
        for (std::size_t i = 0; i < infos.size(); ++i) {
            const at::Tensor flat = arena.view(i).view({-1});
            Sha256 hash;
            for (std::int64_t at = 0; at < flat.numel(); at += pieceElements) {
                const at::Tensor piece = flat.narrow(0, at, std::min(pieceElements, flat.numel() - at)).to(at::kCPU);
                const auto bytes = std::as_bytes(std::span(piece.const_data_ptr<float>(), static_cast<std::size_t>(piece.numel())));
                hash.update(bytes);
                MOFO_CHECK(write(bytes));
            }
            m_hashes[std::string(prefix) + infos[i].name] = hash.hex();
        }
        return {};
    }
    Result<std::string> finish() { return m_file.finish(); }
    [[nodiscard]] const Json& hashes() const { return m_hashes; }

private:
    HashedTensors(SafetensorsWriter file, WritingProgress& progress) : m_file(std::move(file)), m_progress(&progress) {}
    Result<void> write(std::span<const std::byte> bytes) {
        if (m_progress->givenUp) return Error{ErrorCode::Interrupted, "the checkpoint was given up", "", "", ""};
        MOFO_CHECK(m_file.write(bytes));
        m_progress->bytes += bytes.size();
        return {};
    }
    SafetensorsWriter m_file;
    WritingProgress* m_progress;
    Json m_hashes = Json::object();
};

/// SHA-256 over all tensors in a fixed order (by file and name) and the text that stands for the rest.
std::string digestOf(const Json& tensors, std::string_view state) {
    Sha256 hash;
    for (const auto& [file, hashes] : tensors.items()) {
        for (const auto& [name, value] : hashes.items()) hash.update(file + " " + name + " " + value.get<std::string>() + "\n");
    }
    hash.update(state);
    return hash.hex();
}

Error damaged(std::string message, const fs::path& file) {
    return Error{ErrorCode::InvalidInput, std::move(message), escapeForDisplay(file.string()), "Use an earlier checkpoint", "CHANGED"};
}

/// What is read back comes from the disk and not from memory, as far as the kernel lets one ask for that.
void forgetCached(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return;
    static_cast<void>(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    ::close(fd);
}

Result<std::string> hashOfTensor(const SafetensorsFile& file, const TensorInfo& tensor, std::vector<std::byte>& buffer) {
    const std::uint64_t size = tensor.sizeBytes;
    buffer.resize(std::min<std::uint64_t>(size, 1 << 20));
    Sha256 hash;
    for (std::uint64_t at = 0; at < size;) {
        const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), size - at));
        MOFO_CHECK(file.readBytes(tensor, at, piece));
        hash.update(piece);
        at += piece.size();
    }
    return hash.hex();
}

/// Why the file is not what was written: names the first damaged tensor.
Error nameDamage(const fs::path& path, const Json& hashes) {
    auto file = SafetensorsFile::open(path);
    if (!file.ok()) return damaged("the file's header is damaged: " + file.error().message, path);
    std::vector<std::byte> buffer;
    for (const auto& [name, expected] : hashes.items()) {
        const TensorInfo* const tensor = file->find(name);
        if (tensor == nullptr) return damaged("the tensor " + escapeForDisplay(name) + " is missing", path);
        const auto hash = hashOfTensor(*file, *tensor, buffer);
        if (!hash.ok()) return hash.error();
        if (*hash != expected) return damaged("the tensor " + escapeForDisplay(name) + " is damaged: its SHA-256 differs from the manifest's", path);
    }
    return damaged("the file's header is damaged: its SHA-256 differs from the manifest's", path);
}

bool isHash(const Json& value) { return value.is_string() && value.get_ref<const std::string&>().size() == 64; }

/// The manifest's list of files, with sizes and hashes of the expected form.
Result<void> checkFiles(const FoundCheckpoint& found, const Json& manifest, bool hashes) {
    const fs::path manifestPath = found.folder / manifestFile;
    std::vector<std::string> names{weightsFile, stateFile};
    if (found.kind == checkpointFull) names.insert(names.begin() + 1, momentsFile);
    if (manifest["files"].size() != names.size()) return damaged("the manifest names other files than a checkpoint has", manifestPath);
    for (const std::string& name : names) {
        const Json& entry = manifest["files"].contains(name) ? manifest["files"][name] : Json();
        if (!entry.is_object() || !entry.contains("size") || !entry["size"].is_number_unsigned() || !entry.contains("sha256") ||
            !isHash(entry["sha256"])) {
            return damaged("the manifest does not name " + name + " with its size and SHA-256", manifestPath);
        }
        const fs::path path = found.folder / name;
        MOFO_TRY(const FileReader file, FileReader::open(path));
        const bool isState = name == stateFile;
        if (!isState && !found.tensorHashes.empty() && (!found.tensorHashes.contains(name) || !found.tensorHashes[name].is_object()))
            return damaged("the manifest has no hashes of the tensors of " + name, manifestPath);
        if (file.sizeBytes() != entry["size"].get<std::uint64_t>()) return damaged("the file does not have the size its manifest says", path);
        if (!hashes && !isState) continue;
        MOFO_TRY(const std::string hash, sha256OfFile(path));
        if (hash == entry["sha256"].get<std::string>()) continue;
        if (isState || found.tensorHashes.empty()) return damaged("the file is not what was written: its SHA-256 differs from the manifest's", path);
        return nameDamage(path, found.tensorHashes[name]);
    }
    return {};
}

Result<void> readArena(const SafetensorsFile& file, const Json& hashes, const std::string& prefix, const std::vector<ParameterInfo>& infos,
                       ParameterArena& arena) {
    for (std::size_t i = 0; i < infos.size(); ++i) {
        const std::string name = prefix + infos[i].name;
        const TensorInfo* tensor = file.find(name);
        if (tensor == nullptr || tensor->shape != infos[i].shape || tensor->dtype != DType::F32) {
            return Error{ErrorCode::InvalidInput,
                         "the tensor " + escapeForDisplay(name) + (tensor == nullptr ? " is missing" : " has another shape or type"),
                         escapeForDisplay(file.path().string()), "Resume from an earlier checkpoint", "SIZE"};
        }
        if (!hashes.contains(name)) return damaged("the manifest has no SHA-256 of the tensor " + escapeForDisplay(name), file.path());
        const at::Tensor flat = arena.view(i).view({-1});
        at::Tensor host;
        if (!flat.is_cpu()) host = at::empty({std::min(pieceElements, flat.numel())}, at::kFloat);
        Sha256 hash;
        for (std::int64_t at = 0; at < flat.numel(); at += pieceElements) {
            const at::Tensor goal = flat.narrow(0, at, std::min(pieceElements, flat.numel() - at));
            const at::Tensor piece = flat.is_cpu() ? goal : host.narrow(0, 0, goal.numel());
            const std::span floats(piece.data_ptr<float>(), static_cast<std::size_t>(piece.numel()));
            MOFO_CHECK(file.readFloats(*tensor, at, floats));
            hash.update(std::as_bytes(floats));
            if (!flat.is_cpu()) goal.copy_(piece);
        }
        if (hash.hex() != hashes[name])
            return damaged("the tensor " + escapeForDisplay(name) + " is damaged: its SHA-256 differs from the manifest's", file.path());
    }
    return {};
}

Result<void> checkCount(const SafetensorsFile& file, std::size_t expected) {
    if (file.tensors().size() == expected) return {};
    return Error{ErrorCode::InvalidInput,
                 "the file has " + std::to_string(file.tensors().size()) + " tensors where " + std::to_string(expected) + " belong",
                 escapeForDisplay(file.path().string()), "Resume from an earlier checkpoint", "SIZE"};
}

/// The manifest of a folder whose files are written, then the rename; read back at last. Fills the row.
Result<void> sealFolder(StagedFolder& folder, const fs::path& target, Json& manifest, CheckpointRow& row) {
    std::error_code ec;
    for (auto& [name, entry] : manifest["files"].items()) {
        const auto size = fs::file_size(folder.path() / name, ec);
        entry["size"] = size;
        row.sizeBytes += static_cast<std::int64_t>(size);
    }
    MOFO_TRY(FileWriter manifestWriter, FileWriter::create(folder.path() / manifestFile));
    MOFO_CHECK(manifestWriter.write(manifest.dump(1)));
    MOFO_TRY(row.manifestSha256, manifestWriter.finish());
    MOFO_CHECK(folder.commit());
    if (const int planned = failpoint("checkpoint.renamed")) return errnoError(planned, "cannot read back what was written", target);
    for (const auto& [name, entry] : manifest["files"].items()) forgetCached(target / name);
    if (const int planned = failpoint("checkpoint.verify")) return errnoError(planned, "cannot read back what was written", target);
    MOFO_TRY(const FoundCheckpoint found, openCheckpoint(target, true));
    if (found.manifestSha256 != row.manifestSha256) return damaged("the manifest is not what was written", target / manifestFile);
    row.verified = true;
    return {};
}

/// The same, and nothing is left where it fails. `clock` has run since the checkpoint was begun.
Result<CheckpointRow> finishCheckpoint(StagedFolder& folder, const fs::path& target, Json manifest, CheckpointRow row, const Stopwatch& clock) {
    if (auto sealed = sealFolder(folder, target, manifest, row); !sealed.ok()) {
        // It may have its final name already, but nobody has vouched for it.
        static_cast<void>(removeCheckpoint(target));
        return std::move(sealed).error();
    }
    row.wallNs = wallNs();
    row.seconds = clock.elapsedMs() * 1e-3;
    return row;
}

}  // namespace

std::uint64_t checkpointSizeBytes(const std::vector<ParameterInfo>& infos, std::uint64_t stateBytes, bool weightsOnly) {
    constexpr std::uint64_t smallFiles = 16 << 10;
    const std::uint64_t manifest = infos.size() * 3 * 160;
    std::uint64_t bytes = SafetensorsWriter::fileSizeBytes(weightDeclarations(infos, ""), safetensorsMetadata) + smallFiles;
    if (weightsOnly) return bytes + manifest / 3;
    for (const char* prefix : {"m.", "v."}) bytes += SafetensorsWriter::fileSizeBytes(weightDeclarations(infos, prefix), safetensorsMetadata);
    return bytes + stateBytes + manifest;
}

Result<void> requireRoomForCheckpoint(const fs::path& checkpointsFolder, std::uint64_t sizeBytes, std::string_view what) {
    return requireFreeBytes(checkpointsFolder, sizeBytes + 2 * kStoreReserveBytes, what);
}

std::string nextCheckpointName(const fs::path& checkpointsFolder, std::int64_t step) {
    std::error_code ec;
    for (int attempt = 1;; ++attempt) {
        char text[48];
        std::snprintf(text, sizeof text, attempt == 1 ? "step-%08lld" : "step-%08lld-%d", static_cast<long long>(step), attempt);
        if (!fs::exists(checkpointsFolder / text, ec)) return text;
    }
}

Result<CheckpointRow> writeCheckpoint(const fs::path& checkpointsFolder, const std::string& name, std::int64_t step,
                                      const CheckpointContent& content) {
    const Stopwatch clock;
    if (const int planned = failpoint("checkpoint.begin")) return errnoError(planned, "cannot write the checkpoint", checkpointsFolder / name);
    MOFO_CHECK(makeFolder(checkpointsFolder, false));
    std::uint64_t stateBytes = 0;
    for (const StateBytes& one : content.bytes) stateBytes += one.bytes.size();
    MOFO_CHECK(requireRoomForCheckpoint(checkpointsFolder, checkpointSizeBytes(content.infos, stateBytes, false),
                                        "the checkpoint of step " + std::to_string(step)));
    const fs::path target = checkpointsFolder / name;
    CheckpointRow row;
    row.step = step;
    row.folder = name;
    row.kind = checkpointFull;
    MOFO_TRY(StagedFolder folder, StagedFolder::create(target));

    MOFO_TRY(HashedTensors weights, HashedTensors::create(folder.path() / weightsFile, weightDeclarations(content.infos, ""), content.progress));
    MOFO_CHECK(weights.add("", content.infos, content.weights));
    MOFO_TRY(const std::string weightsHash, weights.finish());

    std::vector<SafetensorsWriter::Declaration> declarations = weightDeclarations(content.infos, "m.");
    const auto second = weightDeclarations(content.infos, "v.");
    declarations.insert(declarations.end(), second.begin(), second.end());
    for (const StateBytes& one : content.bytes) declarations.push_back({one.name, DType::U8, {static_cast<std::int64_t>(one.bytes.size())}});
    MOFO_TRY(HashedTensors moments, HashedTensors::create(folder.path() / momentsFile, std::move(declarations), content.progress));
    MOFO_CHECK(moments.add("m.", content.infos, content.firstMoments));
    MOFO_CHECK(moments.add("v.", content.infos, content.secondMoments));
    for (const StateBytes& one : content.bytes) MOFO_CHECK(moments.add(one.name, one.bytes));
    MOFO_TRY(const std::string momentsHash, moments.finish());

    MOFO_TRY(FileWriter state, FileWriter::create(folder.path() / stateFile));
    MOFO_CHECK(state.write(content.state.dump(1)));
    MOFO_TRY(const std::string stateHash, state.finish());

    const Json tensors = {{weightsFile, weights.hashes()}, {momentsFile, moments.hashes()}};
    row.stateDigest = digestOf(tensors, TrainingState::digestText(content.state));
    Json manifest = {
        {"format", formatNow},
        {"step", step},
        {"kind", row.kind},
        {"tensors", tensors},
        {"tensors_digest", digestOf(tensors, "")},
        {"state_digest", row.stateDigest},
        {"files", {{weightsFile, {{"sha256", weightsHash}}}, {momentsFile, {{"sha256", momentsHash}}}, {stateFile, {{"sha256", stateHash}}}}}};
    return finishCheckpoint(folder, target, std::move(manifest), std::move(row), clock);
}

Result<FoundCheckpoint> openCheckpoint(const fs::path& folder, bool hashes) {
    const fs::path manifestPath = folder / manifestFile;
    MOFO_TRY(const std::string text, readWholeFile(manifestPath, 64 << 20));
    auto parsed = parseJson(text);
    if (!parsed.ok()) return std::move(parsed).error().in(manifestPath.string());
    const Json& manifest = *parsed;
    const auto isKind = [](const Json& kind) { return kind == Json(checkpointFull) || kind == Json(checkpointWeights); };
    if (!manifest.is_object() || !manifest.contains("files") || !manifest["files"].is_object() || !manifest.contains("step") ||
        !manifest["step"].is_number_unsigned() || !manifest.contains("format") || !manifest["format"].is_number_unsigned() ||
        !manifest.contains("kind") || !isKind(manifest["kind"])) {
        return damaged("not a manifest of this program's checkpoints", manifestPath);
    }
    const auto format = manifest["format"].get<std::uint64_t>();
    if (format < 1 || format > formatNow) {
        return Error{ErrorCode::Unsupported,
                     "the checkpoint has format " + std::to_string(format) + ", and this program knows up to " + std::to_string(formatNow),
                     escapeForDisplay(manifestPath.string()), "Use the program that wrote it, or a newer one", "VER"};
    }
    FoundCheckpoint found;
    found.step = manifest["step"].get<std::int64_t>();
    found.folder = folder;
    found.kind = manifest["kind"].get<std::string>();
    if (format >= 2) {
        if (!manifest.contains("tensors") || !manifest["tensors"].is_object() || manifest["tensors"].empty() || !manifest.contains("state_digest") ||
            !isHash(manifest["state_digest"]) || !manifest.contains("tensors_digest") || !isHash(manifest["tensors_digest"])) {
            return damaged("the manifest has no hashes of the tensors", manifestPath);
        }
        found.tensorHashes = manifest["tensors"];
        found.stateDigest = manifest["state_digest"].get<std::string>();
        for (const auto& [file, list] : found.tensorHashes.items()) {
            if (!list.is_object() || !std::all_of(list.begin(), list.end(), isHash))
                return damaged("the manifest's hashes of the tensors of " + escapeForDisplay(file) + " are not hashes", manifestPath);
        }
        if (digestOf(found.tensorHashes, "") != manifest["tensors_digest"])
            return damaged("the manifest's hashes of tensors are not those it was written with", manifestPath);
    }
    MOFO_CHECK(checkFiles(found, manifest, hashes));
    for (const auto& [name, entry] : manifest["files"].items()) found.sizeBytes += entry["size"].get<std::int64_t>();
    MOFO_TRY(const std::string stateText, readWholeFile(folder / stateFile, 64 << 20));
    auto state = parseJson(stateText);
    if (!state.ok()) return std::move(state).error().in((folder / stateFile).string());
    found.state = std::move(*state);
    if (format >= 2 && digestOf(found.tensorHashes, TrainingState::digestText(found.state)) != found.stateDigest)
        return damaged("the state is not what was written: its digest differs from the manifest's", folder / stateFile);
    MOFO_TRY(found.manifestSha256, sha256OfFile(manifestPath));
    return found;
}

std::vector<fs::path> checkpointFolders(const fs::path& checkpointsFolder) {
    struct Named {
        std::int64_t step = 0, attempt = 1;
        fs::path path;
    };
    std::vector<Named> list;
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(checkpointsFolder, ec)) {
        const std::string name = entry.path().filename().string();
        constexpr std::string_view prefix = "step-";
        if (!name.starts_with(prefix)) continue;
        Named one{.path = entry.path()};
        const char* const end = name.data() + name.size();
        auto [rest, failure] = std::from_chars(name.data() + prefix.size(), end, one.step);
        if (failure != std::errc()) continue;
        if (rest != end && *rest == '-') std::from_chars(rest + 1, end, one.attempt);
        list.push_back(std::move(one));
    }
    std::sort(list.begin(), list.end(),
              [](const Named& a, const Named& b) { return std::tuple(b.step, b.attempt, a.path) < std::tuple(a.step, a.attempt, b.path); });
    std::vector<fs::path> paths;
    for (Named& one : list) paths.push_back(std::move(one.path));
    return paths;
}

Result<std::optional<FoundCheckpoint>> newestCheckpoint(const fs::path& checkpointsFolder) {
    for (const fs::path& folder : checkpointFolders(checkpointsFolder)) {
        if (auto found = openCheckpoint(folder, false); found.ok()) return std::optional(std::move(*found));
    }
    return std::optional<FoundCheckpoint>();
}

void removeUnfinishedCheckpoints(const fs::path& checkpointsFolder) {
    std::vector<fs::path> left;
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(checkpointsFolder, ec)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(".step-") && name.ends_with(".tmp")) left.push_back(entry.path());
    }
    for (const fs::path& path : left) fs::remove_all(path, ec);
}

Result<void> restoreCheckpoint(const FoundCheckpoint& checkpoint, const std::vector<ParameterInfo>& infos, ParameterArena& weights,
                               ParameterArena& firstMoments, ParameterArena& secondMoments, std::span<const RestoredBytes> bytes) {
    if (!checkpoint.resumable()) {
        return Error{ErrorCode::Unsupported,
                     checkpoint.kind == checkpointWeights
                         ? "the checkpoint holds weights alone, without the optimizer's moments: nothing can go on from it"
                         : "the checkpoint was written by an earlier version of this program",
                     escapeForDisplay(checkpoint.folder.string()), "Use another checkpoint, or export it and start a new run from the export", ""};
    }
    MOFO_TRY(const SafetensorsFile model, SafetensorsFile::open(checkpoint.folder / weightsFile));
    MOFO_CHECK(checkCount(model, infos.size()));
    MOFO_CHECK(readArena(model, checkpoint.tensorHashes[weightsFile], "", infos, weights));
    MOFO_TRY(const SafetensorsFile moments, SafetensorsFile::open(checkpoint.folder / momentsFile));
    const Json& hashes = checkpoint.tensorHashes[momentsFile];
    MOFO_CHECK(readArena(moments, hashes, "m.", infos, firstMoments));
    MOFO_CHECK(readArena(moments, hashes, "v.", infos, secondMoments));
    std::size_t expected = infos.size() * 2;
    for (const RestoredBytes& wanted : bytes) {
        const TensorInfo* const tensor = moments.find(wanted.name);
        if (tensor == nullptr && !wanted.required) continue;
        ++expected;
        if (tensor == nullptr || tensor->dtype != DType::U8 || !hashes.contains(wanted.name)) {
            return Error{ErrorCode::InvalidInput, "the tensor " + wanted.name + (tensor == nullptr ? " is missing" : " has another type"),
                         escapeForDisplay(moments.path().string()), "Resume from an earlier checkpoint", "SIZE"};
        }
        wanted.bytes->resize(tensor->sizeBytes);
        MOFO_CHECK(moments.readBytes(*tensor, 0, *wanted.bytes));
        Sha256 hash;
        hash.update(*wanted.bytes);
        if (hash.hex() != hashes[wanted.name])
            return damaged("the tensor " + wanted.name + " is damaged: its SHA-256 differs from the manifest's", moments.path());
    }
    return checkCount(moments, expected);
}

Result<CheckpointRow> writeWeightsOnly(const FoundCheckpoint& full) {
    const Stopwatch clock;
    const fs::path target = full.folder.parent_path() / (full.folder.filename().string() + "-w");
    MOFO_TRY(const std::string manifestText, readWholeFile(full.folder / manifestFile, 64 << 20));
    MOFO_TRY(Json manifest, parseJson(manifestText));
    CheckpointRow row;
    row.step = full.step;
    row.folder = target.filename().string();
    row.kind = checkpointWeights;
    row.stateDigest = full.stateDigest;
    manifest["kind"] = row.kind;
    manifest["files"].erase(momentsFile);
    MOFO_TRY(StagedFolder folder, StagedFolder::create(target));
    for (const char* name : {weightsFile, stateFile}) {
        if (::link((full.folder / name).c_str(), (folder.path() / name).c_str()) != 0)
            return errnoError(errno, "cannot keep the file under another name", full.folder / name);
    }
    return finishCheckpoint(folder, target, std::move(manifest), std::move(row), clock);
}

Result<void> removeCheckpoint(const fs::path& folder) {
    std::error_code ec;
    if (const int planned = failpoint("checkpoint.remove")) return errnoError(planned, "cannot remove the checkpoint", folder);
    if (::unlink((folder / manifestFile).c_str()) != 0 && errno != ENOENT) return errnoError(errno, "cannot remove the manifest", folder);
    if (fs::exists(folder, ec)) MOFO_CHECK(syncFolder(folder));
    static_cast<void>(failpoint("checkpoint.removed_manifest"));
    fs::remove_all(folder, ec);
    if (ec) return errnoError(ec.value(), "cannot remove the checkpoint", folder);
    return {};
}

}  // namespace mofo
