// The dial for alpha: logarithmic, 0.1 to 100 %. It stages; it never sends.
#pragma once

#include <QAbstractSlider>
#include <optional>

namespace mofo {

/// value() is the position on the logarithmic scale, 0 = 0.1 %, 3000 = 100 %. Moving it emits alphaStaged() with a share rounded
/// to two digits. Three needles: solid = applied, hollow = staged, dotted = sent and not yet answered.
class AlphaDial : public QAbstractSlider {
    Q_OBJECT
public:
    explicit AlphaDial(QWidget* parent = nullptr);

    /// What the run runs with; `wanted` is staged or sent, or empty.
    void setNeedles(double applied, std::optional<double> wanted, bool sent);
    [[nodiscard]] double applied() const { return m_applied; }
    [[nodiscard]] std::optional<double> wanted() const { return m_wanted; }

    [[nodiscard]] static double alphaAt(int position);
    [[nodiscard]] static int positionOf(double alpha);
    /// The next value up or down in a ladder of round ones.
    [[nodiscard]] static double neighbour(double alpha, int direction);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void alphaStaged(double alpha);
    /// Escape: what is staged is to be dropped.
    void discardWanted();

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    struct Geometry {
        QPointF centre;
        double radius = 0;
    };
    [[nodiscard]] Geometry geometryOfDial() const;
    [[nodiscard]] static double angleOf(double alpha);  ///< radians, 0 = to the right, counter-clockwise
    void stagePosition(int position);
    void stageAt(const QPointF& point);

    double m_applied = 0.15;
    std::optional<double> m_wanted;
    bool m_sent = false;
    int m_wheelRest = 0;
};

}  // namespace mofo
