// Work beside training: score, evaluate, generate, export, bench. One engine process per job.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/store/workspace.h"

namespace mofo {

/// Does job `jobId` of the workspace under its lock; its state, progress and result.json are written here.
///   score     {model, base_model?, data, skip?, limit?, max_length?, columns?, chat_template?} -> {"rows":[{"tokens","log_likelihood"}],"refused":N}
///   evaluate  {model, base_model?, task, data?, limit?, chat_template?, columns?, max_length?, compare_with?, run_config?} ->
///   core/engine/evaluate_job.h generate  {model, base_model?, messages, chat_template?, max_new_tokens?, temperature?, top_p?, top_k?, seed?} ->
///   {"text","tokens","seconds","stop_reason"} export    {run, step, checkpoint, base_model, target, dtype} ->
///   {"path","sha256","max_difference","max_logit_difference"}
///   interpolate {a, b: {model, base_model?}, weight: MergeWeights, target, dtype?} -> as export without the step
///   landscape {a, b: {model, base_model?}, data, general?, points?, from?, to?, skip?, limit?, max_length?, columns?, chat_template?} ->
///   {"points":[{"t","task_loss","general_loss"}],"task","general":{"data","rows","tokens"}}; t = 0 is a, 1 is b
///   rehearse  {model, config: of a run} -> core/engine/rehearsal.h
///   profile   {model, config, steps, file} -> core/engine/profile.h
///   bench     {bench: "step", model, base_model?, shown?, config, length, steps} -> core/engine/bench_training.h
///   bench     {bench: "optimizer", model, base_model?, shown?, precision?} -> core/engine/bench_optimizer.h
/// `model`: id of a sealed model, absolute path of a GGUF file or HF folder, or of a checkpoint folder (base_model then says whose);
/// for bench random:NAME as well.
Result<void> runJobById(const Workspace& workspace, const std::string& jobId);

}  // namespace mofo
