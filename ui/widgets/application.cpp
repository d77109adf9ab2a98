#include "ui/widgets/application.h"

#include <QApplication>
#include <QIcon>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>

// Resources of a static library are not registered by themselves; the macro does not work inside a namespace.
static void registerResources() {
    Q_INIT_RESOURCE(mofo);
    Q_INIT_RESOURCE(mofo_i18n);
}

namespace mofo {

void setUpApplication(QApplication& application) {
    registerResources();
    QCoreApplication::setApplicationName(QStringLiteral("mofo-workbench"));
    QCoreApplication::setApplicationVersion(QStringLiteral(MOFO_VERSION));
    QGuiApplication::setApplicationDisplayName(QString());
    QGuiApplication::setDesktopFileName(QStringLiteral("mofo-workbench"));
    application.setWindowIcon(QIcon(QStringLiteral(":/mofo/icons/mofo.svg")));
}

void setLanguage(QApplication& application, const QString& language) {
    for (QTranslator* before : application.findChildren<QTranslator*>(QString(), Qt::FindDirectChildrenOnly)) {
        QCoreApplication::removeTranslator(before);
        delete before;
    }
    const QLocale locale = language.isEmpty() ? QLocale() : QLocale(language);
    QLocale::setDefault(locale.language() == QLocale::C ? QLocale(QLocale::English) : locale);
    // English has no file: where it is the desktop's first language, load() would go on to its second.
    if (locale.uiLanguages().value(0).startsWith(QLatin1String("en"))) return;
    auto* own = new QTranslator(&application);
    if (own->load(locale, QStringLiteral("mofo"), QStringLiteral("_"), QStringLiteral(":/mofo/i18n"))) application.installTranslator(own);
    auto* qts = new QTranslator(&application);
    if (qts->load(locale, QStringLiteral("qtbase"), QStringLiteral("_"), QLibraryInfo::path(QLibraryInfo::TranslationsPath))) {
        application.installTranslator(qts);
    }
}

}  // namespace mofo
