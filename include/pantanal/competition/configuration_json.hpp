// A Configuration as JSON and back. Only programs include this: parsing JSON takes long to compile.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/io/json.hpp"
#include "pantanal/io/mapped_file.hpp"

namespace pantanal::competition {

namespace detail {

template <class E>
using Names = std::vector<std::pair<const char*, E>>;

/// Calls v.section(key, f) and v.field(key, value[, names]) for every key there is: the schema, for reading
/// and writing.
template <class V>
void describe_proto_ssm(V& v, ProtoSsmSettings& p) {
  v.field("d_model", p.d_model);
  v.field("d_state", p.d_state);
  v.field("d_conv", p.d_conv);
  v.field("n_ssm_layers", p.n_ssm_layers);
  v.field("dropout", p.dropout);
  v.field("n_sites", p.n_sites);
  v.field("meta_dim", p.meta_dim);
  v.field("use_cross_attn", p.use_cross_attn);
  v.field("cross_attn_heads", p.cross_attn_heads);
  v.field("n_prototypes", p.n_prototypes);
}

template <class V>
void describe_proto_ssm_train(V& v, ProtoSsmTrainSettings& p) {
  v.field("n_epochs", p.n_epochs);
  v.field("lr", p.lr);
  v.field("weight_decay", p.weight_decay);
  v.field("clip_norm", p.clip_norm);
  v.field("patience", p.patience);
  v.field("pos_weight_cap", p.pos_weight_cap);
  v.field("distill_weight", p.distill_weight);
  v.field("label_smoothing", p.label_smoothing);
  v.field("family_weight", p.family_weight);
  v.field("families_in_final_fit", p.families_in_final_fit);
  v.field("oof_n_splits", p.oof_n_splits);
  v.field("mixing", p.mixing,
          Names<MixingMethod>{{"mixup_files", MixingMethod::mixup_files},
                              {"mixup_cutmix", MixingMethod::mixup_cutmix}});
  v.field("mixup_alpha", p.mixup_alpha);
  v.field("mixup_from_epoch", p.mixup_from_epoch);
  v.field("cutmix_probability", p.cutmix_probability);
  v.field("loss", p.loss,
          Names<LossMethod>{{"focal", LossMethod::focal}, {"species_focal", LossMethod::species_focal}});
  v.field("focal_gamma", p.focal_gamma);
  v.field("swa_start_frac", p.swa_start_frac);
  v.field("ema_decay", p.ema_decay);
  v.field(
      "scheduler", p.scheduler,
      Names<Scheduler>{{"one_cycle", Scheduler::one_cycle}, {"cosine_restarts", Scheduler::cosine_restarts}});
  v.field("pct_start", p.pct_start);
  v.field("restart_period", p.restart_period);
  v.field("seed", p.seed);
}

template <class V>
void describe_probe(V& v, ProbeSettings& p) {
  v.field("backend", p.backend,
          Names<ProbeBackend>{
              {"mlp", ProbeBackend::mlp}, {"logreg", ProbeBackend::logreg}, {"lgbm", ProbeBackend::lgbm}});
  v.field("pca_dim", p.pca_dim);
  v.field("pca_solver", p.pca_solver,
          Names<PcaMethod>{{"exact", PcaMethod::exact}, {"randomized", PcaMethod::randomized}});
  v.field("pca_random_state", p.pca_random_state);
  v.field("min_pos", p.min_pos);
  v.field("alpha", p.alpha);
  v.field("C", p.C);
  using enum Balance;
  v.field(
      "balance", p.balance,
      Names<Balance>{{"copies", copies}, {"weights", weights}, {"copies_after_split", copies_after_split}});
}

template <class V>
void describe_mlp(V& v, MlpSettings& p) {
  v.field("hidden_layer_sizes", p.hidden_layer_sizes);
  v.field("learning_rate_init", p.learning_rate_init);
  v.field("alpha", p.alpha);
  v.field("max_iter", p.max_iter);
  v.field("early_stopping", p.early_stopping);
  v.field("validation_fraction", p.validation_fraction);
  v.field("n_iter_no_change", p.n_iter_no_change);
  using enum ValidationScore;
  v.field("validation_score", p.validation_score,
          Names<ValidationScore>{{"accuracy", accuracy}, {"log_loss", log_loss}});
  v.field("random_state", p.random_state);
}

template <class V>
void describe_lgbm(V& v, LgbmSettings& p) {
  v.field("n_estimators", p.n_estimators);
  v.field("num_leaves", p.num_leaves);
  v.field("max_depth", p.max_depth);
  v.field("learning_rate", p.learning_rate);
  v.field("min_child_samples", p.min_child_samples);
  v.field("subsample", p.subsample);
  v.field("subsample_freq", p.subsample_freq);
  v.field("colsample_bytree", p.colsample_bytree);
  v.field("reg_alpha", p.reg_alpha);
  v.field("reg_lambda", p.reg_lambda);
  v.field("random_state", p.random_state);
}

template <class V>
void describe_residual_ssm(V& v, ResidualSsmSettings& p) {
  v.field("enabled", p.enabled);
  v.field("d_model", p.d_model);
  v.field("d_state", p.d_state);
  v.field("d_conv", p.d_conv);
  v.field("n_ssm_layers", p.n_ssm_layers);
  v.field("meta_dim", p.meta_dim);
  v.field("dropout", p.dropout);
  v.field("correction_weight", p.correction_weight);
  v.field("n_epochs", p.n_epochs);
  v.field("lr", p.lr);
  v.field("patience", p.patience);
  v.field("skip_after_s", p.skip_after_s);
}

template <class V>
void describe_postprocess(V& v, Configuration& c) {
  using pipeline::DeltaSmoothing;
  v.field("temperature_event", c.temperature_event);
  v.field("temperature_texture", c.temperature_texture);
  v.field("file_level_top_k", c.postprocess.file_level_top_k);
  v.field("rank_aware_scale", c.postprocess.rank_aware_scale);
  v.field("rank_aware_power", c.postprocess.rank_aware_power);
  using enum DeltaSmoothing;
  v.field("delta_smoothing", c.postprocess.delta_smoothing,
          Names<DeltaSmoothing>{{"off", off}, {"adaptive", adaptive}, {"shift", shift}});
  v.field("delta_shift_alpha", c.postprocess.delta_shift_alpha);
}

template <class V>
void describe_study(V& v, StudySettings& s) {
  v.field("run_proxy_reduce_grid", s.run_proxy_reduce_grid);
  v.field("run_probe_check", s.run_probe_check);
  v.field("run_probe_grid", s.run_probe_grid);
  v.field("probe_grid", s.probe_grid);
  v.field("ensemble_probes", s.ensemble_probes,
          Names<EnsembleProbes>{{"own_rows", EnsembleProbes::own_rows},
                                {"out_of_fold", EnsembleProbes::out_of_fold}});
  v.field("threshold_scores", s.threshold_scores,
          Names<ThresholdScores>{{"logits", ThresholdScores::logits},
                                 {"probabilities", ThresholdScores::probabilities},
                                 {"isotonic", ThresholdScores::isotonic}});
  v.field("threshold_grid", s.threshold_grid);
}

template <class V>
void describe(V& v, Configuration& c) {
  using pipeline::ProxyReduce;
  v.field("proxy_reduce", c.proxy_reduce,
          Names<ProxyReduce>{{"max", ProxyReduce::max}, {"mean", ProxyReduce::mean}});
  v.field("proxy_taxa", c.mapping.proxy_taxa);
  v.field("synonyms", c.mapping.synonyms);
  v.field("oof_n_splits", c.oof_n_splits);
  v.field("dryrun_n_files", c.dryrun_n_files);
  v.section("fusion", [&](V& s) {
    s.field("lambda_event", c.fusion.lambda_event);
    s.field("lambda_texture", c.fusion.lambda_texture);
    s.field("lambda_proxy_texture", c.fusion.lambda_proxy_texture);
    s.field("smooth_texture", c.fusion.smooth_texture);
    s.field("smooth_event", c.fusion.smooth_event);
  });
  v.section("proto_ssm", [&](V& s) { describe_proto_ssm(s, c.proto_ssm); });
  v.section("proto_ssm_train", [&](V& s) { describe_proto_ssm_train(s, c.proto_ssm_train); });
  v.section("probe", [&](V& s) { describe_probe(s, c.probe); });
  v.section("mlp", [&](V& s) { describe_mlp(s, c.mlp); });
  v.section("lgbm", [&](V& s) { describe_lgbm(s, c.lgbm); });
  v.section("residual_ssm", [&](V& s) { describe_residual_ssm(s, c.residual_ssm); });
  v.field("ensemble_weight", c.ensemble_weight);
  v.field("tta_shifts", c.tta_shifts);
  v.section("postprocess", [&](V& s) { describe_postprocess(s, c); });
  v.section("study", [&](V& s) { describe_study(s, c.study); });
}

inline nlohmann::ordered_json to_json_value(const ProbeGridPoint& p) {
  return {{"pca_dim", p.pca_dim}, {"min_pos", p.min_pos}, {"C", p.C}, {"alpha", p.alpha}};
}

/// Writes every key.
class ConfigurationWriter {
 public:
  template <class F>
  void section(const char* key, F&& fill) {
    ConfigurationWriter inner;
    fill(inner);
    json[key] = std::move(inner.json);
  }
  template <class T>
  void field(const char* key, const T& value) {
    json[key] = value;
  }
  /// With as many digits as a float needs, not those of the double that it becomes.
  void field(const char* key, const float& value) { json[key] = shortest(value); }
  void field(const char* key, const std::vector<float>& values) {
    json[key] = nlohmann::ordered_json::array();
    for (const float value : values) json[key].push_back(shortest(value));
  }
  void field(const char* key, const std::vector<ProbeGridPoint>& values) {
    json[key] = nlohmann::ordered_json::array();
    for (const ProbeGridPoint& value : values) json[key].push_back(to_json_value(value));
  }
  template <class E>
  void field(const char* key, const E& value, const Names<E>& names) {
    for (const auto& [name, candidate] : names)
      if (candidate == value) json[key] = name;
  }

  nlohmann::ordered_json json = nlohmann::ordered_json::object();

 private:
  static double shortest(float value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.7g", double{value});
    return std::strtod(text, nullptr);
  }
};

/// Reads the keys that there are, and remembers which it knows.
class ConfigurationReader {
 public:
  ConfigurationReader(const nlohmann::json& json, std::string where, Status& status)
      : json_(json), where_(std::move(where)), status_(status) {
    if (!json.is_object()) fail("", json_kind(json), "an object");
  }

  template <class F>
  void section(const char* key, F&& read) {
    const nlohmann::json* const value = find(key);
    static const nlohmann::json nothing = nlohmann::json::object();
    ConfigurationReader inner(value ? *value : nothing, where_ + "." + key, status_);
    read(inner);
    inner.finish();
  }
  template <class T>
  void field(const char* key, T& to) {
    if (const nlohmann::json* const value = find(key)) read(key, *value, to);
  }
  template <class E>
  void field(const char* key, E& to, const Names<E>& names) {
    const nlohmann::json* const value = find(key);
    if (!value) return;
    std::string expected;
    for (const auto& [name, candidate] : names) {
      if (*value == name) {
        to = candidate;
        return;
      }
      expected += (expected.empty() ? "" : ", ") + std::string(name);
    }
    fail(key, value->dump(), "one of " + expected);
  }

  /// Refuses what has not been asked for.
  void finish() {
    if (!json_.is_object()) return;
    std::string expected;
    for (const std::string& key : known_) expected += (expected.empty() ? "" : ", ") + key;
    for (const auto& item : json_.items())
      if (!known_.contains(item.key())) fail(item.key().c_str(), "an unknown key", "one of " + expected);
  }

 private:
  const nlohmann::json* find(const char* key) {
    known_.insert(key);
    if (!json_.is_object()) return nullptr;
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }

  void fail(const std::string& key, std::string found, std::string expected) {
    if (!status_) return;
    status_ = Error{ErrorCode::invalid_argument, key.empty() ? where_ : where_ + "." + key, std::move(found),
                    std::move(expected)};
  }

  void read(const std::string& key, const nlohmann::json& value, bool& to) {
    if (!value.is_boolean()) return fail(key, value.dump(), "true or false");
    to = value.get<bool>();
  }
  template <std::integral T>
  void read(const std::string& key, const nlohmann::json& value, T& to) {
    constexpr std::int64_t most = std::int64_t{1} << 31;
    const bool fits = value.is_number_integer() && (value.is_number_unsigned() || !std::is_unsigned_v<T>);
    if (!fits || value.get<std::int64_t>() > most || value.get<std::int64_t>() < -most)
      return fail(key, value.dump(), std::is_unsigned_v<T> ? "an integer from 0" : "an integer");
    to = static_cast<T>(value.get<std::int64_t>());
  }
  template <std::floating_point T>
  void read(const std::string& key, const nlohmann::json& value, T& to) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) return fail(key, value.dump(), "a number");
    to = value.get<T>();
  }
  void read(const std::string& key, const nlohmann::json& value, std::string& to) {
    if (!value.is_string()) return fail(key, value.dump(), "a text");
    to = value.get<std::string>();
  }
  template <class T>
  void read(const std::string& key, const nlohmann::json& value, std::vector<T>& to) {
    if (!value.is_array()) return fail(key, json_kind(value), "an array");
    std::vector<T> all(value.size());
    for (std::size_t i = 0; i < all.size(); ++i) read(key + "[" + std::to_string(i) + "]", value[i], all[i]);
    to = std::move(all);
  }
  void read(const std::string& key, const nlohmann::json& value, ProbeGridPoint& to) {
    ConfigurationReader inner(value, where_ + "." + key, status_);
    inner.field("pca_dim", to.pca_dim);
    inner.field("min_pos", to.min_pos);
    inner.field("C", to.C);
    inner.field("alpha", to.alpha);
    inner.finish();
  }
  void read(const std::string& key, const nlohmann::json& value, std::set<std::string, std::less<>>& to) {
    std::vector<std::string> all;
    read(key, value, all);
    to = {all.begin(), all.end()};
  }
  void read(const std::string& key, const nlohmann::json& value,
            std::map<std::string, std::string, std::less<>>& to) {
    if (!value.is_object()) return fail(key, json_kind(value), "an object of texts");
    to.clear();
    for (const auto& item : value.items()) read(key + "." + item.key(), item.value(), to[item.key()]);
  }

  const nlohmann::json& json_;
  std::string where_;
  Status& status_;
  std::set<std::string> known_;
};

}  // namespace detail

/// Every key with its value.
inline nlohmann::ordered_json configuration_json(const Configuration& configuration) {
  Configuration copy = configuration;
  detail::ConfigurationWriter writer;
  detail::describe(writer, copy);
  return std::move(writer.json);
}

/// A configuration out of JSON: the key "preset", if there is one, names what to start from (v5-run
/// otherwise), all others replace its values. Errors, which name the key: one that does not exist, a value of
/// another type or out of range.
inline Result<Configuration> parse_configuration(nlohmann::json json, const std::string& where) {
  Configuration configuration;
  if (json.is_object() && json.contains("preset")) {
    const nlohmann::json name = json["preset"];
    const auto found = preset(name.is_string() ? name.get<std::string>() : std::string());
    if (!found)
      return Error{ErrorCode::invalid_argument, where + ".preset", name.dump(),
                   "v5-run, v5-cfg, v5-card or recommended"};
    configuration = *found;
    json.erase("preset");
  }
  Status status;
  detail::ConfigurationReader reader(json, where, status);
  detail::describe(reader, configuration);
  reader.finish();
  PANTANAL_TRY_STATUS(status);
  PANTANAL_TRY_STATUS(validate(configuration));
  return configuration;
}

/// The configuration in a JSON file.
inline Result<Configuration> read_configuration(const std::filesystem::path& path) {
  PANTANAL_TRY(const MappedFile file, MappedFile::open(path));
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  PANTANAL_TRY(nlohmann::json json, parse_json(text, path.string()));
  return parse_configuration(std::move(json), path.string());
}

}  // namespace pantanal::competition
