// writeHfFolder: any model source to a folder that Transformers loads.
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "core/base/text.h"
#include "core/model/model_source.h"
#include "core/tensorio/safetensors.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t pieceFloats = 4 << 20;  // 16 MiB
constexpr std::size_t buffersInFlight = 3;
constexpr const char* weightsName = "model.safetensors";

/// Reads and dequantises in a thread of its own, some pieces ahead of whoever writes them.
class PieceReader {
public:
    /// `order`: parameter indices in the order in which they are wanted.
    PieceReader(const ModelSource& source, std::vector<std::size_t> order) : m_source(source), m_order(std::move(order)), m_free(buffersInFlight) {
        m_thread = std::thread([this] { run(); });
    }
    ~PieceReader() {
        {
            const std::lock_guard lock(m_mutex);
            m_stopped = true;
        }
        m_changed.notify_all();
        m_thread.join();
    }
    PieceReader(const PieceReader&) = delete;
    PieceReader& operator=(const PieceReader&) = delete;

    /// The next piece, or an empty one after the last. giveBack() it when done.
    Result<std::vector<float>> next() {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return !m_ready.empty() || m_finished; });
        if (!m_ready.empty()) {
            std::vector<float> piece = std::move(m_ready.front());
            m_ready.pop_front();
            return piece;
        }
        if (m_failure) return *m_failure;
        return std::vector<float>();
    }
    void giveBack(std::vector<float> piece) {
        {
            const std::lock_guard lock(m_mutex);
            m_free.push_back(std::move(piece));
        }
        m_changed.notify_all();
    }

private:
    void run() {
        std::optional<Error> failure;
        try {
            failure = readAll();
        } catch (const std::bad_alloc&) {
            failure = Error{ErrorCode::OutOfMemory, "not enough memory to read the model", "", "Close other programs and try again", ""};
        }
        const std::lock_guard lock(m_mutex);
        m_failure = std::move(failure);
        m_finished = true;
        m_changed.notify_all();
    }
    std::optional<Error> readAll() {
        for (const std::size_t index : m_order) {
            const std::int64_t total = m_source.parameters()[index].elementCount();
            const std::int64_t unit = m_source.pieceElements(index);
            const std::int64_t most = std::max<std::int64_t>(1, pieceFloats / unit) * unit;
            for (std::int64_t first = 0; first < total; first += most) {
                std::vector<float> piece;
                {
                    std::unique_lock lock(m_mutex);
                    m_changed.wait(lock, [this] { return !m_free.empty() || m_stopped; });
                    if (m_stopped) return std::nullopt;
                    piece = std::move(m_free.back());
                    m_free.pop_back();
                }
                piece.resize(static_cast<std::size_t>(std::min(most, total - first)));
                auto read = m_source.readPiece(index, first, piece);
                if (!read.ok()) return std::move(read).error();
                const std::lock_guard lock(m_mutex);
                m_ready.push_back(std::move(piece));
                m_changed.notify_all();
            }
        }
        return std::nullopt;
    }

    const ModelSource& m_source;
    std::vector<std::size_t> m_order;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<std::vector<float>> m_ready;
    std::vector<std::vector<float>> m_free;
    std::optional<Error> m_failure;
    bool m_stopped = false;
    bool m_finished = false;
    std::thread m_thread;  // last: it uses all of the above
};

std::string_view torchNameOf(DType dtype) { return dtype == DType::BF16 ? "bfloat16" : dtype == DType::F16 ? "float16" : "float32"; }

Json configFor(const ModelSource& source, DType dtype) {
    Json config = source.hfConfig();
    config["dtype"] = torchNameOf(dtype);
    config["torch_dtype"] = torchNameOf(dtype);
    // They name code that is never run and a place on somebody else's machine.
    config.erase("auto_map");
    config.erase("_name_or_path");
    return config;
}

Result<std::string> writeWeights(const ModelSource& source, const fs::path& path, const std::vector<SafetensorsWriter::Declaration>& tensors,
                                 std::vector<std::size_t> order, const std::function<bool(double)>& progress) {
    std::int64_t total = 0;
    for (const std::size_t index : order) total += source.parameters()[index].elementCount();
    MOFO_TRY(SafetensorsWriter writer, SafetensorsWriter::create(path, tensors, {{"format", "pt"}}, 0666));
    PieceReader reader(source, std::move(order));
    for (std::int64_t done = 0; done < total;) {
        MOFO_TRY(std::vector<float> piece, reader.next());
        MOFO_CHECK(writer.writeFloats(piece));
        done += static_cast<std::int64_t>(piece.size());
        reader.giveBack(std::move(piece));
        if (progress && !progress(0.9 * static_cast<double>(done) / static_cast<double>(total))) {
            return Error{ErrorCode::Interrupted, "cancelled", escapeForDisplay(path.parent_path().string()), "Nothing was left behind", ""};
        }
    }
    return writer.finish();
}

/// What was meant to be written is what can be read.
Result<void> verifyWeights(const fs::path& path, const std::string& sha256, const std::vector<SafetensorsWriter::Declaration>& tensors) {
    MOFO_TRY(const SafetensorsFile file, SafetensorsFile::open(path));
    bool equal = file.tensors().size() == tensors.size();
    for (std::size_t i = 0; equal && i < tensors.size(); ++i) {
        const TensorInfo* tensor = file.find(tensors[i].name);
        equal = tensor != nullptr && tensor->dtype == tensors[i].dtype && tensor->shape == tensors[i].shape;
    }
    MOFO_TRY(const std::string found, sha256OfFile(path));
    if (equal && found == sha256) return {};
    return Error{ErrorCode::Io, "what was written reads back differently", escapeForDisplay(path.string()),
                 "The disk or the memory may be failing: check both and try again", "CORRUPT"};
}

}  // namespace

Result<std::string> writeHfFolder(const ModelSource& source, const fs::path& target, DType dtype, const std::function<bool(double)>& progress,
                                  const std::map<std::string, std::string>& extraFiles) {
    if (dtype != DType::F32 && dtype != DType::BF16 && dtype != DType::F16) {
        return Error{ErrorCode::Usage, "models are not written as " + std::string(dtypeName(dtype)), "", "Known: F32, BF16, F16", ""};
    }
    std::map<std::string, std::size_t> indexOf;
    std::vector<SafetensorsWriter::Declaration> tensors;
    for (std::size_t i = 0; i < source.parameters().size(); ++i) {
        const ParameterInfo& parameter = source.parameters()[i];
        indexOf[parameter.name] = i;
        tensors.push_back({parameter.name, dtype, parameter.shape});
    }
    SafetensorsWriter::sortAsLibrary(tensors);
    std::vector<std::size_t> order;
    for (const auto& tensor : tensors) order.push_back(indexOf[tensor.name]);

    // What can be refused is refused before anything is made.
    std::optional<Tokenizer> tokenizer;
    if (source.hasTokenizer()) {
        MOFO_TRY(tokenizer, source.loadTokenizer());
    }
    // Tokenizer files take up to 140 bytes a token (Llama 3's, with its merges as pairs); the rest is small.
    const std::uint64_t besideWeights = (std::uint64_t{256} << 10) + (tokenizer ? 140 * static_cast<std::uint64_t>(tokenizer->vocabularySize()) : 0);
    MOFO_CHECK(requireFreeBytes(target, SafetensorsWriter::fileSizeBytes(tensors, {{"format", "pt"}}) + besideWeights, "the model"));
    MOFO_TRY(StagedFolder folder, StagedFolder::create(target, 0777));
    struct stat info {};
    if (::stat(folder.path().c_str(), &info) != 0) return errnoError(errno, "cannot examine the folder", folder.path());
    const unsigned mode = info.st_mode & 0666u;  // what the umask left of 0777 says what it leaves of 0666

    if (tokenizer) MOFO_CHECK(tokenizer->writeHfFiles(folder.path()));
    MOFO_CHECK(writeFileAtomic(folder.path() / "config.json", configFor(source, dtype).dump(2) + "\n", mode));
    MOFO_CHECK(writeFileAtomic(folder.path() / "generation_config.json", source.hfGenerationConfig().dump(2) + "\n", mode));
    for (const auto& [name, content] : extraFiles) MOFO_CHECK(writeFileAtomic(folder.path() / name, content, mode));
    MOFO_TRY(const std::string sha256, writeWeights(source, folder.path() / weightsName, tensors, std::move(order), progress));
    MOFO_CHECK(verifyWeights(folder.path() / weightsName, sha256, tensors));
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(folder.path(), ec)) {
        if (::chmod(entry.path().c_str(), mode) != 0) return errnoError(errno, "cannot set the permissions", entry.path());
    }
    if (ec) return errnoError(ec.value(), "cannot list the folder", folder.path());
    if (progress && !progress(1.0))
        return Error{ErrorCode::Interrupted, "cancelled", escapeForDisplay(target.string()), "Nothing was left behind", ""};
    MOFO_CHECK(folder.commit());
    return sha256;
}

}  // namespace mofo
