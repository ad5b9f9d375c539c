// A HeadsBundle as one .safetensors file: arrays as tensors, everything small as JSON in the metadata.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "pantanal/competition/configuration_json.hpp"
#include "pantanal/competition/heads.hpp"
#include "pantanal/core/finite.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/io/json.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/io/safetensors_writer.hpp"
#include "pantanal/ml/estimator_state.hpp"

namespace pantanal::competition {

inline constexpr std::string_view heads_format = "pantanal.heads", heads_format_version = "1";

namespace detail {

using Arrays = std::map<std::string, ml::EstimatorState::Array, std::less<>>;

template <class T>
void add_array(Arrays& arrays, const std::string& name, Shape shape, std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  arrays[name] = {ml::dtype_name<T>(), std::move(shape), {bytes.begin(), bytes.end()}};
}

inline void add_indices(Arrays& arrays, const std::string& name, std::span<const std::size_t> values) {
  const std::vector<std::int64_t> wide(values.begin(), values.end());  // no_label, the largest, becomes -1
  add_array<std::int64_t>(arrays, name, {static_cast<std::int64_t>(wide.size())}, wide);
}

inline void add_floats(Arrays& arrays, const std::string& name, std::span<const float> values) {
  add_array<float>(arrays, name, {static_cast<std::int64_t>(values.size())}, values);
}

inline void add_state(Arrays& arrays, const std::string& prefix, const nn::StateDict& state) {
  for (const auto& [name, tensor] : state)
    add_array<float>(arrays, prefix + name, tensor.shape, tensor.values);
}

/// Priors of one table, [keys] and [keys, C].
template <class Map>
void add_priors(Arrays& arrays, const std::string& name, const Map& table, std::size_t classes) {
  std::vector<float> n, p;
  for (const auto& [key, prior] : table) {
    n.push_back(prior.n);
    p.insert(p.end(), prior.p.begin(), prior.p.end());
  }
  add_floats(arrays, "priors." + name + ".n", n);
  add_array<float>(arrays, "priors." + name + ".p",
                   {static_cast<std::int64_t>(n.size()), static_cast<std::int64_t>(classes)}, p);
}

/// An estimator's arrays under `prefix`; its name and settings as JSON.
inline Result<nlohmann::json> add_estimator(Arrays& arrays, const std::string& prefix,
                                            Result<ml::EstimatorState> state) {
  PANTANAL_TRY(ml::EstimatorState fitted, std::move(state));
  for (auto& [name, array] : fitted.arrays) arrays[prefix + name] = std::move(array);
  return nlohmann::json{{"estimator", fitted.estimator}, {"settings", fitted.settings}};
}

inline nlohmann::json priors_json(const pipeline::PriorTables& priors) {
  nlohmann::json sites = nlohmann::json::array(), hours = sites, site_hours = sites;
  for (const auto& [site, prior] : priors.site) sites.push_back(site);
  for (const auto& [hour, prior] : priors.hour) hours.push_back(hour);
  for (const auto& [key, prior] : priors.site_hour) site_hours.push_back({key.first, key.second});
  return {{"site", sites}, {"hour", hours}, {"site_hour", site_hours}};
}

inline nlohmann::json sites_json(const pipeline::SiteMapping& sites) {
  nlohmann::json all = nlohmann::json::array();
  for (const auto& [site, id] : sites)
    all.push_back({site ? nlohmann::json(*site) : nlohmann::json(nullptr), id});
  return all;
}

inline Status add_mapping(Arrays& arrays, nlohmann::json& json, const HeadsBundle& b) {
  add_indices(arrays, "mapping.bc_indices", b.mapping.bc_indices);
  nlohmann::json proxies = nlohmann::json::array();
  for (const pipeline::GenusProxy& proxy : b.mapping.proxies)
    proxies.push_back({{"class", proxy.class_index}, {"genus", proxy.genus}, {"labels", proxy.bc_indices}});
  json["mapping"] = {
      {"n_labels", b.mapping.n_labels}, {"labels_crc", b.perch_labels_crc}, {"proxies", proxies}};
  return {};
}

inline Status add_probes(Arrays& arrays, nlohmann::json& json, const ProbeSet& set) {
  PANTANAL_TRY(json["scaler"], add_estimator(arrays, "scaler.", set.scaler.state()));
  PANTANAL_TRY(json["pca"], add_estimator(arrays, "pca.", set.pca.state()));
  json["probe_alpha"] = set.alpha;
  json["probes"] = nlohmann::json::array();
  for (const Probe& probe : set.probes) {
    const std::string prefix = "probes." + std::to_string(probe.class_index) + ".";
    auto state = std::visit([](const auto& model) { return model.state(); }, probe.model);
    PANTANAL_TRY(nlohmann::json described, add_estimator(arrays, prefix, std::move(state)));
    described["class"] = probe.class_index;
    json["probes"].push_back(std::move(described));
  }
  return {};
}

/// Everything of `b`: what is an array into `arrays`, the rest as JSON.
inline Result<nlohmann::json> take_apart(const HeadsBundle& b, Arrays& arrays) {
  nlohmann::json json;
  json["configuration"] = nlohmann::json(configuration_json(b.configuration));
  json["classes"] = b.classes;
  json["texture"] = b.texture;
  json["active"] = b.active;
  json["ensemble_weight"] = b.ensemble_weight;
  json["n_families"] = b.proto_config.n_families;
  json["n_features"] = b.proto_config.d_input;
  json["has_residual"] = b.residual.has_value();
  json["sites"] = sites_json(b.sites);
  json["priors"] = priors_json(b.priors);
  PANTANAL_TRY_STATUS(add_mapping(arrays, json, b));
  PANTANAL_TRY_STATUS(add_probes(arrays, json, b.probes));
  add_floats(arrays, "thresholds", b.thresholds);
  add_floats(arrays, "priors.global", b.priors.global_p);
  add_priors(arrays, "site", b.priors.site, b.classes.size());
  add_priors(arrays, "hour", b.priors.hour, b.classes.size());
  add_priors(arrays, "site_hour", b.priors.site_hour, b.classes.size());
  add_state(arrays, "proto_ssm.", b.proto);
  if (b.residual) add_state(arrays, "residual_ssm.", b.residual->state);
  return json;
}

/// The parts of a heads file, for reading.
class HeadsReader {
 public:
  HeadsReader(std::string where, nlohmann::json json, Arrays arrays)
      : where_(std::move(where)), json_(std::move(json)), arrays_(std::move(arrays)) {}

  Result<HeadsBundle> read() {
    HeadsBundle b;
    try {
      PANTANAL_TRY(b.configuration,
                   parse_configuration(json_.at("configuration"), where_ + ": configuration"));
      b.classes = json_.at("classes").get<std::vector<std::string>>();
      b.texture = json_.at("texture").get<std::vector<bool>>();
      b.active = json_.at("active").get<std::vector<std::size_t>>();
      b.ensemble_weight = json_.at("ensemble_weight").get<double>();
      for (const nlohmann::json& site : json_.at("sites"))
        b.sites.emplace(site.at(0).is_null() ? std::nullopt : std::optional(site.at(0).get<std::string>()),
                        site.at(1).get<std::int64_t>());
      PANTANAL_TRY_STATUS(read_mapping(b));
      PANTANAL_TRY_STATUS(read_priors(b));
      PANTANAL_TRY_STATUS(read_probes(b));
      PANTANAL_TRY_STATUS(read_models(b));
      PANTANAL_TRY(b.thresholds, floats("thresholds", b.classes.size()));
    } catch (const nlohmann::json::exception& wrong) {
      return Error{ErrorCode::corrupt, where_ + ": __metadata__.heads", wrong.what(),
                   "what pantanal-train writes"};
    }
    PANTANAL_TRY_STATUS(check(b));
    return b;
  }

 private:
  Error mismatch(const std::string& what, std::string found, std::string expected) const {
    return {ErrorCode::mismatch, where_ + ": " + what, std::move(found), std::move(expected)};
  }

  template <class T>
  Result<std::vector<T>> values(const std::string& name) const {
    const auto found = arrays_.find(name);
    if (found == arrays_.end())
      return Error{ErrorCode::not_found, where_ + ": " + name, "no such tensor", "it in a heads file"};
    if (found->second.dtype != ml::dtype_name<T>())
      return mismatch(name, "dtype " + found->second.dtype, ml::dtype_name<T>());
    std::vector<T> all(found->second.bytes.size() / sizeof(T));
    if (!all.empty()) std::memcpy(all.data(), found->second.bytes.data(), all.size() * sizeof(T));
    return all;
  }

  Result<std::vector<float>> floats(const std::string& name, std::size_t count) const {
    PANTANAL_TRY(std::vector<float> all, values<float>(name));
    if (all.size() != count)
      return mismatch(name, std::to_string(all.size()) + " values", std::to_string(count));
    if (!all_finite(all)) return mismatch(name, "NaN or infinity", "finite values");
    return all;
  }

  Status read_mapping(HeadsBundle& b) const {
    const nlohmann::json& json = json_.at("mapping");
    b.mapping.n_labels = json.at("n_labels").get<std::size_t>();
    b.perch_labels_crc = json.at("labels_crc").get<std::uint32_t>();
    PANTANAL_TRY(const std::vector<std::int64_t> indices, values<std::int64_t>("mapping.bc_indices"));
    for (const std::int64_t index : indices)
      b.mapping.bc_indices.push_back(index < 0 ? pipeline::PerchMapping::no_label
                                               : static_cast<std::size_t>(index));
    for (const nlohmann::json& proxy : json.at("proxies"))
      b.mapping.proxies.push_back({proxy.at("class").get<std::size_t>(), proxy.at("genus").get<std::string>(),
                                   proxy.at("labels").get<std::vector<std::size_t>>()});
    const auto is_label = [&](std::size_t i) { return i < b.mapping.n_labels; };
    for (const std::size_t i : b.mapping.bc_indices)
      if (i != pipeline::PerchMapping::no_label && !is_label(i))
        return mismatch("mapping", "label " + std::to_string(i), "at most n_labels of them");
    for (const pipeline::GenusProxy& proxy : b.mapping.proxies)
      if (proxy.class_index >= b.classes.size() || proxy.bc_indices.empty() ||
          !std::ranges::all_of(proxy.bc_indices, is_label))
        return mismatch("mapping", "a proxy of other labels or classes", "those that there are");
    return {};
  }

  template <class Map, class Key>
  Status read_table(const char* name, Key key_of, std::size_t classes, Map& table) const {
    const nlohmann::json& keys = json_.at("priors").at(name);
    const std::string prefix = std::string("priors.") + name;
    PANTANAL_TRY(const std::vector<float> n, floats(prefix + ".n", keys.size()));
    PANTANAL_TRY(const std::vector<float> p, floats(prefix + ".p", keys.size() * classes));
    for (std::size_t i = 0; i < n.size(); ++i) {
      const auto begin = p.begin() + static_cast<std::ptrdiff_t>(i * classes);
      table[key_of(keys[i])] = {n[i], {begin, begin + static_cast<std::ptrdiff_t>(classes)}};
    }
    return {};
  }

  Status read_priors(HeadsBundle& b) const {
    using nlohmann::json;
    const std::size_t classes = b.classes.size();
    PANTANAL_TRY(b.priors.global_p, floats("priors.global", classes));
    PANTANAL_TRY_STATUS(read_table(
        "site", [](const json& key) { return key.get<std::string>(); }, classes, b.priors.site));
    PANTANAL_TRY_STATUS(read_table(
        "hour", [](const json& key) { return key.get<int>(); }, classes, b.priors.hour));
    return read_table(
        "site_hour",
        [](const json& key) { return std::pair(key.at(0).get<std::string>(), key.at(1).get<int>()); },
        classes, b.priors.site_hour);
  }

  ml::EstimatorState estimator(const nlohmann::json& json, const std::string& prefix) const {
    ml::EstimatorState state{.estimator = json.at("estimator").get<std::string>(),
                             .settings = json.at("settings")};
    for (auto at = arrays_.lower_bound(prefix); at != arrays_.end() && at->first.starts_with(prefix); ++at)
      state.arrays[at->first.substr(prefix.size())] = at->second;
    return state;
  }

  Status read_probes(HeadsBundle& b) const {
    b.probes.alpha = json_.at("probe_alpha").get<double>();
    PANTANAL_TRY(b.probes.scaler, ml::StandardScaler::from_state(estimator(json_.at("scaler"), "scaler.")));
    PANTANAL_TRY(b.probes.pca, ml::Pca<float>::from_state(estimator(json_.at("pca"), "pca.")));
    for (const nlohmann::json& probe : json_.at("probes")) {
      const std::size_t c = probe.at("class").get<std::size_t>();
      if (c >= b.classes.size())
        return mismatch("probes", "class " + std::to_string(c), "a class that there is");
      const ml::EstimatorState state = estimator(probe, "probes." + std::to_string(c) + ".");
      if (state.estimator == "LogisticRegression") {
        PANTANAL_TRY(ml::LogisticRegression model, ml::LogisticRegression::from_state(state));
        b.probes.probes.push_back({c, std::move(model)});
      } else {
        PANTANAL_TRY(ml::MlpClassifier<float> model, ml::MlpClassifier<float>::from_state(state));
        b.probes.probes.push_back({c, std::move(model)});
      }
    }
    return {};
  }

  Result<nn::StateDict> state(const std::string& prefix) const {
    nn::StateDict state;
    for (auto at = arrays_.lower_bound(prefix); at != arrays_.end() && at->first.starts_with(prefix); ++at) {
      PANTANAL_TRY(std::vector<float> all, values<float>(at->first));
      state.emplace(at->first.substr(prefix.size()), make_tensor(at->second.shape, std::move(all)));
    }
    return state;
  }

  Status read_models(HeadsBundle& b) const {
    const std::size_t features = json_.at("n_features").get<std::size_t>(), classes = b.classes.size();
    b.proto_config =
        proto_config(b.configuration, features, classes, json_.at("n_families").get<std::size_t>());
    PANTANAL_TRY_STATUS(heads::validate(b.proto_config));
    PANTANAL_TRY(b.proto, state("proto_ssm."));
    PANTANAL_TRY_STATUS(pantanal::validate(b.proto, heads::required_tensors(b.proto_config), where_));
    if (!json_.at("has_residual").get<bool>()) return {};
    ResidualHead head{residual_config(b.configuration, features, classes), {}};
    PANTANAL_TRY_STATUS(heads::validate(head.config));
    PANTANAL_TRY(head.state, state("residual_ssm."));
    PANTANAL_TRY_STATUS(pantanal::validate(head.state, heads::required_tensors(head.config), where_));
    b.residual = std::move(head);
    return {};
  }

  Status check(const HeadsBundle& b) const {
    const std::size_t classes = b.classes.size();
    if (classes == 0 || b.texture.size() != classes || b.mapping.bc_indices.size() != classes)
      return mismatch("classes", std::to_string(b.texture.size()) + " textures",
                      std::to_string(classes) + ", one per class");
    if (!(b.ensemble_weight >= 0 && b.ensemble_weight <= 1))
      return mismatch("ensemble_weight", std::to_string(b.ensemble_weight), "0 to 1");
    const std::size_t features = b.proto_config.d_input, projected = b.probes.pca.components().rows;
    if (b.probes.scaler.mean().size() != features || b.probes.pca.components().columns != features)
      return mismatch("scaler and pca", "other features", std::to_string(features));
    for (const Probe& probe : b.probes.probes)
      if (const auto* const mlp = std::get_if<ml::MlpClassifier<float>>(&probe.model);
          mlp && (mlp->features() != projected + pipeline::n_class_features || mlp->classes().size() != 2))
        return mismatch("probes." + std::to_string(probe.class_index),
                        std::to_string(mlp->features()) + " features",
                        std::to_string(projected + pipeline::n_class_features));
    return b.fusion_classes() ? Status() : Status(b.fusion_classes().error());
  }

  std::string where_;
  nlohmann::json json_;
  Arrays arrays_;
};

}  // namespace detail

/// Writes `bundle`. The file appears complete, with a checksum, or not at all.
inline Status save_heads(const HeadsBundle& bundle, const std::filesystem::path& path) {
  detail::Arrays arrays;
  PANTANAL_TRY(const nlohmann::json json, detail::take_apart(bundle, arrays));
  PANTANAL_TRY(std::string text, json_text(json, path.string() + ": heads"));
  const std::map<std::string, std::string> metadata = {{"format", std::string(heads_format)},
                                                       {"format_version", std::string(heads_format_version)},
                                                       {"heads", std::move(text)}};
  std::vector<SafetensorsSpec> specs;
  for (const bool wide : {true, false})  // wider elements first
    for (const auto& [name, array] : arrays)
      if ((safetensors_element_size(array.dtype) == 8u) == wide)
        specs.push_back({name, array.dtype, array.shape});
  PANTANAL_TRY(SafetensorsWriter writer, SafetensorsWriter::create(path, metadata, specs));
  for (const SafetensorsSpec& spec : specs)
    if (const auto& bytes = arrays.find(spec.name)->second.bytes; !bytes.empty())
      PANTANAL_TRY_STATUS(writer.write(spec.name, bytes));
  return writer.finish();
}

/// Reads what save_heads() wrote, its checksum verified; every part is checked against the others, every
/// number is finite. Errors: a file of another kind or version, damage.
inline Result<HeadsBundle> load_heads(const std::filesystem::path& path) {
  PANTANAL_TRY(const SafetensorsFile file, SafetensorsFile::open(path));
  const auto text = [&](const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
  };
  if (text("format") != heads_format || text("format_version") != heads_format_version)
    return Error{ErrorCode::mismatch, path.string(),
                 "format \"" + text("format") + "\" " + text("format_version"),
                 std::string(heads_format) + " " + std::string(heads_format_version)};
  PANTANAL_TRY_STATUS(file.verify_checksum());
  PANTANAL_TRY(nlohmann::json json, parse_json(text("heads"), path.string() + ": __metadata__.heads"));
  detail::Arrays arrays;
  for (const auto& [name, entry] : file.tensors()) {
    PANTANAL_TRY(const std::span<const std::byte> bytes, file.bytes(name));
    arrays[name] = {entry.dtype, entry.shape, {bytes.begin(), bytes.end()}};
  }
  return detail::HeadsReader(path.string(), std::move(json), std::move(arrays)).read();
}

}  // namespace pantanal::competition
