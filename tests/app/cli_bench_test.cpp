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

TEST_F(CliBench, WrongWishesAreRefused) {
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
