// What the program and its tests set up alike: names, resources, language.
#pragma once

class QApplication;
class QString;

namespace mofo {

/// Name, version, icon, resources. Before any window.
void setUpApplication(QApplication& application);
/// "en" or "ja"; empty takes the desktop's language. Again at any time: a window is rebuilt by MainWindow::changeLanguage.
void setLanguage(QApplication& application, const QString& language);

}  // namespace mofo
