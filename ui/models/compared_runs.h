// The runs that are compared, in order, and the points of the chosen series of each. Fed by their readers; lives in the window's thread.
#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <optional>
#include <vector>

#include "core/store/registry.h"
#include "ui/models/compared_series.h"
#include "ui/models/series_buffer.h"

namespace mofo {

/// One series of one run, or the mean of several. Keys are places on the axis.
struct ComparedLine {
    SeriesBuffer values;
    SeriesBuffer smooth;                 ///< empty where nothing is smoothed
    SeriesBuffer low, high;              ///< of the intervals, or least and greatest of the mean's members
    SeriesBuffer smoothLow, smoothHigh;  ///< least and greatest of the members' smoothed values
    std::vector<double> steps;
    std::vector<SeriesBuffer> taken;
};

/// One line of a chart: a run, or runs that differ in their seed alone.
struct ComparedCurve {
    std::vector<std::size_t> members;  ///< places in runs()
    std::shared_ptr<const ComparedLine> line;
    QString letters;  ///< "A", "C D"
    QString name;
    int colour = 0;
    bool isDashed = false;
    bool isMean = false;
};

class ComparedRuns : public QObject {
    Q_OBJECT
public:
    static constexpr std::size_t most = 12;
    static constexpr int colours = 7;

    struct Run {
        QString id, name;
        QString title;  ///< the name, with the beginning of the id where another one has it too
        int slot = 0;   ///< its colour and dash, kept while it is compared
        bool shown = true;
        bool live = false;
        bool complete = false;  ///< all that is stored was read
        QString problem;
        std::string configId;  ///< equal for runs whose configurations differ in the seed alone; with the model
        std::string seed;
        std::string configHash;  ///< SHA-256 of the stored configuration
        std::string modelId;
    };

    explicit ComparedRuns(QObject* parent = nullptr);

    /// At most `most`, the first is A. Runs that were there keep colour and points.
    void setRuns(const QStringList& ids);
    void add(const QString& id);
    void remove(const QString& id);
    /// Puts a run at the place of A (0) or B (1).
    void move(const QString& id, std::size_t place);
    void setShown(const QString& id, bool shown);
    /// Names and states from the newest list of the workspace.
    void takeList(const std::vector<const RunRow*>& list);
    [[nodiscard]] const std::vector<Run>& runs() const { return m_runs; }
    [[nodiscard]] QStringList ids() const;
    [[nodiscard]] static QString letterOf(std::size_t place) { return QString(QChar(static_cast<char16_t>(u'A' + place))); }

    /// What is drawn: one series per chart. Everything read is forgotten where it changes.
    void setWanted(std::vector<std::string> series, CompareX x);
    [[nodiscard]] const std::vector<std::string>& wanted() const { return m_wanted; }
    [[nodiscard]] CompareX x() const { return m_x; }
    void take(const ComparedBatch& batch);
    /// Ids of series that only some runs have, in order.
    [[nodiscard]] const std::vector<std::string>& furtherSeries() const { return m_further; }

    void setMeans(bool means);
    [[nodiscard]] bool means() const { return m_means; }
    /// Whether any two differ in the seed alone.
    [[nodiscard]] bool hasTwins() const;
    /// 0 = none, up to 0.99; acts on series that have a value at every step.
    void setSmoothing(std::size_t series, double smoothing);
    [[nodiscard]] double smoothing(std::size_t series) const { return series < m_smoothing.size() ? m_smoothing[series] : 0; }

    [[nodiscard]] std::vector<ComparedCurve> curves(std::size_t series) const;
    /// The greatest place that any run has reached, over all series.
    [[nodiscard]] double newest() const;

Q_SIGNALS:
    /// Which runs, in which order, how they are named and drawn.
    void runsChanged();
    /// Points came or went.
    void pointsChanged();
    /// Series to choose from.
    void furtherChanged();
    /// The readers have to begin anew.
    void wantedChanged();

private:
    struct Kept {
        Run run;
        std::vector<std::shared_ptr<ComparedLine>> lines;  ///< by series
        std::vector<std::pair<double, double>> mean;       ///< sum and weight of the smoothing, by series
    };
    [[nodiscard]] Kept* find(const QString& id);
    [[nodiscard]] int freeSlot() const;
    void clearLines(Kept& kept) const;
    void append(Kept& kept, std::size_t series, const ComparedPart& part);
    void smoothFrom(Kept& kept, std::size_t series, std::size_t first) const;
    [[nodiscard]] std::shared_ptr<ComparedLine> meanOf(const std::vector<std::size_t>& members, std::size_t series) const;
    void publish();

    std::vector<Kept> m_kept;
    std::vector<Run> m_runs;
    std::vector<std::string> m_wanted;
    std::vector<double> m_smoothing;
    std::vector<std::string> m_further;
    CompareX m_x;
    bool m_means = false;
};

}  // namespace mofo
