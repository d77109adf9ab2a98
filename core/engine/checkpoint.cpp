#include "core/engine/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <span>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/tensorio/safetensors.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFiles[] = {"model.safetensors", "optimizer.safetensors", "state.json"};
constexpr int kFormat = 1;

std::string folderName(std::int64_t step, int attempt) {
    char text[48];
    std::snprintf(text, sizeof text, attempt == 1 ? "step-%08lld" : "step-%08lld-%d", static_cast<long long>(step), attempt);
    return text;
}

Result<void> writeArena(SafetensorsWriter& file, const ParameterArena& arena) {
    // Streamed tensor by tensor: on the CPU straight from the arena, elsewhere through one host copy at a time.
    for (std::size_t i = 0; i < arena.count(); ++i) {
        const at::Tensor host = arena.view(i).to(at::kCPU).contiguous();
        MOFO_CHECK(file.write(std::as_bytes(std::span(host.const_data_ptr<float>(), static_cast<std::size_t>(host.numel())))));
    }
    return {};
}

Result<std::string> writeTensors(const fs::path& path, const std::vector<ParameterInfo>& infos,
                                 const std::vector<std::pair<std::string, const ParameterArena*>>& arenas) {
    std::vector<SafetensorsWriter::Declaration> declarations;
    for (const auto& [prefix, arena] : arenas)
        for (const ParameterInfo& info : infos) declarations.push_back({prefix + info.name, DType::F32, info.shape});
    MOFO_TRY(SafetensorsWriter file, SafetensorsWriter::create(path, std::move(declarations), {{"format", "pt"}}));
    for (const auto& [prefix, arena] : arenas) MOFO_CHECK(writeArena(file, *arena));
    return file.finish();
}

Result<void> readArena(const SafetensorsFile& file, const std::string& prefix, const std::vector<ParameterInfo>& infos, ParameterArena& arena) {
    for (std::size_t i = 0; i < infos.size(); ++i) {
        const std::string name = prefix + infos[i].name;
        const TensorInfo* tensor = file.find(name);
        if (tensor == nullptr || tensor->shape != infos[i].shape || tensor->dtype != DType::F32) {
            return Error{ErrorCode::InvalidInput,
                         "the tensor " + escapeForDisplay(name) + (tensor == nullptr ? " is missing" : " has another shape or type"),
                         file.path().string(), "Resume from an earlier checkpoint", "SIZE"};
        }
        at::Tensor host = arena.flat().is_cpu() ? arena.view(i) : at::empty(infos[i].shape, at::kFloat);
        MOFO_CHECK(file.readFloats(*tensor, 0, std::span(host.data_ptr<float>(), static_cast<std::size_t>(host.numel()))));
        if (!arena.flat().is_cpu()) arena.view(i).copy_(host);
    }
    return {};
}

}  // namespace

Result<CheckpointRow> writeCheckpoint(const fs::path& checkpointsFolder, std::int64_t step, const std::vector<ParameterInfo>& infos,
                                      const ParameterArena& weights, const ParameterArena& firstMoments, const ParameterArena& secondMoments,
                                      const Json& state) {
    const Stopwatch clock;
    MOFO_CHECK(makeFolder(checkpointsFolder, false));
    MOFO_CHECK(requireFreeBytes(checkpointsFolder, static_cast<std::uint64_t>(weights.flat().numel()) * 12,
                                "the checkpoint of step " + std::to_string(step)));
    int attempt = 1;
    std::error_code ec;
    while (fs::exists(checkpointsFolder / folderName(step, attempt), ec)) ++attempt;
    CheckpointRow row;
    row.step = step;
    row.folder = folderName(step, attempt);
    row.kind = "full";
    MOFO_TRY(StagedFolder folder, StagedFolder::create(checkpointsFolder / row.folder));
    MOFO_TRY(std::string weightsHash, writeTensors(folder.path() / kFiles[0], infos, {{"", &weights}}));
    MOFO_TRY(std::string momentsHash, writeTensors(folder.path() / kFiles[1], infos, {{"m.", &firstMoments}, {"v.", &secondMoments}}));
    MOFO_TRY(FileWriter stateFile, FileWriter::create(folder.path() / kFiles[2]));
    MOFO_CHECK(stateFile.write(state.dump(1)));
    MOFO_TRY(std::string stateHash, stateFile.finish());
    Json manifest = {{"format", kFormat}, {"step", step}, {"kind", row.kind}, {"files", Json::object()}};
    const std::string* written[] = {&weightsHash, &momentsHash, &stateHash};
    for (std::size_t i = 0; i < std::size(kFiles); ++i) {
        const auto size = fs::file_size(folder.path() / kFiles[i], ec);
        manifest["files"][kFiles[i]] = {{"sha256", *written[i]}, {"size", size}};
        row.sizeBytes += static_cast<std::int64_t>(size);
    }
    MOFO_TRY(FileWriter manifestFile, FileWriter::create(folder.path() / "manifest.json"));
    MOFO_CHECK(manifestFile.write(manifest.dump(1)));
    MOFO_TRY(row.manifestSha256, manifestFile.finish());
    MOFO_CHECK(folder.commit());
    MOFO_CHECK(openCheckpoint(checkpointsFolder / row.folder, true));
    row.verified = true;
    row.wallNs = wallNs();
    row.seconds = clock.elapsedMs() * 1e-3;
    return row;
}

Result<FoundCheckpoint> openCheckpoint(const fs::path& folder, bool hashes) {
    const auto damaged = [&](std::string message, const fs::path& file) {
        return Error{ErrorCode::InvalidInput, std::move(message), file.string(), "Use an earlier checkpoint", "CHANGED"};
    };
    const fs::path manifestPath = folder / "manifest.json";
    MOFO_TRY(const std::string text, readWholeFile(manifestPath, 1 << 20));
    auto parsed = parseJson(text);
    if (!parsed.ok()) return std::move(parsed).error().in(manifestPath.string());
    const Json& manifest = *parsed;
    if (!manifest.is_object() || !manifest.contains("files") || !manifest["files"].is_object() || !manifest.contains("step") ||
        !manifest["step"].is_number_integer() || manifest.value("format", Json(0)) != Json(kFormat)) {
        return damaged("not a manifest of this program's checkpoints", manifestPath);
    }
    FoundCheckpoint found;
    found.step = manifest["step"].get<std::int64_t>();
    found.folder = folder;
    for (const char* name : kFiles) {
        const Json& entry = manifest["files"].contains(name) ? manifest["files"][name] : Json();
        if (!entry.is_object() || !entry.contains("size") || !entry["size"].is_number_unsigned() || !entry.contains("sha256") ||
            !entry["sha256"].is_string()) {
            return damaged(std::string("the manifest does not name ") + name, manifestPath);
        }
        MOFO_TRY(const FileReader file, FileReader::open(folder / name));
        if (file.sizeBytes() != entry["size"].get<std::uint64_t>())
            return damaged("the file does not have the size its manifest says", folder / name);
        if (!hashes) continue;
        MOFO_TRY(const std::string hash, sha256OfFile(folder / name));
        if (hash != entry["sha256"].get<std::string>())
            return damaged("the file is not what was written: its SHA-256 differs from the manifest's", folder / name);
    }
    MOFO_TRY(const std::string stateText, readWholeFile(folder / kFiles[2], 64 << 20));
    auto state = parseJson(stateText);
    if (!state.ok()) return std::move(state).error().in((folder / kFiles[2]).string());
    found.state = std::move(*state);
    MOFO_TRY(found.manifestSha256, sha256OfFile(manifestPath));
    return found;
}

Result<std::optional<FoundCheckpoint>> newestCheckpoint(const fs::path& checkpointsFolder) {
    std::optional<FoundCheckpoint> newest;
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(checkpointsFolder, ec)) {
        if (!entry.path().filename().string().starts_with("step-")) continue;
        auto found = openCheckpoint(entry.path(), false);
        // Among equal steps the name with the higher attempt is the later one.
        if (found.ok() && (!newest || found->step > newest->step || (found->step == newest->step && entry.path() > newest->folder)))
            newest = std::move(*found);
    }
    return newest;
}

Result<void> restoreCheckpoint(const FoundCheckpoint& checkpoint, const std::vector<ParameterInfo>& infos, ParameterArena& weights,
                               ParameterArena& firstMoments, ParameterArena& secondMoments) {
    MOFO_CHECK(openCheckpoint(checkpoint.folder, true));
    MOFO_TRY(const SafetensorsFile model, SafetensorsFile::open(checkpoint.folder / kFiles[0]));
    MOFO_CHECK(readArena(model, "", infos, weights));
    MOFO_TRY(const SafetensorsFile moments, SafetensorsFile::open(checkpoint.folder / kFiles[1]));
    MOFO_CHECK(readArena(moments, "m.", infos, firstMoments));
    MOFO_CHECK(readArena(moments, "v.", infos, secondMoments));
    return {};
}

std::vector<std::string> retainCheckpoints(const fs::path& checkpointsFolder, std::int64_t keep) {
    std::vector<FoundCheckpoint> all;
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(checkpointsFolder, ec)) {
        if (auto found = openCheckpoint(entry.path(), false); found.ok()) all.push_back(std::move(*found));
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return std::pair(a.step, a.folder) > std::pair(b.step, b.folder); });
    std::vector<std::string> removed;
    for (std::size_t i = static_cast<std::size_t>(std::max<std::int64_t>(keep, 2)); i < all.size(); ++i) {
        // The manifest goes first: what is left of an interrupted deletion is then no checkpoint.
        fs::remove(all[i].folder / "manifest.json", ec);
        fs::remove_all(all[i].folder, ec);
        removed.push_back(all[i].folder.filename().string());
    }
    return removed;
}

}  // namespace mofo
