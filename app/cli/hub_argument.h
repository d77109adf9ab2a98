// What stands after --model or --data may be on the Hugging Face Hub: the one place where the command line turns that into something on this machine.
#pragma once

#include <string>
#include <vector>

#include "app/cli/context.h"
#include "core/hub/hub.h"

namespace mofo::cli {

/// Plans and downloads, saying on stderr what it is, how large, under which licence, where to, and how far it is. Ctrl-C: Interrupted, the part
/// stays.
Result<HubPlan> getFromHub(const HubReference& reference);

/// `text` itself, unless it is a reference to the Hub: then the path of what was downloaded (or was there). Usage where a data set stands for a model
/// or the other way round.
Result<std::string> localPathOf(const std::string& text, HubKind wanted);

/// The same within "model=...", "data=..." and "eval_data=..." of --set.
Result<std::vector<std::string>> withLocalPaths(std::vector<std::string> assignments);
/// The same within a config.
Result<void> useLocalPaths(RunConfig& config);

}  // namespace mofo::cli
