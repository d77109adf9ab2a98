#include "ui/widgets/help_dialogs.h"

#include <QHeaderView>
#include <QLineEdit>
#include <QTableWidget>
#include <QTextBrowser>
#include <QVBoxLayout>

#include "ui/models/glossary.h"

namespace mofo {

KeysDialog::KeysDialog(const std::vector<ShortcutRow>& rows, QWidget* parent) : QDialog(parent) {
    setObjectName(QStringLiteral("main.keysDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Keys"));
    resize(600, 620);
    auto* layout = new QVBoxLayout(this);
    auto* find = new QLineEdit(this);
    find->setObjectName(QStringLiteral("keys.find"));
    find->setAccessibleName(tr("Find a key"));
    find->setPlaceholderText(tr("Find"));
    find->setClearButtonEnabled(true);
    m_table = new QTableWidget(0, 2, this);
    m_table->setObjectName(QStringLiteral("keys.table"));
    m_table->setAccessibleName(tr("Keys"));
    m_table->setHorizontalHeaderLabels({tr("Act"), tr("Key")});
    m_table->verticalHeader()->hide();
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setShowGrid(false);
    m_table->setAlternatingRowColors(true);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    for (const ShortcutRow& row : rows) {
        const int at = m_table->rowCount();
        m_table->insertRow(at);
        m_table->setItem(at, 0, new QTableWidgetItem(row.act));
        m_table->setItem(at, 1, new QTableWidgetItem(row.key));
    }
    m_table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_table->horizontalHeader()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    m_table->verticalHeader()->setDefaultSectionSize(m_table->fontMetrics().height() + 7);
    connect(find, &QLineEdit::textChanged, this, [this](const QString& text) {
        for (int row = 0; row < m_table->rowCount(); ++row) {
            const bool hit = m_table->item(row, 0)->text().contains(text, Qt::CaseInsensitive) ||
                             m_table->item(row, 1)->text().contains(text, Qt::CaseInsensitive);
            m_table->setRowHidden(row, !hit);
        }
    });
    layout->addWidget(find);
    layout->addWidget(m_table);
}

GlossaryDialog::GlossaryDialog(QWidget* parent) : QDialog(parent) {
    setObjectName(QStringLiteral("main.glossaryDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Glossary"));
    resize(620, 640);
    auto* layout = new QVBoxLayout(this);
    m_text = new QTextBrowser(this);
    m_text->setObjectName(QStringLiteral("glossary.text"));
    m_text->setAccessibleName(tr("Glossary"));
    m_text->setOpenLinks(false);
    QString html;
    for (const ui::GlossaryEntry& entry : ui::glossary()) {
        html += QStringLiteral("<a name=\"%1\"></a><h3>%2</h3><p>%3</p><p><i>%4</i></p>")
                    .arg(entry.key, entry.term.toHtmlEscaped(), entry.text.toHtmlEscaped(), entry.source.toHtmlEscaped());
    }
    m_text->setHtml(html);
    layout->addWidget(m_text);
}

void GlossaryDialog::showTerm(const QString& key) { m_text->scrollToAnchor(key); }

}  // namespace mofo
