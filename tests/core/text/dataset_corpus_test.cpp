// reliability.md, corpus J: malformed data files. Ids name the cases there. Where it refuses pretty-printed files and JSON arrays (J28,
// J29) the product's own requirement is stronger: they are read.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>

#include "core/text/dataset.h"
#include "tests/core/text/text_test_support.h"

namespace mofo::test {
namespace {

const std::string kGood = R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]})";

std::string chat(const std::string& content) { return R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":)" + content + "}]}"; }

struct Outcome {
    int rows = 0;
    std::vector<RefusedRow> refused;
    std::string error;  ///< tag
    std::string format;
};

Outcome readAll(const std::filesystem::path& path, std::string_view columns = {}) {
    Outcome out;
    auto reader = DatasetReader::open(path, columns);
    if (!reader.ok()) {
        out.error = reader.error().tag;
        EXPECT_NE(reader.error().text().find(path.string()), std::string::npos) << reader.error().text();
        return out;
    }
    out.format = reader->formatName();
    while (true) {
        auto next = reader->next();
        if (!next.ok()) {
            out.error = next.error().tag;
            return out;
        }
        if (next->row) ++out.rows;
        else if (next->refused) out.refused.push_back(std::move(*next->refused));
        else return out;
    }
}

struct Case {
    const char* id;
    std::string expected;  ///< "A" two rows; "L:TAG" the line in between refused; "R:TAG" the file refused
    std::function<std::string()> text;
};

void PrintTo(const Case& item, std::ostream* out) { *out << item.id << " expects " << item.expected; }

class DatasetCorpus : public testing::TestWithParam<Case> {};

TEST_P(DatasetCorpus, isReadOrRefusedAsNamed) {
    const TemporaryFolder folder;
    const auto path = folder / "data.jsonl";
    writeFile(path, GetParam().text());
    const Outcome outcome = readAll(path);
    const std::string& expected = GetParam().expected;
    if (expected.starts_with("R:")) {
        EXPECT_EQ(outcome.error, expected.substr(2));
        return;
    }
    EXPECT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.rows, 2);
    if (expected == "A") {
        EXPECT_TRUE(outcome.refused.empty()) << outcome.refused.front().line << ": " << outcome.refused.front().reason;
        return;
    }
    ASSERT_EQ(outcome.refused.size(), 1u);
    EXPECT_EQ(outcome.refused[0].line, 2u);
    EXPECT_EQ(outcome.refused[0].tag, expected.substr(2)) << outcome.refused[0].reason;
    EXPECT_FALSE(outcome.refused[0].reason.empty());
}

/// The line between two good ones.
std::function<std::string()> between(std::string line) {
    return [line = std::move(line)] { return kGood + "\n" + line + "\n" + kGood + "\n"; };
}
/// One good row and this one.
std::function<std::string()> good(std::string line) {
    return [line = std::move(line)] { return kGood + "\n" + line + "\n"; };
}

std::vector<Case> cases() {
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    std::string manyKeys = "{";
    for (int i = 0; i < 100'000; ++i) manyKeys += "\"k" + std::to_string(i) + "\":1,";
    manyKeys += "\"text\":\"x\"}";
    return {
        {"J1", "R:MISSING", [] { return std::string(); }},
        {"J2", "R:MISSING", [] { return std::string("\n\n\r\n  \n"); }},
        {"J3", "A", [] { return kGood + "\n" + kGood; }},
        {"J4", "A", [] { return kGood + "\r\n" + kGood + "\r\n"; }},
        {"J5", "R:JSON", [] { return kGood + "\r" + kGood + "\r"; }},
        {"J6", "A", [] { return "\xEF\xBB\xBF" + kGood + "\n" + kGood; }},
        {"J7", "L:JSON", between("\xEF\xBB\xBF" + kGood)},
        {"J8", "R:UTF8", [] { return std::string("\xFF\xFE{\0\"\0", 6); }},
        {"J8b", "R:UTF8", [] { return std::string("{\0\"\0a\0\"\0", 8); }},
        {"J9", "L:UTF8", between(chat("\"caf\xE9\""))},
        {"J10", "L:UTF8", between(chat("\"\xC0\x80\""))},
        {"J11", "L:UTF8", between(chat("\"\xED\xA0\x80\""))},
        {"J12", "L:JSON", between(chat(std::string("\"a\0b\"", 5)))},
        {"J13", "A", good(chat("\"a\xE2\x80\xA8" "b\""))},
        {"J14", "A", good(chat("\"a\xC2\x85" "b\""))},
        {"J15", "L:JSON", between(chat("\"a\tb\""))},
        {"J16", "L:JSON", between(R"({"messages":[{"role":"user")")},
        {"J17", "L:UTF8", between(R"({"text":")" "\xE3\x81")},
        {"J18", "L:JSON", between(R"({"text":"\u12)")},
        {"J20", "L:LIMIT", between(chat("\"" + std::string(64u << 20, 'x') + "\""))},
        {"J22", "L:TYPE", between("[]")},
        {"J23", "L:TYPE", between("null")},
        {"J24", "L:TYPE", between("\"x\"")},
        {"J25", "L:TYPE", between("1")},
        {"J26", "L:MISSING", between("{}")},
        {"J27", "L:JSON", between(kGood + " " + kGood)},
        {"J28", "A", [] { return "{\n  \"query\": \"q\",\n  \"response\": \"a\"\n}\n{\n  \"query\": \"q\",\n  \"response\": \"a\"\n}\n"; }},
        {"J29", "A", [] { return "[" + kGood + ",\n" + kGood + "]"; }},
        {"J30", "L:JSON", between(R"({"text":"x",})")},
        {"J31", "L:JSON", between("// comment")},
        {"J32", "L:JSON", between("{'text':'x'}")},
        {"J33", "L:JSON", between(R"({"text":"x","n":NaN})")},
        {"J34", "L:RANGE", between(R"({"text":"x","n":1e400})")},
        {"J35", "A", good(R"({"text":"x","n":1180591620717411303424})")},
        {"J36", "L:DUP", between(R"({"messages":[],"messages":[]})")},
        {"J37", "L:MISSING", between(R"({"question":"x"})")},
        {"J38", "L:TYPE", between(R"({"messages":null})")},
        {"J39", "L:RANGE", between(R"({"messages":[]})")},
        {"J40", "L:TYPE", between(R"({"messages":"x"})")},
        {"J41", "L:MISSING", between(R"({"messages":[{"content":"x"}]})")},
        {"J42", "L:ROLE", between(R"({"messages":[{"role":"robot","content":"x"}]})")},
        {"J43", "L:TYPE", between(R"({"messages":[{"role":3,"content":"x"}]})")},
        {"J44", "L:TYPE", between(chat("null"))},
        {"J45", "L:TYPE", between(chat("5"))},
        {"J46", "L:UNSUPPORTED", between(chat(R"([{"type":"image"}])"))},
        {"J47", "A", good(chat("\"\""))},
        {"J48", "A", good(chat("\" \\n \""))},
        {"J49", "A", good(chat("\"" + std::string(10'000'000, 'x') + "\""))},
        {"J50", "A", good(R"({"messages":[{"role":"user","content":"q"}]})")},
        {"J54", "L:ROLE", between(R"({"messages":[{"role":"tool","content":"x"}]})")},
        {"J56", "A", good(chat("\"\xE2\x80\xAE\""))},
        {"J57", "A", good(chat("\"\\u001b[31m\""))},
        {"J58", "A", good(chat("\"<script>\""))},
        {"J60", "L:UTF8", between(chat("\"\\ud800\""))},
        {"J61", "A", good(chat("\"\\u0000\""))},
        {"J62", "L:DEPTH", between(R"({"text":)" + deep + "}")},
        {"J63", "L:LIMIT", between(manyKeys)},
        {"J66", "R:MAGIC", [] { return std::string("\x1F\x8B\x08\0\0\0\0\0", 8); }},
        {"J66b", "R:MAGIC", [] { return std::string("PK\x03\x04xxxx"); }},
        {"J66c", "R:MAGIC", [] { return std::string("PAR1xxxx"); }},
        {"Jrole_sharegpt", "L:ROLE", between(R"({"conversations":[{"from":"tool","value":"x"}]})")},
        {"Jmessage_no_object", "L:TYPE", between(R"({"messages":["x"]})")},
    };
}

INSTANTIATE_TEST_SUITE_P(J, DatasetCorpus, testing::ValuesIn(cases()), [](const auto& info) { return std::string(info.param.id); });

TEST(DatasetCorpusMore, J19AndJ21StreamInConstantMemory) {
    const TemporaryFolder folder;
    // A sparse line of 1 GiB (zero bytes), between two good ones.
    const auto path = folder / "long.jsonl";
    writeFile(path, kGood + "\n{");
    std::filesystem::resize_file(path, 1ull << 30);
    std::ofstream(path, std::ios::app) << "\n" << kGood << "\n";
    const Outcome outcome = readAll(path);
    EXPECT_EQ(outcome.rows, 2);
    ASSERT_EQ(outcome.refused.size(), 1u);
    EXPECT_EQ(outcome.refused[0].tag, "LIMIT");
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:") && !kSanitized) {
            EXPECT_LT(std::stol(line.substr(6)), 512 * 1024) << "kB at most";
        }
    }
}

TEST(DatasetCorpusMore, J70RefusesWhatIsNoFile) {
    const TemporaryFolder folder;
    ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
    std::filesystem::create_directory(folder / "directory");
    std::filesystem::create_symlink("/dev/zero", folder / "zero");
    for (const char* name : {"fifo", "directory", "zero", "absent"}) {
        const auto reader = DatasetReader::open(folder / name);
        ASSERT_FALSE(reader.ok()) << name;
        EXPECT_NE(reader.error().text().find(name), std::string::npos);
    }
}

TEST(DatasetCorpusMore, J67ReadsTheFileAsItWasAtOpening) {
    const TemporaryFolder folder;
    const auto path = folder / "data.jsonl";
    writeFile(path, kGood + "\n");
    auto reader = DatasetReader::open(path);
    ASSERT_OK(reader);
    std::ofstream(path, std::ios::app) << kGood << "\n";
    EXPECT_TRUE(reader->next()->row);
    const auto end = reader->next();
    ASSERT_OK(end);
    EXPECT_FALSE(end->row || end->refused);
}

TEST(DatasetCorpusMore, J69AFileThatShrinksIsAnError) {
    const TemporaryFolder folder;
    const auto path = folder / "data.jsonl";
    std::string text;
    while (text.size() < (3u << 20)) text += kGood + "\n";
    writeFile(path, text);
    auto reader = DatasetReader::open(path);
    ASSERT_OK(reader);
    std::filesystem::resize_file(path, 1u << 20);
    bool failed = false;
    for (int i = 0; i < 100'000 && !failed; ++i) {
        const auto next = reader->next();
        failed = !next.ok();
        if (next.ok() && !next->row && !next->refused) break;
    }
    EXPECT_TRUE(failed);
}

// Cut at every byte: rows, refusals or an error, never a signal, and never a row that is not there.
TEST(DatasetCorpusMore, survivesTruncationEverywhere) {
    const TemporaryFolder folder;
    const std::string lines = kGood + "\r\n" + kGood + "\n", array = " [" + kGood + " ,\n" + kGood + "]\n", pretty = "{\n\"query\":\"q\",\n\"response\":\"a\\\"}\"}\n{\n\"query\":\"[\",\n\"response\":\"\"}",
                      csv = "query,response\n\"a\"\"\n,\",b\nc,\"d\"\n";
    for (const std::string& text : {lines, array, pretty, csv}) {
        for (std::size_t size = 0; size < text.size(); ++size) {
            writeFile(folder / "data.txt", text.substr(0, size));
            EXPECT_LE(readAll(folder / "data.txt").rows, 2);
        }
        writeFile(folder / "data.txt", text);
        const Outcome whole = readAll(folder / "data.txt");
        EXPECT_EQ(whole.rows, 2) << text;
        EXPECT_TRUE(whole.refused.empty());
    }
}

}  // namespace
}  // namespace mofo::test
