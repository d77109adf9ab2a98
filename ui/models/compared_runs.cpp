#include "ui/models/compared_runs.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/hash.h"
#include "ui/models/display_text.h"

namespace mofo {

namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

bool isSmoothable(const std::string& series) { return comparedSeries(series).source == ComparedSeries::Source::Steps; }

/// Adds one value to a debiased mean; what no mean can hold is kept as it is.
double smoothed(std::pair<double, double>& mean, double smoothing, double value) {
    if (!std::isfinite(value)) return value;
    mean.first = smoothing * mean.first + (1 - smoothing) * value;
    mean.second = smoothing * mean.second + (1 - smoothing);
    return mean.first / mean.second;
}

}  // namespace

ComparedRuns::ComparedRuns(QObject* parent) : QObject(parent) {}

ComparedRuns::Kept* ComparedRuns::find(const QString& id) {
    const auto found = std::find_if(m_kept.begin(), m_kept.end(), [&](const Kept& kept) { return kept.run.id == id; });
    return found != m_kept.end() ? &*found : nullptr;
}

int ComparedRuns::freeSlot() const {
    for (int slot = 0;; ++slot) {
        if (std::none_of(m_kept.begin(), m_kept.end(), [slot](const Kept& kept) { return kept.run.slot == slot; })) return slot;
    }
}

void ComparedRuns::clearLines(Kept& kept) const {
    // In place: charts hold on to their lines.
    kept.lines.resize(m_wanted.size());
    for (std::shared_ptr<ComparedLine>& line : kept.lines) {
        if (line == nullptr)
            line = std::make_shared<ComparedLine>();
        else
            *line = {};
    }
    kept.mean.assign(m_wanted.size(), {0, 0});
    kept.run.complete = false;
    kept.run.problem.clear();
}

void ComparedRuns::publish() {
    m_runs.clear();
    for (const Kept& kept : m_kept) m_runs.push_back(kept.run);
    // Runs of one name are told apart by the beginning of their ids.
    for (Run& run : m_runs) {
        const bool twice = std::count_if(m_kept.begin(), m_kept.end(), [&](const Kept& kept) { return kept.run.name == run.name; }) > 1;
        run.title = twice ? QStringLiteral("%1 (%2)").arg(run.name, run.id.left(4)) : run.name;
    }
    Q_EMIT runsChanged();
}

QStringList ComparedRuns::ids() const {
    QStringList ids;
    for (const Run& run : m_runs) ids << run.id;
    return ids;
}

void ComparedRuns::setRuns(const QStringList& ids) {
    std::vector<Kept> before = std::move(m_kept);
    m_kept.clear();
    // Those that stay first: a new one must not get a colour that is still in use.
    for (Kept& kept : before) {
        if (ids.contains(kept.run.id)) m_kept.push_back(std::move(kept));
    }
    for (const QString& id : ids) {
        if (m_kept.size() == most) break;
        if (find(id) != nullptr) continue;
        Kept kept;
        kept.run.id = kept.run.name = id;
        kept.run.slot = freeSlot();
        clearLines(kept);
        m_kept.push_back(std::move(kept));
    }
    std::stable_sort(m_kept.begin(), m_kept.end(), [&](const Kept& a, const Kept& b) { return ids.indexOf(a.run.id) < ids.indexOf(b.run.id); });
    publish();
}

void ComparedRuns::add(const QString& id) { setRuns(ids() << id); }

void ComparedRuns::remove(const QString& id) {
    QStringList left = ids();
    left.removeAll(id);
    setRuns(left);
}

void ComparedRuns::move(const QString& id, std::size_t place) {
    QStringList order = ids();
    const qsizetype from = order.indexOf(id);
    if (from < 0 || place >= m_kept.size()) return;
    order.move(from, static_cast<qsizetype>(place));
    setRuns(order);
}

void ComparedRuns::setShown(const QString& id, bool shown) {
    Kept* kept = find(id);
    if (kept == nullptr || kept->run.shown == shown) return;
    kept->run.shown = shown;
    publish();
}

void ComparedRuns::takeList(const std::vector<const RunRow*>& list) {
    bool changed = false;
    for (Kept& kept : m_kept) {
        const std::string id = kept.run.id.toStdString();
        const auto row = std::find_if(list.begin(), list.end(), [&](const RunRow* each) { return each->id == id; });
        if (row == list.end()) continue;
        const QString name = ui::shown((*row)->name);
        const bool live = !isEnded((*row)->state);
        if (name == kept.run.name && live == kept.run.live && !kept.run.configId.empty()) continue;
        Json config = configToJson((*row)->config);
        kept.run.name = name;
        kept.run.live = live;
        kept.run.modelId = (*row)->modelId;
        kept.run.configHash = sha256Hex(config.dump());
        kept.run.seed = configValue((*row)->config, "seed");
        config.erase("seed");
        kept.run.configId = sha256Hex(config.dump() + (*row)->modelId);
        changed = true;
    }
    if (changed) publish();
}

void ComparedRuns::setWanted(std::vector<std::string> series, CompareX x) {
    if (series == m_wanted && x == m_x) return;
    m_wanted = std::move(series);
    m_x = x;
    m_smoothing.resize(m_wanted.size(), 0);
    for (Kept& kept : m_kept) clearLines(kept);
    publish();
    Q_EMIT wantedChanged();
    Q_EMIT pointsChanged();
}

void ComparedRuns::take(const ComparedBatch& batch) {
    Kept* kept = find(QString::fromStdString(batch.runId));
    if (kept == nullptr || batch.parts.size() != m_wanted.size()) return;
    if (batch.reset) clearLines(*kept);
    for (std::size_t i = 0; i < m_wanted.size(); ++i) append(*kept, i, batch.parts[i]);
    bool further = false;
    for (const std::string& id : batch.furtherSeries) {
        if (std::find(m_further.begin(), m_further.end(), id) != m_further.end()) continue;
        m_further.push_back(id);
        further = true;
    }
    const bool stateIsNew = kept->run.complete != batch.complete || kept->run.problem != batch.problem;
    kept->run.complete = batch.complete;
    kept->run.problem = batch.problem;
    if (stateIsNew) publish();
    if (further) {
        std::sort(m_further.begin(), m_further.end());
        Q_EMIT furtherChanged();
    }
    Q_EMIT pointsChanged();
}

void ComparedRuns::append(Kept& kept, std::size_t series, const ComparedPart& part) {
    ComparedLine& line = *kept.lines[series];
    const std::size_t first = line.values.size();
    for (const ComparedPoint& point : part.points) {
        line.values.append(point.at, point.value);
        line.steps.push_back(point.step);
        if (std::isnan(point.low) && line.low.empty()) continue;
        line.low.append(point.at, point.low);
        line.high.append(point.at, point.high);
    }
    for (const std::vector<ComparedPoint>& stretch : part.taken) {
        SeriesBuffer& taken = line.taken.emplace_back();
        for (const ComparedPoint& point : stretch) taken.append(point.at, point.value);
    }
    smoothFrom(kept, series, first);
}

void ComparedRuns::smoothFrom(Kept& kept, std::size_t series, std::size_t first) const {
    if (!(smoothing(series) > 0) || !isSmoothable(m_wanted[series])) return;
    ComparedLine& line = *kept.lines[series];
    for (std::size_t i = first; i < line.values.size(); ++i)
        line.smooth.append(line.values.key(i), smoothed(kept.mean[series], smoothing(series), line.values.value(i)));
}

void ComparedRuns::setSmoothing(std::size_t series, double smoothing) {
    if (series >= m_smoothing.size() || m_smoothing[series] == smoothing) return;
    m_smoothing[series] = smoothing;
    for (Kept& kept : m_kept) {
        kept.mean[series] = {0, 0};
        kept.lines[series]->smooth.clear();
        smoothFrom(kept, series, 0);
    }
    publish();
    Q_EMIT pointsChanged();
}

void ComparedRuns::setMeans(bool means) {
    if (means == m_means) return;
    m_means = means;
    publish();
    Q_EMIT pointsChanged();
}

bool ComparedRuns::hasTwins() const {
    for (std::size_t i = 0; i < m_runs.size(); ++i) {
        for (std::size_t other = i + 1; other < m_runs.size(); ++other) {
            if (!m_runs[i].configId.empty() && m_runs[i].configId == m_runs[other].configId) return true;
        }
    }
    return false;
}

std::vector<ComparedCurve> ComparedRuns::curves(std::size_t series) const {
    std::vector<ComparedCurve> curves;
    std::vector<bool> done(m_kept.size());
    for (std::size_t i = 0; i < m_kept.size(); ++i) {
        if (done[i]) continue;
        const Run& run = m_runs[i];
        ComparedCurve curve;
        curve.members = {i};
        for (std::size_t other = i + 1; m_means && other < m_kept.size(); ++other) {
            const Run& twin = m_runs[other];
            if (run.configId.empty() || twin.configId != run.configId || !run.shown || !twin.shown) continue;
            curve.members.push_back(other);
            done[other] = true;
        }
        curve.colour = run.slot % colours;
        curve.isDashed = run.slot >= colours;
        curve.isMean = curve.members.size() > 1;
        QStringList letters;
        for (const std::size_t member : curve.members) letters << letterOf(member);
        curve.letters = letters.join(QLatin1Char(' '));
        curve.name = curve.isMean ? tr("%1, mean of %2 seeds", "run, how many").arg(run.name).arg(curve.members.size()) : run.title;
        curve.line = curve.isMean ? meanOf(curve.members, series) : m_kept[i].lines[series];
        curves.push_back(std::move(curve));
    }
    return curves;
}

std::shared_ptr<ComparedLine> ComparedRuns::meanOf(const std::vector<std::size_t>& members, std::size_t series) const {
    auto mean = std::make_shared<ComparedLine>();
    std::vector<std::size_t> next(members.size());
    const auto lineOf = [&](std::size_t member) -> const ComparedLine& { return *m_kept[members[member]].lines[series]; };
    const bool smooths = smoothing(series) > 0 && isSmoothable(m_wanted[series]);
    for (;;) {
        // The next step that all of them have: a mean over fewer would jump where one ends.
        double step = -1;
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (next[i] == lineOf(i).steps.size()) return mean;
            step = std::max(step, lineOf(i).steps[next[i]]);
        }
        bool all = true;
        for (std::size_t i = 0; i < members.size(); ++i) {
            const std::vector<double>& steps = lineOf(i).steps;
            while (next[i] < steps.size() && steps[next[i]] < step) ++next[i];
            if (next[i] == steps.size()) return mean;
            all = all && steps[next[i]] == step;
        }
        if (!all) continue;
        double at = 0, sum = 0, low = INFINITY, high = -INFINITY, smoothSum = 0, smoothLow = INFINITY, smoothHigh = -INFINITY;
        for (std::size_t i = 0; i < members.size(); ++i) {
            const double value = lineOf(i).values.value(next[i]);
            at += lineOf(i).values.key(next[i]);
            sum += value;
            low = std::min(low, value);
            high = std::max(high, value);
            if (smooths) {
                const double smooth = lineOf(i).smooth.value(next[i]);
                smoothSum += smooth;
                smoothLow = std::min(smoothLow, smooth);
                smoothHigh = std::max(smoothHigh, smooth);
            }
            ++next[i];
        }
        const auto count = static_cast<double>(members.size());
        const double value = sum / count;
        mean->values.append(at / count, value);
        mean->steps.push_back(step);
        mean->low.append(at / count, std::isfinite(value) ? low : notANumber);
        mean->high.append(at / count, std::isfinite(value) ? high : notANumber);
        if (!smooths) continue;
        // The mean of the smoothed ones: it lies within their band.
        mean->smooth.append(at / count, smoothSum / count);
        mean->smoothLow.append(at / count, std::isfinite(value) ? smoothLow : notANumber);
        mean->smoothHigh.append(at / count, std::isfinite(value) ? smoothHigh : notANumber);
    }
}

double ComparedRuns::newest() const {
    double newest = 0;
    for (const Kept& kept : m_kept) {
        for (const auto& line : kept.lines) {
            if (!line->values.empty()) newest = std::max(newest, line->values.key(line->values.size() - 1));
        }
    }
    return newest;
}

}  // namespace mofo
