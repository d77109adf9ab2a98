// Files by their addresses: compared, gone on with, unpacked, refused; and what is left behind.
#include <zlib.h>

#include <filesystem>
#include <thread>

#include "core/base/hash.h"
#include "core/hub/address.h"
#include "tests/core/hub/hub_support.h"

namespace mofo {
namespace {

namespace fs = std::filesystem;
using test::HubReply;
using test::HubServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Address : public test::HubTest {
protected:
    Address() : m_rows(test::someBytes(900'000)) {
        m_settings.token = "hf_secret";
        m_hub.serve("/rows.jsonl", HubReply{200, {{"ETag", "\"one\""}}, m_rows});
    }
    [[nodiscard]] fs::path target() const { return m_folder / "mofo" / "tasks" / "rows.jsonl"; }
    [[nodiscard]] fs::path part() const { return m_folder / "mofo" / "tasks" / "rows.jsonl.download" / "1.part"; }
    [[nodiscard]] FileAddress address(bool withHash, const std::string& path = "/rows.jsonl") const {
        return {m_hub.url() + path, withHash ? sha256Hex(m_rows) : "", {}};
    }
    /// The first file as it is, behind it the others.
    static Result<void> joined(const std::vector<fs::path>& files, const fs::path& made) {
        std::string all;
        for (const fs::path& file : files) all += test::readFile(file);
        test::writeFile(made, all);
        return {};
    }
    Result<void> fetch(const std::vector<FileAddress>& files, const HubWatch& watch = {}) const {
        return fetchAddresses(m_settings, files, target(), joined, watch);
    }
    /// Names in the folder of the tasks' data but for the lock.
    [[nodiscard]] std::vector<std::string> left() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(target().parent_path())) {
            if (entry.path().extension() != ".lock") names.push_back(entry.path().filename().string());
        }
        return names;
    }
    [[nodiscard]] std::string packed(const std::string& text) const {
        const fs::path file = m_folder / "packed.gz";
        const gzFile out = gzopen(file.c_str(), "wb");
        gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
        gzclose(out);
        return test::readFile(file);
    }
    /// One sentence that names the address and never the token.
    static void expectReadable(const Result<void>& refused, ErrorCode code, const std::string& says) {
        ASSERT_FALSE(refused.ok());
        const Error& error = refused.error();
        EXPECT_EQ(error.code, code) << error.text();
        EXPECT_EQ(error.text().find('\n'), std::string::npos);
        EXPECT_FALSE(error.remedy.empty()) << error.text();
        EXPECT_THAT(error.text(), AllOf(HasSubstr(says), Not(HasSubstr("hf_secret")), Not(HasSubstr("Hub"))));
    }
    std::string m_rows;
};

TEST_F(Address, FilesArriveWholeWithoutTheTokenAndAreNotAskedForTwice) {
    m_hub.serve("/labels", HubReply{200, {}, "1\n"});
    HubReply slow{200, {}, m_rows};
    slow.bytesPerSecond = 4'000'000;
    m_hub.once("/rows.jsonl", slow);
    std::uint64_t total = 0;
    ASSERT_OK(fetch({address(true), address(false, "/labels")}, [&](const HubProgress& progress) {
        if (progress.file == "rows.jsonl" && progress.totalBytes > 0) total = progress.totalBytes;
        return true;
    }));
    EXPECT_EQ(total, m_rows.size()) << "told by the server";
    EXPECT_EQ(test::readFile(target()), m_rows + "1\n");
    EXPECT_EQ(fs::status(target()).permissions(), fs::perms(0444));
    EXPECT_THAT(left(), testing::ElementsAre("rows.jsonl"));
    for (const auto& request : m_hub.requests()) EXPECT_FALSE(request.has("authorization")) << request.target;
    m_settings.endpoint = m_hub.url();  // not even where the Hub itself has the file
    m_hub.forget();
    ASSERT_OK(fetch({address(true)}));
    m_settings.offline = true;
    ASSERT_OK(fetch({address(true)}));
    EXPECT_TRUE(m_hub.requests().empty());
}

TEST_F(Address, ACutConnectionIsTakenUpWithAndWithoutAHash) {
    for (const bool withHash : {true, false}) {
        fs::remove(target());
        HubReply cut{200, {{"ETag", "\"one\""}}, m_rows};
        cut.cutAfter = 200'000;
        m_hub.once("/rows.jsonl", cut);
        m_hub.forget();
        ASSERT_OK(fetch({address(withHash)}));
        EXPECT_EQ(test::readFile(target()), m_rows);
        const auto requests = m_hub.requestsFor("/rows.jsonl");
        ASSERT_EQ(requests.size(), 2u);
        EXPECT_EQ(requests[1].headers.at("range"), "bytes=200000-");
    }
}

TEST_F(Address, AFileThatChangesOnTheWayIsReadFromItsStart) {
    HubReply cut{200, {{"ETag", "\"old\""}}, std::string(m_rows.size(), 'x')};
    cut.cutAfter = 200'000;
    m_hub.once("/rows.jsonl", cut);
    ASSERT_OK(fetch({address(false)}));
    EXPECT_EQ(test::readFile(target()), m_rows);
    fs::remove(target());
    cut.body += "longer";
    m_hub.once("/rows.jsonl", cut);
    ASSERT_OK(fetch({address(false)}));
    EXPECT_EQ(test::readFile(target()), m_rows);
}

TEST_F(Address, ALaterCallGoesOnWithAPartOnlyWhereAHashSaysThatItFits) {
    m_settings.retries = 0;
    HubReply cut{200, {}, m_rows};
    cut.cutAfter = 500'000;
    m_hub.once("/rows.jsonl", cut);
    expectReadable(fetch({address(true)}), ErrorCode::Io, "488 KiB of 879 KiB are kept. The same command goes on from there");
    EXPECT_EQ(fs::file_size(part()), 500'000u);
    m_hub.forget();
    ASSERT_OK(fetch({address(true)}));
    EXPECT_EQ(m_hub.requestsFor("/rows.jsonl").front().headers.at("range"), "bytes=500000-");
    EXPECT_EQ(test::readFile(target()), m_rows);
    EXPECT_THAT(left(), testing::ElementsAre("rows.jsonl"));

    fs::remove(target());
    m_hub.once("/rows.jsonl", cut);
    expectReadable(fetch({address(false)}), ErrorCode::Io, "127.0.0.1");
    EXPECT_TRUE(left().empty());
    m_hub.forget();
    ASSERT_OK(fetch({address(false)}));
    EXPECT_FALSE(m_hub.requestsFor("/rows.jsonl").front().has("range"));
}

TEST_F(Address, AnotherHashOrSizeIsRefusedAndLeavesNothing) {
    FileAddress other = address(true);
    other.sha256[0] = other.sha256[0] == '0' ? '1' : '0';
    expectReadable(fetch({other}), ErrorCode::InvalidInput, "rows.jsonl: what came is not the file that the task names");
    EXPECT_TRUE(left().empty());
    other = address(true);
    other.sizeBytes = 7;
    expectReadable(fetch({other}), ErrorCode::Io, "the file has 900000 bytes, and the task names 7");
    EXPECT_TRUE(left().empty());
    HubReply endless{200, {}, "more and more"};
    endless.endless = true;
    m_hub.serve("/endless", endless);
    other = address(false, "/endless");
    other.sizeBytes = 1000;
    expectReadable(fetch({other}), ErrorCode::Io, "more than the 1000 B that the task names");
    EXPECT_TRUE(left().empty());
}

TEST_F(Address, EachRefusalOfAServerIsOneSentence) {
    m_settings.retries = 1;
    const auto refusedWith = [&](HubReply reply, ErrorCode code, const std::string& says) {
        m_hub.serve("/refused", std::move(reply));
        expectReadable(fetch({address(false, "/refused")}), code, says);
    };
    refusedWith(HubReply{404, {}, "no"}, ErrorCode::NotFound, "/refused: there is no file at this address");
    refusedWith(HubReply{403, {}, ""}, ErrorCode::Permission, "127.0.0.1 does not give this file");
    refusedWith(HubReply{429, {{"Retry-After", "9"}}, ""}, ErrorCode::Busy, "Try again in 9 s");
    refusedWith(HubReply{503, {}, ""}, ErrorCode::Io, "answers with the error 503");
    refusedWith(HubReply{302, {{"Location", "file:///etc/passwd"}}, ""}, ErrorCode::Io, "an address that is none");
    refusedWith(HubReply{302, {{"Location", "/refused"}}, ""}, ErrorCode::Io, "redirects more than 8 times");
    EXPECT_EQ(m_hub.requestsFor("/refused").size(), 1u + 1 + 1 + 2 + 1 + 9);
    EXPECT_TRUE(left().empty());
    m_hub.serve("/moved", HubReply{302, {{"Location", "/rows.jsonl"}}, ""});
    ASSERT_OK(fetch({address(true, "/moved")}));
}

TEST_F(Address, NoNetworkAndNoRoomAreSaid) {
    m_settings.retries = 0;
    FileAddress dead = address(false);
    {
        const HubServer gone;
        dead.url = gone.url() + "/rows.jsonl";
    }
    expectReadable(fetch({dead}), ErrorCode::Io, "the connection to 127.0.0.1 failed");
    FileAddress huge = address(false);
    huge.sizeBytes = 1ull << 55;
    m_hub.forget();
    expectReadable(fetch({huge}), ErrorCode::OutOfSpace, "are free");
    m_settings.offline = true;
    expectReadable(fetch({address(true)}), ErrorCode::NotFound, "HF_HUB_OFFLINE is set, and rows.jsonl is missing");
    EXPECT_TRUE(m_hub.requests().empty());
    EXPECT_TRUE(left().empty());
}

TEST_F(Address, AnAddressIsHttpsOrOfThisMachine) {
    for (const char* good : {"https://example.com/rows.jsonl", "http://127.0.0.1:8000/x", "http://localhost/x"}) EXPECT_OK(checkFileAddress(good));
    for (const char* bad : {"http://example.com/rows.jsonl", "http://127.0.0.1@example.com/x", "https://me:word@example.com/x", "ftp://example.com/x",
                            "file:///etc/passwd", "example.com/x", "https://example.com/a b", "http://127.0.0.1.example.com/x", ""}) {
        const auto refused = checkFileAddress(bad);
        ASSERT_FALSE(refused.ok()) << bad;
        EXPECT_EQ(refused.error().code, ErrorCode::InvalidInput);
    }
}

TEST_F(Address, APackedFileIsUnpacked) {
    const std::string text(3'000'000, 'a');
    m_hub.serve("/rows.gz", HubReply{200, {}, packed(text)});
    FileAddress gzip = address(false, "/rows.gz");
    gzip.sha256 = sha256Hex(packed(text));
    ASSERT_OK(fetch({gzip}));
    EXPECT_EQ(test::readFile(target()), text);
    for (const bool cutOff : {true, false}) {
        fs::remove(target());
        std::string broken = packed(m_rows);
        if (cutOff) {
            broken.resize(broken.size() / 2);
        } else {
            broken[broken.size() - 6] ^= 1;  // of its checksum
        }
        m_hub.serve("/rows.gz", HubReply{200, {}, broken});
        const auto refused = fetch({address(false, "/rows.gz")});
        expectReadable(refused, ErrorCode::InvalidInput, cutOff ? "is cut off" : "is damaged");
        EXPECT_TRUE(left().empty());
    }
}

TEST_F(Address, WhatCannotBeMadeOfTheFilesLeavesNothing) {
    const auto refuse = [](const std::vector<fs::path>&, const fs::path&) -> Result<void> {
        return Error{ErrorCode::InvalidInput, "no rows", "", "Fetch others", ""};
    };
    expectReadable(fetchAddresses(m_settings, {address(true)}, target(), refuse), ErrorCode::InvalidInput, "no rows");
    EXPECT_TRUE(left().empty());
}

TEST_F(Address, CancellingKeepsThePartOnlyWhereItsHashIsKnown) {
    HubReply stalled{200, {}, m_rows};
    stalled.stallAfter = 300'000;
    m_settings.stallMs = 20'000;
    for (const bool withHash : {true, false}) {
        m_hub.once("/rows.jsonl", stalled);
        const auto stopped = fetch({address(withHash)}, [](const HubProgress& progress) { return progress.doneBytes < 300'000; });
        ASSERT_FALSE(stopped.ok());
        EXPECT_EQ(stopped.error().code, ErrorCode::Interrupted);
        EXPECT_THAT(stopped.error().remedy, HasSubstr(withHash ? "goes on from there" : "begins anew"));
        EXPECT_EQ(fs::exists(part()), withHash);
        fs::remove_all(part().parent_path());
    }
}

TEST_F(Address, TwoDownloadsOfTheSameDoNotFight) {
    HubReply slow{200, {}, m_rows};
    slow.bytesPerSecond = 4'000'000;
    m_hub.serve("/rows.jsonl", slow);
    Result<void> first = Error{}, second = Error{};
    std::thread one([&] { first = fetch({address(true)}); });
    std::thread two([&] { second = fetch({address(true)}); });
    one.join();
    two.join();
    ASSERT_OK(first);
    ASSERT_OK(second);
    EXPECT_EQ(test::readFile(target()), m_rows);
    EXPECT_EQ(m_hub.requestsFor("/rows.jsonl").size(), 1u) << "the second one finds it";
}

}  // namespace
}  // namespace mofo
