#include "tests/support/window_pictures.h"

#include <QDir>
#include <QFileInfo>
#include <filesystem>

namespace mofo::test {

namespace {

namespace fs = std::filesystem;

Error failure(const QString& text) { return Error{.code = ErrorCode::Internal, .message = text.toStdString()}; }

/// A folder that is gone again with this object.
class Place {
public:
    explicit Place(const QString& path) : m_path(path), m_made(!path.isEmpty() && QDir().mkdir(path)) {}
    ~Place() {
        if (m_made) QDir(m_path).removeRecursively();
    }
    [[nodiscard]] bool isValid() const { return m_made || m_path.isEmpty(); }

private:
    QString m_path;
    bool m_made;
};

/// In the order of Ctrl+1 to Ctrl+7.
const QStringList& pageNames() {
    static const QStringList names{QStringLiteral("runs"), QStringLiteral("new"),    QStringLiteral("run"),  QStringLiteral("compare"),
                                   QStringLiteral("chat"), QStringLiteral("models"), QStringLiteral("setup")};
    return names;
}

/// The keys that a person presses to get to a page with something on it.
void goTo(DrivenWindow& window, const QString& page, bool runIsOpen) {
    if (page == QLatin1String("run") && !runIsOpen) {
        window.press({QStringLiteral("ctrl+1"), QStringLiteral("Home"), QStringLiteral("Return")});
    } else if (page == QLatin1String("compare")) {
        // The two uppermost runs of the list.
        window.press({QStringLiteral("ctrl+1")});
        (void)window.steadyPicture(200);
        window.press(
            {QStringLiteral("Home"), QStringLiteral("space"), QStringLiteral("Down"), QStringLiteral("space"), QStringLiteral("ctrl+Return")});
        window.press({QStringLiteral("ctrl+4")});
    } else {
        window.press({QStringLiteral("ctrl+%1").arg(pageNames().indexOf(page) + 1)});
    }
}

Result<void> takeOne(const PictureJob& job, const PictureVariant& variant, bool empty, const std::function<void(const PagePicture&)>& take) {
    // A draft of a new run, marks and settings are written to a workspace: not to the one given.
    const QTemporaryDir temporary;
    const Place place(job.place);
    if (!place.isValid()) return failure(QStringLiteral("%1 is there already, or cannot be made").arg(job.place));
    const QDir folder(job.place.isEmpty() ? temporary.path() : job.place);
    const QString workspace = folder.filePath(QStringLiteral("workspace"));
    if (!empty) {
        std::error_code failed;
        fs::copy(job.workspace.toStdString(), workspace.toStdString(), fs::copy_options::recursive, failed);
        if (failed) return failure(QStringLiteral("%1 cannot be copied: %2").arg(job.workspace, QString::fromStdString(failed.message())));
        for (fs::recursive_directory_iterator entry(workspace.toStdString()), last; entry != last; ++entry)
            fs::permissions(entry->path(), fs::perms::owner_write | (entry->is_directory() ? fs::perms::owner_exec : fs::perms::none),
                            fs::perm_options::add);
    }
    DrivenWindowOptions options;
    options.program = job.program;
    options.size = variant.size * variant.scale;
    options.scale = variant.scale;
    options.arguments = {QStringLiteral("--workspace"), workspace,       QStringLiteral("--theme"), variant.theme,
                         QStringLiteral("--language"),  variant.language};
    if (!empty) {
        if (!job.run.isEmpty()) options.arguments << QStringLiteral("--run") << job.run;
        for (const QString& path : {job.model, job.data}) {
            if (path.isEmpty()) continue;
            const QString link = folder.filePath(QFileInfo(path).fileName());
            if (!QFile::link(path, link)) return failure(QStringLiteral("%1 cannot be made").arg(link));
            options.arguments << QStringLiteral("--take") << link;
        }
        options.arguments << QStringLiteral("--page") << QStringLiteral("runs");
    }
    MOFO_TRY(const std::unique_ptr<Screen> screen, Screen::start(options.size + QSize(40, 40)));
    MOFO_TRY(const std::unique_ptr<DrivenWindow> window, DrivenWindow::start(*screen, options));
    for (int i = 0; i < variant.largerText; ++i) window->press({QStringLiteral("ctrl+plus")});
    (void)window->steadyPicture();
    const QStringList pages = empty ? QStringList{QStringLiteral("first")} : variant.pages;
    for (const QString& page : pages) {
        if (!empty && page == QLatin1String("first")) continue;
        if (!empty) goTo(*window, page, !job.run.isEmpty());
        PagePicture seen{variant.name, page, {}, window->steadyPicture(page == QLatin1String("new") ? 1500 : 700)};
        seen.title = window->title();
        take(seen);
    }
    const bool ended = window->quit();
    if (const QString said = window->errors(); !said.isEmpty()) return failure(QStringLiteral("the window wrote to standard error: %1").arg(said));
    if (!ended) return failure(QStringLiteral("the window did not end by Ctrl+Q"));
    return {};
}

}  // namespace

std::vector<PictureVariant> allVariants() {
    QStringList all = pageNames();
    all << QStringLiteral("first");
    const QString light = QStringLiteral("light"), dark = QStringLiteral("dark"), ja = QStringLiteral("ja");
    std::vector<PictureVariant> variants;
    for (const QString& theme : {light, dark}) {
        for (const QSize size : {QSize(1440, 900), QSize(1280, 720), QSize(1024, 700)})
            variants.push_back(
                {QStringLiteral("%1x%2-%3").arg(size.width()).arg(size.height()).arg(theme), size, 1, theme, QStringLiteral("en"), 0, all});
    }
    variants.push_back({QStringLiteral("1440x900-200percent"), QSize(1440, 900), 2, light, QStringLiteral("en"), 0, all});
    variants.push_back({QStringLiteral("1024x700-200percent"), QSize(1024, 700), 2, dark, QStringLiteral("en"), 0, all});
    variants.push_back({QStringLiteral("1440x900-text"), QSize(1440, 900), 1, light, QStringLiteral("en"), 8, all});
    const QStringList some{QStringLiteral("run"), QStringLiteral("new"), QStringLiteral("runs"), QStringLiteral("first")};
    variants.push_back({QStringLiteral("1440x900-japanese"), QSize(1440, 900), 1, light, ja, 0, some});
    variants.push_back({QStringLiteral("1024x700-japanese"), QSize(1024, 700), 1, dark, ja, 0, some});
    return variants;
}

std::vector<PictureVariant> fewVariants() {
    QStringList all = pageNames();
    all << QStringLiteral("first");
    return {{QStringLiteral("light"), QSize(1440, 900), 1, QStringLiteral("light"), QStringLiteral("en"), 0, all},
            {QStringLiteral("dark"), QSize(1440, 900), 1, QStringLiteral("dark"), QStringLiteral("en"), 0, all}};
}

PictureVariant readmeVariant() {
    return {QStringLiteral("readme"),
            QSize(1440, 900),
            1,
            QStringLiteral("light"),
            QStringLiteral("en"),
            0,
            {QStringLiteral("run"), QStringLiteral("new")}};
}

Result<void> takePictures(const PictureJob& job, const std::vector<PictureVariant>& variants, const std::function<void(const PagePicture&)>& take) {
    for (const PictureVariant& variant : variants) {
        const bool first = variant.pages.contains(QStringLiteral("first"));
        if (!first || variant.pages.size() > 1) MOFO_CHECK(takeOne(job, variant, false, take));
        if (first) MOFO_CHECK(takeOne(job, variant, true, take));
    }
    return {};
}

}  // namespace mofo::test
