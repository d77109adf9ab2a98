#include "ui/widgets/run_dialogs.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/models/display_text.h"
#include "ui/widgets/small_widgets.h"

namespace mofo {

namespace {

QString bytes(std::int64_t size) { return QLocale().formattedDataSize(size); }

}  // namespace

RewindDialog::RewindDialog(WorkspaceSession* session, QWidget* parent) : QDialog(parent), m_session(session) {
    setObjectName(QStringLiteral("run.rewindDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Undo to a checkpoint"));
    resize(560, 340);
    auto* layout = new QVBoxLayout(this);
    m_table = new QTableWidget(0, 5, this);
    m_table->setObjectName(QStringLiteral("run.rewind.checkpoints"));
    m_table->setAccessibleName(tr("Checkpoints"));
    m_table->setHorizontalHeaderLabels({tr("Step"), tr("Loss"), tr("Held out"), tr("Size"), tr("Verified")});
    m_table->verticalHeader()->hide();
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setShowGrid(false);
    m_table->setTabKeyNavigation(false);
    m_table->horizontalHeader()->setStretchLastSection(true);
    m_preview = makeLabel(QStringLiteral("run.rewind.preview"), this);
    m_preview->setAccessibleName(tr("What would be taken back"));
    m_preview->setWordWrap(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_rewind = buttons->addButton(tr("Rewind"), QDialogButtonBox::AcceptRole);
    m_rewind->setObjectName(QStringLiteral("run.rewind.rewind"));
    m_rewind->setAccessibleName(tr("Rewind to the chosen checkpoint"));
    for (QAbstractButton* button : buttons->buttons()) {
        if (button->objectName().isEmpty()) button->setObjectName(QStringLiteral("run.rewind.cancel"));
        if (button->accessibleName().isEmpty()) button->setAccessibleName(button->text());
    }
    layout->addWidget(m_table, 1);
    layout->addWidget(m_preview);
    layout->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        const std::int64_t step = chosen();
        if (step < 0) return;
        m_session->tuning().rewind(step);
        accept();
    });
    connect(m_table, &QTableWidget::itemSelectionChanged, this, &RewindDialog::refreshPreview);
    connect(&session->run(), &RunData::checkpointsChanged, this, &RewindDialog::fill);
    connect(&session->run(), &RunData::stepsChanged, this, &RewindDialog::refreshPreview);
    connect(session, &WorkspaceSession::shownRunChanged, this, &QDialog::reject);
    fill();
}

void RewindDialog::fill() {
    const std::vector<CheckpointRow> rows = m_session->tuning().resumable();
    const std::int64_t before = chosen();
    if (static_cast<std::size_t>(m_table->rowCount()) == rows.size() && before >= 0) return;
    m_table->setRowCount(static_cast<int>(rows.size()));
    const RunData& data = m_session->run();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        // The newest on top.
        const CheckpointRow& row = rows[rows.size() - 1 - i];
        const auto put = [&](int column, const QString& text) {
            auto* item = new QTableWidgetItem(text);
            item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
            item->setData(Qt::UserRole, static_cast<qlonglong>(row.step));
            m_table->setItem(static_cast<int>(i), column, item);
        };
        const StepRow* step = data.stepNear(static_cast<double>(row.step));
        put(0, ui::count(row.step));
        put(1, step != nullptr && step->step == row.step ? ui::fourDigits(storedLoss(*step)) : QStringLiteral("–"));
        double evalLoss = row.evalLoss;
        for (const EvalRow& eval : data.evals()) {
            if (eval.step == row.step) evalLoss = eval.loss;
        }
        put(2, std::isfinite(evalLoss) ? ui::fourDigits(evalLoss) : QStringLiteral("–"));
        put(3, bytes(row.sizeBytes));
        put(4, row.verified ? tr("✓ read back") : tr("no"));
    }
    if (!rows.empty()) m_table->selectRow(0);
    refreshPreview();
}

void RewindDialog::choose(std::int64_t step) {
    for (int row = 0; row < m_table->rowCount(); ++row) {
        if (m_table->item(row, 0)->data(Qt::UserRole).toLongLong() > step) continue;
        m_table->selectRow(row);
        return;
    }
}

std::int64_t RewindDialog::chosen() const {
    const QList<QTableWidgetItem*> items = m_table->selectedItems();
    return items.isEmpty() ? -1 : items.first()->data(Qt::UserRole).toLongLong();
}

void RewindDialog::refreshPreview() {
    const std::int64_t step = chosen(), newest = m_session->run().newestStep();
    m_rewind->setEnabled(step >= 0 && step < newest);
    if (m_table->rowCount() == 0) {
        m_preview->setText(tr("This run has no checkpoint to go back to. Ctrl+S writes one at the next step."));
        return;
    }
    if (step < 0) return;
    if (step >= newest) {
        m_preview->setText(tr("Nothing has been done since step %1.").arg(ui::count(step)));
        return;
    }
    int changes = 0, checkpoints = 0;
    for (const AppliedChange& change : m_session->run().tuning().changes) changes += change.step > step ? 1 : 0;
    for (const CheckpointRow& row : m_session->tuning().resumable()) checkpoints += row.step > step ? 1 : 0;
    QString text = tr("Steps %1 to %2 are taken back").arg(ui::count(step + 1), ui::count(newest));
    if (changes > 0) text += tr(", with live changes: %1").arg(changes);
    if (checkpoints > 0) text += tr(", with checkpoints: %1").arg(checkpoints);
    text += tr(". They stay on the charts, hatched; training goes on from step %1. To keep both lines, branch instead.").arg(ui::count(step + 1));
    m_preview->setText(text);
}

BranchDialog::BranchDialog(WorkspaceSession* session, std::int64_t step, QWidget* parent) : QDialog(parent), m_session(session) {
    setObjectName(QStringLiteral("run.branchDialog"));
    setAttribute(Qt::WA_DeleteOnClose);
    setWindowTitle(tr("Branch: a child run"));
    resize(440, 200);
    auto* layout = new QVBoxLayout(this);
    auto* form = new QFormLayout;
    m_step = new QComboBox(this);
    m_step->setObjectName(QStringLiteral("run.branch.step"));
    m_step->setAccessibleName(tr("Checkpoint to start from"));
    m_step->addItem(tr("step 0: the pretrained model"), 0);
    int chosen = 0;
    for (const CheckpointRow& row : session->tuning().resumable()) {
        m_step->addItem(tr("step %1").arg(ui::count(row.step)), static_cast<qlonglong>(row.step));
        if (row.step <= step) chosen = m_step->count() - 1;
    }
    m_step->setCurrentIndex(chosen);
    m_name = new QLineEdit(this);
    m_name->setObjectName(QStringLiteral("run.branch.name"));
    m_name->setAccessibleName(tr("Name of the child run"));
    m_name->setPlaceholderText(tr("made from this run's name"));
    QStringList staged;
    for (const auto& [key, value] : session->tuning().staged()) staged << ui::shown(key) + QLatin1Char('=') + ui::shown(value);
    m_staged =
        new QCheckBox(staged.isEmpty() ? tr("no staged changes") : tr("with the staged changes: %1").arg(staged.join(QStringLiteral(", "))), this);
    m_staged->setObjectName(QStringLiteral("run.branch.staged"));
    m_staged->setAccessibleName(tr("Start with the staged changes"));
    m_staged->setChecked(!staged.isEmpty());
    m_staged->setEnabled(!staged.isEmpty());
    form->addRow(tr("From"), m_step);
    form->addRow(tr("Name"), m_name);
    form->addRow(QString(), m_staged);
    auto* note = makeLabel(QStringLiteral("run.branch.note"), this);
    note->setWordWrap(true);
    note->setText(tr("This run stays as it is. The child starts when the device is free."));
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    QPushButton* make = buttons->addButton(tr("Branch"), QDialogButtonBox::AcceptRole);
    make->setObjectName(QStringLiteral("run.branch.make"));
    make->setAccessibleName(tr("Make the child run"));
    for (QAbstractButton* button : buttons->buttons()) {
        if (button->objectName().isEmpty()) button->setObjectName(QStringLiteral("run.branch.cancel"));
        if (button->accessibleName().isEmpty()) button->setAccessibleName(button->text());
    }
    layout->addLayout(form);
    layout->addWidget(note);
    layout->addStretch(1);
    layout->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        m_session->tuning().branch(m_step->currentData().toLongLong(), m_name->text().trimmed(), m_staged->isChecked());
        accept();
    });
    connect(session, &WorkspaceSession::shownRunChanged, this, &QDialog::reject);
}

}  // namespace mofo
