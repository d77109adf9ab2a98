// reliability.md, row 3: the power fails. What the engine wrote is recorded; any prefix of it, with what was not yet synced partly there, partly
// torn and partly gone, is a folder that a machine could come back with, and each must resume to the same end.
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <span>

#include <signal.h>

#include "core/client/engine_process.h"
#include "core/store/run_metrics.h"
#include "tests/faults/fault_support.h"
#include "tests/faults/write_log.h"

namespace mofo::test {
namespace {

namespace fs = std::filesystem;

struct Operation {
    WriteOp op;
    std::string path, second, data;
    std::int64_t offset;
};

std::vector<Operation> readLog(const fs::path& file) {
    const std::string bytes = readFile(file);
    std::vector<Operation> operations;
    for (std::size_t at = 0; at + sizeof(WriteRecord) <= bytes.size();) {
        WriteRecord record;
        std::memcpy(&record, bytes.data() + at, sizeof record);
        at += sizeof record;
        Operation one{record.op, bytes.substr(at, record.pathLength), {}, {}, record.offset};
        at += record.pathLength;
        one.second = bytes.substr(at, record.secondLength);
        at += record.secondLength;
        one.data = bytes.substr(at, record.dataLength);
        at += record.dataLength;
        operations.push_back(std::move(one));
    }
    return operations;
}

/// A disk on which things happen in memory first. File data reaches it by a sync of the file, names by a sync of their folder; what was not synced
/// may be there, be torn at 512 bytes, or be missing.
class Disk {
public:
    /// `lossless`: all that was asked for has reached it.
    Disk(const std::vector<Operation>& operations, std::size_t crash, std::mt19937& random, bool lossless = false) : m_random(random) {
        const std::span all(operations.data(), crash);
        m_inOrder = draw(2) == 0;
        m_cut = draw(static_cast<int>(crash) + 1);
        resolve(all);
        if (lossless) m_certain.assign(all.size(), true);
        for (std::size_t i = 0; i < all.size(); ++i) apply(all[i], i);
    }

    void writeTo(const fs::path& folder) const {
        fs::create_directories(folder);
        fs::permissions(folder, fs::perms::owner_all);
        for (const std::string& path : m_folders) {
            if (!path.empty() && hasParents(path)) {
                fs::create_directories(folder / path);
                fs::permissions(folder / path, fs::perms::owner_all);
            }
        }
        for (const auto& [path, file] : m_names) {
            // The memory shared by connections does not outlive them.
            if (!hasParents(path) || path.ends_with("-shm")) continue;
            std::ofstream(folder / path, std::ios::binary) << *file;
            fs::permissions(folder / path, fs::perms::owner_read | fs::perms::owner_write);
        }
    }

private:
    int draw(int below) { return std::uniform_int_distribution<int>(0, below - 1)(m_random); }
    static std::string parentOf(const std::string& path) {
        const std::size_t slash = path.rfind('/');
        return slash == std::string::npos ? "." : path.substr(0, slash);
    }
    bool hasParents(const std::string& path) const {
        for (std::string at = parentOf(path); at != "."; at = parentOf(at)) {
            if (!m_folders.contains(at)) return false;
        }
        return true;
    }
    static bool changesNames(WriteOp op) { return op != WriteOp::Write && op != WriteOp::Truncate && op != WriteOp::Sync; }

    /// Which operations are certain: going back from the crash, all of what was synced later. Files are followed through their renames.
    void resolve(std::span<const Operation> all) {
        m_certain.assign(all.size(), false);
        // By the names they have at that time: a number for each file and folder that ever was.
        std::map<std::string, int> numbers;
        std::vector<int> fileOf(all.size(), -1), folderOf(all.size(), -1);
        int next = 0;
        const auto numberOf = [&](const std::string& path) {
            const auto [found, fresh] = numbers.try_emplace(path, next);
            if (fresh) ++next;
            return found->second;
        };
        for (std::size_t i = 0; i < all.size(); ++i) {
            const Operation& one = all[i];
            fileOf[i] = numberOf(one.path);
            folderOf[i] = numberOf(parentOf(one.op == WriteOp::Rename ? one.second : one.path));
            if (one.op == WriteOp::Create || one.op == WriteOp::MakeFolder) fileOf[i] = numbers[one.path] = next++;
            if (one.op == WriteOp::Rename) {
                std::map<std::string, int> moved;
                for (const auto& [path, number] : numbers) {
                    if (path == one.path || path.starts_with(one.path + '/')) moved[one.second + path.substr(one.path.size())] = number;
                }
                std::erase_if(numbers, [&](const auto& entry) { return entry.first == one.path || entry.first.starts_with(one.path + '/'); });
                for (const auto& [path, number] : moved) numbers[path] = number;
            }
        }
        std::set<int> synced;
        for (std::size_t i = all.size(); i-- > 0;) {
            if (all[i].op == WriteOp::Sync) synced.insert(fileOf[i]);
            m_certain[i] = synced.contains(changesNames(all[i].op) ? folderOf[i] : fileOf[i]);
        }
    }

    void apply(const Operation& one, std::size_t index) {
        if (one.op == WriteOp::Sync) return;
        if (changesNames(one.op)) {
            // Journaling file systems keep the order of names; not all are.
            const bool there = m_certain[index] || (m_inOrder ? static_cast<int>(index) < m_cut : draw(2) == 0);
            // Writes go to the file whatever becomes of its name.
            name(one, there);
            return;
        }
        const auto file = m_live.find(one.path);
        if (file == m_live.end()) return;
        std::string& content = *file->second;
        const int fate = m_certain[index] ? 1 : draw(3);  // 0 lost, 1 there, 2 torn
        if (fate == 0) return;
        if (one.op == WriteOp::Truncate) {
            content.resize(static_cast<std::size_t>(one.offset));
            return;
        }
        const auto begin = static_cast<std::size_t>(one.offset);
        for (std::size_t at = 0; at < one.data.size();) {
            const std::size_t size = std::min(one.data.size() - at, 512 - (begin + at) % 512);
            if (fate == 1 || draw(2) == 0) {
                if (content.size() < begin + at + size) content.resize(begin + at + size);
                content.replace(begin + at, size, one.data, at, size);
            }
            at += size;
        }
    }

    /// m_live follows the program, m_names and m_folders the disk.
    void name(const Operation& one, bool there) {
        switch (one.op) {
            case WriteOp::Create:
                m_live[one.path] = std::make_shared<std::string>();
                if (there) m_names[one.path] = m_live[one.path];
                break;
            case WriteOp::Unlink:
                m_live.erase(one.path);
                if (there) m_names.erase(one.path);
                break;
            case WriteOp::MakeFolder:
                if (there) m_folders.insert(one.path);
                break;
            case WriteOp::RemoveFolder:
                if (there) m_folders.erase(one.path);
                break;
            default:
                rename(m_live, one);
                if (!there) break;
                rename(m_names, one);
                if (const auto folder = m_folders.extract(one.path)) m_folders.insert(one.second);
        }
    }
    static void rename(std::map<std::string, std::shared_ptr<std::string>>& names, const Operation& one) {
        std::map<std::string, std::shared_ptr<std::string>> moved;
        for (const auto& [path, file] : names) {
            if (path == one.path || path.starts_with(one.path + '/')) moved[one.second + path.substr(one.path.size())] = file;
        }
        std::erase_if(names, [&](const auto& entry) { return entry.first == one.path || entry.first.starts_with(one.path + '/'); });
        for (auto& [path, file] : moved) names[path] = std::move(file);
    }

    std::mt19937& m_random;
    bool m_inOrder = false;
    int m_cut = 0;
    std::vector<bool> m_certain;
    std::map<std::string, std::shared_ptr<std::string>> m_live, m_names;
    std::set<std::string> m_folders;
};

class CrashStates : public FaultTest {};

TEST_F(CrashStates, WhateverThePowerLeftOfTheRunResumesToTheSameEnd) {
    const int wanted = countOf("MOFO_FAULT_CRASH_STATES", 12);
    const Values config = values(40);
    const auto run = start(config, /*supervised=*/false);
    ASSERT_OK(run);
    ASSERT_OK(sendCommand(registry(), *run, "set", Json{{"alpha", "0.05"}}, 17, "cli"));
    const fs::path log = m_folder / "writes.log";
    {
        Environment recording;
        recording.set("MOFO_RECORD_ROOT", workspace().runFolder(run->id).string());
        recording.set("MOFO_RECORD_LOG", log.string());
        recording.set("LD_PRELOAD", (binFolder().parent_path() / "tests" / "librecord_writes.so").string());
        ASSERT_OK(ensureSupervisor(workspace(), "cpu"));
    }
    ASSERT_TRUE(finishes(run->id));
    const Outcome expected = outcomeOf(workspace(), run->id);
    ASSERT_TRUE(eventually([&] { return !supervisorPid(); }, 60));
    const std::vector<Operation> operations = readLog(log);
    ASSERT_GT(operations.size(), 500u);
    {
        const fs::path all = m_folder / "lossless";
        Disk(operations, operations.size(), m_random, true).writeTo(all);
        for (const auto& entry : fs::recursive_directory_iterator(workspace().runFolder(run->id))) {
            const fs::path name = fs::relative(entry.path(), workspace().runFolder(run->id));
            // The log is a descriptor that the engine got from the supervisor; the last two are a reader's.
            if (!entry.is_regular_file() || name == "engine.log" || name == "metrics.db-wal" || name == "metrics.db-shm") continue;
            EXPECT_EQ(readFile(entry.path()), readFile(all / name)) << name << " was not recorded as it was written";
        }
    }

    // From here on there is a checkpoint that nothing may take away.
    std::size_t firstSaved = 0;
    for (bool renamed = false; firstSaved < operations.size(); ++firstSaved) {
        renamed = renamed || (operations[firstSaved].op == WriteOp::Rename && operations[firstSaved].second.starts_with("checkpoints/"));
        if (renamed && operations[firstSaved].op == WriteOp::Sync && operations[firstSaved].path == "checkpoints") break;
    }
    ASSERT_LT(firstSaved, operations.size() / 2);

    int resumed = 0, fromTheStart = 0;
    for (; resumed < wanted; ++resumed) {
        const auto crash = static_cast<std::size_t>(draw(1, static_cast<int>(operations.size())));
        const fs::path folder = m_folder / ("crash-" + std::to_string(resumed));
        fs::create_directory(folder);
        for (const auto& entry : fs::directory_iterator(workspace().folder())) {
            if (entry.path().filename() != "runs") fs::copy(entry.path(), folder / entry.path().filename(), fs::copy_options::recursive);
        }
        fs::create_directory(folder / "runs");
        const Disk disk(operations, crash, m_random);
        disk.writeTo(folder / "runs" / run->id);

        SCOPED_TRACE("crash " + std::to_string(resumed) + " after operation " + std::to_string(crash) + " of " + std::to_string(operations.size()));
        auto there = Workspace::openOrCreate(folder, false);
        ASSERT_OK(there);
        auto rows = Registry::open(*there, Registry::Access::ReadWrite);
        ASSERT_OK(rows);
        ASSERT_OK(rows->setRunState(run->id, RunState::Running));
        const auto lost = rows->findRun(run->id);
        ASSERT_OK(lost);
        if (lost->state != RunState::Finished) {
            ASSERT_OK(resumeRun(*there, *rows, *lost, true));
            const auto state = [&] {
                const auto now = rows->findRun(run->id);
                return now.ok() ? now->state : RunState::Draft;
            };
            ASSERT_TRUE(eventually([&] { return isEnded(state()) && state() != RunState::Lost; }, 60)) << runStateName(state());
            ASSERT_EQ(state(), RunState::Finished) << readFile(there->runFolder(run->id) / "engine.log");
            ASSERT_TRUE(awaitEngineExit(*there, run->id));
        }
        ASSERT_EQ(difference(expected, outcomeOf(*there, run->id)), "") << readFile(there->runFolder(run->id) / "engine.log");
        const auto reader = MetricsReader::open(there->metricsFile(run->id));
        ASSERT_OK(reader);
        const auto events = reader->eventsAfter(0);
        ASSERT_OK(events);
        const bool again =
            std::any_of(events->begin(), events->end(), [](const EventRow& event) { return event.text.find("starting again") != std::string::npos; });
        fromTheStart += again ? 1 : 0;
        EXPECT_FALSE(again && crash > firstSaved) << "a synced checkpoint was lost";
        if (const auto pid = lockHolder(there->deviceLock("cpu"))) kill(static_cast<pid_t>(*pid), SIGKILL);
        fs::remove_all(folder);
    }
    reportFigure(std::to_string(resumed) + " of " + std::to_string(resumed) + " states after a power failure (of " +
                 std::to_string(operations.size()) + " recorded operations) resumed to the same bits, " + std::to_string(fromTheStart) +
                 " of them from the start");
}

}  // namespace
}  // namespace mofo::test
