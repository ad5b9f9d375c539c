#include "rescore.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pantanal/competition/heads_file.hpp"
#include "pantanal/competition/heads_session.hpp"
#include "pantanal/competition/perch_cache.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/core/requested_isa.hpp"
#include "pantanal/output/npz_writer.hpp"
#include "pantanal/pipeline/submission.hpp"

namespace pantanal::competition {
namespace {

using infer::ExitCode;

/// Each step's name and result, [N, C].
using Steps = std::vector<std::pair<std::string, pipeline::Scores>>;

Status write_steps(const std::filesystem::path& path, const Steps& steps) {
  std::vector<output::NpzArray> arrays;
  for (const auto& [name, scores] : steps)
    arrays.push_back({name, "<f4", sizeof(float), {static_cast<std::int64_t>(scores.columns)}});
  PANTANAL_TRY(output::NpzWriter writer, output::NpzWriter::create(path, arrays));
  for (const auto& [name, scores] : steps)
    PANTANAL_TRY_STATUS(writer.append(name, std::as_bytes(std::span(scores.values))));
  return writer.finish();
}

struct Rescored {
  std::vector<std::string> classes, row_ids;
  pipeline::Scores probabilities;
  Steps steps;
};

Result<Rescored> rescored(const RescoreOptions& options) {
  PANTANAL_TRY(HeadsBundle loaded, load_heads(options.heads));
  const auto bundle = std::make_shared<const HeadsBundle>(std::move(loaded));
  PANTANAL_TRY(const PerchOutputs perch, read_perch_cache(options.cache, bundle->classes.size()));
  PANTANAL_TRY_STATUS(
      pipeline::detail::check_size((options.cache / "full_perch_arrays.npz").string() + ": emb_full",
                                   perch.emb, perch.emb.rows, bundle->proto_config.d_input));
  PANTANAL_TRY(HeadsSession session,
               HeadsSession::create(bundle, options.threads ? options.threads : hardware_threads()));
  Rescored made{bundle->classes, {}, {}, {}};
  for (const pipeline::WindowMeta& window : perch.meta) made.row_ids.push_back(window.row_id);
  pipeline::StepObserver observer;
  if (!options.steps.empty())
    observer = [&](std::string_view name, const pipeline::Scores& scores) {
      made.steps.emplace_back(name, scores);
    };
  Pace spent;
  PANTANAL_TRY(made.probabilities, session.predict(perch, Effort::full, spent, observer));
  return made;
}

}  // namespace

ExitCode rescore(const RescoreOptions& options, infer::Console& console) {
  if (Status status = check_requested_isa(); !status) return console.fail(ExitCode::usage, status.error());
  const auto made = rescored(options);
  if (!made) return console.fail(ExitCode::model, made.error());
  Status status = pipeline::write_submission(options.out, made->classes, made->row_ids, made->row_ids,
                                             made->probabilities);
  if (status && !options.steps.empty()) status = write_steps(options.steps, made->steps);
  if (!status) return console.fail(ExitCode::output, status.error());
  console.say(options.out.string() + ": " +
              std::to_string(made->row_ids.size() / pipeline::n_windows_per_file) + " soundscapes");
  return ExitCode::done;
}

}  // namespace pantanal::competition
