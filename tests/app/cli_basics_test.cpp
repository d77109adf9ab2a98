// What holds for every command: help, usage errors, refusals, answers without a workspace.
#include <filesystem>

#include "tests/app/cli_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

using test::CliResult;
using testing::HasSubstr;

class CliBasics : public test::CliTest {};

TEST_F(CliBasics, EveryCommandHasHelpWithExamples) {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{"import"},
                                                                                         {"models"},
                                                                                         {"models", "add"},
                                                                                         {"models", "list"},
                                                                                         {"models", "verify"},
                                                                                         {"models", "remove"},
                                                                                         {"tokens"},
                                                                                         {"score"},
                                                                                         {"train"},
                                                                                         {"runs"},
                                                                                         {"show"},
                                                                                         {"log"},
                                                                                         {"follow"},
                                                                                         {"set"},
                                                                                         {"withdraw"},
                                                                                         {"pause"},
                                                                                         {"resume"},
                                                                                         {"stop"},
                                                                                         {"checkpoint"},
                                                                                         {"evaluate"},
                                                                                         {"undo"},
                                                                                         {"branch"},
                                                                                         {"twin"},
                                                                                         {"pin"},
                                                                                         {"unpin"},
                                                                                         {"verify"},
                                                                                         {"export"},
                                                                                         {"chat"},
                                                                                         {"jobs"},
                                                                                         {"queue"},
                                                                                         {"get"},
                                                                                         {"rename"},
                                                                                         {"note"},
                                                                                         {"tag"},
                                                                                         {"baseline"},
                                                                                         {"trash"},
                                                                                         {"restore"},
                                                                                         {"doctor"},
                                                                                         {"supervise"},
                                                                                         {"bench"},
                                                                                         {"bench", "optimizer"}}) {
        std::vector<std::string> arguments = command;
        arguments.push_back("--help");
        const CliResult help = cli(arguments);
        EXPECT_EQ(help.exitCode, 0) << command.back();
        EXPECT_THAT(help.out, testing::AllOf(HasSubstr("Examples:"), HasSubstr("mofo " + command.front()))) << command.back();
        EXPECT_EQ(help.err, "");
    }
    EXPECT_THAT(cli({"--help"}).out, HasSubstr("train"));
    EXPECT_THAT(cli({"--version"}).out, testing::StartsWith("mofo 0."));
    const std::string keys = cli({"train", "--help"}).out;
    for (const KeyDescription& key : keyDescriptions()) EXPECT_THAT(keys, HasSubstr("  " + key.name + " "));
}

TEST_F(CliBasics, WrongUsageIsExitCode2WithTheNearestRightOne) {
    const std::string gguf = model().string();
    struct Case {
        std::vector<std::string> arguments;
        const char* says;
    };
    for (const Case& one : std::vector<Case>{{{}, "mofo --help"},
                                             {{"trian"}, "train"},
                                             {{"train", "--modle", gguf}, "train --help"},
                                             {{"show"}, "run is required"},
                                             {{"train", "--model", gguf, "--data", data().string(), "--set", "alhpa=0.1"}, "alpha"},
                                             {{"train", "--model", gguf, "--data", data().string(), "--set", "alpha=7"}, "alpha"},
                                             {{"train", "--model", gguf, "--data", data().string(), "--set", "alpha"}, "alpha"},
                                             {{"train", "--model", gguf, "--data", data().string(), "--preset", "no-such"}, "no-such"},
                                             {{"train", "--data", data().string()}, "model"},
                                             {{"train", "--model", gguf}, "data"},
                                             {{"train", "--model", gguf, "--data", data().string(), "--foreground", "--detach"}, "--"},
                                             {{"tokens", "--model", gguf, "--data", data().string(), "--skip", "-1"}, "skip"},
                                             {{"score", "--model", gguf, "--data", data().string(), "--set", "batch=x"}, "batch"},
                                             {{"import", gguf, "/tmp/never", "--dtype", "int4"}, "dtype"}}) {
        const CliResult result = cli(one.arguments);
        EXPECT_EQ(result.exitCode, 2) << testing::PrintToString(one.arguments) << result.err;
        EXPECT_THAT(result.err, HasSubstr(one.says)) << testing::PrintToString(one.arguments);
        EXPECT_LE(result.errorLines(), 4) << result.err;
        EXPECT_EQ(result.out, "");
    }
    EXPECT_TRUE(registry().runs(true)->empty());
}

TEST_F(CliBasics, AMethodThatCannotBeIsRefusedBeforeTheRunExists) {
    struct Case {
        std::vector<std::string> assignments;
        const char* says;
    };
    for (const Case& one : std::vector<Case>{{{"alpha=0"}, "above 0 and at most 1"},
                                             {{"alpha=1.1"}, "out of range"},
                                             {{"alpha=NaN"}, "not a number"},
                                             {{"alpha=linear:0.3..2@0..10"}, "out of range"},
                                             {{"granularity=block:0"}, "from 64"},
                                             {{"granularity=block:63"}, "from 64"},
                                             {{"granularity=blok:64"}, "did you mean block?"},
                                             {{"filter_include=*.no_such.*"}, "matches none of the model's 20 parameters"},
                                             {{"filter_exclude=*"}, "no parameter is left"},
                                             {{"row_counts=nothing"}, "matches none"},
                                             {{"alpha.mlp=0.1", "granularity=model"}, "cannot go with granularity=model"},
                                             {{"rule=momentom"}, "did you mean momentum?"},
                                             {{"rule=inverse"}, "known but not available"},
                                             {{"lora_rank=8"}, "no effect with optimizer=mofo"},
                                             {{"optimizer=lora", "l2=0.1"}, "the pretrained weights do not move"},
                                             {{"optimizer=lora_mofo", "granularity=head"}, "not divided by heads"},
                                             {{"optimizer=hft", "rule=mv"}, "no effect with optimizer=hft"},
                                             {{"l1=-1"}, "out of range"},
                                             {{"hft_every=10"}, "no effect with optimizer=mofo"},
                                             {{"offload=cpu"}, "none or optimizer"}}) {
        std::vector<std::string> arguments{"train", "--model", model().string(), "--data", data().string()};
        for (const std::string& assignment : one.assignments) {
            arguments.push_back("--set");
            arguments.push_back(assignment);
        }
        const CliResult result = cli(arguments);
        EXPECT_EQ(result.exitCode, 2) << testing::PrintToString(one.assignments) << result.err;
        EXPECT_THAT(result.err, HasSubstr(one.says)) << testing::PrintToString(one.assignments);
        EXPECT_LE(result.errorLines(), 4) << result.err;
        EXPECT_EQ(result.out, "");
    }
    EXPECT_TRUE(registry().runs(true)->empty());
    EXPECT_TRUE(std::filesystem::is_empty(workspace().folder() / "runs"));
}

TEST_F(CliBasics, RefusedInputIsExitCode3AndLeavesNoRun) {
    test::writeTinyModel(m_folder / "cut");
    std::filesystem::resize_file(m_folder / "cut" / "model.safetensors", 5000);
    test::writeTinyModel(m_folder / "mute", {.withTokenizer = false});
    test::writeTinyModel(m_folder / "alien");
    Json config = Json::parse(test::readFile(m_folder / "alien" / "config.json"));
    config["model_type"] = "mamba";
    test::writeFile(m_folder / "alien" / "config.json", config.dump());
    test::writeFile(m_folder / "empty.jsonl", "");
    test::writeFile(m_folder / "junk.gguf", "GGUF\x03");
    struct Case {
        std::string model, data;
        const char* says;
    };
    const std::string good = model().string(), rows = data().string();
    for (const Case& one : std::vector<Case>{{(m_folder / "cut").string(), rows, "model.safetensors"},
                                             {(m_folder / "mute").string(), rows, "tokenizer"},
                                             {(m_folder / "alien").string(), rows, "mamba"},
                                             {(m_folder / "junk.gguf").string(), rows, "junk.gguf"},
                                             {(m_folder / "nothing").string(), rows, "nothing"},
                                             {good, (m_folder / "empty.jsonl").string(), "empty.jsonl"},
                                             {good, (m_folder / "missing.jsonl").string(), "missing.jsonl"}}) {
        for (const char* command : {"train", "score", "tokens"}) {
            if (std::string_view(command) == "tokens" && one.model.ends_with("cut")) continue;
            const CliResult result = cli({command, "--model", one.model, "--data", one.data});
            EXPECT_EQ(result.exitCode, 3) << command << ' ' << one.model << ' ' << one.data << ": " << result.err;
            EXPECT_THAT(result.err, HasSubstr(one.says));
            EXPECT_LE(result.errorLines(), 4) << result.err;
            EXPECT_EQ(result.out, "");
        }
    }
    const CliResult cuda = cli({"train", "--model", good, "--data", rows, "--set", "device=cuda"});
    EXPECT_EQ(cuda.exitCode, 3);
    EXPECT_TRUE(registry().runs(true)->empty());
    EXPECT_TRUE(std::filesystem::is_empty(workspace().folder() / "runs"));
}

TEST_F(CliBasics, AMissingWorkspaceHasNoRunsAndIsNotMade) {
    const std::string absent = (m_folder / "absent").string();
    const CliResult runs = cli({"runs", "--json", "--workspace", absent});
    EXPECT_EQ(runs.exitCode, 0);
    EXPECT_EQ(runs.json(), Json::array());
    EXPECT_EQ(cli({"--workspace", absent, "jobs", "--json"}).json(), Json::array());
    EXPECT_EQ(cli({"--workspace", absent, "models", "list", "--json"}).json(), Json::array());
    EXPECT_EQ(cli({"show", "x", "--workspace", absent}).exitCode, 3);
    EXPECT_FALSE(std::filesystem::exists(absent));
    const CliResult orphan =
        cli({"train", "--model", model().string(), "--data", data().string(), "--workspace", (m_folder / "no" / "parent").string()});
    EXPECT_EQ(orphan.exitCode, 3) << orphan.err;
    EXPECT_FALSE(std::filesystem::exists(m_folder / "no"));
}

TEST_F(CliBasics, AnUnknownRunIsNamed) {
    for (const char* command : {"show", "log", "follow", "pause", "resume", "stop", "baseline", "trash", "restore", "withdraw"}) {
        const CliResult result = cli({command, "nobody"});
        EXPECT_EQ(result.exitCode, 3) << command;
        EXPECT_THAT(result.err, HasSubstr("nobody")) << command;
    }
}

TEST_F(CliBasics, DoctorTellsWhatTheMachineCanDo) {
    const CliResult doctor = cli({"doctor", "--json"});
    ASSERT_EQ(doctor.exitCode, 0) << doctor.err;
    const Json json = doctor.json();
    for (const char* key : {"gpu", "devices", "cpu", "memory", "workspace", "sqlite", "programs"}) EXPECT_TRUE(json.contains(key)) << key;
    EXPECT_EQ(json["gpu"]["state"], "no_gpu");
    EXPECT_EQ(json["devices"][0], "cpu");
    EXPECT_EQ(json["workspace"]["state"], "ok");
    EXPECT_EQ(json["programs"]["mofo-engine"]["version"], "mofo-engine fake, LibTorch none");
    EXPECT_THAT(cli({"doctor"}).out, testing::AllOf(HasSubstr("SQLite"), HasSubstr("GPU"), HasSubstr("memory")));
    EXPECT_THAT(cli({"doctor", "--models"}).out, HasSubstr("llama"));
}

TEST_F(CliBasics, AWorkspaceThatCannotBeReadIsSaidByDoctor) {
    test::writeFile(m_folder / "broken", "a file");
    const CliResult doctor = cli({"doctor", "--workspace", (m_folder / "broken").string()});
    EXPECT_EQ(doctor.exitCode, 0);
    EXPECT_THAT(doctor.out, HasSubstr("!!"));
}

}  // namespace
}  // namespace mofo
