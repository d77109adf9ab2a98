// `mofo plan` and `mofo profile` with the real engine.
#include "tests/app/real_engine.h"

namespace mofo::test {
namespace {

using testing::HasSubstr;

TEST_F(RealEngine, PlanSaysWhatARunNeedsTermByTerm) {
    const CliResult done = cli({"plan", "--model", model().string(), "--data", data().string(), "--set", "device=cpu", "batch=2", "--json"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    const Json plan = done.json();
    EXPECT_GT(plan["longest_row"].get<int>(), 0);
    EXPECT_GT(plan["steps"].get<int>(), 0);
    EXPECT_EQ(plan["fits"], true);
    std::uint64_t sum = 0;
    for (const auto& [name, term] : plan["terms"].items()) sum += term["bytes"].get<std::uint64_t>();
    EXPECT_EQ(sum, plan["device_bytes"].get<std::uint64_t>() + plan["host_bytes"].get<std::uint64_t>());
    EXPECT_TRUE(cli({"jobs", "--json"}).json().empty()) << "nothing was started";

    const CliResult large = cli({"plan", "--model", model().string(), "--set", "device=cpu", "batch=1000000", "max_length=256"});
    EXPECT_EQ(large.exitCode, 0);
    EXPECT_THAT(large.err, testing::AllOf(HasSubstr("it does not fit"), HasSubstr("with --set micro_batch=")));
    EXPECT_EQ(cli({"plan"}).exitCode, 2);
}

TEST_F(RealEngine, PlanRehearses) {
    const CliResult done =
        cli({"plan", "--model", model().string(), "--data", data().string(), "--set", "device=cpu", "batch=2", "--rehearse", "--json"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    const Json rehearsal = done.json()["rehearsal"];
    for (const char* key : {"step_ms", "forecast_bytes", "measured_bytes"}) EXPECT_GT(rehearsal[key].get<double>(), 0) << key;
    EXPECT_EQ(cli({"runs", "--json"}).json().size(), 0u) << "no run is left";
}

TEST_F(RealEngine, ProfileWritesATraceOfEveryPart) {
    const std::string id = finished("profiled");
    const auto file = m_folder / "trace.json";
    const CliResult done = cli({"profile", id, "--steps", "2", "--out", file.string(), "--json"});
    ASSERT_EQ(done.exitCode, 0) << done.err;
    EXPECT_EQ(done.json()["steps"], 2);
    const auto text = readWholeFile(file, 1 << 28);
    ASSERT_OK(text);
    const auto trace = parseJson(*text);
    ASSERT_OK(trace);
    std::map<std::string, int> spans;
    for (const Json& event : (*trace)["traceEvents"]) {
        if (event.contains("name") && event["name"].is_string()) ++spans[event["name"].get<std::string>()];
    }
    for (const char* part : {"data", "forward", "loss", "clip", "optimizer", "statistics"}) EXPECT_EQ(spans[part], 2) << part;
    EXPECT_EQ(spans["backward"], 4) << "zeroing the gradients and adding to them";
    EXPECT_GT(spans["aten::mm"], 10);
    EXPECT_EQ(cli({"profile", id, "--out", (m_folder / "no" / "t.json").string()}).exitCode, 3);
}

}  // namespace
}  // namespace mofo::test
