#include "core/task/task.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/text/object_reader.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kTaskFileLimit = 1 << 20;
constexpr std::size_t kNameLimit = 60;

struct ScorerEntry {
    Scorer scorer;
    std::string_view name;
    std::vector<std::string_view> needs, may;  ///< beside name, title, source, mark, data, get, probe_limit
};

const std::vector<ScorerEntry>& scorerEntries() {
    static const std::vector<ScorerEntry> entries{
        {Scorer::MultipleChoice, "multiple_choice", {"prompt", "choices", "label"}, {"first_label", "max_tokens"}},
        {Scorer::ShortAnswer, "short_answer", {"prompt", "answer"}, {"chat_prompt", "match", "stops", "max_new_tokens", "max_tokens"}},
        {Scorer::Text, "text", {"text"}, {"max_tokens"}},
        {Scorer::Completion, "completion", {"prompt", "answer"}, {"max_tokens"}},
        {Scorer::Rows, "rows", {}, {"columns", "max_tokens"}},
        {Scorer::Kl, "kl", {"text"}, {"max_tokens"}},
    };
    return entries;
}

std::string shown(std::string_view text) { return '"' + escapeForDisplay(text.substr(0, 60)) + '"'; }

/// Takes the fields of a task's JSON one by one; the first thing that is wrong is kept.
class TaskFields {
public:
    /// `within`: where in the task the fields stand, as the message says it.
    TaskFields(const Json& json, std::string_view where, std::string within = {}) : m_json(json), m_where(where), m_within(std::move(within)) {}

    const Json* find(const char* key) {
        m_known.insert(key);
        const auto found = m_json.find(key);
        return found == m_json.end() || found->is_null() ? nullptr : &*found;
    }
    std::string text(const char* key, std::string fallback = {}) {
        const Json* value = find(key);
        if (value == nullptr) return fallback;
        if (value->is_string()) return value->get<std::string>();
        refuse("TYPE", std::string("its \"") + key + "\" is not a text");
        return fallback;
    }
    std::int64_t integer(const char* key, std::int64_t fallback, std::int64_t least, std::int64_t most) {
        const Json* value = find(key);
        if (value == nullptr) return fallback;
        const bool fits =
            value->is_number_integer() && value->get<double>() >= static_cast<double>(least) && value->get<double>() <= static_cast<double>(most);
        if (!fits)
            refuse("RANGE", std::string("its \"") + key + "\" is not a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        return fits ? value->get<std::int64_t>() : fallback;
    }
    std::vector<std::string> texts(const char* key) {
        const Json* value = find(key);
        std::vector<std::string> list;
        if (value == nullptr) return list;
        if (value->is_array()) {
            for (const Json& one : *value) {
                if (one.is_string()) list.push_back(one.get<std::string>());
            }
        }
        if (!value->is_array() || list.size() != value->size()) refuse("TYPE", std::string("its \"") + key + "\" is not a list of texts");
        return list;
    }
    void refuse(std::string tag, std::string message, std::string remedy = {}) {
        if (!m_error)
            m_error = Error{ErrorCode::InvalidInput, "the task cannot be used: " + m_within + std::move(message), m_where, std::move(remedy),
                            std::move(tag)};
    }
    [[nodiscard]] const std::optional<Error>& error() const { return m_error; }
    Result<void> finish() {
        for (const auto& [key, unused] : m_json.items()) {
            if (m_known.contains(key)) continue;
            const std::vector<std::string> names(m_known.begin(), m_known.end());
            const std::string near = nearestName(key, names);
            refuse("KEY",
                   "it has a field " + shown(key) + (m_within.empty() ? " that this scorer does not know" : " that is not known") +
                       (near.empty() ? "" : "; did you mean \"" + near + "\"?"),
                   "Its fields are " + joinText(names, ", "));
        }
        if (m_error) return *m_error;
        return {};
    }

private:
    const Json& m_json;
    std::string m_where, m_within;
    std::set<std::string, std::less<>> m_known;
    std::optional<Error> m_error;
};

bool isName(std::string_view name) {
    return !name.empty() && name.size() <= kNameLimit &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
}

bool isSha256(std::string_view text) {
    return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<TaskGet::File> parseGetFile(const Json& json, std::string_view where) {
    TaskFields fields(json, where, "in a file of \"get\", ");
    TaskGet::File file;
    if (!json.is_object()) {
        fields.refuse("TYPE", std::string("it is not an object but ") + json.type_name(), "Write {\"url\": ...}");
        return *fields.error();
    }
    constexpr std::int64_t mostBytes = 4ll << 30;
    file.url = fields.text("url");
    file.sha256 = fields.text("sha256");
    if (fields.find("size") != nullptr) file.sizeBytes = static_cast<std::uint64_t>(fields.integer("size", 1, 1, mostBytes));
    if (!file.url.starts_with("https://") && !file.url.starts_with("http://"))
        fields.refuse("VALUE", "its \"url\" is " + shown(file.url), "A url begins with https://");
    if (!file.sha256.empty() && !isSha256(file.sha256))
        fields.refuse("VALUE", "its \"sha256\" is " + shown(file.sha256), "A SHA-256 has 64 digits, 0 to 9 and a to f");
    MOFO_CHECK(fields.finish());
    return file;
}

Result<TaskGet> parseGet(const Json& json, std::string_view where) {
    TaskFields fields(json, where, "in \"get\", ");
    if (!json.is_object()) {
        fields.refuse("TYPE", std::string("it is not an object but ") + json.type_name(), "Write {\"files\": [{\"url\": ...}]}");
        return *fields.error();
    }
    const std::vector<std::pair<std::string, TaskGet::Form>> forms{
        {"as_is", TaskGet::Form::AsIs}, {"examples", TaskGet::Form::Examples}, {"rows_and_labels", TaskGet::Form::RowsAndLabels}};
    TaskGet get;
    const std::string form = fields.text("form", "as_is");
    const auto found = std::find_if(forms.begin(), forms.end(), [&](const auto& one) { return one.first == form; });
    if (found == forms.end()) {
        fields.refuse("VALUE", "its form is " + shown(form), "A form is as_is, examples or rows_and_labels");
    } else {
        get.form = found->second;
    }
    const std::size_t wanted = get.form == TaskGet::Form::RowsAndLabels ? 2 : 1;
    const Json* files = fields.find("files");
    if (files == nullptr || !files->is_array() || files->size() != wanted) {
        fields.refuse("RANGE", "its \"files\" are not a list of " + std::to_string(wanted), "Form " + form + " is made of as many files");
    } else {
        for (const Json& one : *files) {
            MOFO_TRY(TaskGet::File file, parseGetFile(one, where));
            get.files.push_back(std::move(file));
        }
    }
    MOFO_CHECK(fields.finish());
    return get;
}

/// A name from a file's name: what cannot stand in one becomes a dash.
std::string nameOfFile(const fs::path& file) {
    std::string name = file.stem().string().substr(0, kNameLimit);
    for (char& c : name) {
        if (!isName(std::string_view(&c, 1))) c = '-';
    }
    return name.empty() ? "task" : name;
}

/// A task for data that come without one, by the keys of the first row.
Result<TaskDescription> guessTask(const fs::path& file) {
    MOFO_TRY(ObjectReader reader, ObjectReader::open(file));
    MOFO_TRY(const ObjectReader::Next first, reader.next());
    const std::string shownFile = escapeForDisplay(file.string());
    if (!first.object) return Error{ErrorCode::InvalidInput, "the file holds no rows", shownFile, "Give a file with at least one item", "EMPTY"};
    const Json& row = *first.object;
    const auto has = [&](const char* key) { return row.contains(key); };
    const auto firstOf = [&](std::initializer_list<const char*> keys) {
        for (const char* key : keys) {
            if (has(key)) return std::string(key);
        }
        return std::string();
    };
    TaskDescription task;
    task.name = nameOfFile(file);
    task.title = task.name;
    task.data = file.string();
    task.source = "the user's own file";
    task.mark = TaskMark::Task;
    const std::string question = firstOf({"question", "query", "input", "prompt", "goal"});
    const std::string label = firstOf({"label", "answer", "gold"});
    if (!question.empty() && has("choices") && row["choices"].is_array() && !label.empty()) {
        task.scorer = Scorer::MultipleChoice;
        task.prompt = "Question: {" + question + "}\nAnswer:";
        task.choicesField = "choices";
        task.label = label;
        return task;
    }
    const std::string answer = firstOf({"answer", "target", "response", "completion", "output"});
    if (!question.empty() && !answer.empty()) {
        task.scorer = Scorer::ShortAnswer;
        task.prompt = "Question: {" + question + "}\nAnswer:";
        task.chatPrompt = "{" + question + "}";
        task.answer = "{" + answer + "}";
        const bool number = row[answer].is_number() || (row[answer].is_string() && row[answer].get<std::string>().find("####") != std::string::npos);
        task.match = number ? TaskDescription::Match::Number : TaskDescription::Match::Text;
        task.maxNewTokens = number ? 256 : 64;
        task.stops = {"\n\n", "Question:"};
        task.probeLimit = 32;
        return task;
    }
    if (has("text")) {
        task.scorer = Scorer::Text;
        task.text = "{text}";
        return task;
    }
    if (has("messages") || has("conversations")) {
        task.scorer = Scorer::Rows;
        return task;
    }
    return Error{ErrorCode::InvalidInput, "it does not say how it is scored, and its rows' keys do not tell", shownFile,
                 "Give rows with question, choices and label, with question and answer, or with text; or a task file with a \"scorer\"", "MISSING"};
}

}  // namespace

std::string_view scorerName(Scorer scorer) {
    for (const ScorerEntry& entry : scorerEntries()) {
        if (entry.scorer == scorer) return entry.name;
    }
    return "";
}

std::string_view taskMarkName(TaskMark mark) { return mark == TaskMark::Task ? "task" : "general"; }

Result<TaskDescription> parseTask(const Json& json, std::string_view where) {
    const auto refused = [&](std::string tag, std::string message, std::string remedy) {
        return Error{ErrorCode::InvalidInput, "the task cannot be used: " + std::move(message), std::string(where), std::move(remedy),
                     std::move(tag)};
    };
    if (!json.is_object()) return refused("TYPE", std::string("it is not an object but ") + json.type_name(), "");
    TaskFields fields(json, where);
    TaskDescription task;
    const std::string scorer = fields.text("scorer");
    std::vector<std::string> names;
    const ScorerEntry* chosen = nullptr;
    for (const ScorerEntry& entry : scorerEntries()) {
        names.emplace_back(entry.name);
        if (entry.name == scorer) chosen = &entry;
    }
    const std::string known = "Scorers are " + joinText(names, ", ");
    if (!json.contains("scorer")) return refused("MISSING", "it has no \"scorer\"", known);
    if (chosen == nullptr) {
        const std::string near = nearestName(scorer, names);
        return refused("VALUE", "there is no scorer " + shown(scorer) + (near.empty() ? "" : "; did you mean " + near + "?"), known);
    }
    task.scorer = chosen->scorer;
    for (const std::string_view key : chosen->needs) {
        if (!json.contains(key))
            return refused("MISSING", "it has no \"" + std::string(key) + "\", which " + scorer + " needs", "Add it to the file");
    }
    task.name = fields.text("name");
    task.title = fields.text("title", task.name);
    task.source = fields.text("source");
    task.data = fields.text("data");
    if (const Json* get = fields.find("get")) {
        MOFO_TRY(task.get, parseGet(*get, where));
        if (!isName(task.data) || task.data.starts_with('.')) {
            fields.refuse("VALUE", "it has a \"get\", but its data " + shown(task.data) + " are no file's name alone",
                          "Write it as in \"data\": \"rows.jsonl\"");
        }
    }
    const std::string mark = fields.text("mark", "general");
    task.mark = mark == "task" ? TaskMark::Task : TaskMark::General;
    task.probeLimit = fields.integer("probe_limit", task.probeLimit, 1, 1'000'000);
    if (!isName(task.name)) fields.refuse("NAME", "its name " + shown(task.name) + " is not one", "Use letters, digits, - and _, at most 60");
    if (mark != "task" && mark != "general") fields.refuse("VALUE", "its mark is " + shown(mark), "A mark is task or general");
    const auto takes = [&](std::string_view key) {
        const auto in = [&](const std::vector<std::string_view>& list) { return std::find(list.begin(), list.end(), key) != list.end(); };
        return in(chosen->needs) || in(chosen->may);
    };
    if (takes("prompt")) task.prompt = fields.text("prompt");
    if (takes("chat_prompt")) task.chatPrompt = fields.text("chat_prompt");
    if (takes("choices")) {
        if (json["choices"].is_string())
            task.choicesField = fields.text("choices");
        else
            task.choices = fields.texts("choices");
        if (task.choicesField.empty() && task.choices.size() < 2)
            fields.refuse("RANGE", "it has fewer than two choices", "Give two templates or more, or the name of a field that holds a list");
    }
    if (takes("label")) task.label = fields.text("label");
    if (takes("first_label")) task.firstLabel = fields.integer("first_label", 0, 0, 1);
    if (takes("answer")) task.answer = fields.text("answer");
    if (takes("text")) task.text = fields.text("text");
    if (takes("columns")) task.columns = fields.text("columns");
    if (takes("stops")) task.stops = fields.texts("stops");
    if (takes("max_new_tokens")) task.maxNewTokens = fields.integer("max_new_tokens", task.maxNewTokens, 1, 4096);
    if (takes("max_tokens")) task.maxTokens = fields.integer("max_tokens", task.maxTokens, 8, 1 << 20);
    if (takes("match")) {
        const std::string match = fields.text("match", "text");
        task.match = match == "number" ? TaskDescription::Match::Number : TaskDescription::Match::Text;
        if (match != "text" && match != "number") fields.refuse("VALUE", "its match is " + shown(match), "A match is text or number");
    }
    MOFO_CHECK(fields.finish());
    return task;
}

Result<TaskDescription> loadTaskFile(const fs::path& file) {
    const std::string shownFile = escapeForDisplay(file.string());
    std::error_code ec;
    if (!fs::is_regular_file(file, ec)) {
        return Error{ErrorCode::NotFound, fs::exists(file, ec) ? "a task is a file, and this is none" : "there is no such file", shownFile,
                     "`mofo tasks` lists the built-in ones", ""};
    }
    if (file.extension() == ".json" && fs::file_size(file, ec) <= kTaskFileLimit) {
        MOFO_TRY(const std::string text, readWholeFile(file, kTaskFileLimit));
        JsonLimits limits;
        limits.allowByteOrderMark = true;
        auto json = parseJson(text, limits);
        // JSON objects one after another are data, and so is a list.
        const bool task = json.ok() && json->is_object() && (json->contains("scorer") || !json->contains("text"));
        if (task) {
            MOFO_TRY(TaskDescription description, parseTask(*json, shownFile));
            description.file = file;
            return description;
        }
    }
    return guessTask(file);
}

}  // namespace mofo
