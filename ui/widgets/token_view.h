// One rendered row as its tokens: what is trained on, what is special, what is cut off.
#pragma once

#include <QAbstractScrollArea>
#include <vector>

#include "ui/models/data_preview.h"

namespace mofo {

/// Paints by itself: trained = tinted and underlined, not trained = grey, special = boxed, cut off = struck through; thin lines between tokens;
/// the tooltip of a token names id, piece and index.
class TokenView : public QAbstractScrollArea {
    Q_OBJECT
public:
    explicit TokenView(QWidget* parent = nullptr);
    /// Null empties it.
    void setRow(const PreviewRowPtr& row);
    void setPlaceholder(const QString& text);
    [[nodiscard]] const PreviewRowPtr& row() const { return m_row; }
    /// Index of the token at a point of the viewport; -1 where there is none.
    [[nodiscard]] int tokenAt(const QPoint& point) const;
    /// Where a token is drawn, in the viewport.
    [[nodiscard]] QRect rectOf(int token) const;
    QSize sizeHint() const override { return {600, 150}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    bool viewportEvent(QEvent* event) override;

private:
    struct Piece {
        QRect rect;  ///< in the content
        int token = 0;
        QString text;
    };
    void layOut();

    PreviewRowPtr m_row;
    QString m_placeholder;
    std::vector<Piece> m_pieces;  ///< in reading order
    int m_height = 0;
};

}  // namespace mofo
