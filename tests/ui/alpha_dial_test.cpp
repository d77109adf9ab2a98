#include "ui/widgets/alpha_dial.h"

#include <gtest/gtest.h>

#include <QApplication>
#include <QSignalSpy>
#include <QTest>
#include <QVBoxLayout>
#include <QWheelEvent>
#include <cmath>

namespace mofo {
namespace {

/// Whether the widget took the event; what it leaves goes to the widget around it.
bool turnWheel(QWidget& widget, int notches) {
    const QPointF at = QRectF(widget.rect()).center();
    QWheelEvent event(at, widget.mapToGlobal(at), QPoint(), QPoint(0, 120 * notches), Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(&widget, &event);
    return event.isAccepted();
}

TEST(AlphaDial, TheScaleIsLogarithmicAndRoundTrips) {
    EXPECT_EQ(AlphaDial::positionOf(0.001), 0);
    EXPECT_EQ(AlphaDial::positionOf(0.01), 1000);
    EXPECT_EQ(AlphaDial::positionOf(0.1), 2000);
    EXPECT_EQ(AlphaDial::positionOf(1.0), 3000);
    for (const double alpha : {0.001, 0.0025, 0.01, 0.05, 0.075, 0.15, 0.2, 0.4, 1.0}) {
        EXPECT_DOUBLE_EQ(AlphaDial::alphaAt(AlphaDial::positionOf(alpha)), alpha);
    }
    EXPECT_EQ(AlphaDial::alphaAt(99999), 1.0);
    EXPECT_EQ(AlphaDial::alphaAt(-5), 0.001);
}

TEST(AlphaDial, NeighboursAreRoundAndEndAtTheEnds) {
    EXPECT_DOUBLE_EQ(AlphaDial::neighbour(0.15, 1), 0.20);
    EXPECT_DOUBLE_EQ(AlphaDial::neighbour(0.15, -1), 0.125);
    EXPECT_DOUBLE_EQ(AlphaDial::neighbour(0.16, -1), 0.15);
    EXPECT_DOUBLE_EQ(AlphaDial::neighbour(1.0, 1), 1.0);
    EXPECT_DOUBLE_EQ(AlphaDial::neighbour(0.001, -1), 0.001);
}

TEST(AlphaDial, KeysStageASharedRoundedToTwoDigits) {
    AlphaDial dial;
    dial.setNeedles(0.15, std::nullopt, false);
    QSignalSpy staged(&dial, &AlphaDial::alphaStaged);
    QTest::keyClick(&dial, Qt::Key_Up);
    ASSERT_EQ(staged.count(), 1);
    EXPECT_DOUBLE_EQ(staged[0][0].toDouble(), 0.16);
    QTest::keyClick(&dial, Qt::Key_PageDown);
    EXPECT_LT(staged[1][0].toDouble(), 0.15);
    QTest::keyClick(&dial, Qt::Key_Home);
    EXPECT_DOUBLE_EQ(staged[2][0].toDouble(), 0.001);
    QTest::keyClick(&dial, Qt::Key_End);
    EXPECT_DOUBLE_EQ(staged[3][0].toDouble(), 1.0);
    QSignalSpy discarded(&dial, &AlphaDial::discardWanted);
    QTest::keyClick(&dial, Qt::Key_Escape);
    EXPECT_EQ(discarded.count(), 1);
}

TEST(AlphaDial, EveryKeyStepChangesTheValue) {
    // From every value a key can reach, the next one differs: rounding never swallows a step.
    double alpha = 0.001;
    for (int i = 0; i < 200 && alpha < 1.0; ++i) {
        const double next = AlphaDial::alphaAt(AlphaDial::positionOf(alpha) + 30);
        ASSERT_GT(next, alpha);
        alpha = next;
    }
    EXPECT_EQ(alpha, 1.0);
}

TEST(AlphaDial, AClickStagesWhatItPointsAt) {
    AlphaDial dial;
    dial.resize(240, 172);
    QSignalSpy staged(&dial, &AlphaDial::alphaStaged);
    QTest::mouseClick(&dial, Qt::LeftButton, {}, QPoint(120, 24));  // straight up: the middle of the scale
    ASSERT_EQ(staged.count(), 1);
    EXPECT_NEAR(std::log10(staged[0][0].toDouble()), std::log10(0.0316), 0.03);
    QTest::mouseClick(&dial, Qt::RightButton, {}, QPoint(120, 24));
    EXPECT_EQ(staged.count(), 1);
}

TEST(AlphaDial, WithoutFocusTheWheelIsLeftToThePage) {
    QWidget page;
    auto* layout = new QVBoxLayout(&page);
    auto* dial = new AlphaDial;
    auto* other = new QWidget;
    other->setFocusPolicy(Qt::StrongFocus);
    layout->addWidget(dial);
    layout->addWidget(other);
    page.show();
    ASSERT_TRUE(QTest::qWaitForWindowActive(&page));
    other->setFocus();
    dial->setNeedles(0.15, std::nullopt, false);
    QSignalSpy staged(dial, &AlphaDial::alphaStaged);
    const int before = dial->value();
    EXPECT_FALSE(turnWheel(*dial, -1));
    EXPECT_EQ(staged.count(), 0);
    EXPECT_EQ(dial->value(), before);
    EXPECT_FALSE(dial->hasFocus());
    dial->setFocus();
    EXPECT_TRUE(turnWheel(*dial, 1));
    EXPECT_EQ(staged.count(), 1);
}

}  // namespace
}  // namespace mofo
