#include "ui/widgets/command_palette.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "ui/widgets/theme.h"

namespace mofo {

namespace {

constexpr int mostShown = 200;
constexpr int indexRole = Qt::UserRole, groupRole = Qt::UserRole + 1;

/// Name at the left, group and key at the right.
class EntryDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        QStyledItemDelegate::paint(painter, option, index);
        const bool selected = option.state.testFlag(QStyle::State_Selected);
        painter->save();
        painter->setPen(selected ? option.palette.color(QPalette::HighlightedText) : Theme::current().inkSoft);
        painter->drawText(option.rect.adjusted(0, 0, -10, 0), Qt::AlignRight | Qt::AlignVCenter, index.data(groupRole).toString());
        painter->restore();
    }
};

}  // namespace

CommandPalette::CommandPalette(QWidget* parent) : QDialog(parent, Qt::Popup | Qt::FramelessWindowHint) {
    setObjectName(QStringLiteral("palette"));
    setAccessibleName(tr("Command palette"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    m_find = new QLineEdit(this);
    m_find->setObjectName(QStringLiteral("palette.find"));
    m_find->setAccessibleName(tr("Find an act, a page, a run, a setting or a tensor"));
    m_find->setPlaceholderText(tr("Find an act, a page, a run, a setting or a tensor"));
    m_find->setMinimumHeight(30);
    m_list = new QListWidget(this);
    m_list->setObjectName(QStringLiteral("palette.list"));
    m_list->setAccessibleName(tr("What was found"));
    m_list->setFocusPolicy(Qt::NoFocus);
    m_list->setUniformItemSizes(true);
    m_list->setItemDelegate(new EntryDelegate(m_list));
    layout->addWidget(m_find);
    layout->addWidget(m_list);
    m_find->installEventFilter(this);
    connect(m_find, &QLineEdit::textChanged, this, &CommandPalette::filter);
    connect(m_find, &QLineEdit::returnPressed, this, [this] { trigger(m_list->currentRow()); });
    connect(m_list, &QListWidget::itemClicked, this, [this](QListWidgetItem* item) { trigger(m_list->row(item)); });
}

void CommandPalette::open(std::vector<PaletteEntry> entries) {
    m_entries = std::move(entries);
    m_find->clear();
    filter();
    const QWidget* window = parentWidget();
    const int width = std::min(640, window->width() - 80);
    setGeometry(QRect(window->mapToGlobal(QPoint((window->width() - width) / 2, 70)), QSize(width, std::min(420, window->height() - 140))));
    show();
    m_find->setFocus();
}

int CommandPalette::rank(const QString& typed, const QString& text) {
    int sum = 0;
    const QString folded = text.toCaseFolded();
    for (const QString& word : typed.toCaseFolded().split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
        const qsizetype at = folded.indexOf(word);
        if (at < 0) return -1;
        const bool isStart = at == 0 || !folded[at - 1].isLetterOrNumber();
        sum += (at == 0 ? 0 : isStart ? 10 : 100) + static_cast<int>(std::min<qsizetype>(at, 50));
    }
    // Of two that are found alike the shorter one is meant.
    return sum * 8 + static_cast<int>(std::min<qsizetype>(text.size(), 60));
}

void CommandPalette::filter() {
    m_list->clear();
    std::vector<std::pair<int, std::size_t>> found;
    for (std::size_t i = 0; i < m_entries.size(); ++i) {
        const int value = rank(m_find->text(), m_entries[i].text);
        if (value >= 0) found.emplace_back(value, i);
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < found.size() && i < mostShown; ++i) {
        const PaletteEntry& entry = m_entries[found[i].second];
        auto* item = new QListWidgetItem(entry.text, m_list);
        item->setData(indexRole, static_cast<int>(found[i].second));
        item->setData(groupRole, entry.key.isEmpty() ? entry.group : entry.group + QStringLiteral("   ") + entry.key);
        if (!entry.enabled) {
            item->setFlags(Qt::NoItemFlags);
            item->setToolTip(entry.why.toHtmlEscaped());
        }
    }
    for (int row = 0; row < m_list->count(); ++row) {
        if (!m_list->item(row)->flags().testFlag(Qt::ItemIsEnabled)) continue;
        m_list->setCurrentRow(row);
        break;
    }
}

void CommandPalette::trigger(int row) {
    const QListWidgetItem* item = m_list->item(row);
    if (item == nullptr || !item->flags().testFlag(Qt::ItemIsEnabled)) return;
    const auto act = m_entries[static_cast<std::size_t>(item->data(indexRole).toInt())].act;
    close();
    // Once the popup has given the focus back: what the act does with it stays.
    if (act) QMetaObject::invokeMethod(parentWidget(), act, Qt::QueuedConnection);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_find && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Down || key == Qt::Key_Up || key == Qt::Key_PageDown || key == Qt::Key_PageUp) {
            const int by = key == Qt::Key_Down ? 1 : key == Qt::Key_Up ? -1 : key == Qt::Key_PageDown ? 10 : -10;
            m_list->setCurrentRow(std::clamp(m_list->currentRow() + by, 0, std::max(0, m_list->count() - 1)));
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

}  // namespace mofo
