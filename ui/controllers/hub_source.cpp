#include "ui/controllers/hub_source.h"

#include <QMetaObject>
#include <utility>

namespace mofo {

namespace {

constexpr int typingMs = 400;

/// Settings as they are now, with what was said in the window.
Result<HubSettings> settingsFor(const HubAccess& access) {
    MOFO_TRY(HubSettings settings, HubSettings::fromEnvironment());
    if (!access.token.empty()) settings.token = access.token;
    if (access.online) settings.offline = false;
    return settings;
}

}  // namespace

HubSource::HubSource(HubKind wanted, std::shared_ptr<HubAccess> access, QObject* parent)
    : QObject(parent), m_wanted(wanted), m_access(std::move(access)), m_place(new QObject) {
    m_thread.setObjectName(QStringLiteral("hub"));
    m_place->moveToThread(&m_thread);
    connect(&m_thread, &QThread::finished, m_place, &QObject::deleteLater);
    m_typing.setSingleShot(true);
    m_typing.setInterval(typingMs);
    connect(&m_typing, &QTimer::timeout, this, &HubSource::ask);
    m_thread.start(QThread::LowPriority);
}

HubSource::~HubSource() {
    stopJob();
    m_thread.quit();
    m_thread.wait();
}

void HubSource::stopJob() {
    ++m_job;
    if (m_cancel) m_cancel->store(true);
    m_cancel.reset();
}

void HubSource::setText(const QString& text) {
    if (text == m_text) return;
    const bool wasDownloading = m_state == State::Downloading;
    const bool wasNone = m_state == State::None;
    stopJob();
    m_typing.stop();
    m_text = text;
    m_plan.reset();
    m_goOnWithDownload = false;
    m_state = looksLikeHubReference(text.toStdString()) ? State::Asking : State::None;
    if (m_state == State::Asking) m_typing.start();
    if (wasDownloading) Q_EMIT downloadEnded({}, true);
    if (!wasNone || m_state != State::None) Q_EMIT changed();
}

HubWatch HubSource::watchOf(std::uint64_t job, const std::shared_ptr<std::atomic<bool>>& cancel) {
    return [this, job, cancel](const HubProgress& progress) {
        if (cancel->load()) return false;
        // One at a time: a window that is busy elsewhere gets the newest, not all of them.
        if (progress.totalBytes > 0 && !m_told->exchange(true)) {
            QMetaObject::invokeMethod(this, [this, job, progress] {
                m_told->store(false);
                if (job != m_job || m_state != State::Downloading) return;
                m_progress = progress;
                Q_EMIT progressed();
            });
        }
        return true;
    };
}

void HubSource::ask() {
    stopJob();
    m_state = State::Asking;
    const std::uint64_t job = m_job;
    m_cancel = std::make_shared<std::atomic<bool>>(false);
    QMetaObject::invokeMethod(m_place,
                              [this, job, text = m_text.toStdString(), wanted = m_wanted, access = *m_access, watch = watchOf(job, m_cancel)] {
                                  std::string endpoint;
                                  bool hasToken = false;
                                  const auto answer = [&]() -> Result<std::optional<HubPlan>> {
                                      MOFO_TRY(const HubSettings settings, settingsFor(access));
                                      endpoint = settings.endpoint;
                                      hasToken = !settings.token.empty();
                                      MOFO_TRY(const std::optional<HubReference> reference, hubReferenceFor(text, wanted, settings.endpoint));
                                      if (!reference) return std::optional<HubPlan>();
                                      MOFO_TRY(HubPlan plan, planHub(settings, *reference, watch));
                                      return std::optional(std::move(plan));
                                  }();
                                  QMetaObject::invokeMethod(this, [this, job, answer, endpoint, hasToken] {
                                      if (job != m_job) return;
                                      m_endpoint = endpoint;
                                      m_hasToken = hasToken;
                                      onPlanned(answer);
                                  });
                              });
    Q_EMIT changed();
}

void HubSource::onPlanned(const Result<std::optional<HubPlan>>& answer) {
    if (!answer.ok()) return fail(answer.error());
    if (!*answer) {
        m_plan.reset();
        m_state = State::None;
    } else {
        m_plan = **answer;
        m_state = m_plan->isComplete() ? State::Ready : State::Planned;
        // Only what was shown before is downloaded without another word.
        if (std::exchange(m_goOnWithDownload, false) && m_state == State::Planned && m_plan->commit == m_chosenCommit) return begin();
    }
    Q_EMIT changed();
}

void HubSource::download() {
    if (m_state == State::Planned) begin();
}

void HubSource::begin() {
    stopJob();
    m_state = State::Downloading;
    m_chosenCommit = m_plan->commit;
    m_progress = HubProgress{HubProgress::Phase::Ask, {}, m_plan->totalBytes - m_plan->neededBytes, m_plan->totalBytes, 0, std::nullopt};
    const std::uint64_t job = m_job;
    m_cancel = std::make_shared<std::atomic<bool>>(false);
    QMetaObject::invokeMethod(m_place, [this, job, plan = *m_plan, access = *m_access, watch = watchOf(job, m_cancel)] {
        const auto answer = [&]() -> Result<std::filesystem::path> {
            MOFO_TRY(const HubSettings settings, settingsFor(access));
            return fetchHub(settings, plan, watch);
        }();
        QMetaObject::invokeMethod(this, [this, job, answer] {
            if (job == m_job) onFetched(answer);
        });
    });
    Q_EMIT downloadBegun();
    Q_EMIT changed();
}

void HubSource::onFetched(const Result<std::filesystem::path>& answer) {
    if (!answer.ok()) {
        m_goOnWithDownload = true;
        return fail(answer.error());
    }
    m_plan->missingBytes = m_plan->neededBytes = 0;
    m_state = State::Ready;
    Q_EMIT downloadEnded({}, false);
    Q_EMIT changed();
}

void HubSource::fail(Error error) {
    const bool wasDownloading = m_state == State::Downloading;
    m_error = std::move(error);
    m_state = State::Failed;
    if (wasDownloading) Q_EMIT downloadEnded(QString::fromStdString(m_error.text()), false);
    Q_EMIT changed();
}

void HubSource::cancel() {
    if (m_state != State::Downloading) return;
    stopJob();
    Q_EMIT downloadEnded({}, true);
    // How much is there now, and what the next download goes on from.
    ask();
}

void HubSource::askAgain() {
    if (m_state == State::Planned) ask();
}

void HubSource::retry() {
    if (m_state == State::Failed) ask();
}

void HubSource::setToken(const QString& token) {
    m_access->token = token.trimmed().toStdString();
    retry();
}

void HubSource::goOnline() {
    m_access->online = true;
    retry();
}

QString HubSource::page() const {
    const auto reference = parseHubReference(m_text.toStdString(), m_endpoint);
    if (!reference.ok() || m_endpoint.empty()) return {};
    return QString::fromStdString(m_endpoint + (reference->kind == HubKind::Dataset ? "/datasets/" : "/") + reference->id);
}

QString HubSource::suggestion() const {
    const std::string& remedy = m_error.remedy;
    for (const std::string_view start : {"Did you mean ", "Name one, as in ", "Write "}) {
        if (!remedy.starts_with(start)) continue;
        std::string text = remedy.substr(start.size());
        if (text.ends_with('?')) text.pop_back();
        if (parseHubReference(text, m_endpoint).ok()) return QString::fromStdString(text);
    }
    return {};
}

std::vector<HubSource::Act> HubSource::acts() const {
    if (m_state != State::Failed) return {};
    const std::string& tag = m_error.tag;
    if (tag == "GATED" || tag == "HIDDEN") return {Act::OpenPage, m_hasToken ? Act::Retry : Act::SetToken};
    if (tag == "TOKEN") return {Act::SetToken, Act::Retry};
    if (tag == "LIMITED" && !m_hasToken) return {Act::Retry, Act::SetToken};
    if (tag == "OFFLINE") return {Act::GoOnline, Act::Retry};
    if (!suggestion().isEmpty()) return {Act::TakeSuggestion};
    if (m_error.code == ErrorCode::Usage) return {};
    return {Act::Retry};
}

}  // namespace mofo
