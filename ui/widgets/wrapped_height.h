// Wrapped texts need more height where they are narrow; layouts inside scroll areas and frames ask for the least height alone.
#pragma once

#include <QEvent>
#include <QLayout>
#include <QWidget>

namespace mofo {

/// Keeps a widget at least as high as its layout is at its present width.
class WrappedHeight : public QObject {
public:
    explicit WrappedHeight(QWidget* widget) : QObject(widget), m_widget(widget) { widget->installEventFilter(this); }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override {
        const bool counts = event->type() == QEvent::LayoutRequest || event->type() == QEvent::Resize;
        if (watched == m_widget && counts && m_widget->layout() != nullptr)
            m_widget->setMinimumHeight(m_widget->layout()->totalHeightForWidth(m_widget->width()));
        return false;
    }

private:
    QWidget* m_widget;
};

}  // namespace mofo
