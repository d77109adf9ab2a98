// Commands with the real engine on a tiny model.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/client/branch.h"
#include "tests/app/cli_support.h"

namespace mofo::test {

class RealEngine : public CliTest {
protected:
    void SetUp() override {
        CliTest::SetUp();
        m_environment.set("MOFO_ENGINE", (binFolder() / "mofo-engine").string());
    }
    std::vector<std::string> train(const std::vector<std::string>& more) {
        std::vector<std::string> arguments = {"train", "--model",    model().string(), "--data", data().string(),
                                              "--set", "device=cpu", "batch=2",        "lr=1e-3", "probes="};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }
    std::string finished(const std::string& name, const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments = {"steps=12", "checkpoint_every=4", "keep=10", "--name", name};
        arguments.insert(arguments.begin() + 3, more.begin(), more.end());
        const CliResult done = cli(train(arguments));
        EXPECT_EQ(done.exitCode, 0) << done.err;
        return done.out.substr(0, 12);
    }
    /// SHA-256 over what a resume would restore of the newest checkpoint.
    std::string digest(const std::string& id) {
        const auto rows = resumableCheckpoints(workspace(), id);
        EXPECT_TRUE(rows.ok() && !rows->empty());
        return rows.ok() && !rows->empty() ? rows->back().stateDigest : "";
    }
    std::string weights(const std::string& id) {
        const auto rows = resumableCheckpoints(workspace(), id);
        EXPECT_TRUE(rows.ok() && !rows->empty());
        return *sha256OfFile(workspace().checkpointsFolder(id) / rows->back().folder / "model.safetensors");
    }
    std::vector<std::string> events(const std::string& id) {
        std::vector<std::string> texts;
        const auto reader = MetricsReader::open(workspace().metricsFile(id));
        EXPECT_TRUE(reader.ok());
        const auto rows = reader->eventsAfter(0);
        for (const EventRow& row : *rows) texts.push_back(row.text);
        return texts;
    }
};

}  // namespace mofo::test
