#include "tests/core/engine/resume_support.h"

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/engine/training_state.h"
#include "core/tensorio/safetensors.h"

namespace mofo::test {

namespace fs = std::filesystem;

RunConfig ResumeTest::longConfig() const {
    RunConfig c = config();
    c.steps = 0;
    c.epochs = 3.2;  // 119 of 37 rows in batches of 6: 20 steps, the last of 5 rows
    c.checkpointEvery = 4;
    c.keep = 100;
    return c;
}

void ResumeTest::sendChanges(const std::string& run) {
    send(run, "set", {{"alpha", "0.4"}, {"rule", "gradient"}}, 3);
    send(run, "set", {{"granularity", "row"}, {"l2", "20"}}, 6);
    send(run, "set", {{"alpha", "linear:0.5..0.1@8..16"}, {"rule", "random"}}, 9);
    send(run, "set", {{"granularity", "block:64"}, {"l2", "0"}, {"rule", "momentum"}}, 14);
}

EngineFixture::Trained ResumeTest::trainUntil(const std::string& run, std::int64_t step, bool save) {
    send(run, "stop", {{"save", save}}, step + 1);
    return m_engine->train(run);
}

fs::path ResumeTest::checkpointFolder(const std::string& run, const std::string& name) const {
    return m_engine->workspace().checkpointsFolder(run) / name;
}

FoundCheckpoint ResumeTest::last(const std::string& run) {
    const MetricsReader reader = *MetricsReader::open(m_engine->workspace().metricsFile(run));
    const CheckpointRow* newest = nullptr;
    const std::vector<CheckpointRow> rows = *reader.checkpoints();
    for (const CheckpointRow& row : rows) {
        if (!row.superseded && row.kind == "full" && (newest == nullptr || row.step >= newest->step)) newest = &row;
    }
    if (newest == nullptr) {
        ADD_FAILURE() << "run " << run << " has no checkpoint";
        return {};
    }
    auto found = openCheckpoint(checkpointFolder(run, newest->folder), true);
    if (!found.ok()) {
        ADD_FAILURE() << found.error().text();
        return {};
    }
    return std::move(*found);
}

void ResumeTest::expectSame(const EngineFixture::Trained& a, const EngineFixture::Trained& b) {
    ASSERT_FALSE(b.error) << b.error->text();
    expectEqualSteps(a, b, 0);
    EXPECT_EQ(last(a.run.id).tensorHashes, last(b.run.id).tensorHashes);
    EXPECT_EQ(last(a.run.id).stateDigest, last(b.run.id).stateDigest);
}

std::string ResumeTest::eventsText(const EngineFixture::Trained& run) {
    std::string text;
    for (const EventRow& event : run.events) text += event.kind + ": " + event.text + "\n";
    return text;
}

void flipTensorByte(const fs::path& safetensors, const std::string& tensor) {
    std::string bytes = readFile(safetensors);
    const auto file = SafetensorsFile::open(safetensors);
    ASSERT_OK(file);
    const TensorInfo* const info = file->find(tensor);
    ASSERT_NE(info, nullptr) << tensor;
    char& byte = bytes[info->offset + info->sizeBytes / 2 / 4 * 4];
    byte = static_cast<char>(byte ^ 4);
    writeFile(safetensors, bytes);
}

void forgeCheckpoint(const fs::path& folder, const Json& state) {
    writeFile(folder / "state.json", state.dump(1));
    Json manifest = *parseJson(readFile(folder / "manifest.json"));
    for (auto& [name, list] : manifest["tensors"].items()) {
        const auto file = SafetensorsFile::open(folder / name);
        ASSERT_OK(file);
        list = Json::object();
        for (const TensorInfo& tensor : file->tensors()) {
            std::vector<std::byte> bytes(tensor.sizeBytes);
            ASSERT_OK(file->readBytes(tensor, 0, bytes));
            Sha256 hash;
            hash.update(bytes);
            list[tensor.name] = hash.hex();
        }
    }
    for (auto& [name, entry] : manifest["files"].items()) entry = {{"sha256", *sha256OfFile(folder / name)}, {"size", fs::file_size(folder / name)}};
    std::string tensors;
    for (const auto& [file, hashes] : manifest["tensors"].items()) {
        for (const auto& [name, value] : hashes.items()) tensors += file + " " + name + " " + value.get<std::string>() + "\n";
    }
    manifest["tensors_digest"] = sha256Hex(tensors);
    manifest["state_digest"] = sha256Hex(tensors + TrainingState::digestText(state));
    writeFile(folder / "manifest.json", manifest.dump(1));
}

}  // namespace mofo::test
