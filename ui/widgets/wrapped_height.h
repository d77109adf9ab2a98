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
        // What changed while it was hidden is asked for by nobody when it comes on screen.
        const bool counts = event->type() == QEvent::LayoutRequest || event->type() == QEvent::Resize || event->type() == QEvent::Show;
        if (watched != m_widget || !counts || m_widget->layout() == nullptr) return false;
        const int least = m_widget->layout()->totalHeightForWidth(m_widget->width());
        if (least == m_widget->minimumHeight()) return false;
        m_widget->setMinimumHeight(least);
        // Within a resize the new height would not reach what is laid out.
        QMetaObject::invokeMethod(
            m_widget,
            [widget = m_widget] {
                widget->layout()->invalidate();
                widget->layout()->activate();
            },
            Qt::QueuedConnection);
        return false;
    }

private:
    QWidget* m_widget;
};

}  // namespace mofo
