#include "ui/widgets/effect_card.h"

#include <QElapsedTimer>
#include <QGridLayout>
#include <QLabel>
#include <QVBoxLayout>
#include <cmath>

#include "ui/models/display_text.h"
#include "ui/widgets/small_widgets.h"
#include "ui/widgets/wrapped_height.h"

namespace mofo {

namespace {

/// Alpha that counts at the newest step of a configuration; per-kind alphas are left aside.
double alphaOf(const RunConfig& config, std::int64_t step) { return config.alpha.common.at(std::max<std::int64_t>(1, step)); }

}  // namespace

WhatIfCard::WhatIfCard(WorkspaceSession* session, QWidget* parent) : QFrame(parent), m_session(session) {
    setObjectName(QStringLiteral("run.whatIf"));
    setAccessibleName(tr("What if"));
    setFrameShape(QFrame::StyledPanel);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 5, 8, 6);
    layout->setSpacing(2);
    layout->addWidget(makeHeading(tr("What if (estimate)"), this));
    m_text = makeLabel(QStringLiteral("run.whatIf.text"), this);
    m_text->setAccessibleName(tr("What the staged change would select"));
    m_text->setWordWrap(true);
    layout->addWidget(m_text);
    new WrappedHeight(this);
    hide();
    connect(&session->tuning(), &TuningController::changed, this, &WhatIfCard::refresh);
    connect(&session->run(), &RunData::histogramsChanged, this, &WhatIfCard::refresh);
}

QString WhatIfCard::text() const { return m_text->text(); }

void WhatIfCard::refresh() {
    const RunData& data = m_session->run();
    const KeyValues& staged = m_session->tuning().staged();
    const bool wanted = staged.contains("alpha") || staged.contains("granularity");
    const std::optional<RunConfig> config = wanted ? m_session->tuning().stagedConfig() : std::nullopt;
    if (!config || data.tensors().empty()) {
        hide();
        m_of.clear();
        if (m_estimate) {
            m_estimate.reset();
            Q_EMIT estimated();
        }
        return;
    }
    const std::int64_t step = data.tensors().back().step;
    m_session->wantHistograms(step);
    const HistogramBatch* histograms = data.histogramsOf(step);
    show();
    if (histograms == nullptr) {
        if (!m_estimate) m_text->setText(tr("Reading the histograms of step %1 …").arg(ui::count(step)));
        return;
    }
    if (histograms->histograms.empty()) {
        m_estimate.reset();
        m_text->setText(tr("No histograms of |m| are stored for step %1: nothing can be estimated.").arg(ui::count(step)));
        return;
    }
    const std::string of = configValue(*config, "alpha") + ' ' + configValue(*config, "granularity") + ' ' + std::to_string(step);
    if (of == m_of && m_estimate) return;
    m_of = of;
    QElapsedTimer clock;
    clock.start();
    const RunConfig& applied = data.tuning().applied;
    const double alpha = alphaOf(*config, step);
    m_estimate = estimateSelection(data.parameters(), histograms->histograms, alpha, config->granularity);
    const WhatIf now = estimateSelection(data.parameters(), histograms->histograms, alphaOf(applied, step), applied.granularity);
    m_lastMs = static_cast<double>(clock.nsecsElapsed()) * 1e-6;
    QString text =
        tr("At %1, by %2: %3 of |m| kept, was %4. Threshold %5, was %6.")
            .arg(ui::percent(alpha), ui::granularityText(config->granularity.text()), ui::percent(std::round(m_estimate->kept * 1000) / 1000),
                 ui::percent(std::round(now.kept * 1000) / 1000), ui::fourDigits(m_estimate->threshold), ui::fourDigits(now.threshold));
    const GranularityKind kind = config->granularity.kind;
    if (kind == GranularityKind::Head || kind == GranularityKind::Row || kind == GranularityKind::Block || kind == GranularityKind::Shards)
        text += QLatin1Char(' ') + tr("The histograms know no parts of a tensor: taken as granularity tensor.");
    if (m_estimate->stillTensors > 0) text += QLatin1Char(' ') + tr("Tensors that would not move: %1.").arg(ui::count(m_estimate->stillTensors));
    text += QLatin1Char(' ') + tr("From the histograms of step %1.").arg(ui::count(step));
    m_text->setText(text);
    Q_EMIT estimated();
}

EffectCard::EffectCard(WorkspaceSession* session, QWidget* parent) : QFrame(parent), m_session(session) {
    setObjectName(QStringLiteral("run.effect"));
    setAccessibleName(tr("Before and after the last change"));
    setFrameShape(QFrame::StyledPanel);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 5, 8, 6);
    layout->setSpacing(2);
    m_heading = makeHeading(QString(), this);
    m_heading->setObjectName(QStringLiteral("run.effect.heading"));
    m_heading->setWordWrap(true);
    layout->addWidget(m_heading);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Minimum);
    m_note = makeLabel(QStringLiteral("run.effect.note"), this);
    m_note->setWordWrap(true);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(8);
    grid->setVerticalSpacing(1);
    grid->setColumnStretch(0, 1);
    for (int i = 0; i < 5; ++i) {
        Line line{};
        const auto add = [&](QLabel*& label, int column, const char* part) {
            label = makeLabel(QStringLiteral("run.effect.%1.%2").arg(i).arg(QLatin1String(part)), this);
            label->setAlignment((column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignTop);
            // Where the card is narrow a name takes two lines; numbers stay whole.
            label->setWordWrap(column == 0);
            grid->addWidget(label, i, column);
        };
        add(line.name, 0, "name");
        add(line.before, 1, "before");
        add(line.after, 2, "after");
        m_lines.push_back(line);
    }
    layout->addLayout(grid);
    layout->addWidget(m_note);
    new WrappedHeight(this);
    hide();
    connect(&session->run(), &RunData::stepsChanged, this, &EffectCard::refresh);
    connect(&session->run(), &RunData::tuningChanged, this, &EffectCard::refresh);
    connect(&session->run(), &RunData::cleared, this, &EffectCard::refresh);
}

QString EffectCard::text() const {
    QStringList parts{m_heading->text()};
    for (const Line& line : m_lines) parts << line.name->text() + QLatin1Char(' ') + line.before->text() + QStringLiteral(" → ") + line.after->text();
    parts << m_note->text();
    return parts.join(QLatin1Char('\n'));
}

void EffectCard::refresh() {
    const RunData& data = m_session->run();
    const auto& changes = data.tuning().changes;
    // Changes of one step belong together; what has not taken effect yet has no effect.
    const AppliedChange* last = nullptr;
    for (const AppliedChange& change : changes) {
        if (change.step <= data.newestStep() + 1) last = &change;
    }
    if (last == nullptr || data.steps().empty()) {
        hide();
        m_of = {};
        return;
    }
    const std::pair<std::string, std::int64_t> of{last->uuid, data.newestStep()};
    if (of == m_of) return;
    // Beyond the window nothing changes any more.
    if (of.first == m_of.first && m_of.second > last->step + Effect::window + 1 && isVisible()) return;
    m_of = of;
    QStringList what;
    for (const auto& [key, value] : last->values) {
        const auto before = last->before.find(key);
        what << tr("%1 %2 → %3", "config key, old and new value")
                    .arg(ui::shown(key), before != last->before.end() ? ui::valueText(key, before->second) : QString(), ui::valueText(key, value));
    }
    m_heading->setText(tr("%1, from step %2").arg(what.join(QStringLiteral(", ")), ui::count(last->step)));
    const Effect effect = effectOf(data, last->step);
    const QString none = QStringLiteral("–");
    const auto number = [&](const std::optional<double>& value) { return value ? ui::shortNumber(std::round(*value * 1e6) / 1e6) : none; };
    const auto small = [&](const std::optional<double>& value) { return value ? ui::fourDigits(*value) : none; };
    const auto share = [&](const std::optional<double>& value) { return value ? ui::measuredPercent(*value) : none; };
    const bool early = effect.isTooEarly();
    const auto set = [&](std::size_t i, const QString& name, const QString& before, const QString& after) {
        m_lines[i].name->setText(name);
        m_lines[i].before->setText(before);
        m_lines[i].after->setText(early && i > 0 ? none : after);
    };
    set(0, QString(), tr("before"), tr("after"));
    set(1, tr("mean loss"), small(effect.before.meanLoss), small(effect.after.meanLoss));
    set(2, tr("loss per 100 steps"), number(effect.before.lossSlope), number(effect.after.lossSlope));
    set(3, tr("drift per step"), small(effect.before.driftPerStep), small(effect.after.driftPerStep));
    set(4, tr("churn"), share(effect.before.churn), share(effect.after.churn));
    m_note->setText(early ? tr("Too early: %1 of %2 steps").arg(ui::count(effect.after.steps), ui::count(Effect::least))
                          : tr("%1 steps before, %2 after; beside each other, not because of each other.")
                                .arg(ui::count(effect.before.steps), ui::count(effect.after.steps)));
    show();
}

}  // namespace mofo
