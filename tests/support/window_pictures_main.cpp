// window_pictures: takes pictures of every page of the built window, driven by keys under Xvfb.
#include <QCommandLineParser>
#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QImageWriter>
#include <cstdio>

#include "tests/support/window_pictures.h"

namespace {

constexpr int exitFailed = 1, exitUsage = 2, exitSkipped = 77;

int fail(int code, const QString& text) {
    std::fprintf(stderr, "window_pictures: %s\n", text.toLocal8Bit().constData());
    return code;
}

/// Small: palette where the colours allow, and the compression that costs most time.
bool writeSmall(const QImage& picture, const QString& path) {
    constexpr int paletteColours = 256;
    const bool few = mofo::test::factsOf(picture).colours <= paletteColours;
    QImageWriter writer(path, "png");
    writer.setCompression(100);
    return writer.write(few ? picture.convertToFormat(QImage::Format_Indexed8) : picture.convertToFormat(QImage::Format_RGB888));
}

}  // namespace

int main(int argc, char** argv) {
    const QCoreApplication application(argc, argv);
    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral(
        "Starts mofo-workbench under Xvfb with openbox, goes through its pages by keys and keeps a picture of each: light and dark, at 1440x900, "
        "1280x720, 1024x700, at 200 % and in Japanese. Exit code 77 where Xvfb, openbox or xdotool is missing."));
    parser.addHelpOption();
    const QCommandLineOption out(QStringLiteral("out"), QStringLiteral("Folder of the pictures (window-pictures)."), QStringLiteral("DIR"),
                                 QStringLiteral("window-pictures"));
    const QCommandLineOption few(QStringLiteral("few"), QStringLiteral("Each page once, light and dark."));
    const QCommandLineOption only(QStringLiteral("only"), QStringLiteral("Only variants and pages whose file names hold this text."),
                                  QStringLiteral("TEXT"));
    const QCommandLineOption readme(QStringLiteral("readme"), QStringLiteral("Only the two pictures of README, into resources/pictures."));
    const QCommandLineOption run(QStringLiteral("run"), QStringLiteral("Run of page Run (the first of the list)."), QStringLiteral("RUN"));
    const QCommandLineOption model(QStringLiteral("model"), QStringLiteral("Model for page New run."), QStringLiteral("PATH"));
    const QCommandLineOption data(QStringLiteral("data"), QStringLiteral("Data for page New run."), QStringLiteral("PATH"));
    const QCommandLineOption program(QStringLiteral("program"), QStringLiteral("The window (%1/mofo-workbench).").arg(QStringLiteral(MOFO_BIN_DIR)),
                                     QStringLiteral("PATH"), QStringLiteral(MOFO_BIN_DIR "/mofo-workbench"));
    parser.addOptions({out, few, only, readme, run, model, data, program});
    parser.addPositionalArgument(QStringLiteral("WORKSPACE"), QStringLiteral("A workspace with runs; it is not changed."));
    parser.process(application);
    if (parser.positionalArguments().size() != 1) return fail(exitUsage, QStringLiteral("one workspace is needed; --help tells the rest"));
    if (const QString missing = mofo::test::missingScreenTools(); !missing.isEmpty())
        return fail(exitSkipped, QStringLiteral("%1 is not installed").arg(missing));

    mofo::test::PictureJob job;
    const auto path = [&](const QCommandLineOption& option) {
        return parser.isSet(option) ? QFileInfo(parser.value(option)).absoluteFilePath() : QString();
    };
    job.program = QFileInfo(parser.value(program)).absoluteFilePath();
    job.workspace = QFileInfo(parser.positionalArguments().constFirst()).absoluteFilePath();
    job.run = parser.value(run);
    job.model = path(model);
    job.data = path(data);
    if (parser.isSet(readme)) job.place = QDir::temp().filePath(QStringLiteral("mofo"));
    const QString folder =
        parser.isSet(readme) ? QStringLiteral(MOFO_SOURCE_DIR "/resources/pictures") : QFileInfo(parser.value(out)).absoluteFilePath();
    if (!QDir().mkpath(folder)) return fail(exitFailed, QStringLiteral("%1 cannot be made").arg(folder));

    std::vector<mofo::test::PictureVariant> variants = parser.isSet(few) ? mofo::test::fewVariants() : mofo::test::allVariants();
    if (parser.isSet(readme)) variants = {mofo::test::readmeVariant()};
    const auto fileName = [&](const QString& variant, const QString& page) {
        if (parser.isSet(readme)) return page == QLatin1String("run") ? QStringLiteral("run-page.png") : QStringLiteral("new-run-page.png");
        return QStringLiteral("%1-%2.png").arg(page, variant);
    };
    for (mofo::test::PictureVariant& variant : variants) {
        variant.pages.removeIf([&](const QString& page) { return !fileName(variant.name, page).contains(parser.value(only)); });
    }
    std::erase_if(variants, [](const mofo::test::PictureVariant& variant) { return variant.pages.isEmpty(); });
    QString unwritten;
    const auto done = mofo::test::takePictures(job, variants, [&](const mofo::test::PagePicture& seen) {
        const QString file = QDir(folder).filePath(fileName(seen.variant, seen.page));
        if (!writeSmall(seen.image, file)) unwritten = file;
        std::printf("%s\t%s\n", file.toLocal8Bit().constData(), seen.title.toLocal8Bit().constData());
        std::fflush(stdout);
    });
    if (!done.ok()) return fail(exitFailed, QString::fromStdString(done.error().text()));
    return unwritten.isEmpty() ? 0 : fail(exitFailed, QStringLiteral("%1 cannot be written").arg(unwritten));
}
