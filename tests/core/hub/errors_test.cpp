// Each refusal of the Hub is one sentence with what to do.
#include <set>

#include "core/base/json.h"
#include "tests/core/hub/hub_support.h"

namespace mofo {
namespace {

using test::HubReply;
using test::HubRepository;
using test::HubServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class HubErrors : public test::HubTest {
protected:
    HubErrors() : m_repository(model()) {
        m_hub.add(m_repository);
        m_api = HubServer::apiPath(m_repository);
        m_settings.token = "hf_secret";
        m_settings.retries = 2;
    }
    /// One sentence, at most 500 bytes, without the token.
    static void expectReadable(const Error& error) {
        EXPECT_EQ(error.text().find('\n'), std::string::npos) << error.text();
        EXPECT_LT(error.text().size(), 500u) << error.text();
        EXPECT_THAT(error.text(), AllOf(HasSubstr("hf:owner/"), Not(HasSubstr("hf_secret"))));
        EXPECT_FALSE(error.remedy.empty()) << error.text();
    }
    HubRepository m_repository;
    std::string m_api;
};

TEST_F(HubErrors, GatedOfTheApiAndOfAFile) {
    const HubReply gated{403, {{"X-Error-Code", "GatedRepo"}}, "{}"};
    m_hub.once(HubServer::filePath(m_repository, "config.json"), gated);
    m_hub.once(HubServer::filePath(m_repository, "generation_config.json"), gated);
    m_hub.once(HubServer::filePath(m_repository, "tokenizer_config.json"), gated);
    const auto file = get();
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().code, ErrorCode::Permission);
    EXPECT_THAT(file.error().remedy, HasSubstr("Accept the licence at " + m_hub.url() + "/owner/name with the account of your HF_TOKEN"));
    expectReadable(file.error());
    m_settings.token.clear();
    m_hub.once(m_api, HubReply{401, {{"X-Error-Code", "GatedRepo"}}, "{}"});
    const auto api = plan();
    ASSERT_FALSE(api.ok());
    EXPECT_EQ(api.error().code, ErrorCode::Permission);
    EXPECT_THAT(api.error().remedy, HasSubstr("and set HF_TOKEN"));
    expectReadable(api.error());
}

TEST_F(HubErrors, UnauthorisedAndForbidden) {
    m_hub.once(m_api, HubReply{401, {{"X-Error-Message", "Invalid credentials in Authorization header"}}, "{}"});
    const auto token = plan();
    ASSERT_FALSE(token.ok());
    EXPECT_EQ(token.error().code, ErrorCode::Permission);
    EXPECT_THAT(token.error().message, HasSubstr("token"));
    expectReadable(token.error());
    m_hub.once(m_api, HubReply{401, {{"X-Error-Message", "Invalid username or password."}}, "{}"});
    EXPECT_THAT(plan().error().message, HasSubstr("does not exist, or it is private or gated"));
    m_hub.once(m_api, HubReply{403, {}, "{}"});
    const auto forbidden = plan();
    EXPECT_EQ(forbidden.error().code, ErrorCode::Permission);
    EXPECT_THAT(forbidden.error().remedy, HasSubstr("accept the licence at"));
    expectReadable(forbidden.error());
}

TEST_F(HubErrors, MissingRepositoryNamesNearOnes) {
    m_hub.serve("/api/models", HubReply{200, {}, R"([{"id": "owner/name"}, {"id": "owner/another"}])"});
    const auto missing = plan("hf:owner/nane");
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_THAT(missing.error().remedy, HasSubstr("Did you mean hf:owner/name?"));
    expectReadable(missing.error());
    EXPECT_THAT(plan("hf:owner/something-else-entirely").error().remedy, HasSubstr("owner has owner/name, owner/another"));
    m_hub.serve("/api/models", HubReply{404, {}, ""});
    const auto alone = plan("hf:owner/nane");
    EXPECT_EQ(alone.error().code, ErrorCode::NotFound);
    expectReadable(alone.error());
}

TEST_F(HubErrors, ADataSetNamedAsAModelIsRecognised) {
    m_hub.serve("/api/datasets/owner/rows", HubReply{200, {}, R"({"sha": "x"})"});
    m_hub.serve("/api/models/owner/rows/revision/main", HubReply{401, {}, ""});
    const auto missing = plan("hf:owner/rows");
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_THAT(missing.error().remedy, HasSubstr("Did you mean hf:datasets/owner/rows?"));
}

TEST_F(HubErrors, MissingRevisionNamesNearOnes) {
    m_hub.serve("/api/models/owner/name/revision/v1.O", HubReply{404, {{"X-Error-Code", "RevisionNotFound"}}, "{}"});
    m_hub.serve("/api/models/owner/name/refs", HubReply{200, {}, R"({"branches": [{"name": "main"}], "tags": [{"name": "v1.0"}], "converts": []})"});
    const auto missing = plan("hf:owner/name@v1.O");
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_THAT(missing.error().remedy, HasSubstr("Did you mean hf:owner/name@v1.0?"));
    expectReadable(missing.error());
}

TEST_F(HubErrors, AFileThatIsListedButNotThere) {
    m_hub.serve(HubServer::filePath(m_repository, "config.json"), HubReply{404, {{"X-Error-Code", "EntryNotFound"}}, ""});
    const auto missing = get();
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
    EXPECT_THAT(missing.error().text(), HasSubstr("config.json"));
    expectReadable(missing.error());
}

TEST_F(HubErrors, LimitedSaysHowLong) {
    m_hub.serve(m_api, HubReply{429, {{"Retry-After", "90"}}, ""});
    const auto limited = plan();
    ASSERT_FALSE(limited.ok());
    EXPECT_EQ(limited.error().code, ErrorCode::Busy);
    EXPECT_THAT(limited.error().remedy, HasSubstr("1 min 30 s"));
    expectReadable(limited.error());
    EXPECT_EQ(m_hub.requests().size(), 1u) << "who is limited does not ask again at once";
    m_hub.serve(m_api, HubReply{429, {{"Retry-After", "soon"}}, ""});
    m_settings.token.clear();
    EXPECT_THAT(plan().error().remedy, AllOf(HasSubstr("some minutes"), HasSubstr("with HF_TOKEN set")));
}

TEST_F(HubErrors, ServerErrorsAreTriedAgain) {
    m_hub.once(m_api, HubReply{503, {}, ""});
    m_hub.once(m_api, HubReply{500, {}, ""});
    const std::string file = HubServer::filePath(m_repository, "model.safetensors");
    m_hub.once(file, HubReply{502, {}, "bad gateway"});
    ASSERT_OK(get());
    EXPECT_EQ(m_hub.requestsFor(m_api).size(), 3u);
    EXPECT_EQ(m_hub.requestsFor(file).size(), 2u);
    m_hub.serve("/api/models/owner/other/revision/main", HubReply{503, {}, ""});
    const auto down = plan("hf:owner/other");
    ASSERT_FALSE(down.ok());
    EXPECT_EQ(down.error().code, ErrorCode::Io);
    EXPECT_THAT(down.error().text(), HasSubstr("503"));
    expectReadable(down.error());
}

TEST_F(HubErrors, AnswersThatAreNone) {
    const std::string commit(40, 'a');
    const std::pair<std::string, const char*> cases[] = {
        {"<html>please log in</html>", "not JSON"},
        {"", "not JSON"},
        {"[]", "not an object"},
        {"{}", "no commit"},
        {R"({"sha": "main", "siblings": []})", "no commit"},
        {R"({"sha": ")" + commit + R"("})", "no files"},
        {R"({"sha": ")" + commit + R"(", "siblings": [{"rfilename": "config.json"}]})", "how large config.json is"},
        {R"({"sha": ")" + commit + R"(", "siblings": [{"rfilename": "config.json", "size": -1}]})", "how large"},
        {R"({"sha": ")" + commit + R"(", "siblings": [{"rfilename": "config.json", "size": 5, "lfs": {"sha256": "xyz", "size": 5}}]})", "hash"},
        {R"({"sha": ")" + commit + R"(", "siblings": [{"rfilename": "config.json", "size": 5, "blobId": "../x"}]})", "hash"},
        {std::string(70, '[') + std::string(70, ']'), "not JSON"},
    };
    for (const auto& [body, what] : cases) {
        m_hub.serve(m_api, HubReply{200, {}, body});
        const auto wrong = plan();
        ASSERT_FALSE(wrong.ok()) << body;
        EXPECT_EQ(wrong.error().code, ErrorCode::Io) << body;
        EXPECT_THAT(wrong.error().message, HasSubstr(what)) << body;
        expectReadable(wrong.error());
    }
}

TEST_F(HubErrors, AnAnswerWithoutEndIsCutOff) {
    HubReply endless{200, {}, std::string(1 << 20, ' ')};
    endless.endless = true;
    m_hub.serve(m_api, endless);
    const auto huge = plan();
    ASSERT_FALSE(huge.ok());
    EXPECT_THAT(huge.error().message, HasSubstr("larger than 64.0 MiB")) << huge.error().message;
    EXPECT_LT(m_hub.sentBytes(), 100u << 20);
}

TEST_F(HubErrors, WhatTheHubSaysIsShownSafely) {
    HubRepository odd = m_repository;
    odd.id = "owner/odd";
    odd.licence = "evil\x1b[31m\n" + std::string(500, 'x');
    odd.files = {{"a.gguf", "1"}, {"b.gguf", "2"}, {"c\x1b[2J.gguf", "3"}};
    m_hub.add(odd);
    const auto several = plan("hf:owner/odd");
    ASSERT_FALSE(several.ok());
    EXPECT_EQ(several.error().text().find('\x1b'), std::string::npos);
    EXPECT_THAT(several.error().message, HasSubstr("2 GGUF files")) << "a name with control characters is left out";
    EXPECT_LT(plan("hf:owner/odd:a.gguf")->licence.size(), 200u);
    EXPECT_EQ(plan("hf:owner/odd:a.gguf")->licence.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace mofo
