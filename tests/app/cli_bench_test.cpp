// `mofo bench` with the engine itself, on a model so small that times mean nothing: what is printed, and how it is refused.
#include <algorithm>

#include "tests/app/cli_support.h"

namespace mofo {
namespace {

using test::CliResult;
using testing::HasSubstr;

class CliBench : public test::CliTest {
protected:
    void SetUp() override {
        CliTest::SetUp();
        m_environment.set("MOFO_ENGINE", (test::binFolder() / "mofo-engine").string());
    }
};

TEST_F(CliBench, OptimizerPrintsTheDocumentedJson) {
    const CliResult done = cli({"bench", "optimizer", "--model", model().string(), "--seconds", "5", "--json"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    const Json result = done.json();
    ASSERT_EQ(result["cases"].size(), 10u);
    for (const Json& entry : result["cases"]) {
        EXPECT_TRUE(entry["granularity"].is_string());
        for (const char* key : {"alpha", "ms", "fused_adamw_ms", "ratio", "composed_ms", "speedup", "limit", "statistics_ms", "statistics_ratio",
                                "selected_share", "repaired", "scratch_bytes", "rounds", "ratio_low", "ratio_high"})
            EXPECT_TRUE(entry[key].is_number()) << key << " of " << entry["granularity"];
    }
    EXPECT_EQ(result["cases"][0]["granularity"], "tensor");
    EXPECT_EQ(result["cases"][9]["granularity"], "shards:4");
    for (const char* key : {"adamw", "device", "threads", "instruction_set", "model", "parameters", "precision", "seconds"})
        EXPECT_TRUE(result.contains(key)) << key;
    const Json jobs = cli({"jobs", "--json"}).json();
    ASSERT_EQ(jobs.size(), 1u);
    EXPECT_EQ(jobs[0]["kind"], "bench");
    EXPECT_EQ(jobs[0]["state"], "finished");
    EXPECT_TRUE(std::filesystem::exists(workspace().jobFolder(jobs[0]["id"].get<std::string>()) / "result.json")) << "kept like other jobs' results";
}

TEST_F(CliBench, OptimizerPrintsATableForPeople) {
    const CliResult done = cli({"bench", "optimizer", "--model", model().string(), "--precision", "bf16-pure", "--seconds", "5"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 12) << "a header, ten cases, AdamW";
    for (const char* word : {"GRANULARITY", "RATIO", "LIMIT", "block:4096", "none"}) EXPECT_THAT(done.out, HasSubstr(word));
    EXPECT_THAT(done.err, HasSubstr("bf16-pure"));
}

TEST_F(CliBench, StepPrintsTheDocumentedJson) {
    const CliResult done = cli({"bench", "step", "--model", model().string(), "--batch", "2", "--length", "16", "--steps", "2", "--json"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    const Json result = done.json();
    for (const char* key : {"fp32_ms", "bf16_ms", "speedup_bf16", "tokens_per_s", "unaccounted"}) EXPECT_TRUE(result[key].is_number()) << key;
    EXPECT_DOUBLE_EQ(result["speedup_bf16"].get<double>(), result["fp32_ms"].get<double>() / result["bf16_ms"].get<double>());
    EXPECT_EQ(result["tokens"], 2 * 15);
    for (const char* precision : {"fp32", "bf16"}) {
        for (const char* part : {"data", "forward", "loss", "backward", "clip", "optimizer", "statistics", "store"})
            EXPECT_TRUE(result["parts"][precision][part].is_number()) << precision << ' ' << part;
    }
    const CliResult table =
        cli({"bench", "step", "--model", model().string(), "--batch", "1", "--length", "8", "--steps", "1", "--set", "optimizer=adamw"});
    ASSERT_EQ(table.exitCode, 0) << table.err;
    EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 10) << "a header, eight parts, the whole";
}

TEST_F(CliBench, StepRunsAReferenceBesideItself) {
    const auto script = m_folder / "rival.sh";
    test::writeFile(script, "#!/bin/sh\necho '{\"step_ms\": 1000}'\n");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    const std::vector<std::string> line = {"bench", "step", "--model", model().string(), "--batch", "1", "--length", "8", "--steps", "1", "--json"};
    const auto with = [&](std::vector<std::string> more) {
        std::vector<std::string> words = line;
        words.insert(words.end(), more.begin(), more.end());
        return cli(words);
    };
    const CliResult done = with({"--reference", script.string(), "--reference-model", "some model"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    const Json result = done.json();
    EXPECT_DOUBLE_EQ(result["reference"]["bf16"]["speedup"].get<double>(), 1000 / result["bf16_ms"].get<double>());
    EXPECT_EQ(with({"--reference", script.string()}).exitCode, 2);
    const CliResult broken = with({"--reference", "echo no", "--reference-model", "m"});
    EXPECT_EQ(broken.exitCode, 2);
    EXPECT_THAT(broken.err, HasSubstr("printed no JSON"));
}

TEST_F(CliBench, PackingComputesTheSameTargetsOnFewerTokens) {
    std::string rows;
    for (int i = 0; i < 24; ++i) rows += R"({"prompt": "a)" + std::string(static_cast<std::size_t>(1 + i % 7), 'b') + R"(", "completion": "c"})" + "\n";
    const auto data = m_folder / "rows.jsonl";
    test::writeFile(data, rows);
    const std::vector<std::string> line = {"bench", "packing", "--model", model().string(), "--data", data.string(), "--set", "batch=4", "device=cpu"};
    const auto with = [&](std::vector<std::string> more) {
        std::vector<std::string> words = line;
        words.insert(words.end(), more.begin(), more.end());
        return cli(words);
    };
    const CliResult done = with({"--steps", "3", "--json"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    const Json result = done.json();
    EXPECT_GT(result["padded_tokens"].get<int>(), result["tokens"].get<int>());
    EXPECT_GT(result["targets"].get<int>(), 0);
    EXPECT_NEAR(result["speedup"].get<double>(), result["packed_tokens_per_s"].get<double>() / result["padded_tokens_per_s"].get<double>(), 1e-9);
    const CliResult many = with({"--steps", "300", "--set", "epochs=1"});
    EXPECT_NE(many.exitCode, 0);
    EXPECT_THAT(many.err, HasSubstr("fewer steps"));
}

TEST_F(CliBench, WrongWishesAreRefused) {
    EXPECT_EQ(cli({"bench", "step", "--length", "1"}).exitCode, 2);
    EXPECT_EQ(cli({"bench", "step", "--set", "alpha=7"}).exitCode, 2);
    EXPECT_EQ(cli({"bench"}).exitCode, 2);
    EXPECT_EQ(cli({"bench", "optimizer", "--precision", "fp8"}).exitCode, 2);
    const CliResult gpu = cli({"bench", "optimizer", "--device", "cuda:0"});
    EXPECT_EQ(gpu.exitCode, 3);
    EXPECT_THAT(gpu.err, HasSubstr("GPU"));
    const CliResult random = cli({"bench", "optimizer", "--model", "random:nothing"});
    EXPECT_EQ(random.exitCode, 3);
    EXPECT_THAT(random.err, HasSubstr("random:smollm2"));
    EXPECT_EQ(cli({"bench", "optimizer", "--model", "nobody"}).exitCode, 3);
}

}  // namespace
}  // namespace mofo
