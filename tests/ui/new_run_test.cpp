// The New run page: the form and the keys, what the rows become, the forecast, the command line, drafts, the start.
#include <gtest/gtest.h>

#include <QAbstractSpinBox>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QSpinBox>
#include <QTest>
#include <QToolButton>
#include <QUrl>
#include <fstream>

#include "core/base/hash.h"
#include "core/model/model_source.h"
#include "core/text/dataset.h"
#include "tests/app/cli_support.h"
#include "tests/ui/ui_test_support.h"
#include "ui/controllers/new_run_controller.h"
#include "ui/models/key_texts.h"
#include "ui/widgets/config_field.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/new_run_page.h"
#include "ui/widgets/plan_charts.h"
#include "ui/widgets/run_page.h"
#include "ui/widgets/token_view.h"

namespace mofo {
namespace {

using test::CliProcess;
using test::CliResult;
using test::waitFor;

std::string longAnswer(int words) {
    std::string text;
    for (int i = 0; i < words; ++i) text += "word ";
    return text;
}

std::string chat(const std::string& question, const std::string& answer) {
    return R"({"messages": [{"role": "user", "content": ")" + question + R"("}, {"role": "assistant", "content": ")" + answer + "\"}]}\n";
}

class NewRun : public test::ClientTest {
protected:
    void SetUp() override {
        ClientTest::SetUp();
        makeWindow();
    }
    void TearDown() override {
        window.reset();
        ClientTest::TearDown();
    }
    void makeWindow() {
        window = std::make_unique<MainWindow>(workspace().folder(), nullptr);
        window->resize(1440, 900);
        window->showPage(MainWindow::NewIndex);
        window->show();
        ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
    }
    [[nodiscard]] NewRunController& controller() { return window->newRun(); }
    [[nodiscard]] NewRunPage& page() { return *window->findChild<NewRunPage*>("new"); }
    template <class T>
    T* part(const char* name) {
        T* found = window->findChild<T*>(name);
        EXPECT_NE(found, nullptr) << name;
        return found;
    }
    void choose(const std::filesystem::path& dataFile) {
        controller().form().setText("model", QString::fromStdString(model().string()));
        controller().form().setText("data", QString::fromStdString(dataFile.string()));
        ASSERT_TRUE(waitFor([&] { return controller().counts() && controller().counts()->complete && !controller().isReadingModel(); }, 20'000));
    }
    std::filesystem::path write(const std::string& name, const std::string& text) {
        test::writeFile(m_folder / name, text);
        return m_folder / name;
    }

    std::unique_ptr<MainWindow> window;
};

// Story 12
TEST_F(NewRun, EveryKeyHasAWidgetWithItsDefaultAndItsTexts) {
    RunConfig config;
    for (const KeyDescription& key : keyDescriptions()) {
        const ConfigField* field = page().field(key.name);
        ASSERT_NE(field, nullptr) << key.name;
        ASSERT_NE(field->editor(), nullptr) << key.name;
        EXPECT_FALSE(field->editor()->accessibleName().isEmpty()) << key.name;
        EXPECT_EQ(controller().form().text(key.name).toStdString(), key.defaultText);
        EXPECT_OK(setConfigValue(config, key.name, key.defaultText));
        EXPECT_TRUE(ui::hasKeyText(key)) << key.name << ": label or help is not listed in ui/models/key_texts.cpp";
        EXPECT_TRUE(ui::hasUnitText(key.unit)) << key.unit;
        EXPECT_TRUE(ui::hasSectionText(key.section)) << key.section;
        // What the widget itself shows, where it is a number or a choice.
        if (const auto* spin = qobject_cast<const QAbstractSpinBox*>(field->editor())) {
            EXPECT_EQ(spin->text().toStdString(), key.defaultText) << key.name;
        }
        if (key.type == KeyDescription::Type::Choice) {
            EXPECT_EQ(qobject_cast<const QComboBox*>(field->editor())->currentText().toStdString(), key.defaultText) << key.name;
        }
    }
    for (const Preset& preset : builtInPresets()) EXPECT_TRUE(ui::hasPresetText(preset)) << preset.name;
    EXPECT_EQ(config, RunConfig());
    EXPECT_EQ(controller().form().config(), RunConfig());
}

TEST_F(NewRun, FieldsWriteWhatTheyShow) {
    page().setShowAll(true);
    auto* lr = qobject_cast<NumberSpin*>(page().field("lr")->editor());
    lr->setFocus();
    lr->selectAll();
    QTest::keyClicks(lr, "3e-4");
    QTest::keyClick(lr, Qt::Key_Tab);
    EXPECT_EQ(controller().form().config().lr, 3e-4);
    auto* alpha = qobject_cast<QLineEdit*>(page().field("alpha")->editor());
    EXPECT_EQ(alpha->text(), "15 %");
    alpha->setFocus();
    alpha->selectAll();
    QTest::keyClicks(alpha, "7.5 %");
    EXPECT_EQ(controller().form().config().alpha.common.from, 0.075);
    alpha->selectAll();
    QTest::keyClicks(alpha, "15");  // neither a share nor percent
    EXPECT_TRUE(part<QLabel>("new.alpha.error")->isVisible());
    QTest::mouseClick(part<QToolButton>("new.alpha.reset"), Qt::LeftButton);
    EXPECT_EQ(controller().form().config().alpha.common.from, 0.15);
    EXPECT_FALSE(part<QLabel>("new.alpha.error")->isVisible());
    auto* granularity = qobject_cast<QComboBox*>(page().field("granularity")->editor());
    granularity->setCurrentIndex(granularity->findData("block"));
    EXPECT_EQ(controller().form().config().granularity.text(), "block:4096");
    part<QSpinBox>("new.granularity.n")->setValue(512);
    EXPECT_EQ(controller().form().config().granularity.text(), "block:512");
    auto* seed = qobject_cast<QLineEdit*>(page().field("seed")->editor());
    ASSERT_NE(seed, nullptr);
    seed->selectAll();
    QTest::keyClicks(seed, "18446744073709551615");
    EXPECT_EQ(controller().form().config().seed, 18446744073709551615ull);
}

TEST_F(NewRun, BasicFieldsComeFirstAndFindShowsTheOthers) {
    EXPECT_TRUE(page().field("alpha")->isVisible());
    EXPECT_FALSE(page().field("beta1")->isVisible());
    part<QLineEdit>("new.find")->setText("second moment");
    EXPECT_TRUE(page().field("beta2")->isVisible());
    EXPECT_FALSE(page().field("alpha")->isVisible());
    part<QLineEdit>("new.find")->setText("no such thing");
    EXPECT_TRUE(part<QLabel>("new.noHit")->isVisible());
    part<QLineEdit>("new.find")->clear();
    page().setShowAll(true);
    EXPECT_TRUE(page().field("beta1")->isVisible());
}

// Story 9
TEST_F(NewRun, PreviewsExactlyTheTokensThatTrainingTakes) {
    std::string rows = R"({"messages": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "First answer."}, )"
                       R"({"role": "user", "content": "Two?\nMore \u65e5\u672c\u8a9e"}, {"role": "assistant", "content": "Second <b>answer</b>."}]})"
                       "\n";
    for (int i = 0; i < 70; ++i) rows += chat("Question " + std::to_string(i), longAnswer(i % 11 + 1));
    const auto file = write("turns.jsonl", rows);
    controller().form().setText("max_length", "90");
    choose(file);
    const auto source = ModelSource::open(model().string());
    ASSERT_OK(source);
    const auto tokenizer = (*source)->loadTokenizer();
    ASSERT_OK(tokenizer);
    const auto chosen = chooseChatTemplate(*tokenizer, "");
    ASSERT_OK(chosen);
    const CliResult cli = CliProcess({"tokens", "--model", model().string(), "--data", file.string(), "--json"}).finish();
    ASSERT_EQ(cli.exitCode, 0) << cli.err;
    const Json lines = cli.json();
    auto reader = DatasetReader::open(file);
    ASSERT_OK(reader);
    for (std::int64_t index = 0; index < 71; ++index) {
        controller().showRow(index);
        ASSERT_TRUE(waitFor([&] { return controller().row() && controller().row()->index == index; })) << index;
        const PreviewRowPtr shown = part<TokenView>("new.tokens")->row();
        const auto next = reader->next();
        ASSERT_OK(next);
        const auto trained = renderRow(*next->row, *tokenizer, &**chosen, 90);
        ASSERT_OK(trained);
        ASSERT_EQ(shown->cutFrom, static_cast<std::int64_t>(trained->ids.size()));
        EXPECT_EQ(std::vector<std::int32_t>(shown->ids.begin(), shown->ids.begin() + shown->cutFrom), trained->ids) << index;
        EXPECT_EQ(std::vector<std::uint8_t>(shown->trained.begin(), shown->trained.begin() + shown->cutFrom), trained->trained) << index;
        std::string ids;
        for (const std::int32_t id : shown->ids) ids += (ids.empty() ? "" : " ") + std::to_string(id);
        EXPECT_EQ(lines[static_cast<std::size_t>(index)]["sha256"], sha256Hex(ids)) << index;
    }
    // Two answers, each trained on to its end; what stands between them is not.
    controller().showRow(0);
    const PreviewRowPtr first = controller().row();
    std::string spans;
    for (std::size_t i = 0; i < first->ids.size(); ++i) {
        if (first->trained[i] != 0)
            spans += first->pieces[i].toStdString();
        else if (!spans.empty() && spans.back() != '|')
            spans += '|';
    }
    EXPECT_TRUE(spans.starts_with("First answer.<|im_end|>|Second <b>answer</b>.<|im_end|>")) << spans;
}

TEST_F(NewRun, TokensAreDrawnWhereTheirTooltipsAre) {
    choose(data());
    auto* view = part<TokenView>("new.tokens");
    ASSERT_TRUE(view->row());
    for (int token = 0; token < static_cast<int>(view->row()->ids.size()); token += 7) {
        const QRect rect = view->rectOf(token);
        ASSERT_TRUE(rect.isValid()) << token;
        EXPECT_EQ(view->tokenAt(rect.center()), token);
    }
    // A trained token is underlined: the last line of its rectangle has the ink of trained tokens, that of the first token has not.
    const QImage image = view->viewport()->grab().toImage();
    int trained = 0;
    while (view->row()->trained[static_cast<std::size_t>(trained)] == 0) ++trained;
    const auto under = [&](int token) {
        const QRect rect = view->rectOf(token);
        return image.pixelColor(QPoint(rect.center().x(), rect.bottom()) * image.devicePixelRatio());
    };
    EXPECT_NE(under(trained), under(3));
}

// Story 10
TEST_F(NewRun, CountsAndVisitsEachProblemRow) {
    std::string rows;
    for (int i = 0; i < 60; ++i) rows += chat("q" + std::to_string(i), "a");  // lines 1 to 60
    for (int i = 0; i < 4; ++i)
        rows += R"({"messages": [{"role": "user", "content": "no answer"}]})"
                "\n";                                                   // 61 to 64
    for (int i = 0; i < 8; ++i) rows += chat("long", longAnswer(300));  // 65 to 72
    rows += "{\"messages\": [ broken\n";                                // 73
    rows += chat("last", "row");
    controller().form().setText("max_length", "200");
    choose(write("problems.jsonl", rows));
    const DataCountsPtr counts = controller().counts();
    EXPECT_EQ(counts->fileRows, 74);
    EXPECT_EQ(counts->zeroTarget, 4);
    EXPECT_EQ(counts->truncated, 8);
    EXPECT_EQ(counts->refused, 1);
    EXPECT_EQ(controller().problemCount(), 13);
    EXPECT_TRUE(counts->problem.isEmpty());
    EXPECT_EQ(counts->formatName, "JSONL");
    page().setFocus();
    page().field("lr")->editor()->setFocus();
    for (int expected = 61; expected <= 73; ++expected) {
        QTest::keyClick(page().field("lr")->editor(), Qt::Key_F7);
        ASSERT_TRUE(waitFor([&] { return controller().row() && controller().row()->line == static_cast<std::uint64_t>(expected); })) << expected;
        EXPECT_TRUE(part<QLabel>("new.row")->text().contains("line " + QString::number(expected))) << part<QLabel>("new.row")->text().toStdString();
        EXPECT_FALSE(controller().row()->reason.isEmpty()) << expected;
        EXPECT_TRUE(part<QLabel>("new.rowReason")->text().contains(controller().row()->reason));
    }
    QTest::keyClick(page().field("lr")->editor(), Qt::Key_F7);  // around the end
    ASSERT_TRUE(waitFor([&] { return controller().row()->line == 61; }));
    QTest::keyClick(page().field("lr")->editor(), Qt::Key_F7, Qt::ShiftModifier);
    ASSERT_TRUE(waitFor([&] { return controller().row()->line == 73; }));
    EXPECT_EQ(controller().row()->problem, PreviewRow::Problem::Refused);
    // The lengths of the histogram are those of the rows.
    std::uint64_t binned = 0;
    for (const std::uint32_t rowsOfLength : counts->lengths) binned += rowsOfLength;
    EXPECT_EQ(binned, 73u);
}

// Story 11
TEST_F(NewRun, AFileWithoutATrainableRowBlocksTheStartAtItsField) {
    choose(write("empty.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n{\"nothing\": 1}\n"));
    EXPECT_FALSE(part<QPushButton>("new.start")->isEnabled());
    EXPECT_FALSE(part<QPushButton>("new.queue")->isEnabled());
    auto* error = part<QLabel>("new.data.error");
    EXPECT_TRUE(error->isVisible());
    EXPECT_TRUE(error->text().contains("No row can be trained on")) << error->text().toStdString();
    EXPECT_TRUE(part<QPushButton>("new.start")->toolTip().contains("No row can be trained on"));
    // The sentence in the summary leads to the field.
    page().field("lr")->editor()->setFocus();
    QTest::mouseClick(part<QToolButton>("new.issue.0"), Qt::LeftButton);
    EXPECT_EQ(QApplication::focusWidget(), page().field("data")->editor());
}

// Story 13
TEST_F(NewRun, TheCommandLineGivesTheSameStoredConfig) {
    for (const auto& [key, value] : std::vector<std::pair<std::string, QString>>{{"alpha", "linear:0.3..0.1@0..10"},
                                                                                 {"lr", "0.00031"},
                                                                                 {"granularity", "block:512"},
                                                                                 {"steps", "5"},
                                                                                 {"eval_split", "0.25"},
                                                                                 {"eval_every", "2"},
                                                                                 {"clip", "0.5"},
                                                                                 {"filter_exclude", "model.embed*, *down*"},
                                                                                 {"seed", "18446744073709551615"},
                                                                                 {"device", "cpu"},
                                                                                 {"batch", "2"}}) {
        controller().form().setText(key, value);
        EXPECT_EQ(controller().form().error(key), "") << key;
    }
    const auto file = write("it's data.jsonl", test::readFile(data()));
    choose(file);
    part<QLineEdit>("new.name")->setFocus();
    QTest::keyClicks(part<QLineEdit>("new.name"), "from the form");
    ASSERT_TRUE(waitFor([&] { return controller().whyNotStart().isEmpty(); })) << controller().whyNotStart().toStdString();
    QTest::mouseClick(part<QToolButton>("new.copy"), Qt::LeftButton);
    const std::string line = QApplication::clipboard()->text().toStdString();
    ASSERT_TRUE(line.starts_with("mofo train --model ")) << line;
    QTest::mouseClick(part<QPushButton>("new.start"), Qt::LeftButton);
    std::string formRun;
    ASSERT_TRUE(waitFor([&] { return !window->session().shownRun().isEmpty(); }, 20'000)) << part<QLabel>("new.message.text")->text().toStdString();
    formRun = window->session().shownRun().toStdString();
    EXPECT_TRUE(window->findChild<RunPage*>("run")->isVisible());
    // As a person pastes it; a shell takes the quotes away.
    const std::string program = (test::binFolder() / "mofo").string();
    std::string pasted = "'" + program + "'" + line.substr(4);
    pasted.replace(pasted.find("'from the form'"), 15, "'from the line'");
    const std::string idFile = (m_folder / "id").string();
    ASSERT_EQ(std::system((pasted + " --detach > '" + idFile + "'").c_str()), 0) << pasted;
    std::string lineRun = test::readFile(idFile);
    lineRun.erase(lineRun.find_last_not_of('\n') + 1);
    const auto a = registry().initialRunConfig(formRun), b = registry().initialRunConfig(lineRun);
    ASSERT_OK(a);
    ASSERT_OK(b);
    EXPECT_EQ(configToJson(*a).dump(), configToJson(*b).dump());
    const auto row = registry().findRun(formRun);
    ASSERT_OK(row);
    EXPECT_EQ(row->name, "from the form");
    EXPECT_TRUE(reaches(formRun, RunState::Finished));
}

// Story 14
TEST_F(NewRun, TheForecastFollowsTheMicroBatchWithin150Milliseconds) {
    choose(data());
    controller().form().setText("batch", "8");
    controller().form().setText("micro_batch", "2");
    ASSERT_TRUE(waitFor([&] { return controller().forecast().memory && controller().forecast().longestKnown; }));
    test::spin(200);
    const std::uint64_t two = controller().forecast().memory->bytesOf(MemoryKind::Activations);
    const QString before = part<MemoryBar>("new.memory")->accessibleDescription();
    controller().form().setText("micro_batch", "4");
    ASSERT_TRUE(waitFor([&] { return controller().forecast().memory->bytesOf(MemoryKind::Activations) == 2 * two; }, 400));
    EXPECT_NE(part<MemoryBar>("new.memory")->accessibleDescription(), before);
    EXPECT_EQ(part<QLabel>("new.summary.fit")->text(), QString::fromUtf8("✓ fits"));
    // A million rows at once fit nowhere: said in words and by a sign. With so many steps as are asked for the rows come again and again.
    controller().form().setText("steps", "10");
    controller().form().setText("batch", "1048576");
    controller().form().setText("micro_batch", "1048576");
    ASSERT_TRUE(waitFor([&] { return controller().fit() == MemoryFit::DoesNotFit; }));
    EXPECT_EQ(part<QLabel>("new.summary.fit")->text(), QString::fromUtf8("✗ does not fit"));
    EXPECT_TRUE(part<MemoryBar>("new.memory")->accessibleDescription().contains(QString::fromUtf8("✗ does not fit")));
}

// Story 8
TEST_F(NewRun, ADroppedModelAndDataFillTheForm) {
    window->showPage(MainWindow::RunsIndex);
    QMimeData mime;
    mime.setUrls({QUrl::fromLocalFile(QString::fromStdString(model().string())), QUrl::fromLocalFile(QString::fromStdString(data().string()))});
    QDragEnterEvent enter(QPoint(300, 300), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window.get(), &enter);
    EXPECT_TRUE(enter.isAccepted());
    QDropEvent drop(QPointF(300, 300), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window.get(), &drop);
    EXPECT_TRUE(page().isVisible());
    ASSERT_TRUE(waitFor([&] { return part<QPushButton>("new.start")->isEnabled(); }, 20'000)) << controller().whyNotStart().toStdString();
    const QString card = part<QLabel>("new.model.line")->text();
    EXPECT_TRUE(card.contains("llama")) << card.toStdString();
    EXPECT_TRUE(card.contains("2 layers")) << card.toStdString();
    EXPECT_TRUE(card.contains("ChatML")) << card.toStdString();
    EXPECT_TRUE(part<QLabel>("new.counts")->text().contains("8 rows")) << part<QLabel>("new.counts")->text().toStdString();
}

// Story 16: what is offered was written while the first window lives, so killing that changes nothing.
TEST_F(NewRun, ADraftIsOfferedByTheNextWindow) {
    controller().form().setText("alpha", "0.075");
    controller().form().setText("model", QString::fromStdString(model().string()));
    const auto stored = [&] {
        const auto draft = registry().setting("draft.new_run");
        return draft.ok() && *draft && (*draft)->find("0.075") != std::string::npos;
    };
    ASSERT_TRUE(waitFor(stored, 5000));
    MainWindow second(workspace().folder(), nullptr);
    second.showPage(MainWindow::NewIndex);
    second.show();
    auto* bar = second.findChild<QLabel*>("new.draft.text");
    ASSERT_TRUE(waitFor([&] { return bar->isVisible(); }));
    EXPECT_TRUE(bar->text().contains("tiny")) << bar->text().toStdString();
    QTest::mouseClick(second.findChild<QPushButton*>("new.draft.action"), Qt::LeftButton);
    EXPECT_EQ(second.newRun().form().config().alpha.common.from, 0.075);
    EXPECT_EQ(second.newRun().form().config().model, model().string());
    EXPECT_FALSE(bar->isVisible());
}

TEST_F(NewRun, ComparingWithAdamWSaysWhatItWouldQueueAndQueuesItAsOneGroup) {
    choose(data());
    controller().form().setText("steps", "5");
    controller().form().setText("device", "cpu");
    auto* compare = part<QPushButton>("new.compare");
    ASSERT_TRUE(waitFor([&] { return compare->isEnabled(); }, 20'000)) << controller().whyNotStart().toStdString();
    QTest::mouseClick(compare, Qt::LeftButton);
    auto* queue = part<QPushButton>("new.comparison.queue");
    ASSERT_TRUE(waitFor([&] { return queue->isVisible(); }, 20'000));
    const std::string text = part<QLabel>("new.comparison.text")->text().toStdString();
    EXPECT_THAT(text,
                testing::AllOf(testing::HasSubstr("15 steps in all"), testing::HasSubstr("of checkpoints stay"), testing::HasSubstr("are free")));
    EXPECT_EQ(queue->text(), "Queue all 3");
    EXPECT_TRUE(waitFor([&] { return !queue->visibleRegion().isEmpty(); }, 2'000)) << "it is scrolled to";
    EXPECT_TRUE(Registry::open(workspace(), Registry::Access::ReadOnly)->runs()->empty()) << "nothing is queued before it is asked for";
    QTest::mouseClick(queue, Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return window->page() == MainWindow::RunsIndex; }, 20'000));
    auto registry = Registry::open(workspace(), Registry::Access::ReadOnly);
    ASSERT_OK(registry);
    const auto runs = registry->runs();
    ASSERT_EQ(runs->size(), 3u);
    int adamw = 0;
    for (const RunRow& run : *runs) {
        EXPECT_EQ(run.sweepId, runs->front().sweepId);
        EXPECT_EQ(run.config.seed, runs->front().config.seed);
        adamw += run.config.optimizer == OptimizerKind::AdamW ? 1 : 0;
    }
    EXPECT_EQ(adamw, 1);
    EXPECT_FALSE(runs->front().sweepId.empty());
}

TEST_F(NewRun, AComparisonIsForgottenWhenTheFormChanges) {
    choose(data());
    controller().form().setText("steps", "5");
    controller().form().setText("device", "cpu");
    auto* compare = part<QPushButton>("new.compare");
    ASSERT_TRUE(waitFor([&] { return compare->isEnabled(); }, 20'000));
    QTest::mouseClick(compare, Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return controller().comparison() != nullptr; }, 20'000));
    controller().form().setText("steps", "6");
    EXPECT_EQ(controller().comparison(), nullptr);
    EXPECT_FALSE(part<QPushButton>("new.comparison.queue")->isVisible());
    EXPECT_TRUE(Registry::open(workspace(), Registry::Access::ReadOnly)->runs()->empty());
}

TEST_F(NewRun, PresetsFillTheFormAndOwnOnesAreKept) {
    controller().form().applyPreset(builtInPresets()[2]);
    EXPECT_EQ(controller().form().config().microBatch, 2);
    EXPECT_EQ(configValue(controller().form().config(), "schedule"), "cosine");
    controller().form().setText("alpha", "0.03");
    controller().savePreset("mine");
    ASSERT_TRUE(waitFor([&] {
        const auto stored = registry().setting("presets.user");
        return stored.ok() && *stored;
    }));
    MainWindow second(workspace().folder(), nullptr);
    second.showPage(MainWindow::NewIndex);
    second.show();
    ASSERT_TRUE(waitFor([&] { return second.newRun().presets().size() == builtInPresets().size() + 1; }));
    second.newRun().form().applyPreset(second.newRun().presets().back());
    EXPECT_EQ(second.newRun().form().config().alpha.common.from, 0.03);
    EXPECT_EQ(second.newRun().form().config().microBatch, 2);
}

TEST_F(NewRun, AScanOfManyRowsNeverBlocksTheWindow) {
    std::ofstream file(m_folder / "many.jsonl");
    for (int i = 0; i < 20'000; ++i) file << chat("Question " + std::to_string(i), longAnswer(12));
    file.close();
    controller().form().setText("model", QString::fromStdString(model().string()));
    controller().form().setText("data", QString::fromStdString((m_folder / "many.jsonl").string()));
    QElapsedTimer clock;
    qint64 worst = 0;
    clock.start();
    // Each turn of the event loop is short; only the turns are timed, not the sleep between them.
    ASSERT_TRUE(waitFor(
        [&] {
            QElapsedTimer turn;
            turn.start();
            QApplication::processEvents();
            worst = std::max(worst, turn.elapsed());
            return controller().counts() && controller().counts()->complete;
        },
        60'000));
    // The limit is 100 ms; the whole file takes several times that.
    EXPECT_LT(worst, 1000);
    EXPECT_EQ(controller().counts()->fileRows, 20'000);
    std::printf("[ measured ] 20,000 rows in %.1f s, longest turn of the event loop %lld ms\n", static_cast<double>(clock.elapsed()) / 1e3,
                static_cast<long long>(worst));
    // A row from the middle comes by itself.
    controller().showRow(15'000);
    ASSERT_TRUE(waitFor([&] { return controller().row()->index == 15'000; }));
    // Another file ends the work on this one.
    controller().form().setText("data", QString::fromStdString(data().string()));
    ASSERT_TRUE(waitFor([&] { return controller().counts() && controller().counts()->complete && controller().counts()->fileRows == 8; }));
}

}  // namespace
}  // namespace mofo
