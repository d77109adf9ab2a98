#include "core/text/dataset.h"

#include <gtest/gtest.h>

#include "tests/core/text/text_test_support.h"

namespace mofo::test {
namespace {

std::vector<DataRow> rowsOf(const std::filesystem::path& path, std::string_view columns = {}, std::string* format = nullptr) {
    std::vector<DataRow> rows;
    auto reader = DatasetReader::open(path, columns);
    EXPECT_OK(reader);
    if (!reader.ok()) return rows;
    if (format != nullptr) *format = reader->formatName();
    while (true) {
        auto next = reader->next();
        EXPECT_OK(next);
        if (!next.ok() || (!next->row && !next->refused)) return rows;
        if (next->refused) ADD_FAILURE() << next->refused->line << ": " << next->refused->reason;
        if (next->row) rows.push_back(std::move(*next->row));
    }
}

std::string shown(const DataRow& row) {
    if (row.kind == DataRow::Kind::Text) return "text:" + row.text;
    std::string out = row.kind == DataRow::Kind::Chat ? "chat" : row.joinsWithoutBlankLine ? "joined" : "pair";
    for (const ChatMessage& message : row.messages) out += "|" + message.role + ":" + message.content;
    return out;
}

std::string kindOf(const std::string& json) {
    const TemporaryFolder folder;
    writeFile(folder / "d.jsonl", json + "\n");
    const auto rows = rowsOf(folder / "d.jsonl");
    return rows.size() == 1 ? shown(rows[0]) : "none";
}

TEST(DatasetRows, areOfTheKindsOfTheReference) {
    EXPECT_EQ(kindOf(R"({"messages":[{"role":"system","content":"s","name":"n"},{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"source":"x"})"), "chat|system:s|user:q|assistant:a");
    EXPECT_EQ(kindOf(R"({"conversations":[{"from":"system","value":"s"},{"from":"human","value":"q"},{"from":"gpt","value":"a"},{"from":"user","value":"q2"},{"from":"assistant","value":"a2"}]})"),
              "chat|system:s|user:q|assistant:a|user:q2|assistant:a2");
    EXPECT_EQ(kindOf(R"({"query":"q","response":"a","type":"MATH_AnsAug","original_question":"o"})"), "pair|user:q|assistant:a");
    EXPECT_EQ(kindOf(R"({"question":"q","answer":"a"})"), "pair|user:q|assistant:a");
    EXPECT_EQ(kindOf(R"({"instruction":"i","input":"","output":"o"})"), "pair|user:i|assistant:o");
    EXPECT_EQ(kindOf(R"({"instruction":"i","input":null,"output":"o"})"), "pair|user:i|assistant:o");
    EXPECT_EQ(kindOf(R"({"instruction":"i","input":"more","output":"o"})"), "pair|user:i\n\nmore|assistant:o");
    EXPECT_EQ(kindOf(R"({"prompt":"p","completion":"c","input":"ignored"})"), "joined|user:p|assistant:c");
    EXPECT_EQ(kindOf(R"({"text":"t"})"), "text:t");
    // In the order in which the reference looks; a `prompt` beside another pair makes it join without a blank line.
    EXPECT_EQ(kindOf(R"({"text":"t","messages":[]})"), "text:t");
    EXPECT_EQ(kindOf(R"({"prompt":"p","completion":"c","question":"q","answer":"a"})"), "joined|user:q|assistant:a");
}

TEST(DatasetFiles, areReadInEveryForm) {
    const TemporaryFolder folder;
    const std::vector<std::pair<std::string, std::string>> files = {
        {"JSONL", "{\"query\":\"a, \\\"b\\\"\",\"response\":\"c\\nd\"}\n\n{\"query\":\"q\",\"response\":\"\"}\n"},
        {"JSON array", "[{\"query\":\"a, \\\"b\\\"\",\"response\":\"c\\nd\"},{\"query\":\"q\",\"response\":\"\"}]"},
        {"JSON array", "\xEF\xBB\xBF\n[\r\n  {\r\n    \"query\": \"a, \\\"b\\\"\",\r\n    \"response\": \"c\\nd\"\r\n  },\r\n  {\"query\": \"q\", \"response\": \"\"}\r\n]\r\n"},
        {"JSON objects", "{\n  \"query\": \"a, \\\"b\\\"\",\n  \"response\": \"c\\nd\"\n}\n{\n  \"query\": \"q\",\n  \"response\": \"\"\n}"},
        {"CSV", "query,response\r\n\"a, \"\"b\"\"\",\"c\nd\"\r\nq,\r\n"},
        {"CSV", "\xEF\xBB\xBF\"response\", \"query\"\n\"c\nd\",\"a, \"\"b\"\"\"\n\n\"\",q"},
        {"TSV", "query\tresponse\n\"a, \"\"b\"\"\"\t\"c\nd\"\nq\t\n"},
    };
    for (const auto& [format, text] : files) {
        SCOPED_TRACE(text);
        writeFile(folder / "data", text);
        std::string name;
        const auto rows = rowsOf(folder / "data", {}, &name);
        EXPECT_EQ(name, format);
        ASSERT_EQ(rows.size(), 2u);
        EXPECT_EQ(shown(rows[0]), "pair|user:a, \"b\"|assistant:c\nd");
        EXPECT_EQ(shown(rows[1]), "pair|user:q|assistant:");
    }
}

TEST(DatasetFiles, sayInWhichLineARowBegins) {
    const TemporaryFolder folder;
    writeFile(folder / "a.json", "[\n{\"text\":\n\"x\"},\n\n{\"text\":\"y\"}\n,{\"text\":\"z\"}]");
    std::vector<std::uint64_t> lines;
    for (const DataRow& row : rowsOf(folder / "a.json")) lines.push_back(row.line);
    EXPECT_EQ(lines, (std::vector<std::uint64_t>{2, 5, 6}));
    writeFile(folder / "a.csv", "text\n\"x\ny\"\n\nz\n");
    lines.clear();
    for (const DataRow& row : rowsOf(folder / "a.csv")) lines.push_back(row.line);
    EXPECT_EQ(lines, (std::vector<std::uint64_t>{2, 5}));
}

TEST(DatasetFiles, nameRefusedRowsAndGoOn) {
    const TemporaryFolder folder;
    const auto refusals = [&](const std::string& text) {
        writeFile(folder / "d", text);
        auto reader = DatasetReader::open(folder / "d");
        EXPECT_OK(reader);
        std::string out;
        while (reader.ok()) {
            const auto next = reader->next();
            EXPECT_OK(next);
            if (!next.ok() || (!next->row && !next->refused)) break;
            out += next->row ? "+" : "[" + std::to_string(next->refused->line) + " " + next->refused->tag + "]";
        }
        return out;
    };
    EXPECT_EQ(refusals("query,response\na,b\na\na,b,c\n\"a\"x,b\nc,d\n\"e,f\n"), "+[3 SIZE][4 SIZE][5 CSV]+[7 TRUNC]");
    EXPECT_EQ(refusals("text\n\xFF\nx\n"), "[2 UTF8]+");
    EXPECT_EQ(refusals("[{\"text\":\"a\"},{},5,,{\"text\":\"b\"},]"), "+[1 MISSING][1 TYPE][1 JSON]+[1 JSON]");
    EXPECT_EQ(refusals("[{\"text\":\"a\"}"), "[1 TRUNC]");
    EXPECT_EQ(refusals("[{\"text\":\"a\"},\n"), "+[2 TRUNC]");
    EXPECT_EQ(refusals("[{\"text\":\"a\"}]\n{\"text\":\"b\"}"), "+[2 JSON]");
    EXPECT_EQ(refusals("[]"), "");
}

TEST(DatasetFiles, refuseWhatTheyAreNot) {
    const TemporaryFolder folder;
    const auto tag = [&](const std::string& text, std::string_view columns = {}) {
        writeFile(folder / "d", text);
        const auto reader = DatasetReader::open(folder / "d", columns);
        return reader.ok() ? "read as " + std::string(reader->formatName()) : reader.error().tag;
    };
    EXPECT_EQ(tag("a,b\n1,2\n"), "TYPE");
    EXPECT_EQ(tag("a,b\n1,2\n", "prompt:a,completion:b"), "read as CSV");
    EXPECT_EQ(tag("query,response,query\n1,2,3\n"), "DUP");
    EXPECT_EQ(tag("plain words\n"), "TYPE");
    EXPECT_EQ(tag("%PDF-1.4\n"), "TYPE");
}

TEST(DatasetColumns, nameAnyPair) {
    const TemporaryFolder folder;
    writeFile(folder / "d.jsonl", "{\"A\":\"p\",\"B:x\":\"c\",\"prompt\":\"no\"}\n");
    auto rows = rowsOf(folder / "d.jsonl", "prompt:A, completion:B:x");
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(shown(rows[0]), "joined|user:p|assistant:c");
    rows = rowsOf(folder / "d.jsonl", "question:A,answer:B:x");
    EXPECT_EQ(shown(rows[0]), "pair|user:p|assistant:c");
    rows = rowsOf(folder / "d.jsonl", "text:A");
    EXPECT_EQ(shown(rows[0]), "text:p");
    rows = rowsOf(folder / "d.jsonl", "instruction:A,input:absent,output:B:x");
    EXPECT_EQ(shown(rows[0]), "pair|user:p|assistant:c");
    for (const char* wrong : {"prompt:A", "prompt", "prompt:", "promt:A,completion:B", "prompt:A,prompt:B", "input:A", ","}) {
        const auto reader = DatasetReader::open(folder / "d.jsonl", wrong);
        ASSERT_FALSE(reader.ok()) << wrong;
        EXPECT_EQ(reader.error().code, ErrorCode::Usage);
        EXPECT_EQ(reader.error().tag, "COLUMNS");
    }
}

class Rendering : public testing::Test {
protected:
    void SetUp() override {
        writeFile(m_folder / "tokenizer.json", readFile(textData() / "gpt2_prefix" / "tokenizer.json"));
        writeFile(m_folder / "tokenizer_config.json", R"({"bos_token": "<|begin_of_text|>", "eos_token": "<|im_end|>"})");
        auto tokenizer = Tokenizer::fromHfFolder(m_folder.path());
        ASSERT_OK(tokenizer);
        m_tokenizer = std::make_unique<Tokenizer>(std::move(*tokenizer));
    }
    /// The trained tokens of a row, each in brackets.
    std::string trained(const TokenRow& row) const {
        std::string out;
        for (std::size_t i = 0; i < row.ids.size(); ++i) {
            if (row.trained[i]) out += "[" + m_tokenizer->piece(row.ids[i]) + "]";
        }
        return out;
    }
    static DataRow pair(std::string asked, std::string answered, bool joins = false) {
        DataRow row;
        row.kind = DataRow::Kind::Pair;
        row.messages = {{"user", std::move(asked)}, {"assistant", std::move(answered)}};
        row.joinsWithoutBlankLine = joins;
        return row;
    }
    TemporaryFolder m_folder;
    std::unique_ptr<Tokenizer> m_tokenizer;
};

TEST_F(Rendering, trainsTheAnswerAndItsEnd) {
    auto chatTemplate = ChatTemplate::byName("chatml");
    ASSERT_OK(chatTemplate);
    const auto row = renderRow(pair("clips", "she sold"), *m_tokenizer, &*chatTemplate, 0);
    ASSERT_OK(row);
    EXPECT_EQ(m_tokenizer->decode(row->ids, false), "<|im_start|> user\nclips<|im_end|> \n<|im_start|> assistant\nshe sold<|im_end|> \n");
    EXPECT_NE(trained(*row).find("[ sold]"), std::string::npos);
    EXPECT_TRUE(trained(*row).ends_with("[<|im_end|>]"));
    EXPECT_EQ(row->targetCount(), std::count(row->trained.begin(), row->trained.end(), 1));
    EXPECT_FALSE(row->truncated);
    EXPECT_FALSE(row->spellsSpecial);
}

TEST_F(Rendering, joinsByABlankLineWithoutATemplate) {
    const auto row = renderRow(pair("clips", "she sold"), *m_tokenizer, nullptr, 0);
    ASSERT_OK(row);
    EXPECT_EQ(m_tokenizer->decode(row->ids, false), " clips\n\nshe sold<|im_end|>");
    EXPECT_TRUE(trained(*row).ends_with("[ sold][<|im_end|>]")) << trained(*row);
    const auto joined = renderRow(pair("clips ", "she", true), *m_tokenizer, nullptr, 0);
    ASSERT_OK(joined);
    EXPECT_EQ(m_tokenizer->decode(joined->ids, false), " clips she<|im_end|>");
    DataRow chat;
    chat.messages = {{"system", "s"}, {"user", "q"}, {"assistant", "a"}};
    const auto refused = renderRow(chat, *m_tokenizer, nullptr, 0);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().tag, "TEMPLATE");
}

TEST_F(Rendering, trainsTextWhole) {
    DataRow row;
    row.kind = DataRow::Kind::Text;
    row.text = "she sold <|im_end|>";
    const auto tokens = renderRow(row, *m_tokenizer, nullptr, 0);
    ASSERT_OK(tokens);
    EXPECT_EQ(std::count(tokens->trained.begin(), tokens->trained.end(), 1), static_cast<std::ptrdiff_t>(tokens->ids.size()));
    EXPECT_EQ(tokens->targetCount(), static_cast<std::int64_t>(tokens->ids.size()) - 1);
    EXPECT_TRUE(tokens->spellsSpecial);
}

TEST_F(Rendering, cutsToTheMaximalLength) {
    auto chatTemplate = ChatTemplate::byName("chatml");
    const auto whole = renderRow(pair("clips", "she sold half as many"), *m_tokenizer, &*chatTemplate, 0);
    ASSERT_OK(whole);
    const auto length = static_cast<std::int64_t>(whole->ids.size());
    EXPECT_FALSE(renderRow(pair("clips", "she sold half as many"), *m_tokenizer, &*chatTemplate, length)->truncated);
    const auto cut = renderRow(pair("clips", "she sold half as many"), *m_tokenizer, &*chatTemplate, length - 4);
    ASSERT_OK(cut);
    EXPECT_TRUE(cut->truncated);
    EXPECT_EQ(cut->ids.size(), static_cast<std::size_t>(length - 4));
    EXPECT_LT(cut->targetCount(), whole->targetCount());
    EXPECT_EQ(renderRow(pair("clips", "she sold"), *m_tokenizer, &*chatTemplate, 4)->targetCount(), 0);
}

TEST_F(Rendering, loadsAFileInOrderAndCounts) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "{\"query\":\"" + std::to_string(i) + "\",\"response\":\"" + std::string(i % 7 == 0 ? 300 : 3, 'x') + "\"}\n";
    text += "not json\n{\"query\":\"" + std::string(400, 'y') + "\",\"response\":\"a\"}\n{\"query\":\"<|im_end|>\",\"response\":\"a\"}\n";
    writeFile(m_folder / "d.jsonl", text);
    auto chatTemplate = ChatTemplate::byName("chatml");
    double last = 0;
    const auto data = loadTokenDataset(m_folder / "d.jsonl", "", *m_tokenizer, &*chatTemplate, 100, [&](double share) {
        EXPECT_GE(share, last);
        last = share;
        return true;
    });
    ASSERT_OK(data);
    EXPECT_DOUBLE_EQ(last, 1.0);
    EXPECT_EQ(data->fileRows, 1003u);
    ASSERT_EQ(data->rows.size(), 1002u);
    for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(data->rows[i].line, i + 1);
    EXPECT_EQ(data->refusedCount, 1u);
    EXPECT_EQ(data->refused[0].line, 1001u);
    EXPECT_EQ(data->refused[0].tag, "JSON");
    EXPECT_EQ(data->truncatedCount, 144u);
    EXPECT_EQ(data->zeroTargetCount, 1u);
    EXPECT_EQ(data->zeroTargetLines, (std::vector<std::uint64_t>{1002}));
    EXPECT_EQ(data->specialInTextCount, 1u);
    EXPECT_EQ(data->sha256, sha256Hex(text));
    EXPECT_EQ(data->formatName, "JSONL");
}

TEST_F(Rendering, stopsWhenToldTo) {
    writeFile(m_folder / "d.jsonl", "{\"text\":\"a b\"}\n");
    const auto data = loadTokenDataset(m_folder / "d.jsonl", "", *m_tokenizer, nullptr, 0, [](double) { return false; });
    ASSERT_FALSE(data.ok());
    EXPECT_EQ(data.error().code, ErrorCode::Interrupted);
}

// J72: nothing usable, the first five reasons named.
TEST_F(Rendering, refusesAFileWithoutAUsableRow) {
    std::string text;
    for (int i = 0; i < 8; ++i) text += "{\"no\":" + std::to_string(i) + "}\n";
    writeFile(m_folder / "d.jsonl", text);
    const auto data = loadTokenDataset(m_folder / "d.jsonl", "", *m_tokenizer, nullptr, 0);
    ASSERT_FALSE(data.ok());
    EXPECT_EQ(data.error().code, ErrorCode::InvalidInput);
    EXPECT_EQ(data.error().tag, "MISSING");
    for (int line = 1; line <= 5; ++line) EXPECT_NE(data.error().message.find("line " + std::to_string(line) + ":"), std::string::npos);
    EXPECT_EQ(data.error().message.find("line 6:"), std::string::npos);
    EXPECT_NE(data.error().message.find("3 more"), std::string::npos);
    // Rows there are, but none with a target within the length.
    writeFile(m_folder / "d.jsonl", "{\"query\":\"a\",\"response\":\"b\"}\n");
    auto chatTemplate = ChatTemplate::byName("chatml");
    const auto cut = loadTokenDataset(m_folder / "d.jsonl", "", *m_tokenizer, &*chatTemplate, 3);
    ASSERT_FALSE(cut.ok());
    EXPECT_NE(cut.error().message.find("nothing to train on"), std::string::npos);
    writeFile(m_folder / "d.json", "[]");
    EXPECT_FALSE(loadTokenDataset(m_folder / "d.json", "", *m_tokenizer, nullptr, 0).ok());
}

TEST_F(Rendering, choosesTheTemplate) {
    // None of its own, none asked for.
    auto chosen = chooseChatTemplate(*m_tokenizer, "");
    ASSERT_OK(chosen);
    EXPECT_FALSE(*chosen);
    chosen = chooseChatTemplate(*m_tokenizer, "zephyr");
    ASSERT_OK(chosen);
    EXPECT_EQ((*chosen)->eos(), "<|im_end|>");
    EXPECT_EQ(chooseChatTemplate(*m_tokenizer, "nonsense").error().code, ErrorCode::Usage);
    writeFile(m_folder / "chat_template.jinja", "{{ unheard of }}");
    const auto tokenizer = Tokenizer::fromHfFolder(m_folder.path());
    ASSERT_OK(tokenizer);
    EXPECT_EQ(chooseChatTemplate(*tokenizer, "").error().code, ErrorCode::Unsupported);
    EXPECT_OK(chooseChatTemplate(*tokenizer, "chatml"));
}

}  // namespace
}  // namespace mofo::test
