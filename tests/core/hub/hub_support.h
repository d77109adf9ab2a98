// A Hub, an empty user's cache and an empty cache of ours in a temporary folder.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/hub/hub.h"
#include "tests/support/hub_server.h"
#include "tests/support/test_support.h"

namespace mofo::test {

class HubTest : public testing::Test {
protected:
    HubTest();

    /// A model of config, tokenizer, generation config, licence, weights (large) and things that are never wanted.
    [[nodiscard]] static HubRepository model();
    [[nodiscard]] static HubReference reference(const std::string& text) { return *parseHubReference(text); }
    [[nodiscard]] Result<HubPlan> plan(const std::string& text = "hf:owner/name", const HubWatch& watch = {}) const;
    /// Plan and download.
    Result<std::filesystem::path> get(const std::string& text = "hf:owner/name", const HubWatch& watch = {}) const;
    [[nodiscard]] std::filesystem::path ownFolder(const HubRepository& repository) const;
    /// Puts files into the user's cache as huggingface_hub does: blobs, and links in snapshots/COMMIT; refs/main.
    void fillUserCache(const HubRepository& repository, const std::vector<std::string>& names) const;
    /// Every path below a folder with its content, kind and time of change.
    [[nodiscard]] static std::map<std::string, std::string> stateOf(const std::filesystem::path& folder);

    TemporaryFolder m_folder;
    HubServer m_hub;
    HubSettings m_settings;
};

[[nodiscard]] std::vector<std::string> namesOf(const HubPlan& plan);
/// Bytes that repeat only after long.
[[nodiscard]] std::string someBytes(std::size_t size);

}  // namespace mofo::test
