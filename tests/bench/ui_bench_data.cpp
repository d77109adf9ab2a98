// Page New run with many rows: the first one on screen, the count of all, letting go of a scan.
#include <QApplication>
#include <QElapsedTimer>
#include <fstream>

#include "core/base/paths.h"
#include "tests/bench/ui_bench.h"
#include "ui/controllers/new_run_controller.h"
#include "ui/widgets/main_window.h"

namespace mofo::bench {

void measureData(const std::filesystem::path& folder, Figures& figures) {
    constexpr int rows = 100'000;
    constexpr int patienceMs = 120'000;
    const std::filesystem::path model = cachePath() / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf", data = cachePath() / "data" / "gsm8k-test.jsonl";
    if (!std::filesystem::exists(model) || !std::filesystem::exists(data)) return;
    std::vector<std::string> lines;
    std::ifstream source(data);
    for (std::string line; std::getline(source, line);) lines.push_back(line);
    const std::filesystem::path many = folder / "rows.jsonl";
    std::ofstream target(many);
    for (int i = 0; i < rows; ++i) target << lines[static_cast<std::size_t>(i) % lines.size()] << '\n';
    target.close();

    MainWindow window(folder / "none", nullptr);
    window.resize(1440, 900);
    window.showPage(MainWindow::NewIndex);
    window.show();
    NewRunController& page = window.newRun();
    const auto secondsUntil = [&](const std::function<bool()>& condition) {
        QElapsedTimer clock;
        clock.start();
        while (!condition() && clock.elapsed() < patienceMs) QApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents, 5);
        return static_cast<double>(clock.nsecsElapsed()) / 1e9;
    };
    page.form().setText("model", QString::fromStdString(model.string()));
    (void)secondsUntil([&] { return page.model() && !page.isReadingModel(); });
    page.form().setText("data", QString::fromStdString(many.string()));
    figures.add({"first rows of 100,000 in the preview", "s", secondsUntil([&] { return page.row() != nullptr; }), 0.5, {}});
    const auto count = [&] { return page.counts() && page.counts()->complete && page.counts()->rows() == rows; };
    figures.add({"100,000 rows rendered and counted", "s", secondsUntil(count), 20, "grade-school maths, SmolLM2's tokenizer"});
    page.rescan();
    (void)secondsUntil([&] { return page.isScanning() && page.counts() && !page.counts()->complete && page.counts()->rows() > 1000; });
    page.form().setText("data", QString());
    // The model is answered for only after the thread has left the rows.
    figures.add({"a scan let go of", "s", secondsUntil([&] { return !page.isScanning() && !page.isReadingModel(); }), 0.2, {}});
}

}  // namespace mofo::bench
