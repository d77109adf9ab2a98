#include "ui/widgets/hub_card.h"

#include <QDesktopServices>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QRegularExpressionValidator>
#include <QTimer>
#include <QUrl>
#include <QVBoxLayout>

#include "core/base/text.h"
#include "ui/models/display_text.h"
#include "ui/models/hub_text.h"
#include "ui/widgets/small_widgets.h"

namespace mofo {

namespace {

using State = HubSource::State;
using Act = HubSource::Act;

constexpr int progressSteps = 1000;
constexpr int lateMs = 300;
constexpr int buttonWidth = 150;

}  // namespace

HubCard::HubCard(const QString& name, HubSource* source, QWidget* parent) : QWidget(parent), m_source(source) {
    const QString full = QStringLiteral("new.%1.hub").arg(name);
    setObjectName(full);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 2, 0, 2);
    layout->setSpacing(4);
    layout->addWidget(makeFrame(full));
    m_message = new MessageBar(full + QStringLiteral(".message"), this);
    layout->addWidget(m_message);
    layout->addWidget(m_tokenRow = makeTokenRow(full));
    m_late = new QTimer(this);
    m_late->setSingleShot(true);
    m_late->setInterval(lateMs);
    connect(m_late, &QTimer::timeout, this, &HubCard::refresh);
    connect(m_message, &MessageBar::actionTriggered, this, [this] { act(0); });
    connect(m_message, &MessageBar::secondTriggered, this, [this] { act(1); });
    connect(source, &HubSource::changed, this, [this] {
        if (m_source->state() == State::Asking) m_late->start();
        refresh();
    });
    connect(source, &HubSource::progressed, this, &HubCard::refreshProgress);
    refresh();
}

QWidget* HubCard::makeFrame(const QString& name) {
    m_frame = new QFrame(this);
    m_frame->setFrameShape(QFrame::StyledPanel);
    m_frame->setBackgroundRole(QPalette::Base);
    m_frame->setAutoFillBackground(true);
    auto* layout = new QGridLayout(m_frame);
    layout->setContentsMargins(10, 6, 8, 6);
    layout->setHorizontalSpacing(12);
    layout->setVerticalSpacing(2);
    layout->setColumnStretch(0, 1);
    const auto label = [&](const char* part, const QString& accessibleName) {
        QLabel* made = makeLabel(name + QLatin1String(part), m_frame);
        made->setAccessibleName(accessibleName);
        made->setWordWrap(true);
        made->setTextInteractionFlags(Qt::TextSelectableByMouse);
        return made;
    };
    m_title = makeHeading(QString(), m_frame);
    m_title->setObjectName(name + QStringLiteral(".title"));
    m_title->setAccessibleName(tr("On the Hugging Face Hub"));
    m_what = label(".what", tr("Licence and size"));
    m_place = label(".place", tr("What is to come, and the room for it"));
    m_place->setForegroundRole(QPalette::PlaceholderText);
    m_progress = new QProgressBar(m_frame);
    m_progress->setObjectName(name + QStringLiteral(".progress"));
    m_progress->setAccessibleName(tr("Progress of the download"));
    m_progress->setRange(0, progressSteps);
    m_progress->setTextVisible(true);
    m_progressText = label(".progressText", tr("Where the download is"));
    m_progressText->setForegroundRole(QPalette::PlaceholderText);
    m_download = new QPushButton(m_frame);
    m_download->setObjectName(name + QStringLiteral(".download"));
    m_download->setAccessibleName(tr("Download"));
    m_cancel = new QPushButton(tr("Cancel"), m_frame);
    m_cancel->setObjectName(name + QStringLiteral(".cancel"));
    m_cancel->setAccessibleName(tr("Cancel the download"));
    m_cancel->setToolTip(tr("What has come is kept, and the next download goes on from there."));
    for (QPushButton* button : {m_download, m_cancel}) {
        button->setMinimumWidth(buttonWidth);
        layout->addWidget(button, 0, 1, 2, 1, Qt::AlignRight | Qt::AlignTop);
    }
    layout->addWidget(m_title, 0, 0);
    layout->addWidget(m_what, 1, 0);
    layout->addWidget(m_place, 2, 0, 1, 2);
    layout->addWidget(m_progress, 3, 0, 1, 2);
    layout->addWidget(m_progressText, 4, 0, 1, 2);
    connect(m_download, &QPushButton::clicked, m_source, &HubSource::download);
    connect(m_cancel, &QPushButton::clicked, m_source, &HubSource::cancel);
    return m_frame;
}

QWidget* HubCard::makeTokenRow(const QString& name) {
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    m_token = new QLineEdit(row);
    m_token->setObjectName(name + QStringLiteral(".token"));
    m_token->setAccessibleName(tr("Access token of the Hub"));
    m_token->setAccessibleDescription(tr("Kept in memory until this window closes, never stored"));
    m_token->setEchoMode(QLineEdit::Password);
    m_token->setPlaceholderText(tr("hf_… from huggingface.co/settings/tokens, kept in memory until this window closes"));
    // It becomes part of a header.
    static const QRegularExpression visible(QStringLiteral("[!-~]*"));
    m_token->setValidator(new QRegularExpressionValidator(visible, m_token));
    auto* use = new QPushButton(tr("Use this token"), row);
    use->setObjectName(name + QStringLiteral(".useToken"));
    use->setAccessibleName(tr("Use this token"));
    layout->addWidget(m_token, 1);
    layout->addWidget(use);
    const auto take = [this] {
        if (m_token->text().isEmpty()) return;
        m_tokenRow->hide();
        m_source->setToken(m_token->text());
        m_token->clear();
    };
    connect(m_token, &QLineEdit::returnPressed, this, take);
    connect(use, &QPushButton::clicked, this, take);
    row->hide();
    return row;
}

void HubCard::refresh() {
    const State state = m_source->state();
    setVisible(state != State::None);
    if (state != State::Failed) m_tokenRow->hide();
    const std::optional<HubPlan>& plan = m_source->plan();
    const bool isAsking = state == State::Asking && !plan;
    // "Asking" only once it takes its time; a card that is there stays.
    m_frame->setVisible(plan.has_value() || (isAsking && !m_late->isActive()));
    const QString name = ui::shown(m_source->text().toStdString());
    m_title->setText(plan ? (state == State::Ready ? QStringLiteral("✓ ") : QString()) + ui::shown(plan->reference.text())
                          : tr("Asking the Hub for %1…").arg(name));
    m_what->setText(plan ? ui::planText(*plan) : QString());
    m_place->setText(plan ? ui::planPlace(*plan) : QString());
    m_what->setVisible(plan.has_value());
    m_place->setVisible(plan.has_value() && state != State::Downloading);
    const bool isDownloading = state == State::Downloading;
    m_progress->setVisible(isDownloading);
    m_progressText->setVisible(isDownloading);
    m_cancel->setVisible(isDownloading);
    const bool full = plan && !plan->isComplete() && ui::lacksRoom(*plan);
    m_download->setVisible(plan && !plan->isComplete() && !isDownloading && state != State::Failed);
    m_download->setEnabled(state == State::Planned && !full);
    if (plan) {
        const QString size = ui::shown(formatBytes(plan->neededBytes));
        m_download->setText(plan->missingBytes == 0                ? tr("Copy %1").arg(size)
                            : plan->neededBytes < plan->totalBytes ? tr("Resume, %1 left").arg(size)
                                                                   : tr("Download %1").arg(size));
        m_download->setAccessibleName(tr("%1 of %2", "act, name on the Hub").arg(m_download->text(), name));
    }
    if (state == State::Failed) {
        const std::vector<Act> acts = m_source->acts();
        m_message->setMessage(MessageBar::Kind::Error, ui::shown(m_source->error().text()), acts.empty() ? QString() : actText(acts[0]),
                              acts.size() < 2 ? QString() : actText(acts[1]));
    } else if (state == State::Planned && full) {
        m_message->setMessage(MessageBar::Kind::Error,
                              tr("The disk is too small: %1 are to come, %2 are free. Free some space, or set XDG_CACHE_HOME to another disk.")
                                  .arg(ui::shown(formatBytes(plan->neededBytes)), ui::shown(formatBytes(plan->freeBytes))),
                              tr("Look again"));
    } else {
        m_message->setMessage(MessageBar::Kind::Warning, plan ? ui::shown(plan->note) : QString());
    }
    refreshProgress();
}

void HubCard::refreshProgress() {
    const HubProgress& progress = m_source->progress();
    const double share = progress.totalBytes > 0 ? static_cast<double>(progress.doneBytes) / static_cast<double>(progress.totalBytes) : 0;
    m_progress->setValue(static_cast<int>(share * progressSteps));
    m_progress->setFormat(ui::percent(share));
    m_progressText->setText(ui::downloadText(progress, true));
}

QString HubCard::actText(Act act) const {
    switch (act) {
        case Act::Retry: return tr("Retry");
        case Act::OpenPage: return tr("Open its page");
        case Act::SetToken: return tr("Set HF_TOKEN…");
        case Act::GoOnline: return tr("Ask the Hub anyway");
        case Act::TakeSuggestion: return tr("Use %1").arg(ui::shown(m_source->suggestion().toStdString()));
    }
    return {};
}

void HubCard::act(std::size_t index) {
    // The disk may have room by now.
    if (m_source->state() == State::Planned) return m_source->askAgain();
    const std::vector<Act> acts = m_source->acts();
    if (index >= acts.size()) return;
    switch (acts[index]) {
        case Act::Retry: m_source->retry(); break;
        case Act::OpenPage: QDesktopServices::openUrl(QUrl(m_source->page())); break;
        case Act::SetToken:
            m_tokenRow->show();
            m_token->setFocus();
            break;
        case Act::GoOnline: m_source->goOnline(); break;
        case Act::TakeSuggestion: Q_EMIT textWanted(m_source->suggestion()); break;
    }
}

}  // namespace mofo
