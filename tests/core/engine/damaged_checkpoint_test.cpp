// Damaged, mutilated and forged checkpoints: each is noticed, named, and an earlier one is taken. Leaving out any field is noticed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/file.h"
#include "core/engine/training_state.h"
#include "core/model/model_source.h"
#include "tests/core/engine/resume_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DamagedCheckpoint : public test::ResumeTest {
protected:
    /// A run with checkpoints of steps 4, 8 and 10.
    std::string stoppedRun() {
        const std::string id = m_engine->addRun(longConfig(), "damaged");
        send(id, "set", {{"alpha", "0.4"}}, 3);
        send(id, "set", {{"granularity", "row"}}, 15);
        trainUntil(id, 10, true);
        return id;
    }
    test::EngineFixture::Trained wholeRun() {
        const std::string id = m_engine->addRun(longConfig(), "whole");
        send(id, "set", {{"alpha", "0.4"}}, 3);
        send(id, "set", {{"granularity", "row"}}, 15);
        return m_engine->train(id);
    }
};

TEST_F(DamagedCheckpoint, FallsBackToTheOneBeforeAndNamesTheTensor) {
    const auto whole = wholeRun();
    const std::string id = stoppedRun();
    test::flipTensorByte(checkpointFolder(id, "step-00000010") / "model.safetensors", "model.layers.1.mlp.up_proj.weight");
    test::flipTensorByte(checkpointFolder(id, "step-00000008") / "optimizer.safetensors", "v.model.embed_tokens.weight");
    const auto run = m_engine->train(id);
    expectSame(whole, run);
    const std::string said = eventsText(run);
    EXPECT_THAT(said, HasSubstr("the tensor model.layers.1.mlp.up_proj.weight is damaged"));
    EXPECT_THAT(said, HasSubstr("the tensor v.model.embed_tokens.weight is damaged"));
    EXPECT_THAT(said, HasSubstr("resumed from the checkpoint of step 4"));
    const auto rows = *MetricsReader::open(m_engine->workspace().metricsFile(id))->checkpoints(true);
    for (const CheckpointRow& row : rows) {
        if (row.folder != "step-00000010" && row.folder != "step-00000008") continue;
        EXPECT_EQ(row.state, "lost");
        EXPECT_FALSE(row.verified);
        EXPECT_THAT(row.reason, HasSubstr("is damaged"));
    }
}

TEST_F(DamagedCheckpoint, WithNoneLeftTheRunIsRefusedUntilOneIsBack) {
    const auto whole = wholeRun();
    const std::string id = stoppedRun();
    const auto flipAll = [&] {
        for (const char* name : {"step-00000004", "step-00000008", "step-00000010"})
            test::flipTensorByte(checkpointFolder(id, name) / "optimizer.safetensors", "m.model.norm.weight");
    };
    flipAll();
    // The second time the store knows that they are lost: that is no reason to start over either.
    for (int i = 0; i < 2; ++i) {
        const auto refused = m_engine->train(id);
        ASSERT_TRUE(refused.error);
        EXPECT_THAT(refused.error->text(), HasSubstr("none of the run's checkpoints (of step 4, 8, 10) can be used"));
        EXPECT_THAT(refused.error->text(), HasSubstr("mofo branch " + id + " --at 0"));
        EXPECT_EQ(m_engine->registry().findRun(id)->summary.step, 10);
    }
    flipAll();
    expectSame(whole, m_engine->train(id));
}

TEST_F(DamagedCheckpoint, ManifestsOnTheDiskRebuildTheTable) {
    const auto whole = wholeRun();
    const std::string id = stoppedRun();
    // Gone without a word, one that the store never heard of, and the leftovers of a killed engine.
    fs::remove_all(checkpointFolder(id, "step-00000004"));
    fs::remove_all(checkpointFolder(id, "step-00000010"));
    fs::copy(checkpointFolder(whole.run.id, "step-00000012"), checkpointFolder(id, "step-00000012"), fs::copy_options::recursive);
    fs::create_directory(checkpointFolder(id, ".step-00000011.abcdef.tmp"));
    const auto run = m_engine->train(id);
    ASSERT_FALSE(run.error) << run.error->text();
    EXPECT_EQ(last(whole.run.id).stateDigest, last(id).stateDigest);
    EXPECT_THAT(eventsText(run), HasSubstr("found step-00000012, which the store did not know"));
    EXPECT_THAT(eventsText(run), HasSubstr("resumed from the checkpoint of step 12"));
    EXPECT_FALSE(fs::exists(checkpointFolder(id, ".step-00000011.abcdef.tmp")));
    int lost = 0;
    const auto rows = *MetricsReader::open(m_engine->workspace().metricsFile(id))->checkpoints(true);
    for (const CheckpointRow& row : rows) lost += row.state == "lost" ? 1 : 0;
    EXPECT_EQ(lost, 2);
}

TEST_F(DamagedCheckpoint, TwelveMutilatedOnesAreRefusedByName) {
    const std::string id = stoppedRun();
    const auto source = *ModelSource::open((m_files / "model").string());
    const fs::path original = checkpointFolder(id, "step-00000010"), copy = m_files / "step-00000010";
    const auto open = [&](bool restore) -> Result<void> {
        MOFO_TRY(const FoundCheckpoint found, openCheckpoint(copy, false));
        MOFO_CHECK(TrainingState::fromJson(found.state));
        if (!restore) return {};
        const auto& infos = source->parameters();
        ParameterArena weights(infos, c10::kCPU), first(infos, c10::kCPU), second(infos, c10::kCPU);
        std::vector<std::byte> random, previous, ever;
        const std::vector<RestoredBytes> bytes{
            {"rng.cpu", &random, true}, {"selection.previous", &previous, false}, {"selection.ever", &ever, false}};
        return restoreCheckpoint(found, infos, weights, first, second, bytes);
    };
    const auto replace = [](const fs::path& file, const std::string& what, const std::string& with) {
        std::string text = test::readFile(file);
        const std::size_t at = text.find(what);
        ASSERT_NE(at, std::string::npos) << what;
        test::writeFile(file, text.replace(at, what.size(), with));
    };
    const auto manifest = [&](const std::function<void(Json&)>& change) {
        Json json = *parseJson(test::readFile(copy / "manifest.json"));
        change(json);
        test::writeFile(copy / "manifest.json", json.dump(1));
    };
    const auto reforge = [&] { test::forgeCheckpoint(copy, *parseJson(test::readFile(copy / "state.json"))); };
    struct Case {
        const char* name;
        std::function<void()> damage;
        std::vector<const char*> named;
    };
    const std::vector<Case> cases{
        {"tensor of another name",
         [&] {
             replace(copy / "model.safetensors", "layers.0.mlp.up_proj", "layers.0.mlp.up_prok");
             reforge();
         },
         {"model.layers.0.mlp.up_proj.weight", "is missing"}},
        {"moment of another name",
         [&] {
             replace(copy / "optimizer.safetensors", "m.model.norm.weight", "m.model.norm.weighu");
             reforge();
         },
         {"m.model.norm.weight", "is missing"}},
        {"other shape",
         [&] {
             replace(copy / "optimizer.safetensors", "\"v.model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[32]",
                     "\"v.model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[ 32,1]");
         },
         {"optimizer.safetensors", "size"}},
        {"other dtype",
         [&] {
             replace(copy / "model.safetensors", "\"F32\",\"shape\":[32]", "\"I32\",\"shape\":[32]");
             reforge();
         },
         {"has another shape or type"}},
        {"bit in a weight", [&] { test::flipTensorByte(copy / "model.safetensors", "model.norm.weight"); }, {"model.norm.weight is damaged"}},
        {"bit in the random state", [&] { test::flipTensorByte(copy / "optimizer.safetensors", "rng.cpu"); }, {"rng.cpu is damaged"}},
        {"cut short",
         [&] { fs::resize_file(copy / "optimizer.safetensors", fs::file_size(copy / "optimizer.safetensors") - 4); },
         {"optimizer.safetensors", "does not have the size"}},
        {"file gone", [&] { fs::remove(copy / "model.safetensors"); }, {"model.safetensors", "No such file"}},
        {"state altered", [&] { replace(copy / "state.json", "\"tokens\"", "\"tokenz\""); }, {"state.json", "SHA-256 differs"}},
        {"manifest cut", [&] { test::writeFile(copy / "manifest.json", "{\"format\": 2"); }, {"manifest.json"}},
        {"no hashes of tensors", [&] { manifest([](Json& json) { json.erase("tensors"); }); }, {"manifest.json", "no hashes of the tensors"}},
        {"future format", [&] { manifest([](Json& json) { json["format"] = 3; }); }, {"format 3"}},
    };
    ASSERT_EQ(cases.size(), 12u);
    fs::copy(original, copy, fs::copy_options::recursive);
    ASSERT_OK(open(true));
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        fs::remove_all(copy);
        fs::copy(original, copy, fs::copy_options::recursive);
        one.damage();
        const auto opened = open(true);
        ASSERT_FALSE(opened.ok());
        for (const char* part : one.named) EXPECT_THAT(opened.error().text(), HasSubstr(part));
    }
}

/// Every place in a state.json where something can be left out, as JSON pointers; fingerprints and keys of the config apart.
std::vector<std::string> fieldsOf(const Json& state) {
    std::vector<std::string> fields;
    const Json flat = state.flatten();
    for (const auto& [pointer, value] : flat.items()) {
        if (pointer.starts_with("/fingerprints/") || pointer.starts_with("/config/") || pointer.find("/change/") != std::string::npos ||
            pointer.find("/payload/") != std::string::npos)
            continue;
        fields.push_back(pointer);
    }
    for (const char* whole :
         {"/fingerprints", "/config", "/journal", "/journal/applied", "/journal/pending", "/journal/applied/0/change", "/journal/pending/0/payload"})
        fields.emplace_back(whole);
    return fields;
}

void leaveOut(Json& state, const std::string& pointer) {
    const std::size_t slash = pointer.rfind('/');
    Json& parent = state[Json::json_pointer(pointer.substr(0, slash))];
    parent.erase(pointer.substr(slash + 1));
}

TEST_F(DamagedCheckpoint, LeavingOutAnyFieldIsNoticed) {
    const std::string id = stoppedRun();
    const fs::path folder = checkpointFolder(id, "step-00000010");
    const Json state = openCheckpoint(folder, true)->state;
    const std::vector<std::string> fields = fieldsOf(state);
    EXPECT_GE(fields.size(), 25u);
    for (const std::string& field : fields) {
        SCOPED_TRACE(field);
        Json without = state;
        leaveOut(without, field);
        ASSERT_NE(without, state);
        // Plainly: the hash differs. With every hash forged: the field is asked for by its name.
        test::writeFile(folder / "state.json", without.dump(1));
        EXPECT_FALSE(openCheckpoint(folder, false).ok());
        test::forgeCheckpoint(folder, without);
        const auto opened = openCheckpoint(folder, true);
        ASSERT_OK(opened);
        const auto read = TrainingState::fromJson(opened->state);
        ASSERT_FALSE(read.ok());
        EXPECT_THAT(read.error().message, HasSubstr(field.substr(field.rfind('/') + 1)));
    }
}

TEST_F(DamagedCheckpoint, AlteringAnythingGivesAnotherEnd) {
    const auto whole = wholeRun();
    const std::string digest = last(whole.run.id).stateDigest;
    const std::string id = stoppedRun();
    const auto replaceBy = [](const char* pointer, Json value) {
        return [=](Json& state, const fs::path&) { state[Json::json_pointer(pointer)] = value; };
    };
    const auto flip = [](const char* file, const char* tensor) {
        return [=](Json&, const fs::path& folder) { test::flipTensorByte(folder / file, tensor); };
    };
    const std::vector<std::pair<const char*, std::function<void(Json&, const fs::path&)>>> alterations{
        {"nothing", [](Json&, const fs::path&) {}},
        {"step", replaceBy("/step", 9)},
        {"micro_step", replaceBy("/micro_step", 1)},
        {"tokens", replaceBy("/tokens", 1)},
        {"samples", replaceBy("/samples", 54)},
        {"skipped", replaceBy("/skipped", 1)},
        {"last_evaluated", replaceBy("/last_evaluated", 3)},
        {"guards", replaceBy("/guards", {{"spike", {{"seen", 1}}}})},
        {"config: alpha", replaceBy("/config/alpha", "0.15")},
        {"config: lr", replaceBy("/config/lr", "0.002")},
        {"config: seed", replaceBy("/config/seed", "7")},
        {"journal: step", replaceBy("/journal/applied/0/step", 2)},
        {"journal: change", replaceBy("/journal/applied/0/change", {{"alpha", "0.3"}})},
        {"journal: one change less", replaceBy("/journal/applied", Json::array())},
        {"journal: pending",
         [](Json& state, const fs::path&) {
             Json other = state["journal"]["pending"][0];
             other["uuid"] = "00000000-0000-4000-8000-000000000000";
             other["payload"] = {{"alpha", "0.9"}};
             state["journal"]["pending"].push_back(other);
         }},
        {"a fingerprint", replaceBy("/fingerprints/numerics/threads", "63")},
        {"a weight", flip("model.safetensors", "model.norm.weight")},
        {"a first moment", flip("optimizer.safetensors", "m.model.layers.0.mlp.up_proj.weight")},
        {"a second moment", flip("optimizer.safetensors", "v.model.layers.0.mlp.up_proj.weight")},
        {"the random state", flip("optimizer.safetensors", "rng.cpu")},
        {"what was ever selected", flip("optimizer.safetensors", "selection.ever")},
    };
    for (std::size_t i = 0; i < alterations.size(); ++i) {
        const auto& [name, alter] = alterations[i];
        SCOPED_TRACE(name);
        // A run of its own each time: with the run's folder and commands like the stopped one's.
        const std::string run = i == 0 ? id : stoppedRun();
        const fs::path folder = checkpointFolder(run, "step-00000010");
        Json state = openCheckpoint(folder, true)->state;
        alter(state, folder);
        test::forgeCheckpoint(folder, state);
        // The row in the store knows another manifest: it is told of the forged one as an adopted folder.
        fs::rename(folder, checkpointFolder(run, "step-00000010-2"));
        const auto end = m_engine->train(run);
        const std::string said = eventsText(end);
        const bool same = !end.error && last(run).stateDigest == digest;
        const bool noticed = end.error.has_value() || said.find("(step-00000010-2) cannot be used any more") != std::string::npos || !same;
        EXPECT_EQ(noticed, i != 0) << said;
    }
}

}  // namespace
}  // namespace mofo
