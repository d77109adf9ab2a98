// The smallest window in both languages, and the largest text: every page shows its texts whole, or elides them and says the rest in a tool tip.
#include <gtest/gtest.h>

#include <QAbstractButton>
#include <QAbstractScrollArea>
#include <QApplication>
#include <QLabel>
#include <QToolButton>
#include <filesystem>

#include "tests/ui/ui_test_support.h"
#include "ui/models/run_data.h"
#include "ui/models/run_table_model.h"
#include "ui/widgets/application.h"
#include "ui/widgets/main_window.h"
#include "ui/widgets/small_widgets.h"

namespace mofo {
namespace {

using test::waitFor;

struct Layout {
    const char* name;
    const char* language;
    QSize size;
    double text;
};

class SmallWindow : public testing::TestWithParam<Layout> {
protected:
    void TearDown() override { setLanguage(*qApp, "en"); }
};

INSTANTIATE_TEST_SUITE_P(Table, SmallWindow,
                         testing::Values(Layout{"English", "en", {1024, 700}, 1}, Layout{"Japanese", "ja", {1024, 700}, 1},
                                         Layout{"LargeText", "en", {1920, 1080}, 1.5}),
                         [](const auto& info) { return std::string(info.param.name); });

/// What a person cannot read of this widget; empty where all is well.
QString cutText(const QWidget& widget) {
    constexpr int rounding = 1;
    if (!widget.toolTip().isEmpty() || qobject_cast<const ElidedLabel*>(&widget) != nullptr) return {};
    if (const auto* label = qobject_cast<const QLabel*>(&widget)) {
        if (label->text().isEmpty()) return {};
        const QSize room = label->contentsRect().size();
        const int flags = Qt::AlignLeft | (label->wordWrap() ? Qt::TextWordWrap : 0);
        const QSize needs =
            label->fontMetrics().boundingRect(QRect(0, 0, label->wordWrap() ? room.width() : 100'000, 100'000), flags, label->text()).size();
        if (needs.width() <= room.width() + rounding && needs.height() <= room.height() + rounding) return {};
        return QStringLiteral("label %1 \"%2\" needs %3x%4, has %5x%6")
            .arg(label->objectName(), label->text())
            .arg(needs.width())
            .arg(needs.height())
            .arg(room.width())
            .arg(room.height());
    }
    if (const auto* button = qobject_cast<const QAbstractButton*>(&widget)) {
        const auto* tool = qobject_cast<const QToolButton*>(button);
        if (button->text().isEmpty() || (tool != nullptr && tool->toolButtonStyle() == Qt::ToolButtonIconOnly && !tool->icon().isNull())) return {};
        const int needs = button->fontMetrics().size(Qt::TextShowMnemonic, button->text()).width();
        if (needs <= button->width() + rounding) return {};
        return QStringLiteral("button %1 \"%2\" needs %3, has %4").arg(button->objectName(), button->text()).arg(needs).arg(button->width());
    }
    return {};
}

/// Widgets may stand outside of what scrolls; nothing else leaves its window.
bool isOutside(const QWidget& widget, const QWidget& window) {
    for (const QWidget* parent = widget.parentWidget(); parent != nullptr && parent != &window; parent = parent->parentWidget()) {
        if (qobject_cast<const QAbstractScrollArea*>(parent) != nullptr) return false;
    }
    const QRect place(widget.mapTo(&window, QPoint(0, 0)), widget.size());
    return !window.rect().adjusted(-1, -1, 1, 1).contains(place);
}

TEST_P(SmallWindow, EveryPageShowsItsTextsWhole) {
    const Layout& layout = GetParam();
    setLanguage(*qApp, layout.language);
    MainWindow window(std::filesystem::path(MOFO_BIN_DIR) / "sample", nullptr);
    if (layout.text != 1) window.setTextScale(layout.text);
    window.resize(layout.size);
    window.show();
    ASSERT_TRUE(waitFor([&] { return window.session().runs().runCount() == 3; }, 20'000));
    window.openRun("maths-a15");
    ASSERT_TRUE(waitFor([&] { return window.session().run().newestStep() == 60; }, 20'000));
    EXPECT_EQ(window.size(), layout.size) << "some page wants more";
    QStringList wrong;
    int looked = 0;
    for (int page = 0; page < MainWindow::PageCount; ++page) {
        window.showPage(static_cast<MainWindow::Page>(page));
        test::spin(150);
        for (const QWidget* widget : window.findChildren<QWidget*>()) {
            if (!widget->isVisible() || widget->window() != &window) continue;
            ++looked;
            if (const QString cut = cutText(*widget); !cut.isEmpty()) wrong << QStringLiteral("page %1: %2").arg(page).arg(cut);
            if (isOutside(*widget, window))
                wrong << QStringLiteral("page %1: %2 %3 is outside").arg(page).arg(widget->metaObject()->className(), widget->objectName());
        }
    }
    wrong.removeDuplicates();
    EXPECT_GT(looked, 300);
    EXPECT_TRUE(wrong.isEmpty()) << wrong.join("\n").toStdString();
    window.setTextScale(1);
}

TEST(TextSize, IsFollowedByThePages) {
    test::UiWorkspace workspace;
    MainWindow window(workspace.folder(), nullptr);
    window.resize(1440, 900);
    window.show();
    window.showPage(MainWindow::NewIndex);
    const auto widest = [&] {
        int width = 0;
        for (const auto* label : window.findChildren<QLabel*>()) width = std::max(width, label->fontMetrics().height());
        return width;
    };
    const int before = widest();
    window.setTextScale(2);
    EXPECT_EQ(window.page(), MainWindow::NewIndex);
    EXPECT_GE(widest(), 2 * before - 4);
    window.setTextScale(1);
    EXPECT_EQ(widest(), before);
}

}  // namespace
}  // namespace mofo
