// What a model is measured on: a task describes its data, how an item is asked and how the answer is scored. Tasks are small JSON files; the
// built-in ones are part of the program.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace mofo {

/// How a task's items are scored, and the measures that come of it.
enum class Scorer {
    MultipleChoice,  ///< log-likelihood of each choice behind the prompt: acc, acc_norm (per UTF-8 byte of the choice without its leading blank)
    ShortAnswer,     ///< greedy answer compared with the expected one: exact_match
    Text,            ///< documents: loss per token, bits_per_byte
    Completion,      ///< a text behind a prompt: loss per token of that text
    Rows,            ///< rows rendered as for training: loss per trained token; kl, reverse_kl of these tokens where there is a base model
    Kl               ///< texts: kl (base || model) and reverse_kl per token; needs a base model
};
[[nodiscard]] std::string_view scorerName(Scorer scorer);

/// What a probe of the task shows: what is learned, or what must not be forgotten.
enum class TaskMark { Task, General };
[[nodiscard]] std::string_view taskMarkName(TaskMark mark);

/// Where a task's data can be downloaded, and how the files become its data (field `get`). What is packed with gzip is unpacked first.
struct TaskGet {
    struct File {
        std::string url;                         ///< https; http only of this machine
        std::string sha256;                      ///< of what comes: 64 digits, or empty
        std::optional<std::uint64_t> sizeBytes;  ///< `size`: of what comes
    };
    enum class Form {
        AsIs,          ///< "as_is", the default: one file, which is the data
        Examples,      ///< "examples": one JSON object whose "examples" is the list of the rows
        RowsAndLabels  ///< "rows_and_labels": rows, and a second file with one label a line, which becomes the field "label" of each row
    };
    std::vector<File> files;
    Form form = Form::AsIs;
};

struct TaskDescription {
    std::string name;    ///< letters, digits, - and _
    std::string title;   ///< one line
    std::string source;  ///< where the data are from, licence
    TaskMark mark = TaskMark::General;
    Scorer scorer = Scorer::Text;
    /// A file: absolute, or looked for beside the task's file and in the data folders; "builtin:NAME": inside the program; empty: whoever
    /// measures gives it (eval: the rows that a run holds out).
    std::string data;
    std::filesystem::path file;  ///< the task's own; empty for built-in ones and for data that come without one
    std::optional<TaskGet> get;  ///< only where `data` is the bare name of a file: that in the cache's folder of tasks' data

    // Templates: {field} is the row's field of that name, {{ and }} are braces.
    std::string prompt;
    std::string chatPrompt;            ///< ShortAnswer: the user's message where the model has a chat template; empty: `prompt` as it is
    std::vector<std::string> choices;  ///< MultipleChoice
    std::string choicesField;          ///< MultipleChoice, instead of `choices`: a field that holds a list of texts, each behind a blank
    std::string label;                 ///< MultipleChoice: the field that says which choice is right: number from firstLabel on, letter, or its text
    std::int64_t firstLabel = 0;
    std::string answer;   ///< ShortAnswer; what is expected. Completion: the scored text
    std::string text;     ///< Text, Kl
    std::string columns;  ///< Rows: as --set columns
    enum class Match {
        Text,   ///< equal after normalisation (normalisedAnswer)
        Number  ///< equal numbers: that behind ####, else the last one
    } match = Match::Text;
    std::vector<std::string> stops;  ///< ShortAnswer: an answer ends before the first of these
    std::int64_t maxNewTokens = 64;  ///< ShortAnswer
    std::int64_t maxTokens = 1024;   ///< longer documents are cut into windows of so many, longer rows and prompts at the end
    std::int64_t probeLimit = 64;    ///< items of a probe that names no limit of its own

    [[nodiscard]] bool needsBase() const { return scorer == Scorer::Kl; }
    [[nodiscard]] bool hasBuiltInData() const { return data.starts_with("builtin:"); }
};

/// Strict: a missing or unknown field, a wrong type or value, a name that does not fit or an unknown scorer is InvalidInput and says which.
Result<TaskDescription> parseTask(const Json& json, std::string_view where);
/// A user's file: a task (a JSON object with "scorer"), or data that need none, told by the keys of their first row: choices, text, or question and
/// answer (number: see TaskDescription::Match) behind known names.
Result<TaskDescription> loadTaskFile(const std::filesystem::path& file);
/// Writes the task's data into `made`, from what was downloaded of get->files, in their order; may move a file. InvalidInput where the files do not
/// have the form, or where the rows are none of this task's.
Result<void> makeTaskData(const TaskDescription& task, const std::vector<std::filesystem::path>& files, const std::filesystem::path& made);
/// In the order in which they are listed.
[[nodiscard]] const std::vector<TaskDescription>& builtInTasks();
[[nodiscard]] const TaskDescription* findBuiltInTask(std::string_view name);
/// The text of a file of resources/tasks, which is part of the program.
[[nodiscard]] std::optional<std::string_view> builtInFile(std::string_view name);

/// One entry of --set probes.
struct ProbeName {
    std::string task;        ///< a name or a file
    std::int64_t limit = 0;  ///< 0: the task's own
};
/// "kl,text,piqa:200,/data/mine.json:50"; Usage where it cannot be. Names are not looked up.
Result<std::vector<ProbeName>> parseProbes(std::string_view text);
/// The text that gives these again.
[[nodiscard]] std::string probesText(const std::vector<ProbeName>& probes);

/// Folders in which data of built-in tasks are looked for, in this order: the workspace's setting `task_data`, $MOFO_TASK_DATA, tasks/ of the cache.
constexpr std::string_view taskDataSetting = "task_data";
[[nodiscard]] std::vector<std::filesystem::path> taskDataFolders(const std::optional<std::string>& setting);
/// The last of them, into which data are downloaded.
[[nodiscard]] std::filesystem::path downloadedTaskData();
/// "mofo get task:piqa", or empty where the task's data have no address.
[[nodiscard]] std::string getTaskCommand(const TaskDescription& task);

/// The task by a built-in name or a file's path; NotFound names the nearest right name.
Result<TaskDescription> findTask(std::string_view nameOrFile);
/// Where the task's data are: `given` if not empty, else beside the task's file or in `folders`; empty for data inside the program and for tasks
/// whose data whoever measures gives. NotFound says where it was looked for and, if so, how the data are downloaded.
Result<std::filesystem::path> locateTaskData(const TaskDescription& task, const std::vector<std::filesystem::path>& folders,
                                             const std::filesystem::path& given = {});

}  // namespace mofo
