#include "ui/controllers/data_scanner.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/gpu_probe.h"
#include "core/base/process_memory.h"
#include "core/base/text.h"
#include "core/client/device_choice.h"
#include "core/library/model_place.h"
#include "ui/models/display_text.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t firstRows = 50;
constexpr std::size_t problemsKept = 1000;
constexpr double reportEveryMs = 100;
// Tokens of one row that are laid out; a book in one line stays scrollable.
constexpr std::size_t shownTokens = 6000;
constexpr std::int64_t scanStaleCheckRows = 16;

QString sentence(const Error& error) { return ui::shown(error.text()); }

QString licenceIn(const fs::path& source) {
    std::error_code ec;
    const fs::path folder = fs::is_directory(source, ec) ? source : source.parent_path();
    for (const char* name : {"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "USE_POLICY.md"}) {
        if (fs::is_regular_file(folder / name, ec)) return QString::fromLatin1(name);
    }
    return {};
}

std::size_t hashOf(const TokenRow& row) {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(row.ids.data()), row.ids.size() * sizeof(TokenId)});
}

PreviewRow::Problem problemOf(const TokenRow& row) {
    if (row.targetCount() == 0) return PreviewRow::Problem::ZeroTarget;
    return row.truncated ? PreviewRow::Problem::Truncated : PreviewRow::Problem::None;
}

}  // namespace

DataScanner::DataScanner(fs::path workspace) : m_folder(std::move(workspace)) {}

DataScanner::~DataScanner() = default;

void DataScanner::wantRow(std::int64_t index) {
    const std::scoped_lock lock(m_rowMutex);
    m_wantedRow = index;
}

void DataScanner::scan(const ScanRequest& request) {
    m_request = request;
    if (isStale()) return;
    findDevice();
    if (isStale()) return;
    readModel();
    if (isStale() || !m_tokenizer || !m_templateUsable || m_request.data.empty()) return;
    scanData();
}

void DataScanner::findDevice() {
    auto card = std::make_shared<DeviceCard>();
    card->request = m_request.number;
    card->threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    // Asking the driver takes what the driver takes: once for each device that is asked for.
    if (!m_device || m_deviceAsked != m_request.device) {
        m_device = resolveDevice(m_request.device);
        m_deviceAsked = m_request.device;
        m_gpus = probeGpu();
    }
    if (!m_device->ok()) {
        card->problem = sentence(m_device->error());
    } else {
        const std::string device = deviceText((*m_device)->device);
        card->device = QString::fromStdString(device);
        card->isCuda = device != "cpu";
        if (card->isCuda) {
            for (const GpuDevice& gpu : m_gpus.devices) {
                if (device != "cuda:" + std::to_string(gpu.index)) continue;
                card->title = ui::shown(gpu.name);
                card->totalBytes = card->freeBytes = gpu.memoryBytes;
            }
        } else {
            card->title = ui::shown(m_gpus.cpuName);
            const MachineMemory host = machineMemory();
            card->freeBytes = host.availableBytes;
            card->totalBytes = host.totalBytes;
        }
    }
    if (const Result<std::uint64_t> disk = freeBytes(m_folder); disk.ok()) card->diskFreeBytes = *disk;
    Q_EMIT deviceFound(card);
}

void DataScanner::readModel() {
    auto card = std::make_shared<ModelCard>();
    card->request = m_request.number;
    m_templateUsable = false;
    const auto fail = [&](const QString& why) {
        card->problem = why;
        m_source.reset();
        m_tokenizer.reset();
        m_openModel.clear();
        Q_EMIT modelRead(card);
    };
    if (m_request.model.empty()) {
        m_source.reset();
        m_tokenizer.reset();
        m_openModel.clear();
        return;
    }
    // A workspace that is not there yet has no models; one that cannot be read is said elsewhere.
    std::optional<Workspace> workspace;
    std::optional<Registry> registry;
    if (auto opened = Workspace::open(m_folder); opened.ok()) {
        workspace = std::move(opened).value();
        if (auto read = Registry::open(*workspace, Registry::Access::ReadOnly); read.ok()) registry = std::move(read).value();
    }
    const Result<ModelPlace> place = locateModel(registry ? &*workspace : nullptr, registry ? &*registry : nullptr, m_request.model);
    if (!place.ok()) return fail(sentence(place.error()));
    if (m_openModel != place->source || !m_source) {
        Result<std::unique_ptr<ModelSource>> source = ModelSource::open(place->source);
        if (!source.ok()) return fail(sentence(source.error()));
        m_source = std::move(source).value();
        m_tokenizer.reset();
        m_openModel = place->source;
    }
    card->name = ui::shown(place->suggestedName);
    card->source = ui::shown(place->source);
    card->isSealed = place->sealed.has_value();
    card->format = ui::shown(place->sealed && !place->sealed->format.empty() ? place->sealed->format : m_source->formatName());
    card->isQuantised = m_source->isQuantised();
    card->description = m_source->description();
    card->parameterCount = card->description.parameterCount();
    card->hasTokenizer = m_source->hasTokenizer() && !place->isRandom();
    card->licence = licenceIn(place->source);
    for (const std::string& warning : m_source->warnings()) card->warnings << ui::shown(warning);
    if (card->hasTokenizer && !m_tokenizer) {
        Result<Tokenizer> tokenizer = m_source->loadTokenizer();
        if (!tokenizer.ok()) return fail(sentence(tokenizer.error()));
        m_tokenizer = std::move(tokenizer).value();
    }
    if (m_tokenizer) {
        card->tokenizer = ui::count(m_tokenizer->vocabularySize());
        Result<std::optional<ChatTemplate>> chosen = chooseChatTemplate(*m_tokenizer, m_request.chatTemplate);
        if (!chosen.ok()) {
            card->chatTemplate = sentence(chosen.error());
        } else {
            m_template = std::move(chosen).value();
            m_templateUsable = true;
            card->templateKnown = true;
            card->chatTemplate = m_template ? ui::shown(m_template->description()) : QString();
        }
    }
    Q_EMIT modelRead(card);
}

void DataScanner::describeTokens(PreviewRow& row, const TokenRow& tokens) const {
    row.tokenCount = static_cast<std::int64_t>(tokens.ids.size());
    row.cutFrom = m_request.maxLength > 0 ? std::min(row.tokenCount, m_request.maxLength) : row.tokenCount;
    for (std::int64_t i = 0; i < row.cutFrom; ++i) row.trainedCount += tokens.trained[static_cast<std::size_t>(i)];
    const std::size_t shown = std::min(tokens.ids.size(), shownTokens);
    row.ids.assign(tokens.ids.begin(), tokens.ids.begin() + static_cast<std::ptrdiff_t>(shown));
    row.trained.assign(tokens.trained.begin(), tokens.trained.begin() + static_cast<std::ptrdiff_t>(shown));
    for (const TokenId id : row.ids) {
        row.special.push_back(m_tokenizer->isSpecial(id) ? 1 : 0);
        row.pieces.push_back(QString::fromStdString(m_tokenizer->piece(id)));
    }
}

PreviewRow DataScanner::preview(const DatasetReader::Next& next, std::int64_t index) const {
    PreviewRow row;
    row.request = m_request.number;
    row.index = index;
    if (next.refused) {
        row.line = next.refused->line;
        row.problem = PreviewRow::Problem::Refused;
        row.reason = ui::shown(next.refused->reason);
        return row;
    }
    row.line = next.row->line;
    const ChatTemplate* const chosen = m_template ? &*m_template : nullptr;
    const Result<TokenRow> whole = renderRow(*next.row, *m_tokenizer, chosen, 0);
    if (!whole.ok()) {
        row.problem = PreviewRow::Problem::Refused;
        row.reason = ui::shown(whole.error().message);
        return row;
    }
    describeTokens(row, *whole);
    TokenRow cut = *whole;
    cut.ids.resize(static_cast<std::size_t>(row.cutFrom));
    cut.trained.resize(static_cast<std::size_t>(row.cutFrom));
    cut.truncated = row.cutFrom < row.tokenCount;
    row.problem = problemOf(cut);
    if (row.problem == PreviewRow::Problem::ZeroTarget) {
        row.reason = cut.truncated && whole->targetCount() > 0
                         ? tr("Nothing to train on within %1 tokens (max_length).").arg(ui::count(m_request.maxLength))
                         : tr("Nothing to train on: the row has no answer.");
    } else if (row.problem == PreviewRow::Problem::Truncated) {
        row.reason = tr("Cut from %1 to %2 tokens (max_length).").arg(ui::count(row.tokenCount), ui::count(m_request.maxLength));
    }
    return row;
}

void DataScanner::sendWantedRow() {
    std::optional<std::int64_t> wanted;
    {
        const std::scoped_lock lock(m_rowMutex);
        wanted = std::exchange(m_wantedRow, std::nullopt);
    }
    if (!wanted || !m_tokenizer || !m_templateUsable || m_request.data.empty()) return;
    Result<DatasetReader> reader = DatasetReader::open(m_request.data, m_request.columns);
    if (!reader.ok()) return;
    for (std::int64_t index = 0; !isStale(); ++index) {
        const Result<DatasetReader::Next> next = reader->next();
        if (!next.ok() || (!next->row && !next->refused)) return;
        if (index != *wanted) continue;
        Q_EMIT rowRead(std::make_shared<const PreviewRow>(preview(*next, index)));
        return;
    }
}

void DataScanner::checkEvalData(DataCounts& counts, const std::vector<std::size_t>& trainingHashes) {
    if (m_request.evalData.empty()) return;
    Result<DatasetReader> reader = DatasetReader::open(m_request.evalData, m_request.columns);
    if (!reader.ok()) return;
    const std::unordered_set<std::size_t> known(trainingHashes.begin(), trainingHashes.end());
    std::int64_t shared = 0;
    while (!isStale()) {
        const Result<DatasetReader::Next> next = reader->next();
        if (!next.ok() || (!next->row && !next->refused)) break;
        if (!next->row) continue;
        const Result<TokenRow> row = renderRow(*next->row, *m_tokenizer, m_template ? &*m_template : nullptr, m_request.maxLength);
        if (row.ok() && known.contains(hashOf(*row))) ++shared;
    }
    counts.evalRowsInTraining = shared;
}

void DataScanner::scanData() {
    DataCounts counts;
    counts.request = m_request.number;
    counts.lengths.assign(lengthBins, 0);
    const auto report = [&](bool complete) {
        counts.complete = complete;
        Q_EMIT counted(std::make_shared<const DataCounts>(counts));
    };
    Result<DatasetReader> reader = DatasetReader::open(m_request.data, m_request.columns);
    if (!reader.ok()) {
        counts.problem = sentence(reader.error());
        return report(true);
    }
    counts.formatName = QString::fromLatin1(reader->formatName().data(), static_cast<qsizetype>(reader->formatName().size()));
    const Stopwatch whole;
    Stopwatch sinceReport;
    std::array<std::size_t, 4> kept{};
    std::vector<std::size_t> hashes;
    const auto note = [&](std::int64_t index, std::uint64_t line, PreviewRow::Problem kind, QString reason) {
        auto& number = kept[static_cast<std::size_t>(kind)];
        if (number++ < problemsKept) counts.problems.push_back({index, line, kind, std::move(reason)});
    };
    const ChatTemplate* const chosen = m_template ? &*m_template : nullptr;
    for (std::int64_t index = 0;; ++index) {
        if (index % scanStaleCheckRows == 0) {
            if (isStale()) return;
            // The first rows are on screen at once; after them a page that is stepped through is served between rows.
            if (index >= firstRows) sendWantedRow();
        }
        const Result<DatasetReader::Next> next = reader->next();
        if (!next.ok()) {
            counts.problem = sentence(next.error());
            return report(true);
        }
        if (!next->row && !next->refused) break;
        if (index < firstRows) Q_EMIT rowRead(std::make_shared<const PreviewRow>(preview(*next, index)));
        ++counts.fileRows;
        QString refusal;
        std::uint64_t line = next->refused ? next->refused->line : next->row->line;
        if (next->refused) {
            refusal = ui::shown(next->refused->reason);
        } else if (Result<TokenRow> row = renderRow(*next->row, *m_tokenizer, chosen, 0); !row.ok()) {
            refusal = ui::shown(row.error().message);
        } else {
            // As renderRow cuts, with the uncut length kept for the histogram.
            const auto length = static_cast<std::int64_t>(row->ids.size());
            ++counts.lengths[std::min<std::size_t>(static_cast<std::size_t>(length), lengthBins - 1)];
            counts.longestUncut = std::max(counts.longestUncut, length);
            if (m_request.maxLength > 0 && length > m_request.maxLength) {
                row->ids.resize(static_cast<std::size_t>(m_request.maxLength));
                row->trained.resize(static_cast<std::size_t>(m_request.maxLength));
                row->truncated = true;
            }
            const std::int64_t targets = row->targetCount();
            counts.tokens += static_cast<std::int64_t>(row->ids.size());
            counts.trainedTokens += targets;
            counts.longest = std::max(counts.longest, static_cast<std::int64_t>(row->ids.size()));
            counts.rowTokens.push_back(static_cast<std::uint32_t>(row->ids.size()));
            if (row->spellsSpecial) ++counts.specialInText;
            if (row->truncated) ++counts.truncated;
            if (targets == 0) ++counts.zeroTarget;
            if (targets == 0) {
                note(index, line, PreviewRow::Problem::ZeroTarget,
                     row->truncated ? tr("nothing to train on within max_length") : tr("nothing to train on"));
            } else if (row->truncated) {
                note(index, line, PreviewRow::Problem::Truncated, tr("%1 tokens, cut").arg(ui::count(length)));
            }
            if (!m_request.evalData.empty()) hashes.push_back(hashOf(*row));
        }
        if (!refusal.isEmpty()) {
            ++counts.refused;
            note(index, line, PreviewRow::Problem::Refused, refusal);
        }
        if (counts.fileRows == firstRows || sinceReport.elapsedMs() > reportEveryMs) {
            counts.progress = reader->progress();
            counts.seconds = whole.elapsedMs() / 1e3;
            report(false);
            sinceReport.restart();
        }
    }
    checkEvalData(counts, hashes);
    if (const Result<std::string> hash = reader->finishHash(); hash.ok()) counts.sha256 = QString::fromStdString(*hash);
    if (isStale()) return;
    counts.progress = 1;
    counts.seconds = whole.elapsedMs() / 1e3;
    if (counts.fileRows == 0) {
        counts.problem = tr("The file holds no rows.");
    } else if (counts.rows() == counts.zeroTarget) {
        counts.problem = counts.problems.empty()
                             ? tr("No row can be trained on.")
                             : tr("No row can be trained on; line %1: %2").arg(counts.problems.front().line).arg(counts.problems.front().reason);
    }
    report(true);
    sendWantedRow();
}

}  // namespace mofo
