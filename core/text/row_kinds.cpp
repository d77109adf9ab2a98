#include "core/text/row_kinds.h"

#include <algorithm>

#include "core/base/text.h"

namespace mofo {

namespace {

constexpr std::size_t kKeyLimit = 10'000;

struct PairKind {
    const char* asked;
    const char* answered;
};

/// In the order in which the reference looks for them.
constexpr PairKind kPairs[] = {{"question", "answer"}, {"query", "response"}, {"instruction", "output"}, {"prompt", "completion"}};

Error refuse(std::string tag, std::string message) { return Error{ErrorCode::InvalidInput, std::move(message), "", "", std::move(tag)}; }

std::string shown(std::string_view text) { return "\"" + escapeForDisplay(text.substr(0, 40)) + (text.size() > 40 ? "...\"" : "\""); }

Result<std::string> textOf(const Json& object, const std::string& key) {
    const Json& value = object.at(key);
    if (value.is_string()) return value.get<std::string>();
    if (value.is_array()) return refuse("UNSUPPORTED", key + " is a list of parts; only plain text is supported");
    return refuse("TYPE", key + " is " + value.type_name() + ", not a string");
}

Result<std::string> roleOfShareGpt(const std::string& from) {
    static constexpr std::pair<std::string_view, std::string_view> kRoles[] = {{"human", "user"}, {"user", "user"}, {"gpt", "assistant"}, {"assistant", "assistant"}, {"system", "system"}};
    for (const auto& [known, role] : kRoles) {
        if (from == known) return std::string(role);
    }
    return refuse("ROLE", "the role " + shown(from) + " is not one of human, gpt, user, assistant and system");
}

Result<DataRow> chatOf(const Json& turns, const std::string& key, bool isShareGpt) {
    if (!turns.is_array()) return refuse("TYPE", key + " is " + turns.type_name() + ", not a list of messages");
    if (turns.empty()) return refuse("RANGE", key + " is empty");
    const std::string roleKey = isShareGpt ? "from" : "role", textKey = isShareGpt ? "value" : "content";
    DataRow row;
    row.kind = DataRow::Kind::Chat;
    for (std::size_t i = 0; i < turns.size(); ++i) {
        const Json& turn = turns[i];
        const auto in = [&](Error error) {
            error.message = key + "[" + std::to_string(i) + "]: " + error.message;
            return error;
        };
        if (!turn.is_object()) return in(refuse("TYPE", std::string("a message is an object, not ") + turn.type_name()));
        for (const std::string& needed : {roleKey, textKey}) {
            if (!turn.contains(needed)) return in(refuse("MISSING", "there is no " + needed));
        }
        if (!turn.at(roleKey).is_string()) return in(refuse("TYPE", roleKey + " is not a string"));
        ChatMessage message;
        message.role = turn.at(roleKey).get<std::string>();
        if (isShareGpt) {
            auto role = roleOfShareGpt(message.role);
            if (!role.ok()) return in(std::move(role).error());
            message.role = std::move(*role);
        } else if (message.role != "user" && message.role != "assistant" && message.role != "system") {
            return in(refuse("ROLE", "the role " + shown(message.role) + " is not one of system, user and assistant"));
        }
        auto content = textOf(turn, textKey);
        if (!content.ok()) return in(std::move(content).error());
        message.content = std::move(*content);
        row.messages.push_back(std::move(message));
    }
    return row;
}

Result<DataRow> pairOf(const Json& object, const PairKind& kind) {
    DataRow row;
    row.kind = DataRow::Kind::Pair;
    MOFO_TRY(std::string asked, textOf(object, kind.asked));
    MOFO_TRY(std::string answered, textOf(object, kind.answered));
    const bool isInstruction = std::string_view(kind.asked) == "instruction";
    if (isInstruction && object.contains("input") && !object.at("input").is_null()) {
        MOFO_TRY(const std::string input, textOf(object, "input"));
        if (!input.empty()) asked += "\n\n" + input;
    }
    // The reference asks whether the row has a `prompt` at all.
    row.joinsWithoutBlankLine = object.contains("prompt");
    row.messages = {{"user", std::move(asked)}, {"assistant", std::move(answered)}};
    return row;
}

Result<DataRow> rowOfObject(const Json& object) {
    if (object.contains("text")) {
        DataRow row;
        row.kind = DataRow::Kind::Text;
        MOFO_TRY(row.text, textOf(object, "text"));
        return row;
    }
    if (object.contains("messages")) return chatOf(object.at("messages"), "messages", false);
    if (object.contains("conversations")) return chatOf(object.at("conversations"), "conversations", true);
    for (const PairKind& kind : kPairs) {
        if (object.contains(kind.asked) && object.contains(kind.answered)) return pairOf(object, kind);
    }
    std::string keys;
    std::size_t count = 0;
    for (const auto& [key, unused] : object.items()) {
        if (++count > 6) break;
        keys += (keys.empty() ? "" : ", ") + shown(key);
    }
    if (object.size() > 6) keys += ", ...";
    return refuse("MISSING", keys.empty() ? "a row without any key" : "a row of no known kind: its keys are " + keys + " (name them with --set columns=prompt:A,completion:B)");
}

bool isKnownSet(const auto& has) {
    if (has("text") || has("messages") || has("conversations")) return true;
    return std::any_of(std::begin(kPairs), std::end(kPairs), [&](const PairKind& kind) { return has(kind.asked) && has(kind.answered); });
}

}  // namespace

Result<ColumnMap> ColumnMap::parse(std::string_view text) {
    ColumnMap map;
    if (trimText(text).empty()) return map;
    const auto wrong = [](std::string message) {
        return Error{ErrorCode::Usage, std::move(message), "key columns", "Write --set columns=prompt:A,completion:B or columns=text:A, with the names of the file's columns", "COLUMNS"};
    };
    static const std::vector<std::string> kRoles = {"text", "messages", "conversations", "question", "answer", "query", "response", "instruction", "input", "output", "prompt", "completion"};
    for (const std::string& part : splitText(text, ',')) {
        const auto colon = part.find(':');
        const std::string role(trimText(std::string_view(part).substr(0, colon)));
        const std::string name(colon == std::string::npos ? std::string_view() : trimText(std::string_view(part).substr(colon + 1)));
        if (name.empty()) return wrong("\"" + escapeForDisplay(part) + "\" is not a role, a colon and the name of a column");
        if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
            return wrong("\"" + escapeForDisplay(role) + "\" is not a role of a column; known are " + joinText(kRoles, ", "));
        }
        for (const auto& [known, unused] : map.m_columns) {
            if (known == role) return wrong("the role " + role + " stands twice");
        }
        map.m_columns.emplace_back(role, name);
    }
    const auto has = [&](std::string_view role) { return std::any_of(map.m_columns.begin(), map.m_columns.end(), [&](const auto& column) { return column.first == role; }); };
    if (!isKnownSet(has)) return wrong("the columns do not make a row: it takes text, messages, conversations, or a pair such as prompt and completion");
    return map;
}

bool isKnownHeader(const std::vector<std::string>& header, const ColumnMap& columns) {
    const auto has = [&](std::string_view name) { return std::find(header.begin(), header.end(), name) != header.end(); };
    if (columns.isEmpty()) return isKnownSet(has);
    return std::all_of(columns.columns().begin(), columns.columns().end(), [&](const auto& column) { return has(column.second); });
}

Result<DataRow> rowOfJson(const Json& value, const ColumnMap& columns) {
    if (!value.is_object()) return refuse("TYPE", std::string("a row is an object, not ") + value.type_name());
    if (value.size() > kKeyLimit) return refuse("LIMIT", "a row of more than " + formatCount(kKeyLimit) + " keys");
    if (columns.isEmpty()) return rowOfObject(value);
    Json mapped = Json::object();
    for (const auto& [role, name] : columns.columns()) {
        if (!value.contains(name)) {
            if (role == "input") continue;
            return refuse("MISSING", "there is no column " + shown(name));
        }
        mapped[role] = value.at(name);
    }
    return rowOfObject(mapped);
}

}  // namespace mofo
