// Small parts that several pages use.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QPushButton>
#include <QString>

namespace mofo {

/// One line of plain text that gives way with an ellipsis; the whole text is its tooltip.
class ElidedLabel : public QLabel {
    Q_OBJECT
public:
    explicit ElidedLabel(QWidget* parent = nullptr);
    void setFullText(const QString& text);
    [[nodiscard]] const QString& fullText() const { return m_text; }
    QSize minimumSizeHint() const override;

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void elide();
    QString m_text;
};

/// A message inside a page: glyph, one sentence, up to two acts. Part of the layout, never above content.
class MessageBar : public QFrame {
    Q_OBJECT
public:
    enum class Kind { Hint, Warning, Error };
    explicit MessageBar(const QString& objectName, QWidget* parent = nullptr);
    /// An empty text hides the bar. An act shows where it has a text.
    void setMessage(Kind kind, const QString& text, const QString& action = {}, const QString& second = {});
    [[nodiscard]] QString text() const { return m_text->text(); }

Q_SIGNALS:
    void actionTriggered();
    void secondTriggered();

protected:
    void changeEvent(QEvent* event) override;

private:
    void applyColours();
    QLabel* m_glyph;
    QLabel* m_text;
    QPushButton* m_action;
    QPushButton* m_second;
    Kind m_kind = Kind::Hint;
};

/// Lets the wheel scroll the page unless the widget has the focus: a value never changes by passing over it.
class WheelGuard : public QObject {
    Q_OBJECT
public:
    explicit WheelGuard(QWidget* widget);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
};

/// A width or height that is meant for text of the usual size (digits of 8 pixels), for the size that text has now; never less.
[[nodiscard]] int textPixels(int pixels);
/// A bold caption.
[[nodiscard]] QLabel* makeHeading(const QString& text, QWidget* parent);
/// A label of plain text with object name.
[[nodiscard]] QLabel* makeLabel(const QString& objectName, QWidget* parent);

}  // namespace mofo
