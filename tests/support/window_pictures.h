// Pictures of the built window's pages, for looking at them and for README: which pages, in which sizes, themes and languages.
#pragma once

#include <functional>

#include "tests/support/driven_window.h"

namespace mofo::test {

struct PictureJob {
    QString program;      ///< mofo-workbench
    QString workspace;    ///< is not written to: a copy is opened
    QString run;          ///< the run of page Run; empty: the first of the list
    QString place;        ///< a folder that is not there yet, for the copy and links to model and data: its name is in the pictures; empty: any
    QString model, data;  ///< what page New run is filled with; may be empty
};

/// One start of the window: everything that is the same for its pages.
struct PictureVariant {
    QString name;           ///< part of the file names
    QSize size{1440, 900};  ///< in the window's own units: a scale of 2 doubles the pixels
    double scale = 1;
    QString theme = QStringLiteral("light");
    QString language = QStringLiteral("en");
    int largerText = 0;  ///< how often Ctrl++ is pressed
    QStringList pages;   ///< names as in --page, and "first", the first screen of an empty workspace
};

/// What was seen of one page.
struct PagePicture {
    QString variant, page, title;
    QImage image;
};

/// All variants: light and dark at 1440x900 and 1280x720, at 200 %, at 1024x700, and Japanese.
[[nodiscard]] std::vector<PictureVariant> allVariants();
/// Each page once, light and dark.
[[nodiscard]] std::vector<PictureVariant> fewVariants();
/// Page Run and page New run as README shows them.
[[nodiscard]] PictureVariant readmeVariant();

/// Starts the window once per variant (and once more for "first") and gives every page to `take`. An error names what did not work; anything that the
/// program writes to standard error is one.
Result<void> takePictures(const PictureJob& job, const std::vector<PictureVariant>& variants, const std::function<void(const PagePicture&)>& take);

}  // namespace mofo::test
