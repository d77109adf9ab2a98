// Data files: rows of any known kind, streamed; rendered rows; the order in which training takes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

namespace mofo {

/// One row as it stands in the file, before any template.
struct DataRow {
    enum class Kind { Text, Chat, Pair };
    Kind kind = Kind::Chat;
    std::uint64_t line = 0;             ///< 1-based line of the file on which the row begins
    std::string text;                   ///< Kind::Text
    std::vector<ChatMessage> messages;  ///< Chat: as written; Pair: one user and one assistant message
    bool joinsWithoutBlankLine = false; ///< Pair of prompt/completion: joined as they are where there is no template
};

/// A row that was left out, and why.
struct RefusedRow {
    std::uint64_t line = 0;
    std::string reason;
    std::string tag;  ///< JSON, UTF8, MISSING, ...
};

/// Streams JSONL, a JSON array, pretty-printed JSON (array, or objects one after another), CSV or TSV with a header; decided by content. Memory is bounded by one row
/// (at most 16 MiB). UTF-8 BOM at the start and CRLF are accepted. `columns` is the value of --set columns
/// ("prompt:A,completion:B", "text:A"), or empty.
class DatasetReader {
public:
    static Result<DatasetReader> open(const std::filesystem::path& path, std::string_view columns = {});
    DatasetReader(DatasetReader&&) noexcept;
    DatasetReader& operator=(DatasetReader&&) noexcept;
    ~DatasetReader();
    struct Next {
        std::optional<DataRow> row;
        std::optional<RefusedRow> refused;  ///< both empty at the end of the file
    };
    /// The next row or refusal. An error means the file as a whole cannot be read.
    Result<Next> next();
    /// "JSONL", "JSON array", "JSON objects", "CSV", "TSV".
    [[nodiscard]] std::string_view formatName() const;
    /// Share of the file already read, 0..1.
    [[nodiscard]] double progress() const;
    /// SHA-256 of the file's bytes as they were read; reads what is left. At the end, once.
    Result<std::string> finishHash();

private:
    friend class ObjectReader;  // object_reader.h
    struct State;
    explicit DatasetReader(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

/// Token ids of a row and which of them are trained on (reference.py, render), cut to the maximal length.
struct TokenRow {
    std::uint64_t line = 0;
    std::vector<TokenId> ids;
    std::vector<std::uint8_t> trained;  ///< 1 where the token is a target; position 0 has no predecessor and never counts in the loss
    bool truncated = false;
    bool spellsSpecial = false;  ///< the row's own text spells a special token, which becomes that token
    /// Targets that count: trained tokens but the first position.
    [[nodiscard]] std::int64_t targetCount() const;
};

/// Renders rows for one model. Thread safe. maxLength <= 0 = no cut. Without a template (nullptr) a row is a question and an answer, joined
/// by an empty line (prompt and completion as they are) and ended with EOS, or a text. A row that cannot be rendered is InvalidInput, tag
/// ROLE (the template refuses its roles), TEMPLATE (a chat, and no template) or MISSING (no EOS).
Result<TokenRow> renderRow(const DataRow& row, const Tokenizer& tokenizer, const ChatTemplate* chatTemplate, std::int64_t maxLength);

/// The template to use: by name if `chosen` is given (--set chat_template), else recognised from the tokenizer's, else none.
Result<std::optional<ChatTemplate>> chooseChatTemplate(const Tokenizer& tokenizer, std::string_view chosen);

/// A whole file rendered and ready to train on.
struct TokenDataset {
    std::vector<TokenRow> rows;             ///< all but the refused ones, in file order; one without any target keeps its place and adds nothing
    std::vector<RefusedRow> refused;        ///< every refused row (at most the first 1000 are kept; refusedCount has all)
    std::uint64_t refusedCount = 0;
    std::vector<std::uint64_t> truncatedLines;  ///< at most the first 1000
    std::uint64_t truncatedCount = 0;
    std::vector<std::uint64_t> zeroTargetLines;  ///< rows with nothing to train on, at most the first 1000
    std::uint64_t zeroTargetCount = 0;
    std::uint64_t specialInTextCount = 0;   ///< rows whose text spells a special token
    std::uint64_t fileRows = 0;             ///< all rows met, refused ones included
    std::string sha256;                     ///< of the file's bytes
    std::string formatName;
};
/// `progress` is called with 0..1 now and then and stops the work by returning false (Interrupted). A file with no usable row
/// at all is refused, the first five reasons named.
Result<TokenDataset> loadTokenDataset(const std::filesystem::path& path, std::string_view columns, const Tokenizer& tokenizer,
                                      const ChatTemplate* chatTemplate, std::int64_t maxLength,
                                      const std::function<bool(double)>& progress = {});

/// The order in which a run takes its rows: a pure function of (seed, epoch). The permutation is Fisher-Yates from the last row down,
/// its numbers from SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) started at splitmix(splitmix(seed) + epoch), brought below their
/// bound without bias by Lemire's method (multiply and reject). One stream over the epochs; position p is row
/// p mod n of epoch p div n. Not shuffled: file order, wrapping around.
/// Not thread safe.
class DataOrder {
public:
    static constexpr std::string_view kAlgorithm = "fy-splitmix64-1";  ///< stored with checkpoints; another algorithm gets another name
    DataOrder(std::uint64_t rowCount, std::uint64_t seed, bool shuffle);
    /// Row index of stream position `position`.
    [[nodiscard]] std::uint64_t rowAt(std::uint64_t position) const;

private:
    std::uint64_t m_rowCount;
    std::uint64_t m_seed;
    bool m_shuffle;
    mutable std::uint64_t m_epoch;  ///< of m_permutation
    mutable std::vector<std::uint32_t> m_permutation;
};

}  // namespace mofo
