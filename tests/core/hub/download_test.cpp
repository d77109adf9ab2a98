// The bytes: resumed, compared, cancelled, shared; and where the token goes.
#include <chrono>
#include <filesystem>
#include <thread>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/hub/http.h"
#include "tests/core/hub/hub_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::HubReply;
using test::HubRepository;
using test::HubServer;
using testing::HasSubstr;
using testing::Not;

class HubDownload : public test::HubTest {
protected:
    HubDownload() : m_repository(model()) {
        m_hub.add(m_repository);
        m_weights = m_repository.files.at("model.safetensors");
        m_path = HubServer::filePath(m_repository, "model.safetensors");
    }
    [[nodiscard]] fs::path weightsFile() const { return ownFolder(m_repository) / "model.safetensors"; }
    [[nodiscard]] fs::path part() const { return ownFolder(m_repository) / "model.safetensors.part"; }
    [[nodiscard]] HubReply weightsReply() const { return HubReply{200, {}, m_weights}; }
    void leavePart(std::size_t bytes, const std::string& content = {}) const {
        fs::create_directories(ownFolder(m_repository));
        test::writeFile(part(), (content.empty() ? m_weights : content).substr(0, bytes));
    }

    HubRepository m_repository;
    std::string m_weights, m_path;
};

TEST_F(HubDownload, EveryFileArrivesWhole) {
    std::uint64_t last = 0, total = 0;
    bool ordered = true;
    const auto path = get("hf:owner/name", [&](const HubProgress& progress) {
        if (progress.phase == HubProgress::Phase::Download) {
            ordered = ordered && progress.doneBytes >= last && progress.doneBytes <= progress.totalBytes;
            last = progress.doneBytes;
            total = progress.totalBytes;
        }
        return true;
    });
    ASSERT_OK(path);
    EXPECT_TRUE(ordered);
    EXPECT_GT(total, m_weights.size());
    for (const char* name : {"config.json", "tokenizer.json", "LICENSE", "model.safetensors"}) {
        EXPECT_EQ(test::readFile(*path / name), m_repository.files.at(name)) << name;
    }
    EXPECT_EQ(fs::status(*path / "model.safetensors").permissions(), fs::perms(0444));
    for (const auto& entry : fs::directory_iterator(*path)) {
        const std::string extension = entry.path().extension().string();
        EXPECT_TRUE(extension != ".part" && extension != ".bin" && extension != ".py") << entry.path();
    }
}

TEST_F(HubDownload, APartIsGoneOnWith) {
    leavePart(1'000'000);
    const auto planned = plan();
    ASSERT_OK(planned);
    EXPECT_LT(planned->missingBytes, planned->totalBytes - 999'999) << "what is there need not come";
    ASSERT_OK(fetchHub(m_settings, *planned));
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
    const auto requests = m_hub.requestsFor(m_path);
    ASSERT_EQ(requests.size(), 1u);
    EXPECT_EQ(requests.front().headers.at("range"), "bytes=1000000-");
    EXPECT_FALSE(fs::exists(part()));
}

TEST_F(HubDownload, AServerWithoutRangesIsReadFromTheStart) {
    leavePart(1'000'000, std::string(1'000'000, 'x'));
    HubReply reply = weightsReply();
    reply.ranges = false;
    m_hub.serve(m_path, reply);
    ASSERT_OK(get());
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
}

TEST_F(HubDownload, AWrongRangeIsNotBelieved) {
    leavePart(1'000'000);
    HubReply reply{206, {{"Content-Range", "bytes 5-9/3000000"}}, "wrong"};
    m_hub.once(m_path, reply);
    ASSERT_OK(get());
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
}

TEST_F(HubDownload, ACompletePartIsComparedAndTaken) {
    leavePart(m_weights.size());
    ASSERT_OK(get());
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
    EXPECT_TRUE(m_hub.requestsFor(m_path).empty());
}

TEST_F(HubDownload, APartThatIsTooLongBeginsAnew) {
    leavePart(0);
    test::writeFile(part(), m_weights + "more");
    ASSERT_OK(get());
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
}

TEST_F(HubDownload, AConnectionThatBreaksIsTakenUpWhereItBroke) {
    HubReply cut = weightsReply();
    cut.cutAfter = 1'200'000;
    m_hub.once(m_path, cut);
    cut.cutAfter = 700'000;
    m_hub.once(m_path, cut);
    ASSERT_OK(get());
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
    const auto requests = m_hub.requestsFor(m_path);
    ASSERT_EQ(requests.size(), 3u);
    EXPECT_EQ(requests[1].headers.at("range"), "bytes=1200000-");
    EXPECT_EQ(requests[2].headers.at("range"), "bytes=1900000-");
}

TEST_F(HubDownload, WhatIsKeptAfterABrokenConnectionIsSaidAndTheSameCommandGoesOn) {
    m_settings.retries = 1;
    HubReply cut = weightsReply();
    cut.cutAfter = 500'000;
    m_hub.once(m_path, cut);
    m_hub.once(m_path, cut);
    const auto broken = get();
    ASSERT_FALSE(broken.ok());
    EXPECT_EQ(broken.error().code, ErrorCode::Io);
    EXPECT_THAT(broken.error().text(), testing::AllOf(HasSubstr("977 KiB of 2.86 MiB are kept"), HasSubstr("same command"), HasSubstr("127.0.0.1")));
    EXPECT_EQ(fs::file_size(part()), 1'000'000u);
    m_hub.forget();
    ASSERT_OK(get());
    EXPECT_EQ(m_hub.requestsFor(m_path).front().headers.at("range"), "bytes=1000000-");
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
}

TEST_F(HubDownload, AStalledConnectionIsGivenUpAndTriedAgain) {
    HubReply stalled = weightsReply();
    stalled.stallAfter = 600'000;
    m_hub.once(m_path, stalled);
    const Stopwatch watch;
    ASSERT_OK(get());
    EXPECT_GT(watch.elapsedMs(), 400);
    EXPECT_LT(watch.elapsedMs(), 5000);
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
    m_settings.retries = 0;
    fs::remove(weightsFile());
    m_hub.once(m_path, stalled);
    EXPECT_THAT(get().error().message, HasSubstr("has sent nothing for"));
}

TEST_F(HubDownload, AWrongHashRemovesThePart) {
    for (const bool large : {true, false}) {
        HubRepository repository = model();
        repository.id = large ? "owner/large" : "owner/small";
        m_hub.add(repository);
        const std::string name = large ? "model.safetensors" : "tokenizer.json";
        std::string other = repository.files.at(name);
        other[other.size() / 2] ^= 1;
        m_hub.once(HubServer::filePath(repository, name), HubReply{200, {}, other});
        const auto wrong = get("hf:" + repository.id);
        ASSERT_FALSE(wrong.ok());
        EXPECT_EQ(wrong.error().code, ErrorCode::InvalidInput);
        EXPECT_EQ(wrong.error().tag, "HASH");
        EXPECT_THAT(wrong.error().text(), testing::AllOf(HasSubstr(name), HasSubstr("removed")));
        EXPECT_FALSE(fs::exists(ownFolder(repository) / (name + ".part")));
        EXPECT_FALSE(fs::exists(ownFolder(repository) / name));
        ASSERT_OK(get("hf:" + repository.id));
        EXPECT_EQ(test::readFile(ownFolder(repository) / name), repository.files.at(name));
    }
}

TEST_F(HubDownload, MoreOrFewerBytesThanListedAreRefused) {
    HubRepository repository = model();
    repository.id = "owner/other";
    m_hub.add(repository);
    const std::string path = HubServer::filePath(repository, "model.safetensors");
    m_hub.once(path, HubReply{200, {}, m_weights + "more"});
    EXPECT_THAT(get("hf:owner/other").error().message, HasSubstr("3000004"));
    HubReply endless = weightsReply();
    endless.endless = true;
    m_hub.once(path, endless);
    const auto tooMuch = get("hf:owner/other");
    ASSERT_FALSE(tooMuch.ok());
    EXPECT_THAT(tooMuch.error().message, HasSubstr("more than"));
    EXPECT_FALSE(fs::exists(ownFolder(repository) / "model.safetensors.part"));
    EXPECT_OK(get("hf:owner/other"));
}

TEST_F(HubDownload, CancellingTakesLessThanAFifthOfASecondAndKeepsThePart) {
    HubReply slow = weightsReply();
    slow.bytesPerSecond = 1'000'000;
    m_hub.serve(m_path, slow);
    std::atomic<std::int64_t> cancelledNs{0};
    const auto stopped = get("hf:owner/name", [&](const HubProgress& progress) {
        if (progress.doneBytes < 400'000) return true;
        if (cancelledNs == 0) cancelledNs = bootNs();
        return false;
    });
    const double took = static_cast<double>(bootNs() - cancelledNs) * 1e-6;
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().code, ErrorCode::Interrupted);
    EXPECT_LT(took, 200);
    EXPECT_GT(fs::file_size(part()), 300'000u);
    m_hub.serve(m_path, weightsReply());
    ASSERT_OK(get());
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
}

TEST_F(HubDownload, CancellingIsHeardWhileNothingComes) {
    m_settings.stallMs = 20'000;
    HubReply stalled = weightsReply();
    stalled.stallAfter = 100'000;
    m_hub.serve(m_path, stalled);
    const Stopwatch watch;
    const auto stopped = get("hf:owner/name", [&](const HubProgress&) { return watch.elapsedMs() < 500; });
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().code, ErrorCode::Interrupted);
    EXPECT_LT(watch.elapsedMs(), 700);
}

TEST_F(HubDownload, SpeedAndRemainingTimeAreTold) {
    HubReply slow = weightsReply();
    slow.bytesPerSecond = 3'000'000;
    m_hub.serve(m_path, slow);
    double speed = 0;
    std::optional<double> eta;
    ASSERT_OK(get("hf:owner/name", [&](const HubProgress& progress) {
        if (progress.doneBytes > 1'000'000 && progress.doneBytes < 2'000'000 && progress.etaSeconds) {
            speed = progress.bytesPerSecond;
            eta = progress.etaSeconds;
        }
        return true;
    }));
    EXPECT_GT(speed, 300'000);
    EXPECT_LT(speed, 12'000'000);
    ASSERT_TRUE(eta);
    EXPECT_GT(*eta, 0.05);
    EXPECT_LT(*eta, 10);
}

TEST_F(HubDownload, TwoDownloadsOfTheSameDoNotFight) {
    HubReply slow = weightsReply();
    slow.bytesPerSecond = 10'000'000;
    m_hub.serve(m_path, slow);
    Result<fs::path> first = Error{}, second = Error{};
    std::thread one([&] { first = get(); });
    std::thread two([&] { second = get(); });
    one.join();
    two.join();
    ASSERT_OK(first);
    ASSERT_OK(second);
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
    EXPECT_EQ(m_hub.requestsFor(m_path).size(), 1u) << "the second one finds it";
}

TEST_F(HubDownload, ADiskThatIsTooSmallIsRefusedBeforeTheFirstByte) {
    HubRepository repository = model();
    repository.claimedSize["model.safetensors"] = 1ull << 55;
    m_hub.add(repository);
    const auto planned = plan();
    ASSERT_OK(planned);
    m_hub.forget();
    const auto refused = fetchHub(m_settings, *planned);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::OutOfSpace);
    EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("needs 33.6 PiB"), HasSubstr("are free"))) << refused.error().message;
    EXPECT_TRUE(m_hub.requests().empty());
    EXPECT_FALSE(fs::exists(ownFolder(repository)));
}

TEST_F(HubDownload, TheTokenGoesToTheEndpointAndNotToWhereItRedirects) {
    m_settings.token = "hf_secret";
    HubServer cdn;
    cdn.serve("/blob", weightsReply());
    m_hub.serve(m_path, HubReply{302, {{"Location", cdn.url() + "/blob?X-Signature=1"}}, "moved"});
    // A renamed repository: on the same host the token is needed again.
    const std::string api = HubServer::apiPath(m_repository);
    m_hub.once(api, HubReply{307, {{"Location", "/api/models/owner/renamed/revision/main?blobs=true"}}, ""});
    HubRepository renamed = m_repository;
    renamed.id = "owner/renamed";
    m_hub.add(renamed);
    leavePart(1'000'000);
    ASSERT_OK(get());
    EXPECT_EQ(test::readFile(weightsFile()), m_weights);
    for (const auto& request : m_hub.requests()) {
        ASSERT_TRUE(request.has("authorization")) << request.target;
        EXPECT_EQ(request.headers.at("authorization"), "Bearer hf_secret");
    }
    ASSERT_EQ(cdn.requests().size(), 1u);
    EXPECT_FALSE(cdn.requests().front().has("authorization"));
    EXPECT_EQ(cdn.requests().front().headers.at("range"), "bytes=1000000-") << "what is asked for survives the redirect";
    for (const auto& [path, content] : stateOf(m_folder.path())) EXPECT_THAT(content, Not(HasSubstr("hf_secret"))) << path;
}

TEST_F(HubDownload, RedirectsAreBounded) {
    m_hub.serve(m_path, HubReply{302, {{"Location", m_path}}, ""});
    EXPECT_THAT(get().error().message, HasSubstr("redirects more than 8 times"));
    m_hub.serve(m_path, HubReply{302, {{"Location", "file:///etc/passwd"}}, ""});
    EXPECT_THAT(get().error().message, HasSubstr("an address that is none"));
    m_hub.serve(m_path, HubReply{302, {}, ""});
    EXPECT_FALSE(get().ok());
}

TEST(HubRedirect, LeavesEncryptionOnlyWhereTheEndpointHasNone) {
    const std::string from = "https://huggingface.co/o/n/resolve/main/x";
    EXPECT_EQ(*redirectTarget("https://huggingface.co", from, "https://cdn.example/blob?s=1"), "https://cdn.example/blob?s=1");
    EXPECT_EQ(*redirectTarget("https://huggingface.co", from, "/o/renamed/x"), "https://huggingface.co/o/renamed/x");
    EXPECT_EQ(*redirectTarget("http://mirror", "http://mirror/x", "http://files.mirror/x"), "http://files.mirror/x");
    for (const char* location :
         {"http://cdn.example/blob?Signature=s3cr3t", "//cdn.example:80/x", "ftp://cdn.example/x", "file:///etc/passwd", "javascript:x"}) {
        const auto target = redirectTarget("https://huggingface.co", from, location);
        if (target.ok()) {
            EXPECT_THAT(*target, testing::StartsWith("https://")) << location;
        } else {
            EXPECT_THAT(target.error().text(), testing::AllOf(HasSubstr("huggingface.co redirects"), Not(HasSubstr("s3cr3t"))));
        }
    }
    EXPECT_FALSE(redirectTarget("https://huggingface.co", from, "http://cdn.example/blob").ok());
}

TEST_F(HubDownload, ProxiesAreTakenFromTheEnvironment) {
    HubRepository repository = model();
    HubServer proxy;
    proxy.add(repository);
    m_settings.endpoint = "http://hub.example";
    m_settings.ownCache = m_folder / "through-proxy";
    setenv("http_proxy", proxy.url().c_str(), 1);
    const auto path = get();
    unsetenv("http_proxy");
    ASSERT_OK(path);
    EXPECT_EQ(test::readFile(*path / "model.safetensors"), m_weights);
    EXPECT_THAT(proxy.requests().front().target, testing::StartsWith("http://hub.example/api/models/owner/name"));
}

}  // namespace
}  // namespace mofo
