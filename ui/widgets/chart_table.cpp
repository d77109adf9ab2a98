#include "ui/widgets/chart_table.h"

#include <algorithm>
#include <cmath>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "ui/models/display_text.h"

namespace mofo {

namespace {

std::string plainNumber(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return formatShortest(value);
}

void appendLine(std::string& text, const ChartTable& table, std::size_t line, char separator) {
    text += plainNumber(table.steps[line]);
    text += separator;
    text += table.superseded[line] != 0 ? '1' : '0';
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
        text += separator;
        if (table.present[column][line] != 0) text += plainNumber(table.columns[column][line]);
    }
    text += '\n';
}

std::string headings(const ChartTable& table, char separator) {
    std::string text = table.axis.toStdString();
    text += separator;
    text += "superseded";
    for (const QString& name : table.names) {
        text += separator;
        std::string cell = name.toStdString();
        std::replace(cell.begin(), cell.end(), separator, ' ');
        text += cell;
    }
    text += '\n';
    return text;
}

}  // namespace

ChartTable ChartTable::of(const std::vector<Source>& sources, double from, double to) {
    ChartTable table;
    for (const Source& source : sources) table.names << source.name;
    table.columns.resize(sources.size());
    table.present.resize(sources.size());
    // `part` gives a source's points of the line that counts (-1) or of one stretch.
    const auto lay = [&](const std::vector<const SeriesBuffer*>& parts, bool superseded) {
        const std::size_t first = table.steps.size();
        for (const SeriesBuffer* part : parts) {
            if (part == nullptr) continue;
            for (std::size_t i = part->lowerBound(from); i < part->size() && part->key(i) <= to; ++i) table.steps.push_back(part->key(i));
        }
        const auto begin = table.steps.begin() + static_cast<std::ptrdiff_t>(first);
        std::sort(begin, table.steps.end());
        table.steps.erase(std::unique(begin, table.steps.end()), table.steps.end());
        const std::size_t lines = table.steps.size();
        table.superseded.resize(lines, superseded ? 1 : 0);
        for (std::size_t column = 0; column < parts.size(); ++column) {
            table.columns[column].resize(lines, 0.0);
            table.present[column].resize(lines, 0);
            const SeriesBuffer* part = parts[column];
            if (part == nullptr) continue;
            std::size_t line = first;
            for (std::size_t i = part->lowerBound(from); i < part->size() && part->key(i) <= to; ++i) {
                while (table.steps[line] < part->key(i)) ++line;
                table.columns[column][line] = part->value(i);
                table.present[column][line] = 1;
            }
        }
    };
    std::size_t stretches = 0;
    std::vector<const SeriesBuffer*> parts;
    for (const Source& source : sources) {
        if (source.taken != nullptr) stretches = std::max(stretches, source.taken->size());
        parts.push_back(source.values);
    }
    for (std::size_t stretch = 0; stretch < stretches; ++stretch) {
        std::vector<const SeriesBuffer*> taken;
        for (const Source& source : sources) {
            taken.push_back(source.taken != nullptr && stretch < source.taken->size() ? &(*source.taken)[stretch] : nullptr);
        }
        lay(taken, true);
    }
    lay(parts, false);
    return table;
}

QString chartTableTsv(const ChartTable& table) {
    std::string text = headings(table, '\t');
    for (std::size_t line = 0; line < table.steps.size(); ++line) appendLine(text, table, line, '\t');
    return QString::fromStdString(text);
}

QString chartCsvHeader(const RunData& data, const QString& title) {
    QString header = QStringLiteral("# MoFO Workbench: %1\n").arg(title);
    if (const std::optional<RunRow>& run = data.run()) {
        const std::string config = configToJson(data.tuning().applied).dump();
        header += QStringLiteral("# run: %1 (%2)\n# model: %3, id %4\n# config sha256: %5\n")
                      .arg(QString::fromStdString(run->id), ui::shown(run->name), ui::shown(run->modelName), ui::shown(run->modelId),
                           QString::fromStdString(sha256Hex(config)));
    }
    header += QStringLiteral("# step: optimizer step; superseded: 1 where an undo or a resume took the step back; units in brackets\n");
    return header;
}

Result<void> writeChartCsv(const QString& path, const QString& header, const ChartTable& table) {
    std::string text = header.toStdString() + headings(table, ',');
    for (std::size_t line = 0; line < table.steps.size(); ++line) appendLine(text, table, line, ',');
    return writeFileAtomic(std::filesystem::path(path.toStdString()), text);
}

void ChartTableModel::setTable(ChartTable table) {
    beginResetModel();
    m_table = std::move(table);
    endResetModel();
}

int ChartTableModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_table.steps.size()); }

int ChartTableModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_table.names.size()) + 1; }

QVariant ChartTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const auto line = static_cast<std::size_t>(index.row());
    if (role == Qt::TextAlignmentRole) return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole) return {};
    if (index.column() == 0) {
        const double at = m_table.steps[line];
        const QString step = at == std::round(at) ? ui::count(static_cast<std::int64_t>(at)) : ui::fourDigits(at);
        return m_table.superseded[line] != 0 ? tr("%1 (taken back)", "step").arg(step) : step;
    }
    const auto column = static_cast<std::size_t>(index.column() - 1);
    if (m_table.present[column][line] == 0) return {};
    return ui::fourDigits(m_table.columns[column][line]);
}

QVariant ChartTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
    return section == 0 ? (m_table.axis == QLatin1String("step") ? tr("step") : m_table.axis) : m_table.names.value(section - 1);
}

}  // namespace mofo
