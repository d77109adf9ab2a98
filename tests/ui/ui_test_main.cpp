// main() of the window's tests: offscreen, with settings of its own, and every Qt warning is a failure (QAbstractItemModelTester in
// Warning mode speaks through them).
#include <gtest/gtest.h>

#include <QApplication>
#include <QLocale>
#include <QTemporaryDir>

#include "ui/widgets/application.h"
#include "ui/widgets/theme.h"

namespace {

void failOnWarning(QtMsgType type, const QMessageLogContext& context, const QString& message) {
    const QByteArray text = message.toLocal8Bit();
    // What the offscreen platform cannot do is no fault of the window.
    if (message.startsWith(QLatin1String("This plugin does not support"))) return;
    if (type == QtDebugMsg || type == QtInfoMsg) {
        std::fprintf(stderr, "%s\n", text.constData());
        return;
    }
    ADD_FAILURE() << "Qt says (" << (context.category != nullptr ? context.category : "default") << "): " << text.constData();
}

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (!qEnvironmentVariableIsSet("MOFO_TEST_ON_SCREEN")) qputenv("QT_QPA_PLATFORM", "offscreen");
    const QTemporaryDir settings;
    qputenv("XDG_CONFIG_HOME", settings.path().toLocal8Bit());
    QApplication application(argc, argv);
    mofo::setUpApplication(application);
    mofo::setLanguage(application, QStringLiteral("en"));
    mofo::Theme::apply(application, mofo::Theme::Choice::Light);
    qInstallMessageHandler(failOnWarning);
    return RUN_ALL_TESTS();
}
