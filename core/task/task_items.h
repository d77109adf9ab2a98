// The items of a task, read from its data and rendered.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/task/task.h"
#include "core/text/dataset.h"

namespace mofo {

/// One item, ready to be tokenized.
struct TaskItem {
    std::uint64_t line = 0;             ///< of its file
    std::string prompt;                 ///< MultipleChoice, ShortAnswer, Completion
    std::string chatPrompt;             ///< ShortAnswer
    std::vector<std::string> choices;   ///< MultipleChoice: texts behind the prompt, with their leading blank
    std::int64_t label = 0;             ///< MultipleChoice: index of the right one
    std::string expected;               ///< ShortAnswer (normalised), Completion
    std::string text;                   ///< Text, Kl
    DataRow row;                        ///< Rows
    std::vector<std::uint64_t> hashes;  ///< of its texts, to tell whether a run was trained on it
};

struct TaskItems {
    TaskDescription task;
    std::vector<TaskItem> items;  ///< in file order
    std::string sha256;           ///< over the items as rendered: the same = outcomes pair by position
};

/// The first `limit` rows (0: all) of `data`, or of the task's built-in data where it has them. No row is left out: one that cannot be an item is
/// InvalidInput with its line, and so is a file without any.
Result<TaskItems> readTaskItems(const TaskDescription& task, const std::filesystem::path& data, std::int64_t limit);
/// The same for rows that are tokens already.
[[nodiscard]] std::string hashOfRows(const std::vector<const TokenRow*>& rows);

/// Hashes of what a run trains on: of each row's text, of its question, and of question and answer. White space is taken as one blank.
using TrainedHashes = std::unordered_set<std::uint64_t>;
void addHashes(const DataRow& row, TrainedHashes& hashes);
/// Of a whole file; rows that cannot be read are passed over, and the last `heldOutShare` of the others (as eval_split holds them out).
Result<TrainedHashes> hashesOfFile(const std::filesystem::path& data, std::string_view columns, double heldOutShare);
/// How many of the items are among them.
[[nodiscard]] std::int64_t countTrained(const TaskItems& items, const TrainedHashes& hashes);

/// The probes of a configuration as a run stores them: files by their absolute paths. Usage for an unknown name and for a guard on forgetting that no
/// probe serves; NotFound or InvalidInput where data are missing or cannot be items.
Result<std::string> checkProbes(const RunConfig& config, const std::vector<std::filesystem::path>& folders);
/// The second half: a guard on forgetting needs a probe marked general with an accuracy, or with a loss or KL.
Result<void> checkProbeGuards(const RunConfig& config);

/// SHA-256 of the text with white space as single blanks, its first eight bytes.
[[nodiscard]] std::uint64_t textHash(std::string_view text);

/// The number of an answer: that behind the last ####, else the last one that stands in it; separators of thousands, $ and a final point left out,
/// written so that equal numbers are equal texts. Empty where there is none.
[[nodiscard]] std::string numberOfAnswer(std::string_view text);
/// What is compared: behind the last "answer is", or the first line; lower case (ASCII), without outer punctuation, brackets and quotes, white
/// space as single blanks.
[[nodiscard]] std::string normalisedAnswer(std::string_view text);

}  // namespace mofo
