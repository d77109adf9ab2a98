// A whole file rendered by several threads, rows in file order.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "core/base/text.h"
#include "core/text/dataset.h"

namespace mofo {

namespace {

constexpr std::size_t kBatchRows = 64;
constexpr std::size_t kKept = 1000;

/// Rows as read, in order; what came of each.
struct Batch {
    struct Item {
        DataRow row;
        RefusedRow refused;       ///< where it was refused already
        bool isRefused = false;
        TokenRow tokens;
    };
    std::vector<Item> items;
    bool done = false;
};

/// Threads that render batches. The owner hands batches in and takes them out in the same order.
class RenderPool {
public:
    RenderPool(const Tokenizer& tokenizer, const ChatTemplate* chatTemplate, std::int64_t maxLength) : m_tokenizer(tokenizer), m_chatTemplate(chatTemplate), m_maxLength(maxLength) {
        const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1u, 16u);
        for (unsigned i = 0; i < count; ++i) m_threads.emplace_back([this] { work(); });
    }
    ~RenderPool() {
        {
            const std::scoped_lock lock(m_mutex);
            m_stop = true;
        }
        m_wake.notify_all();
        for (auto& thread : m_threads) thread.join();
    }
    RenderPool(const RenderPool&) = delete;
    RenderPool& operator=(const RenderPool&) = delete;

    [[nodiscard]] bool isFull() const { return m_batches.size() >= m_threads.size() * 4; }
    void add(std::unique_ptr<Batch> batch) {
        {
            const std::scoped_lock lock(m_mutex);
            m_waiting.push_back(batch.get());
        }
        m_batches.push_back(std::move(batch));
        m_wake.notify_one();
    }
    /// The oldest batch, once it is done; nullptr if there is none.
    std::unique_ptr<Batch> take() {
        if (m_batches.empty()) return nullptr;
        auto batch = std::move(m_batches.front());
        m_batches.pop_front();
        std::unique_lock lock(m_mutex);
        m_finished.wait(lock, [&] { return batch->done; });
        return batch;
    }

private:
    void work() {
        std::unique_lock lock(m_mutex);
        while (true) {
            m_wake.wait(lock, [&] { return m_stop || !m_waiting.empty(); });
            if (m_stop) return;
            Batch& batch = *m_waiting.front();
            m_waiting.pop_front();
            lock.unlock();
            for (Batch::Item& item : batch.items) render(item);
            lock.lock();
            batch.done = true;
            m_finished.notify_all();
        }
    }
    void render(Batch::Item& item) const {
        if (item.isRefused) return;
        auto tokens = renderRow(item.row, m_tokenizer, m_chatTemplate, m_maxLength);
        if (tokens.ok()) {
            item.tokens = std::move(*tokens);
        } else {
            item.isRefused = true;
            item.refused = {item.row.line, tokens.error().message, tokens.error().tag};
        }
        item.row = {};
    }

    const Tokenizer& m_tokenizer;
    const ChatTemplate* m_chatTemplate;
    std::int64_t m_maxLength;
    std::mutex m_mutex;
    std::condition_variable m_wake, m_finished;
    std::deque<Batch*> m_waiting;
    std::deque<std::unique_ptr<Batch>> m_batches;
    bool m_stop = false;
    std::vector<std::thread> m_threads;  // last, so that everything else outlives them
};

void collect(Batch& batch, TokenDataset& out) {
    const auto keep = [](auto& list, auto&& value) {
        if (list.size() < kKept) list.push_back(std::forward<decltype(value)>(value));
    };
    for (Batch::Item& item : batch.items) {
        ++out.fileRows;
        if (item.isRefused) {
            ++out.refusedCount;
            keep(out.refused, std::move(item.refused));
            continue;
        }
        if (item.tokens.spellsSpecial) ++out.specialInTextCount;
        if (item.tokens.truncated) {
            ++out.truncatedCount;
            keep(out.truncatedLines, item.tokens.line);
        }
        if (item.tokens.targetCount() == 0) {
            // It keeps its place: batches are then the same consecutive rows as the reference's, and it adds nothing to them.
            ++out.zeroTargetCount;
            keep(out.zeroTargetLines, item.tokens.line);
        }
        out.rows.push_back(std::move(item.tokens));
    }
}

Error noUsableRow(const std::filesystem::path& path, const TokenDataset& data) {
    std::string message = "no row of this " + data.formatName + " file can be trained on";
    std::string tag = "MISSING";
    if (data.fileRows == 0) {
        message += ": it has none";
    } else {
        if (data.zeroTargetCount > 0) {
            message += "; " + formatCount(static_cast<std::int64_t>(data.zeroTargetCount)) + " have nothing to train on (no answer within max_length), the first in line " + std::to_string(data.zeroTargetLines.front());
        }
        for (std::size_t i = 0; i < data.refused.size() && i < 5; ++i) message += "; line " + std::to_string(data.refused[i].line) + ": " + data.refused[i].reason;
        if (data.refusedCount > 5) message += "; and " + formatCount(static_cast<std::int64_t>(data.refusedCount - 5)) + " more";
        if (!data.refused.empty()) tag = data.refused.front().tag;
    }
    return Error{ErrorCode::InvalidInput, std::move(message), path.string(), "Rows are chats (messages), pairs (query and response, ...) or texts", std::move(tag)};
}

}  // namespace

Result<TokenDataset> loadTokenDataset(const std::filesystem::path& path, std::string_view columns, const Tokenizer& tokenizer, const ChatTemplate* chatTemplate,
                                      std::int64_t maxLength, const std::function<bool(double)>& progress) {
    MOFO_TRY(DatasetReader reader, DatasetReader::open(path, columns));
    TokenDataset out;
    out.formatName = reader.formatName();
    RenderPool pool(tokenizer, chatTemplate, maxLength);
    for (bool more = true; more;) {
        auto batch = std::make_unique<Batch>();
        while (batch->items.size() < kBatchRows) {
            auto next = reader.next();
            if (!next.ok()) return std::move(next).error();
            if (!next->row && !next->refused) {
                more = false;
                break;
            }
            Batch::Item& item = batch->items.emplace_back();
            item.isRefused = next->refused.has_value();
            if (next->refused) item.refused = std::move(*next->refused);
            if (next->row) item.row = std::move(*next->row);
        }
        pool.add(std::move(batch));
        while (!more || pool.isFull()) {
            const auto done = pool.take();
            if (!done) break;
            collect(*done, out);
        }
        if (progress && !progress(reader.progress())) return Error{ErrorCode::Interrupted, "reading was stopped", path.string(), "", ""};
    }
    if (out.rows.size() == out.zeroTargetCount) return noUsableRow(path, out);
    MOFO_TRY(out.sha256, reader.finishHash());
    return out;
}

}  // namespace mofo
