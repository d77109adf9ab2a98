// The first screen's picture: how far each layer of the recorded runs came to be from its pretrained weights, with AdamW and with MoFO.
#pragma once

#include <QImage>
#include <QWidget>

namespace mofo {

class DriftPicture : public QWidget {
    Q_OBJECT
public:
    explicit DriftPicture(QWidget* parent = nullptr);
    QSize sizeHint() const override { return {720, 190}; }
    QSize minimumSizeHint() const override { return {320, 120}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QImage m_shares;  ///< grey: the row's relative L2 as a share of the greatest; left half AdamW, right half MoFO; embedding, then layers
};

}  // namespace mofo
