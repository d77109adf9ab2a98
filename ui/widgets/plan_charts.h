// The two charts of the New run page, painted without a plot library: C20, how long the rows are, and C21, where the memory goes.
#pragma once

#include <QWidget>
#include <cstdint>
#include <vector>

#include "core/plan/memory_plan.h"
#include "ui/models/data_preview.h"

namespace mofo {

/// C20: rows by number of tokens, the count on a logarithmic scale, max_length as a line, what it cuts off hatched.
class LengthHistogram : public QWidget {
    Q_OBJECT
public:
    explicit LengthHistogram(QWidget* parent = nullptr);
    void setCounts(const DataCountsPtr& counts, std::int64_t maxLength);
    QSize sizeHint() const override { return {600, 84}; }
    QSize minimumSizeHint() const override { return {200, 72}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct Bin {
        std::int64_t from = 0, to = 0;  ///< tokens, to is not included
        std::uint64_t rows = 0;
    };
    [[nodiscard]] QRectF plot() const;
    std::vector<Bin> m_bins;
    std::uint64_t m_most = 0;
    std::int64_t m_maxLength = 0;
};

/// Name of a term for people.
[[nodiscard]] QString memoryTermText(MemoryKind kind);

/// C21: one stacked bar against the free memory, and a row for each term.
class MemoryBar : public QWidget {
    Q_OBJECT
public:
    explicit MemoryBar(QWidget* parent = nullptr);
    /// `freeBytes` 0: not known.
    void setPlan(const std::optional<MemoryPlan>& plan, std::uint64_t freeBytes);
    /// "✓ fits", "⚠ tight", "✗ does not fit".
    [[nodiscard]] static QString fitText(MemoryFit fit);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    [[nodiscard]] std::vector<MemoryTerm> shownTerms() const;
    std::optional<MemoryPlan> m_plan;
    std::uint64_t m_freeBytes = 0;
};

}  // namespace mofo
