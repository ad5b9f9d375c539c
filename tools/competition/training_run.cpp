#include "training_run.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/competition/perch_cache.hpp"
#include "pantanal/competition/perch_outputs.hpp"
#include "pantanal/competition/train_heads.hpp"
#include "pantanal/core/crc32c.hpp"
#include "pantanal/ml/ranking_metrics.hpp"
#include "pantanal/ml/splits.hpp"
#include "pantanal/perch/session.hpp"
#include "soundscape_feed.hpp"

namespace pantanal::competition {
namespace {

/// What all training soundscapes give, for each way to reduce a genus' logits.
using PerReduce = std::vector<PerchOutputs>;

Result<PerReduce> run_perch_on(const std::vector<std::filesystem::path>& paths,
                               const std::shared_ptr<const perch::Model>& model,
                               const pipeline::PerchMapping& mapping,
                               std::span<const pipeline::ProxyReduce> reduces, const TrainingRequest& request,
                               infer::Console& console, std::vector<std::string>& unreadable) {
  PANTANAL_TRY(const MappedPerch mapped, keep_mapped_labels(model, mapping));
  PANTANAL_TRY(perch::Session session, perch::Session::create(mapped.model, {.threads = request.threads}));
  PANTANAL_TRY_STATUS(check_competition_model(session));
  PerReduce all(reduces.size());
  SoundscapeFeed feed(paths, request.decoder);
  for (;;) {
    const auto decoded = feed.next(request.should_stop);
    if (request.should_stop && request.should_stop())
      return Error{ErrorCode::invalid_argument, "Perch on training soundscapes", "a request to stop",
                   "time to go on"};
    if (!decoded) break;
    const std::filesystem::path& path = paths[decoded->index];
    if (!decoded->samples) {
      unreadable.push_back(decoded->samples.error().message());
      console.say(unreadable.back() + ": not trained on");
      if (unreadable.size() == paths.size()) return decoded->samples.error();
      continue;
    }
    PANTANAL_TRY(const auto results, run_perch(session, *decoded->samples, path.string()));
    for (std::size_t r = 0; r < reduces.size(); ++r) {
      PANTANAL_TRY(pipeline::Scores scores,
                   pipeline::map_perch_logits(results.second, mapped.mapping, reduces[r]));
      all[r].append({pipeline::soundscape_windows(path), std::move(scores), results.first});
    }
    const double done = static_cast<double>(decoded->index + 1);
    console.show_progress(done / static_cast<double>(paths.size()), 60 * done);
  }
  return all;
}

/// Names what cached outputs depend on: Perch's weights and labels, how its classes become the competition's,
/// and how damaged soundscapes are decoded.
std::string origin_of(const perch::Model& model, const CompetitionTables& tables,
                      const pipeline::PerchMapping& mapping, const TrainingRequest& request) {
  Crc32c crc;
  for (const auto& [name, tensor] : model.tensors) {
    crc.update(tensor.bytes());
    crc.update(std::as_bytes(tensor.scales));
  }
  for (const std::string& name : tables.classes)
    crc.update(std::as_bytes(std::span(name.c_str(), name.size() + 1)));
  crc.update(std::as_bytes(std::span(mapping.bc_indices)));
  for (const auto& proxy : mapping.proxies) {
    crc.update(std::as_bytes(std::span(&proxy.class_index, 1)));
    crc.update(std::as_bytes(std::span(proxy.bc_indices)));
  }
  return "pantanal cache " + std::to_string(crc.value()) + " " + std::to_string(labels_crc(model.labels)) +
         (request.configuration.proxy_reduce == pipeline::ProxyReduce::max ? " max" : " mean") +
         (request.decoder.is_soundfile_compat() ? " soundfile\n" : "\n");
}

/// Macro AUC by name, for the log.
using Aucs = std::map<std::string, double>;

/// Each reduction's out-of-fold base scores; the better one's index.
Result<std::size_t> better_reduce(const PerReduce& all, const CompetitionTables& tables,
                                  const pipeline::PerchMapping& mapping, const Configuration& configuration,
                                  infer::Console& console, Aucs& aucs) {
  PANTANAL_TRY(
      const pipeline::FusionClasses classes,
      pipeline::build_fusion_classes(mapping, tables.texture, pipeline::active_classes(tables.labels.y_sc)));
  std::vector<std::string> files;
  for (const auto& window : all[0].meta) files.push_back(window.filename);
  PANTANAL_TRY(const std::vector<std::size_t> folds,
               ml::group_k_fold_of(files, std::min(configuration.oof_n_splits, all[0].files())));
  const std::vector<int> fold_id(folds.begin(), folds.end());
  PANTANAL_TRY(const std::vector<std::size_t> rows, detail::label_rows(all[0].meta, tables.labels));
  const pipeline::MultiHot y = detail::take_rows(tables.labels.y_sc, rows);
  const std::vector<float> truth(y.values.begin(), y.values.end());
  std::size_t best = 0;
  double best_auc = -1;
  for (std::size_t r = 0; r < all.size(); ++r) {
    PANTANAL_TRY(const pipeline::FusedScores oof,
                 pipeline::build_oof_base_prior(all[r].scores, all[r].meta, fold_id, tables.labels, classes,
                                                configuration.fusion));
    const double auc = ml::macro_auc_or_zero(truth, oof.scores.values, y.columns);
    const std::string name = r == 0 ? "max" : "mean";
    console.say("proxy_reduce " + name + ": macro AUC of base scores " + std::to_string(auc));
    aucs["oof_auc_base_proxy_" + name] = auc;
    if (auc > best_auc) best = r, best_auc = auc;
  }
  return best;
}

Result<PerchOutputs> training_outputs(TrainingRequest& request, const CompetitionTables& tables,
                                      const std::shared_ptr<const perch::Model>& model,
                                      const pipeline::PerchMapping& mapping, infer::Console& console,
                                      Aucs& aucs, std::vector<std::string>& unreadable) {
  Configuration& configuration = request.configuration;
  const bool grid = configuration.study.run_proxy_reduce_grid && request.with_studies;
  if (request.cache && has_perch_cache(*request.cache) && !grid) {
    console.say("Perch's outputs: from the cache in " + request.cache->string());
    PANTANAL_TRY(PerchOutputs cached, read_perch_cache(*request.cache, tables.classes.size(),
                                                       origin_of(*model, tables, mapping, request)));
    const std::size_t width = model->architecture.head.channels;
    PANTANAL_TRY_STATUS(
        pipeline::detail::check_size((*request.cache / "full_perch_arrays.npz").string() + ": emb_full",
                                     cached.emb, cached.emb.rows, width));
    return cached;
  }
  std::vector<std::filesystem::path> paths;
  for (const std::string& file : tables.labels.full_files)
    paths.push_back(request.data / "train_soundscapes" / file);
  if (paths.empty())
    return Error{ErrorCode::not_found, (request.data / "train_soundscapes_labels.csv").string(),
                 "no file with twelve labelled windows", "files to train on"};
  console.say("Perch's outputs: computing those of " + std::to_string(paths.size()) + " soundscapes");
  std::vector<pipeline::ProxyReduce> reduces = {configuration.proxy_reduce};
  if (grid) reduces = {pipeline::ProxyReduce::max, pipeline::ProxyReduce::mean};
  PANTANAL_TRY(PerReduce all, run_perch_on(paths, model, mapping, reduces, request, console, unreadable));
  std::size_t chosen = 0;
  if (grid) {
    PANTANAL_TRY(chosen, better_reduce(all, tables, mapping, configuration, console, aucs));
    configuration.proxy_reduce = reduces[chosen];
  }
  if (request.cache)
    PANTANAL_TRY_STATUS(
        write_perch_cache(*request.cache, all[chosen], origin_of(*model, tables, mapping, request)));
  return std::move(all[chosen]);
}

}  // namespace

Result<TrainedHeads> run_training(const TrainingRequest& asked, const CompetitionTables& tables,
                                  const std::shared_ptr<const perch::Model>& model, infer::Console& console) {
  TrainingRequest request = asked;
  PANTANAL_TRY(
      pipeline::PerchMapping mapping,
      pipeline::map_to_perch(tables.taxonomy, tables.classes, model->labels, request.configuration.mapping));
  const auto mapped = std::ranges::count_if(
      mapping.bc_indices, [](std::size_t index) { return index != pipeline::PerchMapping::no_label; });
  console.say("classes: " + std::to_string(tables.classes.size()) + ", of which Perch has " +
              std::to_string(mapped) + ", by genus " + std::to_string(mapping.proxies.size()));
  const std::vector<std::string> unused = unused_labels(tables.labels);
  for (const std::string& note : unused) console.say(note);
  detail::StopWatch watch;
  Aucs aucs;
  std::vector<std::string> unreadable;
  PANTANAL_TRY(const PerchOutputs perch,
               training_outputs(request, tables, model, mapping, console, aucs, unreadable));
  const double perch_seconds = watch.lap();
  TrainHeadsOptions options{.configuration = request.configuration,
                            .with_studies = request.with_studies,
                            .threads = request.threads,
                            .start = request.start,
                            .should_stop = request.should_stop};
  options.progress = [&](const std::string& line) { console.say(line); };
  PANTANAL_TRY(TrainedHeads trained, train_heads(tables, perch, mapping, labels_crc(model->labels), options));
  trained.log.notes.insert(trained.log.notes.begin(), unused.begin(), unused.end());
  for (std::string& error : unreadable) trained.log.notes.push_back("not trained on: " + std::move(error));
  trained.log.scores.insert(aucs.begin(), aucs.end());
  trained.log.seconds["perch"] = perch_seconds;
  trained.log.counts["mapped_classes"] = static_cast<std::size_t>(mapped);
  return trained;
}

}  // namespace pantanal::competition
