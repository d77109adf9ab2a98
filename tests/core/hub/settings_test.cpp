#include "core/hub/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/test_support.h"

namespace mofo {
namespace {

using testing::HasSubstr;
using testing::Not;

class HubSettingsTest : public testing::Test {
protected:
    void SetUp() override {
        for (const char* name :
             {"HF_ENDPOINT", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE",
              "HF_HUB_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"}) {
            unsetenv(name);
        }
        setenv("XDG_CACHE_HOME", m_folder.path().c_str(), 1);
    }
    static void set(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }
    test::TemporaryFolder m_folder;
};

TEST_F(HubSettingsTest, DefaultsAreThoseOfHuggingFace) {
    const auto settings = HubSettings::fromEnvironment();
    ASSERT_OK(settings);
    EXPECT_EQ(settings->endpoint, "https://huggingface.co");
    EXPECT_EQ(settings->token, "");
    EXPECT_EQ(settings->userCache, m_folder / "huggingface/hub");
    EXPECT_EQ(settings->ownCache, m_folder / "mofo/hub");
    EXPECT_FALSE(settings->offline);
}

TEST_F(HubSettingsTest, TheTokenComesFromTheVariableElseFromAFile) {
    test::writeFile(m_folder / "named", " hf_named\n");
    std::filesystem::create_directories(m_folder / "home");
    test::writeFile(m_folder / "home" / "token", "hf_home\n");
    set("HF_HOME", (m_folder / "home").string());
    EXPECT_EQ(HubSettings::fromEnvironment()->token, "hf_home");
    EXPECT_EQ(HubSettings::fromEnvironment()->userCache, m_folder / "home/hub");
    set("HF_TOKEN_PATH", (m_folder / "named").string());
    EXPECT_EQ(HubSettings::fromEnvironment()->token, "hf_named");
    set("HF_TOKEN", "hf_variable");
    EXPECT_EQ(HubSettings::fromEnvironment()->token, "hf_variable");
    set("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
    EXPECT_EQ(HubSettings::fromEnvironment()->token, "");
}

TEST_F(HubSettingsTest, ATokenThatWouldBreakTheRequestIsRefusedWithoutShowingIt) {
    set("HF_TOKEN", "hf_secret\r\nX-Evil: 1");
    const auto settings = HubSettings::fromEnvironment();
    ASSERT_FALSE(settings.ok());
    EXPECT_THAT(settings.error().text(), HasSubstr("HF_TOKEN"));
    EXPECT_THAT(settings.error().text(), Not(HasSubstr("hf_secret")));
}

TEST_F(HubSettingsTest, CacheAndOffline) {
    set("HF_HUB_CACHE", (m_folder / "elsewhere").string());
    EXPECT_EQ(HubSettings::fromEnvironment()->userCache, m_folder / "elsewhere");
    for (const char* on : {"1", "true", "ON", "yes"}) {
        set("HF_HUB_OFFLINE", on);
        EXPECT_TRUE(HubSettings::fromEnvironment()->offline) << on;
    }
    for (const char* off : {"0", "false", ""}) {
        set("HF_HUB_OFFLINE", off);
        EXPECT_FALSE(HubSettings::fromEnvironment()->offline) << off;
    }
}

TEST_F(HubSettingsTest, TheEndpointIsAnHttpAddress) {
    set("HF_ENDPOINT", "https://mirror.example/hub/");
    EXPECT_EQ(HubSettings::fromEnvironment()->endpoint, "https://mirror.example/hub");
    for (const char* wrong :
         {"mirror.example", "file:///etc", "https://", "https://user:pass@mirror.example", "https://mirror.example/?x=1", "not an address"}) {
        set("HF_ENDPOINT", wrong);
        const auto settings = HubSettings::fromEnvironment();
        ASSERT_FALSE(settings.ok()) << wrong;
        EXPECT_EQ(settings.error().code, ErrorCode::Usage);
        EXPECT_THAT(settings.error().text(), testing::AllOf(HasSubstr("HF_ENDPOINT"), Not(HasSubstr("pass@"))));
    }
}

TEST(HubOrigin, SchemeHostAndPortDecide) {
    EXPECT_EQ(originOf("https://HuggingFace.co/x"), originOf("https://huggingface.co:443/y?z"));
    EXPECT_NE(originOf("https://huggingface.co"), originOf("http://huggingface.co"));
    EXPECT_NE(originOf("http://127.0.0.1:1"), originOf("http://127.0.0.1:2"));
    EXPECT_NE(originOf("https://huggingface.co"), originOf("https://huggingface.co.evil.example"));
    EXPECT_EQ(originOf("https://huggingface.co@evil.example/"), originOf("https://evil.example/"));
    EXPECT_EQ(originOf("file:///etc/passwd"), "");
}

}  // namespace
}  // namespace mofo
