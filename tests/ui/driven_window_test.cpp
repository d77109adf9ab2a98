// The built program under Xvfb with a window manager, driven by keys alone: what the offscreen tests cannot see.
#include <gtest/gtest.h>

#include <map>

#include "tests/support/client_support.h"
#include "tests/support/recorded_run.h"
#include "tests/support/window_pictures.h"

namespace mofo {
namespace {

using test::DrivenWindow;
using test::DrivenWindowOptions;
using test::PagePicture;
using test::PictureJob;
using test::RecordedRun;
using test::RecordedRunOptions;
using test::Screen;

constexpr int fewestColours = 24;
constexpr double largestEmptyShare = 0.98, largestEmptyShareOfFull = 0.95;
constexpr double leastDifference = 0.002;

class DrivenWindowTest : public test::ClientTest {
protected:
    void SetUp() override {
        if (const QString missing = test::missingScreenTools(); !missing.isEmpty()) GTEST_SKIP() << missing.toStdString() << " is not installed";
        if (!std::filesystem::exists(program().toStdString())) GTEST_SKIP() << "mofo-workbench is not built";
        ClientTest::SetUp();
    }
    void TearDown() override {
        if (!IsSkipped()) ClientTest::TearDown();
    }
    [[nodiscard]] static QString program() { return QString::fromStdString((test::binFolder() / "mofo-workbench").string()); }
    [[nodiscard]] QString folder() const { return QString::fromStdString((m_folder / "recorded").string()); }
    void record(const std::string& name, std::uint64_t seed) {
        RecordedRunOptions options;
        options.name = name;
        options.seed = seed;
        options.totalSteps = 60;
        options.evalEvery = 20;
        options.histograms = options.machine = options.probes = true;
        const Result<Workspace> recorded = Workspace::openOrCreate(folder().toStdString(), false);
        ASSERT_OK(recorded);
        Result<RecordedRun> run = RecordedRun::create(*recorded, options);
        ASSERT_OK(run);
        ASSERT_OK(run->begin());
        ASSERT_OK(run->advance(60, false));
        ASSERT_OK(run->end(RunState::Finished, ""));
    }
};

TEST_F(DrivenWindowTest, EveryPageIsReachedByKeysAndShowsItself) {
    record("first", 1);
    record("second", 2);
    PictureJob job;
    job.program = program();
    job.workspace = folder();
    job.model = QString::fromStdString(model().string());
    job.data = QString::fromStdString(data().string());
    std::map<QString, PagePicture> pages;
    const Result<void> taken = test::takePictures(job, test::fewVariants(),
                                                  [&](const PagePicture& page) { pages.emplace(page.variant + QLatin1Char(' ') + page.page, page); });
    // Warnings on standard error and an end other than by Ctrl+Q are errors.
    ASSERT_OK(taken);
    ASSERT_EQ(pages.size(), 16u);
    for (const auto& [name, page] : pages) {
        SCOPED_TRACE(name.toStdString());
        EXPECT_EQ(page.image.size(), QSize(1440, 900));
        const test::PictureFacts facts = test::factsOf(page.image);
        EXPECT_GE(facts.colours, fewestColours);
        // Pages that only say what they will hold are emptier.
        const bool isFull = page.page == QLatin1String("runs") || page.page == QLatin1String("new") || page.page == QLatin1String("run");
        EXPECT_LE(facts.commonest, isFull ? largestEmptyShareOfFull : largestEmptyShare);
        const bool isOpen = page.page != QLatin1String("runs") && page.page != QLatin1String("new") && page.page != QLatin1String("first");
        EXPECT_EQ(page.title, isOpen ? QString::fromUtf8("second, step 60 of 60 – MoFO Workbench") : QStringLiteral("MoFO Workbench"));
        for (const auto& [otherName, other] : pages) {
            if (otherName <= name) continue;
            EXPECT_GE(test::differenceOf(page.image, other.image), leastDifference) << "as " << otherName.toStdString();
        }
        // A dark page is dark.
        const int lightness = page.image.pixelColor(20, 700).lightness();
        EXPECT_TRUE(page.variant == QLatin1String("dark") ? lightness < 90 : lightness > 200) << lightness;
    }
}

TEST_F(DrivenWindowTest, ListOpensARunByArrowAndEnterAtOnce) {
    record("first", 1);
    record("second", 2);
    const auto screen = Screen::start(QSize(1100, 760));
    ASSERT_OK(screen);
    DrivenWindowOptions options;
    options.program = program();
    options.arguments = QStringList{"--workspace", folder(), "--language", "en"};
    options.size = QSize(1024, 700);
    const auto window = DrivenWindow::start(**screen, options);
    ASSERT_OK(window);
    (void)(*window)->steadyPicture();
    // Newest first; no click, no Tab.
    (*window)->press({"Down", "Return"});
    EXPECT_TRUE(test::eventually([&] { return (*window)->title().startsWith("first, step 60 of 60"); })) << (*window)->title().toStdString();
    (*window)->press({"ctrl+1", "Up", "Return"});
    EXPECT_TRUE(test::eventually([&] { return (*window)->title().startsWith("second, step 60 of 60"); })) << (*window)->title().toStdString();
    EXPECT_EQ((*window)->errors().toStdString(), "");
    EXPECT_TRUE((*window)->quit());
}

TEST(PictureFacts, APageWithoutAPictureWouldBeNoticed) {
    QImage blank(200, 100, QImage::Format_RGB32);
    blank.fill(Qt::white);
    EXPECT_EQ(test::factsOf(blank).colours, 1);
    EXPECT_EQ(test::factsOf(blank).commonest, 1);
    QImage other = blank;
    EXPECT_EQ(test::differenceOf(blank, other), 0);
    other.setPixelColor(3, 4, Qt::black);
    EXPECT_NEAR(test::differenceOf(blank, other), 1.0 / 20'000, 1e-12);
    EXPECT_EQ(test::differenceOf(blank, QImage(10, 10, QImage::Format_RGB32)), 1);
}

}  // namespace
}  // namespace mofo
