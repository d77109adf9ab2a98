// pack_sample WORKSPACE TARGET PICTURE.pgm: what a recorded workspace shows, as a small folder that nobody writes: its databases in one file each,
// without weights and without this machine's paths. The picture is the first screen's (ui/widgets/drift_picture.h).
#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/support/recorded_run.h"

namespace {

namespace fs = std::filesystem;

/// Files are told by their names: `prefix`, the folder they were in, goes.
std::string without(std::string text, const std::string& prefix) {
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) text.erase(at, prefix.size());
    return text;
}

void hidePaths(SQLite::Database& database, const std::string& prefix) {
    std::vector<std::string> changes;
    SQLite::Statement tables(database,
                             "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' "
                             "AND c.type = 'TEXT' AND t.name NOT LIKE 'sqlite_%'");
    while (tables.executeStep()) {
        const std::string column = '"' + tables.getColumn(1).getString() + '"';
        changes.push_back("UPDATE \"" + tables.getColumn(0).getString() + "\" SET " + column + " = replace(" + column + ", ?1, '') WHERE instr(" +
                          column + ", ?1) > 0");
    }
    for (const std::string& text : changes) {
        SQLite::Statement change(database, text);
        change.bind(1, prefix);
        change.exec();
    }
}

template <typename T>
T needed(mofo::Result<T> result) {
    if (!result.ok()) throw std::runtime_error(result.error().text());
    if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

/// Relative L2 from the pretrained weights: of the embedding and of every layer, at each measured step.
std::vector<std::vector<double>> driftByLayer(const fs::path& metricsFile) {
    using namespace mofo;
    const MetricsReader reader = needed(MetricsReader::open(metricsFile));
    const std::vector<ParameterRow> parameters = needed(reader.parameters());
    std::vector<std::vector<double>> steps;
    for (const TensorRow& row : needed(reader.tensorsAfter(0))) {
        if (row.superseded) continue;
        std::map<int, std::pair<double, double>> sums;  // drift and pretrained norm, squared; the embedding and the last norm are layer -1
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            auto& [drift, pretrained] = sums[static_cast<int>(parameters[i].layer)];
            drift += std::pow(row.driftL2[i], 2);
            pretrained += std::pow(parameters[i].pretrainedL2, 2);
        }
        std::vector<double> shares;
        for (const auto& [layer, sum] : sums) shares.push_back(std::sqrt(sum.first / sum.second));
        steps.push_back(std::move(shares));
    }
    return steps;
}

/// AdamW to the left, MoFO to the right, on one scale.
void draw(const fs::path& source, const fs::path& picture) {
    const mofo::Workspace workspace = needed(mofo::Workspace::open(source));
    const mofo::Registry registry = needed(mofo::Registry::open(workspace, mofo::Registry::Access::ReadOnly));
    std::vector<std::vector<double>> columns;
    for (const char* name : {"maths-adamw", "maths-a15"}) {
        for (auto& column : driftByLayer(workspace.metricsFile(needed(registry.findRun(name)).id))) columns.push_back(std::move(column));
    }
    double most = 0;
    for (const auto& column : columns) most = std::max(most, *std::max_element(column.begin(), column.end()));
    std::ofstream file(picture);
    file << "P2\n" << columns.size() << ' ' << columns.front().size() << "\n255\n";
    for (std::size_t row = 0; row < columns.front().size(); ++row) {
        for (const auto& column : columns) file << std::lround(255 * column[row] / most) << (&column == &columns.back() ? '\n' : ' ');
    }
    if (!file.flush()) throw std::runtime_error("cannot write " + picture.string());
}

void pack(const fs::path& source, const fs::path& target) {
    const std::string prefix = source.parent_path().string() + '/';
    std::vector<fs::path> files{source / "workbench.db"};
    for (const auto& run : fs::directory_iterator(source / "runs")) files.push_back(run.path() / "metrics.db");
    for (const fs::path& file : files) {
        const fs::path copy = target / fs::relative(file, source);
        fs::create_directories(copy.parent_path());
        {
            SQLite::Database original(file.string(), SQLite::OPEN_READONLY);
            SQLite::Statement vacuum(original, "VACUUM INTO ?");
            vacuum.bind(1, copy.string());
            vacuum.exec();
        }
        SQLite::Database database(copy.string(), SQLite::OPEN_READWRITE);
        if (database.execAndGet("PRAGMA journal_mode = DELETE").getString() != "delete") throw std::runtime_error("the journal mode stays");
        hidePaths(database, prefix);
        if (file.filename() == "metrics.db") {
            // What is not there any more is not offered.
            database.exec("UPDATE checkpoints SET removed = 1");
        } else {
            database.exec("DELETE FROM settings");
        }
        database.exec("VACUUM");
        std::ifstream log(file.parent_path() / "engine.log");
        if (log) std::ofstream(copy.parent_path() / "engine.log") << without({std::istreambuf_iterator<char>(log), {}}, prefix);
    }
    for (const auto& entry : fs::recursive_directory_iterator(target)) {
        if (entry.is_regular_file()) fs::permissions(entry.path(), fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: pack_sample WORKSPACE TARGET PICTURE.pgm\n");
        return 2;
    }
    try {
        pack(fs::canonical(argv[1]), fs::absolute(argv[2]));
        draw(fs::canonical(argv[2]), argv[3]);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "pack_sample: %s\n", failure.what());
        return 1;
    }
    return 0;
}
