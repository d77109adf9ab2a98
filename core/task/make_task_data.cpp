// Downloaded files as the data of a task.
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/task/task_items.h"
#include "core/text/object_reader.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kFileLimit = 64ull << 20;

Error wrongForm(const TaskDescription& task, std::string message) {
    return Error{ErrorCode::InvalidInput, "what was downloaded are not the data of task " + escapeForDisplay(task.name) + ": " + std::move(message),
                 "", "Check the task's addresses, or fetch the data yourself", "FORM"};
}

std::string lineOf(const Json& row) { return row.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'; }

Result<std::string> rowsOfExamples(const TaskDescription& task, const fs::path& file) {
    MOFO_TRY(const std::string text, readWholeFile(file, kFileLimit));
    JsonLimits limits;
    limits.allowByteOrderMark = true;
    auto json = parseJson(text, limits);
    if (!json.ok()) return wrongForm(task, json.error().message);
    if (!json->is_object() || !json->contains("examples") || !(*json)["examples"].is_array())
        return wrongForm(task, "there is no list \"examples\" in it");
    std::string rows;
    for (const Json& row : (*json)["examples"]) {
        if (!row.is_object()) return wrongForm(task, "one of its examples is no object");
        rows += lineOf(row);
    }
    return rows;
}

/// A whole number where it is one, else the text itself.
Json labelOf(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    return ec == std::errc() && end == text.data() + text.size() ? Json(number) : Json(text);
}

Result<std::string> labelledRows(const TaskDescription& task, const fs::path& rowsFile, const fs::path& labelsFile) {
    MOFO_TRY(const std::string text, readWholeFile(labelsFile, kFileLimit));
    if (!isValidUtf8(text)) return wrongForm(task, "its labels are no text");
    const std::string_view trimmed = trimText(text);
    const std::vector<std::string> labels = trimmed.empty() ? std::vector<std::string>() : splitText(trimmed, '\n');
    MOFO_TRY(ObjectReader reader, ObjectReader::open(rowsFile));
    std::string rows;
    std::size_t count = 0;
    while (true) {
        MOFO_TRY(ObjectReader::Next next, reader.next());
        if (!next.object) break;
        if (next.object->contains("label")) return wrongForm(task, "its rows have labels already");
        if (count < labels.size()) (*next.object)["label"] = labelOf(trimText(labels[count]));
        rows += lineOf(*next.object);
        ++count;
    }
    if (count != labels.size()) {
        return wrongForm(task, "there are " + formatCount(static_cast<std::int64_t>(count)) + " rows and " +
                                   formatCount(static_cast<std::int64_t>(labels.size())) + " labels");
    }
    return rows;
}

}  // namespace

Result<void> makeTaskData(const TaskDescription& task, const std::vector<fs::path>& files, const fs::path& made) {
    const TaskGet::Form form = task.get ? task.get->form : TaskGet::Form::AsIs;
    if (files.size() != (form == TaskGet::Form::RowsAndLabels ? 2u : 1u)) return wrongForm(task, "another number of files was expected");
    if (form == TaskGet::Form::AsIs) {
        if (::rename(files.front().c_str(), made.c_str()) != 0) return errnoError(errno, "cannot rename into place", made);
    } else {
        MOFO_TRY(const std::string rows, form == TaskGet::Form::Examples ? rowsOfExamples(task, files[0]) : labelledRows(task, files[0], files[1]));
        MOFO_CHECK(writeFileAtomic(made, rows));
    }
    // Whatever a server answers in place of the file (a page that asks for a log-in, say) must not count as the data from then on.
    if (const auto items = readTaskItems(task, made, 0); !items.ok()) {
        const Error& error = items.error();
        if (error.code != ErrorCode::InvalidInput && error.code != ErrorCode::NotFound) return error;
        return wrongForm(task, error.message);
    }
    return {};
}

}  // namespace mofo
