#include "core/task/task_items.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <optional>

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/text/object_reader.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kBuiltInLimit = 8 << 20;

Error refuse(std::string tag, std::string message) { return Error{ErrorCode::InvalidInput, std::move(message), "", "", std::move(tag)}; }

std::string keysOf(const Json& row) {
    std::vector<std::string> keys;
    for (const auto& [key, unused] : row.items()) {
        if (keys.size() < 8) keys.push_back(escapeForDisplay(key.substr(0, 40)));
    }
    if (row.size() > keys.size()) keys.emplace_back("...");
    return joinText(keys, ", ");
}

Result<std::string> fieldOf(const Json& row, const std::string& field) {
    const auto found = row.find(field);
    if (found == row.end())
        return refuse("MISSING", "there is no field \"" + escapeForDisplay(field.substr(0, 60)) + "\"; the row's are " + keysOf(row));
    if (found->is_string()) return found->get<std::string>();
    if (found->is_number() || found->is_boolean()) return found->dump();
    return refuse("TYPE", "the field \"" + escapeForDisplay(field.substr(0, 60)) + "\" is neither a text nor a number");
}

/// A template with the row's fields filled in.
Result<std::string> fill(const std::string& pattern, const Json& row) {
    std::string out;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if ((c == '{' || c == '}') && i + 1 < pattern.size() && pattern[i + 1] == c) {
            out += c;
            ++i;
        } else if (c == '{') {
            const std::size_t end = pattern.find('}', i);
            if (end == std::string::npos)
                return refuse("VALUE", "the template \"" + escapeForDisplay(pattern.substr(0, 60)) + "\" has a { without its }");
            MOFO_TRY(const std::string value, fieldOf(row, pattern.substr(i + 1, end - i - 1)));
            out += value;
            i = end;
        } else {
            out += c;
        }
    }
    return out;
}

/// Which choice is right: a number, a letter, or the choice's own text.
Result<std::int64_t> labelOf(const TaskDescription& task, const Json& row, const std::vector<std::string>& choices) {
    MOFO_TRY(const std::string given, fieldOf(row, task.label));
    const std::string text(trimText(given));
    const auto count = static_cast<std::int64_t>(choices.size());
    std::optional<std::int64_t> label;
    const bool digits =
        !text.empty() && text.size() <= 9 && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    std::string letter = text;
    if (letter.size() == 3 && letter.front() == '(' && letter.back() == ')') letter = letter.substr(1, 1);
    for (std::size_t i = 0; i < choices.size() && !label; ++i) {
        if (trimText(choices[i]) == text) label = static_cast<std::int64_t>(i);
    }
    if (!label && digits) label = std::stoll(text) - task.firstLabel;
    if (!label && letter.size() == 1 && std::isalpha(static_cast<unsigned char>(letter[0])) != 0)
        label = std::toupper(static_cast<unsigned char>(letter[0])) - 'A';
    if (label && *label >= 0 && *label < count) return *label;
    return refuse("RANGE", "the answer \"" + escapeForDisplay(text.substr(0, 40)) + "\" of \"" + escapeForDisplay(task.label) + "\" is none of the " +
                               std::to_string(count) + " choices" +
                               (digits ? ", which count from " + std::to_string(task.firstLabel) : std::string()));
}

Result<TaskItem> itemOf(const TaskDescription& task, const Json& row) {
    TaskItem item;
    const auto add = [&](std::string_view text) {
        if (!trimText(text).empty()) item.hashes.push_back(textHash(text));
    };
    switch (task.scorer) {
        case Scorer::MultipleChoice: {
            MOFO_TRY(item.prompt, fill(task.prompt, row));
            for (const std::string& pattern : task.choices) {
                MOFO_TRY(std::string choice, fill(pattern, row));
                item.choices.push_back(std::move(choice));
            }
            if (!task.choicesField.empty()) {
                const auto list = row.find(task.choicesField);
                if (list == row.end() || !list->is_array() || list->size() < 2)
                    return refuse("MISSING", "\"" + escapeForDisplay(task.choicesField) + "\" is no list of two choices or more");
                for (const Json& choice : *list) {
                    if (!choice.is_string()) return refuse("TYPE", "a choice in \"" + escapeForDisplay(task.choicesField) + "\" is not a text");
                    item.choices.push_back(" " + choice.get<std::string>());
                }
            }
            for (const std::string& choice : item.choices) {
                if (trimText(choice).empty()) return refuse("EMPTY", "a choice is empty");
            }
            MOFO_TRY(item.label, labelOf(task, row, item.choices));
            add(item.prompt);
            add(item.prompt + item.choices[static_cast<std::size_t>(item.label)]);
            break;
        }
        case Scorer::ShortAnswer: {
            MOFO_TRY(item.prompt, fill(task.prompt, row));
            MOFO_TRY(item.chatPrompt, fill(task.chatPrompt.empty() ? task.prompt : task.chatPrompt, row));
            MOFO_TRY(const std::string answer, fill(task.answer, row));
            const bool number = task.match == TaskDescription::Match::Number;
            item.expected = number ? numberOfAnswer(answer) : normalisedAnswer(answer);
            if (item.expected.empty())
                return refuse("RANGE", "the answer \"" + escapeForDisplay(answer.substr(0, 40)) + "\" holds no " + (number ? "number" : "text"));
            add(item.prompt);
            add(item.chatPrompt);
            add(item.chatPrompt + " " + answer);
            break;
        }
        case Scorer::Completion: {
            MOFO_TRY(item.prompt, fill(task.prompt, row));
            MOFO_TRY(item.expected, fill(task.answer, row));
            if (item.expected.empty()) return refuse("EMPTY", "there is nothing to score behind the prompt");
            add(item.prompt);
            add(item.prompt + item.expected);
            break;
        }
        case Scorer::Text:
        case Scorer::Kl: {
            MOFO_TRY(item.text, fill(task.text, row));
            if (item.text.empty()) return refuse("EMPTY", "the text is empty");
            add(item.text);
            break;
        }
        case Scorer::Rows: break;
    }
    for (const std::string* text : {&item.prompt, &item.text, &item.expected}) {
        if (text->find('\0') != std::string::npos) return refuse("VALUE", "a text holds a zero byte");
    }
    return item;
}

void updateHash(Sha256& hash, std::string_view text) {
    hash.update(std::to_string(text.size()) + ":");
    hash.update(text);
}

std::string hashOfItems(const TaskDescription& task, const std::vector<TaskItem>& items) {
    Sha256 hash;
    updateHash(hash, scorerName(task.scorer));
    for (const TaskItem& item : items) {
        for (const std::string* text : {&item.prompt, &item.chatPrompt, &item.expected, &item.text, &item.row.text}) updateHash(hash, *text);
        for (const std::string& choice : item.choices) updateHash(hash, choice);
        for (const ChatMessage& message : item.row.messages) updateHash(hash, message.role + "\n" + message.content);
        updateHash(hash, std::to_string(item.label));
    }
    return hash.hex();
}

std::vector<std::uint64_t> hashesOf(const DataRow& row) {
    std::vector<std::uint64_t> list;
    const auto add = [&](std::string_view text) {
        if (!trimText(text).empty()) list.push_back(textHash(text));
    };
    add(row.text);
    std::string asked, all;
    for (const ChatMessage& message : row.messages) {
        if (message.role == "user") asked += (asked.empty() ? "" : " ") + message.content;
        if (message.role != "system") all += (all.empty() ? "" : " ") + message.content;
    }
    add(asked);
    add(all);
    return list;
}

Result<void> readObjects(const TaskDescription& task, const fs::path& data, std::int64_t limit, TaskItems& out) {
    const auto full = [&] { return limit > 0 && static_cast<std::int64_t>(out.items.size()) >= limit; };
    const auto take = [&](const Json& row, std::uint64_t line, const std::string& where) -> Result<void> {
        auto item = itemOf(task, row);
        if (!item.ok()) {
            Error error = std::move(item).error();
            error.where = where + ", line " + std::to_string(line);
            if (error.remedy.empty()) error.remedy = "Correct the row, or the task's description";
            return error;
        }
        item->line = line;
        out.items.push_back(std::move(*item));
        return {};
    };
    if (data.empty()) {
        const auto text = builtInFile(task.data.substr(std::string_view("builtin:").size()));
        if (!text)
            return Error{ErrorCode::InvalidInput, "the task names data that the program does not hold", escapeForDisplay(task.data), "", "MISSING"};
        JsonLimits limits;
        limits.sizeBytes = kBuiltInLimit;
        std::uint64_t line = 0;
        for (const std::string& one : splitText(*text, '\n')) {
            ++line;
            if (one.empty() || full()) continue;
            MOFO_TRY(const Json row, parseJson(one, limits));
            MOFO_CHECK(take(row, line, task.data));
        }
        return {};
    }
    MOFO_TRY(ObjectReader reader, ObjectReader::open(data));
    const std::string where = escapeForDisplay(data.string());
    while (!full()) {
        MOFO_TRY(const ObjectReader::Next next, reader.next());
        if (!next.object) break;
        MOFO_CHECK(take(*next.object, next.line, where));
    }
    return {};
}

Result<void> readRows(const TaskDescription& task, const fs::path& data, std::int64_t limit, TaskItems& out) {
    MOFO_TRY(DatasetReader reader, DatasetReader::open(data, task.columns));
    while (limit <= 0 || static_cast<std::int64_t>(out.items.size()) < limit) {
        MOFO_TRY(DatasetReader::Next next, reader.next());
        if (next.refused) {
            return Error{ErrorCode::InvalidInput, next.refused->reason,
                         escapeForDisplay(data.string()) + ", line " + std::to_string(next.refused->line), "Correct the row", next.refused->tag};
        }
        if (!next.row) break;
        TaskItem item;
        item.line = next.row->line;
        item.hashes = hashesOf(*next.row);
        item.row = std::move(*next.row);
        out.items.push_back(std::move(item));
    }
    return {};
}

}  // namespace

std::uint64_t textHash(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (const char c : text) {
        const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!blank)
            plain += c;
        else if (!plain.empty() && plain.back() != ' ')
            plain += ' ';
    }
    if (!plain.empty() && plain.back() == ' ') plain.pop_back();
    return std::stoull(sha256Hex(plain).substr(0, 16), nullptr, 16);
}

Result<TaskItems> readTaskItems(const TaskDescription& task, const fs::path& data, std::int64_t limit) {
    TaskItems out;
    out.task = task;
    if (data.empty() && !task.hasBuiltInData())
        return Error{ErrorCode::Usage, "task " + escapeForDisplay(task.name) + " has no data of its own", "", "Name a file with --data", "MISSING"};
    MOFO_CHECK(task.scorer == Scorer::Rows ? readRows(task, data, limit, out) : readObjects(task, data, limit, out));
    if (out.items.empty()) {
        return Error{ErrorCode::InvalidInput, "the file holds no items", escapeForDisplay(data.string()), "Give a file with at least one row",
                     "EMPTY"};
    }
    out.sha256 = hashOfItems(task, out.items);
    return out;
}

std::string hashOfRows(const std::vector<const TokenRow*>& rows) {
    Sha256 hash;
    updateHash(hash, "token rows");
    for (const TokenRow* row : rows) {
        updateHash(hash, std::string_view(reinterpret_cast<const char*>(row->ids.data()), row->ids.size() * sizeof(TokenId)));
        updateHash(hash, std::string_view(reinterpret_cast<const char*>(row->trained.data()), row->trained.size()));
    }
    return hash.hex();
}

void addHashes(const DataRow& row, TrainedHashes& hashes) {
    for (const std::uint64_t hash : hashesOf(row)) hashes.insert(hash);
}

Result<TrainedHashes> hashesOfFile(const fs::path& data, std::string_view columns, double heldOutShare) {
    MOFO_TRY(DatasetReader reader, DatasetReader::open(data, columns));
    std::vector<std::vector<std::uint64_t>> rows;
    while (true) {
        MOFO_TRY(const DatasetReader::Next next, reader.next());
        if (!next.row && !next.refused) break;
        if (next.row) rows.push_back(hashesOf(*next.row));
    }
    if (heldOutShare > 0 && !rows.empty()) {
        const auto heldOut = static_cast<std::size_t>(std::max<long long>(1, std::llround(heldOutShare * static_cast<double>(rows.size()))));
        rows.resize(rows.size() - std::min(heldOut, rows.size()));
    }
    TrainedHashes hashes;
    for (const auto& row : rows) hashes.insert(row.begin(), row.end());
    return hashes;
}

std::int64_t countTrained(const TaskItems& items, const TrainedHashes& hashes) {
    return std::count_if(items.items.begin(), items.items.end(), [&](const TaskItem& item) {
        return std::any_of(item.hashes.begin(), item.hashes.end(), [&](std::uint64_t hash) { return hashes.contains(hash); });
    });
}

}  // namespace mofo
