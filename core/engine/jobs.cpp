#include "core/engine/jobs.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/engine/bench_optimizer.h"
#include "core/engine/bench_packing.h"
#include "core/engine/bench_training.h"
#include "core/engine/checkpoint.h"
#include "core/engine/checkpoint_source.h"
#include "core/engine/device.h"
#include "core/engine/evaluate_job.h"
#include "core/engine/evaluation.h"
#include "core/engine/generation.h"
#include "core/engine/landscape.h"
#include "core/engine/profile.h"
#include "core/engine/provenance.h"
#include "core/engine/rehearsal.h"
#include "core/engine/torch_guard.h"
#include "core/engine/verified_export.h"
#include "core/model/interpolation.h"
#include "core/store/registry.h"

namespace mofo {

namespace fs = std::filesystem;

namespace {

Result<std::string> textOf(const Json& parameters, const char* key) {
    if (!parameters.is_object() || !parameters.contains(key) || !parameters[key].is_string())
        return Error{ErrorCode::Usage, std::string("the job has no ") + key, "", "", "MISSING"};
    return parameters[key].get<std::string>();
}

std::string optionalText(const Json& parameters, const char* key) {
    return parameters.contains(key) && parameters[key].is_string() ? parameters[key].get<std::string>() : std::string();
}

std::int64_t optionalInt(const Json& parameters, const char* key, std::int64_t fallback) {
    return parameters.contains(key) && parameters[key].is_number_integer() ? parameters[key].get<std::int64_t>() : fallback;
}

/// What a job computes with.
struct LoadedModel {
    std::unique_ptr<ModelSource> source;
    ParameterArena weights;
};

class Job {
public:
    Job(const Workspace& workspace, Registry& registry, JobRow job) : m_workspace(workspace), m_registry(registry), m_job(std::move(job)) {}

    Result<Json> run() {
        MOFO_TRY(m_device, torchDevice(m_job.device));
        if (m_job.kind == "score") return score();
        if (m_job.kind == "evaluate") return evaluate();
        if (m_job.kind == "generate") return answer();
        if (m_job.kind == "export") return exportRun();
        if (m_job.kind == "bench") return bench();
        if (m_job.kind == "interpolate") return interpolateModels();
        if (m_job.kind == "landscape") return landscape();
        if (m_job.kind == "rehearse") return rehearseRun();
        if (m_job.kind == "profile") return profileRun();
        return Error{ErrorCode::Unsupported, "this version does not know jobs of kind " + escapeForDisplay(m_job.kind), "", "", ""};
    }

private:
    /// Writes the progress at most five times a second; false where the user cancelled.
    bool progress(std::string_view phase, double share) {
        const double nowMs = m_clock.elapsedMs();
        if (nowMs - m_lastMs < 200 && phase == m_phase) return true;
        m_lastMs = nowMs;
        m_phase = phase;
        if (auto written = m_registry.setJobProgress(m_job.id, phase, share); !written.ok()) spdlog::warn("{}", written.error().text());
        const auto row = m_registry.findJob(m_job.id);
        return !row.ok() || !row->cancelRequested;
    }

    Result<std::unique_ptr<ModelSource>> openSource() { return openSource(m_job.parameters); }

    /// `named`: {"model", "base_model"?}.
    Result<std::unique_ptr<ModelSource>> openSource(const Json& named) {
        MOFO_TRY(const std::string model, textOf(named, "model"));
        const std::string base = optionalText(named, "base_model");
        if (base.empty()) return ModelSource::open(placeOf(model));
        MOFO_TRY(std::unique_ptr<ModelSource> source, ModelSource::open(placeOf(base)));
        return CheckpointSource::open(model, std::move(source));
    }

    std::string placeOf(const std::string& model) const {
        std::error_code ec;
        const fs::path sealed = m_workspace.modelFolder(model);
        return model.find('/') == std::string::npos && fs::is_directory(sealed, ec) ? sealed.string() : model;
    }

    Result<LoadedModel> load(std::unique_ptr<ModelSource> source, std::string_view phase) {
        LoadedModel loaded;
        loaded.source = std::move(source);
        MOFO_TRY(loaded.weights, loadWeights(*loaded.source, m_device, [&](double share) { return progress(phase, share); }));
        return loaded;
    }

    /// Computes as the job's "precision" says; fp32 where it says nothing.
    Result<Decoder> decoderOf(const LoadedModel& model) const {
        MOFO_TRY(const Precision precision, precisionNamed(optionalText(m_job.parameters, "precision")));
        return Decoder(model.source->description(), model.source->parameters(), model.weights, nullptr, DecoderOptions{precision, {}});
    }

    /// Rows [skip, skip + limit) of a file as this model reads them; `refused`: how many of them could not be.
    Result<std::vector<TokenRow>> readRows(const std::string& data, const ModelSource& source, std::int64_t* refused = nullptr) {
        MOFO_TRY(const Tokenizer tokenizer, source.loadTokenizer());
        MOFO_TRY(const std::optional<ChatTemplate> chatTemplate, chooseChatTemplate(tokenizer, optionalText(m_job.parameters, "chat_template")));
        const std::int64_t skip = optionalInt(m_job.parameters, "skip", 0), limit = optionalInt(m_job.parameters, "limit", -1);
        const std::int64_t maxLength = optionalInt(m_job.parameters, "max_length", 0);
        MOFO_TRY(DatasetReader reader, DatasetReader::open(data, optionalText(m_job.parameters, "columns")));
        std::vector<TokenRow> rows;
        std::int64_t met = 0;
        while (limit < 0 || met < skip + limit) {
            MOFO_TRY(DatasetReader::Next next, reader.next());
            if (!next.row && !next.refused) break;
            if (met++ < skip) continue;
            if (next.refused) {
                if (refused != nullptr) ++*refused;
                spdlog::warn("line {}: {}", next.refused->line, next.refused->reason);
                continue;
            }
            MOFO_TRY(TokenRow row, renderRow(*next.row, tokenizer, chatTemplate ? &*chatTemplate : nullptr, maxLength));
            rows.push_back(std::move(row));
            if (!progress("read", reader.progress())) return Error{ErrorCode::Interrupted, "cancelled", "", "", ""};
        }
        if (rows.empty()) return Error{ErrorCode::InvalidInput, "no row to score", escapeForDisplay(data), "Check --skip and --limit", "MISSING"};
        return rows;
    }

    Result<Json> score() {
        MOFO_TRY(const std::string data, textOf(m_job.parameters, "data"));
        MOFO_TRY(std::unique_ptr<ModelSource> source, openSource());
        std::int64_t refused = 0;
        MOFO_TRY(const std::vector<TokenRow> rows, readRows(data, *source, &refused));
        MOFO_TRY(const LoadedModel model, load(std::move(source), "load"));
        MOFO_TRY(const Decoder decoder, decoderOf(model));
        MOFO_TRY(const RowLosses losses, computeRowLosses(decoder, rows, m_device, [&](double share) { return progress("score", share); }));
        Json out = Json::array();
        for (std::size_t i = 0; i < rows.size(); ++i) out.push_back({{"tokens", losses.targets[i]}, {"log_likelihood", -losses.nll[i]}});
        return Json{{"rows", out}, {"refused", refused}};
    }

    Result<Json> evaluate() {
        MOFO_TRY(const EvaluateRequest request, EvaluateRequest::from(m_job.parameters));
        MOFO_TRY(std::unique_ptr<ModelSource> source, openSource());
        std::unique_ptr<ModelSource> base;
        if (const std::string place = optionalText(m_job.parameters, "compare_with"); !place.empty()) {
            MOFO_TRY(base, ModelSource::open(placeOf(place)));
        }
        return evaluateModel(request, std::move(source), std::move(base), m_device,
                             [&](std::string_view phase, double share) { return progress(phase, share); });
    }

    Result<Json> answer() {
        MOFO_TRY(std::unique_ptr<ModelSource> source, openSource());
        MOFO_TRY(const Tokenizer tokenizer, source->loadTokenizer());
        MOFO_TRY(const std::optional<ChatTemplate> chatTemplate, chooseChatTemplate(tokenizer, optionalText(m_job.parameters, "chat_template")));
        MOFO_TRY(const GenerationSettings settings, GenerationSettings::from(m_job.parameters));
        MOFO_TRY(const std::vector<ChatMessage> messages, messagesOf(m_job.parameters));
        MOFO_TRY(const std::vector<TokenId> prompt, encodePrompt(tokenizer, chatTemplate ? &*chatTemplate : nullptr, messages));
        MOFO_TRY(const LoadedModel model, load(std::move(source), "load"));
        MOFO_TRY(const Decoder decoder, decoderOf(model));
        std::size_t pieces = 0;
        MOFO_TRY(const Generation generation, generate(decoder, tokenizer, prompt, settings, m_device, [&](std::string_view) {
                     return progress("answer", static_cast<double>(++pieces) / static_cast<double>(settings.maxNewTokens));
                 }));
        return Json{{"text", generation.text},
                    {"tokens", generation.ids.size()},
                    {"prompt_tokens", prompt.size()},
                    {"seconds", generation.seconds},
                    {"stop_reason", generation.stopReason}};
    }

    Result<Json> exportRun() {
        MOFO_TRY(const std::string checkpoint, textOf(m_job.parameters, "checkpoint"));
        MOFO_TRY(const std::string baseId, textOf(m_job.parameters, "base_model"));
        MOFO_TRY(const std::string target, textOf(m_job.parameters, "target"));
        MOFO_TRY(const DType dtype, exportType(optionalText(m_job.parameters, "dtype")));
        MOFO_TRY(const FoundCheckpoint found, openCheckpoint(checkpoint, true));
        MOFO_TRY(std::unique_ptr<ModelSource> base, ModelSource::open(placeOf(baseId)));
        MOFO_TRY(std::unique_ptr<ModelSource> source, CheckpointSource::open(checkpoint, std::move(base)));
        const Json provenance = provenanceOf(m_workspace, m_registry, optionalText(m_job.parameters, "run"), found, baseId);
        MOFO_TRY(Json result, writeVerified(std::move(source), target, dtype, provenance, m_device, phases()));
        result["step"] = found.step;
        return result;
    }

    PhaseProgress phases() {
        return [this](std::string_view phase, double share) { return progress(phase, share); };
    }

    Result<Json> interpolateModels() {
        MOFO_TRY(const std::string target, textOf(m_job.parameters, "target"));
        MOFO_TRY(const DType dtype, exportType(optionalText(m_job.parameters, "dtype")));
        const Json a = m_job.parameters.value("a", Json()), b = m_job.parameters.value("b", Json());
        MOFO_TRY(const MergeWeights weights, MergeWeights::fromJson(m_job.parameters.value("weight", Json())));
        MOFO_TRY(std::unique_ptr<ModelSource> from, openSource(a));
        MOFO_TRY(std::unique_ptr<ModelSource> to, openSource(b));
        MOFO_TRY(std::unique_ptr<ModelSource> mixed, interpolate(std::move(from), std::move(to), weights));
        const Json provenance = {{"interpolation", {{"a", a}, {"b", b}, {"weight", weights.text()}}}, {"program", "MoFO Workbench"}};
        return writeVerified(std::move(mixed), target, dtype, provenance, m_device, phases());
    }

    Result<Json> landscape() {
        MOFO_TRY(const std::string data, textOf(m_job.parameters, "data"));
        const std::string general = optionalText(m_job.parameters, "general");
        LandscapeRange range;
        range.points = optionalInt(m_job.parameters, "points", range.points);
        range.from = m_job.parameters.value("from", range.from);
        range.to = m_job.parameters.value("to", range.to);
        MOFO_TRY(const std::unique_ptr<ModelSource> base, openSource(m_job.parameters.value("a", Json())));
        MOFO_TRY(const std::unique_ptr<ModelSource> tuned, openSource(m_job.parameters.value("b", Json())));
        MOFO_TRY(const std::vector<TokenRow> task, readRows(data, *base));
        std::vector<TokenRow> generalRows;
        if (!general.empty()) {
            MOFO_TRY(generalRows, readRows(general, *base));
        }
        MOFO_TRY(Json points,
                 lossesAlongLine(*base, *tuned, task, generalRows, range, m_device, [&](double share) { return progress("landscape", share); }));
        const auto described = [](const std::string& file, const std::vector<TokenRow>& rows) -> Json {
            if (rows.empty()) return nullptr;
            std::int64_t tokens = 0;
            for (const TokenRow& row : rows) tokens += row.targetCount();
            return {{"data", file}, {"rows", rows.size()}, {"tokens", tokens}};
        };
        return Json{{"points", std::move(points)}, {"task", described(data, task)}, {"general", described(general, generalRows)}};
    }

    Result<Json> rehearseRun() {
        MOFO_TRY(const std::string model, textOf(m_job.parameters, "model"));
        MOFO_TRY(const RunConfig config, configFromJson(m_job.parameters.value("config", Json())));
        return rehearse(placeOf(model), m_job.device, config, phases());
    }

    Result<Json> profileRun() {
        MOFO_TRY(const std::string model, textOf(m_job.parameters, "model"));
        MOFO_TRY(const std::string file, textOf(m_job.parameters, "file"));
        MOFO_TRY(const RunConfig config, configFromJson(m_job.parameters.value("config", Json())));
        return profileSteps(placeOf(model), m_job.device, config, static_cast<int>(optionalInt(m_job.parameters, "steps", 3)), file, phases());
    }

    Result<Json> bench() {
        MOFO_TRY(const std::string what, textOf(m_job.parameters, "bench"));
        if (what == "step") return benchStep();
        if (what == "packing") return benchRows();
        if (what != "optimizer") return Error{ErrorCode::Unsupported, "this version cannot measure " + escapeForDisplay(what), "bench", "", ""};
        MOFO_TRY(const std::string name, textOf(m_job.parameters, "model"));
        BenchSettings settings;
        MOFO_TRY(settings.format, parseBenchPrecision(optionalText(m_job.parameters, "precision")));
        settings.device = m_device;
        settings.cuda = m_device.is_cpu() ? nullptr : cudaPlugin();
        if (const auto seconds = m_job.parameters.find("seconds"); seconds != m_job.parameters.end() && seconds->is_number()) {
            settings.fitInto(seconds->get<double>());
        }
        BenchModel model;
        if (name.starts_with("random:")) {
            MOFO_TRY(model, BenchModel::open(name));
        } else {
            MOFO_TRY(std::unique_ptr<ModelSource> source, openSource());
            const std::string shown = optionalText(m_job.parameters, "shown");
            model = BenchModel::of(shown.empty() ? name : shown, std::move(source));
        }
        return benchOptimizer(model, settings, [&](std::string_view phase, double share) { return progress(phase, share); });
    }

    Result<Json> benchRows() {
        MOFO_TRY(const std::string model, textOf(m_job.parameters, "model"));
        MOFO_TRY(const RunConfig config, configFromJson(m_job.parameters.value("config", Json())));
        return benchPacking(placeOf(model), m_job.device, config, static_cast<int>(optionalInt(m_job.parameters, "steps", 8)), phases());
    }

    Result<Json> benchStep() {
        MOFO_TRY(const std::string name, textOf(m_job.parameters, "model"));
        TrainingBenchSettings settings;
        MOFO_TRY(settings.config, configFromJson(m_job.parameters.value("config", Json())));
        settings.length = optionalInt(m_job.parameters, "length", settings.length);
        settings.steps = static_cast<int>(optionalInt(m_job.parameters, "steps", settings.steps));
        if (settings.length < 2 || settings.steps < 1)
            return Error{ErrorCode::Usage, "rows of two tokens and one step are the least that can be measured", "bench step", "", "RANGE"};
        const auto open = [&]() { return name.starts_with("random:") ? ModelSource::open(name) : openSource(); };
        const std::string shown = optionalText(m_job.parameters, "shown");
        MOFO_TRY(Json result, benchTraining(open, m_job.device, settings, m_workspace.jobFolder(m_job.id), phases()));
        result["model"] = shown.empty() ? name : shown;
        return result;
    }

    const Workspace& m_workspace;
    Registry& m_registry;
    JobRow m_job;
    c10::Device m_device = c10::kCPU;
    Stopwatch m_clock;
    double m_lastMs = -1e9;
    std::string m_phase;
};

}  // namespace

Result<void> runJobById(const Workspace& workspace, const std::string& jobId) {
    MOFO_CHECK(makeFolder(workspace.jobFolder(jobId), true));
    MOFO_TRY(FileLock lock, FileLock::tryAcquire(workspace.jobLock(jobId)));
    MOFO_CHECK(lock.writeText(std::to_string(getpid()) + "\n"));
    MOFO_TRY(Registry registry, Registry::open(workspace, Registry::Access::ReadWrite));
    MOFO_TRY(JobRow row, registry.findJob(jobId));
    MOFO_CHECK(registry.setJobState(jobId, JobState::Running));
    Job job(workspace, registry, std::move(row));
    auto result = guardTorch([&] { return job.run(); });
    if (!result.ok()) {
        const Error& error = result.error();
        spdlog::error("{}", error.text());
        MOFO_CHECK(registry.setJobState(jobId, error.code == ErrorCode::Interrupted ? JobState::Cancelled : JobState::Failed, error.text()));
        return std::move(result).error();
    }
    MOFO_CHECK(writeFileAtomic(workspace.jobFolder(jobId) / "result.json", result->dump()));
    MOFO_CHECK(registry.setJobProgress(jobId, "done", 1));
    return registry.setJobState(jobId, JobState::Finished);
}

}  // namespace mofo
