#include "run_log.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "pantanal/competition/configuration_json.hpp"
#include "pantanal/io/atomic_file.hpp"

namespace pantanal::competition {

struct RunLog::Content {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
};

RunLog::RunLog() : content_(std::make_unique<Content>()) {}
RunLog::RunLog(RunLog&&) noexcept = default;
RunLog& RunLog::operator=(RunLog&&) noexcept = default;
RunLog::~RunLog() = default;

void RunLog::set(const std::string& key, const std::string& text) { content_->json[key] = text; }
void RunLog::set(const std::string& key, double number) { content_->json[key] = number; }
void RunLog::add(const std::string& key, const std::string& text) { content_->json[key].push_back(text); }
void RunLog::set_seconds(const std::string& stage, double seconds) {
  content_->json["timings"][stage] = seconds;
}
void RunLog::set_configuration(const Configuration& configuration) {
  content_->json["configuration"] = configuration_json(configuration);
}

void RunLog::set_training(const TrainedHeads& trained) {
  nlohmann::ordered_json& json = content_->json;
  const TrainingLog& log = trained.log;
  json["scores"] = log.scores;
  json["counts"] = log.counts;
  for (const auto& [stage, seconds] : log.seconds) json["timings"]["training"][stage] = seconds;
  for (const auto& [weight, auc] : log.ensemble_search)
    json["ensemble_search"].push_back({{"weight", weight}, {"auc", auc}});
  for (const auto& [point, auc] : log.probe_grid) {
    json["probe_grid"].push_back(detail::to_json_value(point));
    json["probe_grid"].back()["auc"] = auc;
  }
  for (const std::string& note : log.notes) json["notes"].push_back(note);
  json["ensemble_weight_proto"] = trained.bundle.ensemble_weight;
  json["per_class_thresholds"] = trained.bundle.thresholds;
  set_configuration(trained.bundle.configuration);
}

Status RunLog::write(const std::filesystem::path& path) const {
  // A file name may be no UTF-8: what is not is replaced.
  const std::string text =
      content_->json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  PANTANAL_TRY(AtomicFile file, AtomicFile::create(path));
  PANTANAL_TRY_STATUS(file.write(text));
  return file.commit();
}

}  // namespace pantanal::competition
