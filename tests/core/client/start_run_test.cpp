#include <filesystem>

#include "tests/support/client_support.h"
#include "tests/support/tiny_model.h"

namespace mofo {
namespace {

class StartRunTest : public test::ClientTest {
protected:
    void expectNothingLeft() {
        EXPECT_TRUE(registry().runs(true)->empty());
        EXPECT_TRUE(std::filesystem::is_empty(workspace().folder() / "runs"));
    }
    std::string file(const std::string& name, const std::string& bytes) {
        test::writeFile(m_folder / name, bytes);
        return (m_folder / name).string();
    }
};

TEST_F(StartRunTest, WritesAQueuedRunOfASealedModel) {
    const auto run = start({{"alpha", "0.1"}}, false);
    ASSERT_OK(run);
    EXPECT_EQ(run->state, RunState::Queued);
    EXPECT_EQ(run->name, "tiny-a0.1");
    EXPECT_EQ(run->device, "cpu");
    EXPECT_TRUE(std::filesystem::exists(workspace().modelFolder(run->modelId) / "model.safetensors"));
    EXPECT_EQ(run->config.data, data().string());
    const auto second = start({{"alpha", "0.1"}}, false);
    ASSERT_OK(second);
    EXPECT_EQ(second->name, "tiny-a0.1-2");
    EXPECT_EQ(second->modelId, run->modelId);
}

TEST_F(StartRunTest, NamesSayWhatTheMethodIs) {
    using Values = std::vector<std::pair<std::string, std::string>>;
    for (const auto& [values, name] : {std::pair(Values{{"rule", "gradient"}}, "tiny-gradient-a0.15"), std::pair(Values{{"optimizer", "adamw"}}, "tiny-adamw"),
                                       std::pair(Values{{"optimizer", "hft"}}, "tiny-hft"),
                                       std::pair(Values{{"optimizer", "fixed_mask"}, {"alpha", "0.05"}}, "tiny-fixed_mask-a0.05")}) {
        const auto run = start(values, false);
        ASSERT_OK(run);
        EXPECT_EQ(run->name, name);
    }
}

TEST_F(StartRunTest, RelativePathsBecomeAbsolute) {
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(m_folder.path());
    const auto run = start({{"data", "data.jsonl"}, {"model", "tiny"}}, false);
    std::filesystem::current_path(before);
    ASSERT_OK(run);
    EXPECT_TRUE(std::filesystem::path(run->config.data).is_absolute());
    EXPECT_TRUE(std::filesystem::path(run->config.model).is_absolute());
}

TEST_F(StartRunTest, RefusedInputLeavesNoRunBehind) {
    struct Case {
        std::vector<std::pair<std::string, std::string>> values;
        int exitCode;
        const char* says;
    };
    const std::string broken = file("broken.jsonl", "{\"question\": \"a\", \"answer\": \"b\"\n[1, 2\n");
    const std::string foreign = file("foreign.jsonl", "{\"alpha\": \"a\", \"beta\": \"b\"}\n{\"alpha\": 3}\n");
    const std::string empty = file("empty.jsonl", "");
    std::filesystem::create_directories(m_folder / "mute");
    test::writeTinyModel(m_folder / "mute", {.withTokenizer = false});
    for (const Case& one : std::vector<Case>{{{{"data", broken}}, 3, "broken.jsonl"},
                                             {{{"data", foreign}}, 3, "foreign.jsonl"},
                                             {{{"data", empty}}, 3, "empty.jsonl"},
                                             {{{"data", "/nonexistent/file"}}, 3, "/nonexistent/file"},
                                             {{{"data", m_folder.path().string()}}, 3, ""},
                                             {{{"eval_data", foreign}}, 3, "foreign.jsonl"},
                                             {{{"model", "no-such-model"}}, 3, "no-such-model"},
                                             {{{"model", (m_folder / "mute").string()}}, 3, "mute"},
                                             {{{"model", "random:smollm2"}}, 3, "random:smollm2"},
                                             {{{"chat_template", "no-such"}}, 2, "no-such"},
                                             {{{"filter_include", "*.nothing"}}, 2, "matches none of the model's"},
                                             {{{"filter_exclude", "*"}}, 2, "no parameter is left"},
                                             {{{"row_counts", "nothing"}}, 2, "matches none"},
                                             {{{"alpha.mlp", "0.1"}, {"granularity", "layer"}}, 2, "cannot go with granularity=layer"},
                                             {{{"rule", "mv"}, {"optimizer", "adamw"}}, 2, "no effect with optimizer=adamw"},
                                             {{{"hft_every", "5"}}, 2, "no effect with optimizer=mofo"},
                                             {{{"device", "cuda"}}, 3, ""}}) {
        SCOPED_TRACE(one.values.front().first + "=" + one.values.front().second);
        const auto run = start(one.values, false);
        ASSERT_FALSE(run.ok());
        EXPECT_EQ(run.error().exitCode(), one.exitCode) << run.error().text();
        EXPECT_THAT(run.error().text(), testing::HasSubstr(one.says));
        expectNothingLeft();
    }
}

TEST_F(StartRunTest, OneUsableRowIsEnough) {
    const auto run = start({{"data", file("mixed.jsonl", "{\"alpha\": 1}\nnot json\n{\"prompt\": \"a\", \"completion\": \"b\"}\n")}}, false);
    EXPECT_OK(run);
}

TEST_F(StartRunTest, BadNamesAreRefused) {
    for (const std::string& name : {std::string(200, 'x'), std::string("a\nb"), std::string(" a"), std::string("\xff")}) {
        const auto run = start({}, false, name);
        ASSERT_FALSE(run.ok()) << name;
        EXPECT_EQ(run.error().exitCode(), 2);
    }
    expectNothingLeft();
}

}  // namespace
}  // namespace mofo
