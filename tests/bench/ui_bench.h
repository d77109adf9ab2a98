// The figures of the window: each is measured once and stands beside its limit.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace mofo::bench {

struct Figure {
    std::string name, unit;
    double measured = 0, limit = 0;
    std::string note;
};

/// Prints a figure at once and keeps it for the table.
class Figures {
public:
    void add(Figure figure);
    /// Whether any is above its limit.
    [[nodiscard]] bool isOver() const;
    /// As rows of a Markdown table.
    void printTable() const;

private:
    std::vector<Figure> m_all;
};

/// Milliseconds that `act` takes.
[[nodiscard]] double timed(const std::function<void()>& act);
/// The value below which this share of the values lies; sorts a copy.
[[nodiscard]] double quantile(std::vector<double> values, double share);

/// Workspaces that the figures are measured on: made once, gone with the object's folder.
struct Workspaces {
    std::filesystem::path empty;     ///< not there
    std::filesystem::path manyRuns;  ///< 500 finished runs
    std::filesystem::path longRun;   ///< one run of 100,000 steps, 272 tensors measured every 10 steps
};

/// Charts, models and the reading thread, in this process.
void measureInside(const Workspaces& workspaces, Figures& figures);
/// The built program under Xvfb; adds nothing where the tools for it are missing.
void measureProgram(const Workspaces& workspaces, Figures& figures);
/// What an open window takes from a training engine: SmolLM2 trained with and without one, by turns; adds nothing where the model is missing.
void measureTraining(const std::filesystem::path& folder, Figures& figures);
/// Rows of a data set through page New run; adds nothing where the model is missing.
void measureData(const std::filesystem::path& folder, Figures& figures);

}  // namespace mofo::bench
