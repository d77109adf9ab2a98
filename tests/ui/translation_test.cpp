// The Japanese texts: every text of the sources has one, with the same placeholders, and the window shows them.
#include <gtest/gtest.h>

#include <QAction>
#include <QApplication>
#include <QFile>
#include <QMenu>
#include <QMenuBar>
#include <QProcess>
#include <QRegularExpression>
#include <QTranslator>
#include <QXmlStreamReader>

#include "tests/ui/ui_test_support.h"
#include "ui/models/display_text.h"
#include "ui/widgets/application.h"
#include "ui/widgets/main_window.h"

namespace mofo {
namespace {

using test::UiWorkspace;

QStringList placeholders(const QString& text) {
    static const QRegularExpression pattern(QStringLiteral("%(\\d|n)"));
    QStringList found;
    for (auto match = pattern.globalMatch(text); match.hasNext();) found << match.next().captured();
    found.sort();
    return found;
}

/// Japanese while it lives; the other tests read English.
class InJapanese {
public:
    InJapanese() { setLanguage(*qApp, QStringLiteral("ja")); }
    ~InJapanese() {
        for (QTranslator* translator : qApp->findChildren<QTranslator*>()) delete translator;
        setLanguage(*qApp, QStringLiteral("en"));
    }
};

TEST(Translation, EveryTextOfTheSourcesIsTranslated) {
    const QString root = QStringLiteral(MOFO_SOURCE_DIR);
    test::TemporaryFolder folder;
    const QString copy = QString::fromStdString((folder / "mofo_ja.ts").string());
    ASSERT_TRUE(QFile::copy(root + "/resources/i18n/mofo_ja.ts", copy));
    // A text that is new in the sources arrives in the copy as unfinished.
    QProcess lupdate;
    lupdate.setWorkingDirectory(root);
    lupdate.start(QStringLiteral(MOFO_LUPDATE), {"ui", "app/workbench", "-I", ".", "-locations", "none", "-no-obsolete", "-ts", copy});
    ASSERT_TRUE(lupdate.waitForFinished(60'000));
    ASSERT_EQ(lupdate.exitCode(), 0) << lupdate.readAllStandardError().toStdString();

    QFile file(copy);
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    QXmlStreamReader xml(&file);
    int messages = 0;
    QString source;
    while (!xml.atEnd()) {
        if (xml.readNext() != QXmlStreamReader::StartElement) continue;
        if (xml.name() == QLatin1String("source")) source = xml.readElementText();
        if (xml.name() != QLatin1String("translation")) continue;
        ++messages;
        EXPECT_FALSE(xml.attributes().hasAttribute("type")) << source.toStdString();
        const QString text = xml.readElementText(QXmlStreamReader::IncludeChildElements);
        EXPECT_FALSE(text.isEmpty()) << source.toStdString();
        EXPECT_EQ(placeholders(text), placeholders(source)) << source.toStdString() << " / " << text.toStdString();
        EXPECT_EQ(text.count('\n'), source.count('\n')) << source.toStdString();
        // In a menu entry the tab is followed by its key, which stays.
        EXPECT_EQ(text.section('\t', 1), source.section('\t', 1)) << source.toStdString();
    }
    EXPECT_FALSE(xml.hasError()) << xml.errorString().toStdString();
    EXPECT_GE(messages, 300);
}

TEST(Translation, TheWindowSpeaksJapanese) {
    const InJapanese language;
    UiWorkspace workspace;
    MainWindow window(workspace.folder(), nullptr);
    EXPECT_EQ(window.findChild<QAction*>("main.showRuns")->text(), QStringLiteral("実行一覧"));
    EXPECT_EQ(window.findChild<QAction*>("main.showRun")->text(), QStringLiteral("実行"));
    QStringList menus;
    for (const QAction* action : window.menuBar()->actions()) menus << action->text();
    EXPECT_EQ(menus, (QStringList{"ファイル(&F)", "編集(&E)", "表示(&V)", "実行(&R)", "チャート(&C)", "ツール(&T)", "ヘルプ(&H)"}));
    EXPECT_EQ(ui::stateText(RunState::Running), QStringLiteral("実行中"));
    const QRegularExpression japanese(QStringLiteral("[\\x{3040}-\\x{30ff}\\x{4e00}-\\x{9fff}]"));
    int entries = 0;
    for (const QAction* menu : window.menuBar()->actions()) {
        for (const QAction* action : menu->menu()->actions()) {
            if (action->isSeparator()) continue;
            ++entries;
            EXPECT_TRUE(action->text().contains(japanese)) << action->text().toStdString();
        }
    }
    EXPECT_GE(entries, 15);
}

TEST(Translation, EnglishComesBack) {
    { const InJapanese language; }
    UiWorkspace workspace;
    MainWindow window(workspace.folder(), nullptr);
    EXPECT_EQ(window.findChild<QAction*>("main.showRuns")->text(), QStringLiteral("Runs"));
}

}  // namespace
}  // namespace mofo
