// The compiled half of pantanal.pipeline: the competition's steps on NumPy arrays.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ml_binding.hpp"
#include "pantanal/pipeline/align_rows.hpp"
#include "pantanal/pipeline/calibrated_thresholds.hpp"
#include "pantanal/pipeline/class_features.hpp"
#include "pantanal/pipeline/ensemble.hpp"
#include "pantanal/pipeline/file_metadata.hpp"
#include "pantanal/pipeline/fuse_scores.hpp"
#include "pantanal/pipeline/oof_base_prior.hpp"
#include "pantanal/pipeline/postprocess.hpp"
#include "pantanal/pipeline/submission.hpp"

namespace pantanal::pipeline {
namespace {

using ml::array_of;
using ml::span_of;
using Floats1 = ml::In1<float>;
using Floats2 = ml::In2<float>;
using Labels = ml::In2<std::uint8_t>;
using Out = ml::Out<float>;
using Sites = std::vector<std::optional<std::string>>;
using Hours = std::vector<int>;

Scores scores_of(const Floats2& a) {
  Scores scores(a.shape(0), a.shape(1));
  std::copy_n(a.data(), scores.values.size(), scores.values.data());
  return scores;
}
MultiHot multi_hot_of(const Labels& a) {
  MultiHot y(a.shape(0), a.shape(1));
  std::copy_n(a.data(), y.values.size(), y.values.data());
  return y;
}
template <class T>
ml::Out<T> array_of(Matrix<T> m) {
  return ml::array_of(std::move(m.values), {m.rows, m.columns});
}
Out returned(Result<Scores> scores) { return array_of(value_or_raise(std::move(scores))); }

std::vector<SiteHour> places_of(const Sites& sites, const Hours& hours) {
  if (sites.size() != hours.size())
    throw Failure{{ErrorCode::invalid_argument, "sites, hours",
                   std::to_string(sites.size()) + " and " + std::to_string(hours.size()), "as many of each"}};
  std::vector<SiteHour> places;
  for (std::size_t i = 0; i < sites.size(); ++i) places.push_back({sites[i], hours[i]});
  return places;
}
std::vector<WindowMeta> metas_of(const std::vector<std::string>& filenames) {
  std::vector<WindowMeta> meta;
  for (const std::string& name : filenames) meta.push_back({{}, name, parse_site_hour(name)});
  return meta;
}

using Proxies = std::vector<std::tuple<std::size_t, std::string, std::vector<std::size_t>>>;

PerchMapping mapping_of(const ml::In1<std::int64_t>& indices, const Proxies& proxies, std::size_t n_labels) {
  PerchMapping mapping{n_labels, {}, {}};
  for (const std::int64_t i : span_of(indices)) {
    if (i >= static_cast<std::int64_t>(n_labels))
      throw Failure{{ErrorCode::invalid_argument, "bc_indices", std::to_string(i),
                     "at most " + std::to_string(n_labels) + " labels"}};
    mapping.bc_indices.push_back(i < 0 ? PerchMapping::no_label : static_cast<std::size_t>(i));
  }
  for (const auto& [c, genus, labels] : proxies) {
    for (const std::size_t label : labels)
      if (label >= n_labels || c >= mapping.bc_indices.size())
        throw Failure{
            {ErrorCode::invalid_argument, "proxies", "class " + std::to_string(c), "classes and labels"}};
    if (labels.empty())
      throw Failure{{ErrorCode::invalid_argument, "proxies", "no label", "one or more for each"}};
    mapping.proxies.push_back({c, genus, labels});
  }
  return mapping;
}

/// fusion_classes' lists by their names.
std::map<std::string, std::vector<std::size_t>> lists_of(const FusionClasses& c) {
  return {{"active_texture", c.active_texture},
          {"active_event", c.active_event},
          {"mapped_active_texture", c.mapped_active_texture},
          {"mapped_active_event", c.mapped_active_event},
          {"proxied_active_texture", c.proxied_active_texture},
          {"prior_only_active_texture", c.prior_only_active_texture},
          {"prior_only_active_event", c.prior_only_active_event},
          {"unmapped_inactive", c.unmapped_inactive}};
}

using Weights = std::tuple<double, double, double, double, double>;

FusionWeights weights_of(const Weights& w) {
  return {std::get<0>(w), std::get<1>(w), std::get<2>(w), std::get<3>(w), std::get<4>(w)};
}

nb::tuple fused_tuple(FusedScores fused) {
  return nb::make_tuple(array_of(std::move(fused.scores)), array_of(std::move(fused.prior)));
}

/// {key: (windows, share per class)}.
template <class Key>
nb::dict table_dict(const std::map<Key, Prior>& table) {
  nb::dict dict;
  for (const auto& [key, prior] : table) dict[nb::cast(key)] = nb::make_tuple(prior.n, array_of(prior.p));
  return dict;
}

void bind_labels(nb::module_& m) {
  m.def("parse_soundscape_filename", [](const std::string& name) {
    const SoundscapeFilename f = parse_soundscape_filename(name);
    return nb::make_tuple(f.file_id, f.site, f.date, f.time_utc, f.hour_utc, f.month);
  });
  m.def("parse_soundscape_labels", [](const std::string& cell) { return parse_soundscape_labels(cell); });
  m.def("union_labels", [](const std::vector<std::string>& cells) { return union_labels(cells); });
  nb::class_<WindowLabels>(m, "WindowLabels")
      .def_prop_ro("windows",
                   [](const WindowLabels& labels) {
                     nb::list all;
                     for (const LabelledWindow& w : labels.windows)
                       all.append(nb::make_tuple(w.meta.row_id, w.meta.filename, w.meta.place.site,
                                                 w.meta.place.hour_utc, w.end_sec, w.labels));
                     return all;
                   })
      .def_prop_ro(
          "y_sc", [](const WindowLabels& labels) { return array_of(labels.y_sc); }, nb::rv_policy::move)
      .def_prop_ro(
          "y_full", [](const WindowLabels& labels) { return array_of(labels.y_full()); }, nb::rv_policy::move)
      .def_ro("full_files", &WindowLabels::full_files)
      .def_ro("full_rows", &WindowLabels::full_rows);
  m.def("read_window_labels", [](const std::string& path, const std::vector<std::string>& classes) {
    return value_or_raise(read_window_labels(path, classes));
  });
  m.def("build_window_labels", [](const std::vector<std::vector<std::string>>& lines,
                                  const std::vector<std::string>& classes) {
    std::vector<CsvRow> rows{{1, {"filename", "start", "end", "primary_label"}}};
    for (const auto& fields : lines) {
      if (fields.size() != 4)
        throw Failure{{ErrorCode::invalid_argument, "rows", std::to_string(fields.size()) + " fields", "4"}};
      rows.push_back({rows.size() + 1, fields});
    }
    return value_or_raise(build_window_labels(rows, classes, "rows"));
  });
  m.def("active_classes", [](const Labels& y) { return active_classes(multi_hot_of(y)); });
  m.def("align_rows", [](const std::vector<std::string>& wanted, const std::vector<std::string>& available) {
    return value_or_raise(align_rows(wanted, available, "align_rows"));
  });
  m.def("build_site_mapping", [](const Sites& sites) {
    std::vector<WindowMeta> meta;
    for (const auto& site : sites) meta.push_back({{}, {}, {site, -1}});
    return nb::cast(build_site_mapping(meta));
  });
  m.def("reshape_to_files", [](const std::vector<std::string>& filenames, std::size_t n_windows) {
    return value_or_raise(reshape_to_files(metas_of(filenames), n_windows));
  });
  m.def("get_file_metadata",
        [](const std::vector<std::string>& filenames, const Sites& sites, const Hours& hours,
           const std::vector<std::string>& files, const SiteMapping& mapping, std::int64_t n_sites) {
          const std::vector<SiteHour> places = places_of(sites, hours);
          std::vector<WindowMeta> meta = metas_of(filenames);
          if (meta.size() != places.size())
            throw Failure{{ErrorCode::invalid_argument, "filenames", std::to_string(meta.size()) + " names",
                           std::to_string(places.size())}};
          for (std::size_t i = 0; i < meta.size(); ++i) meta[i].place = places[i];
          FileIds ids = value_or_raise(get_file_metadata(meta, files, mapping, n_sites));
          return nb::make_tuple(array_of(std::move(ids.site_ids)), array_of(std::move(ids.hours)));
        });
}

void bind_mapping(nb::module_& m) {
  nb::class_<Taxonomy>(m, "Taxonomy").def_prop_ro("entries", [](const Taxonomy& taxonomy) {
    nb::list all;
    for (const TaxonomyEntry& e : taxonomy.entries)
      all.append(nb::make_tuple(e.primary_label, e.scientific_name, e.class_name, e.group));
    return all;
  });
  m.def("read_taxonomy", [](const std::string& path) { return value_or_raise(read_taxonomy(path)); });
  m.def("texture_classes", [](const Taxonomy& taxonomy, const std::vector<std::string>& classes) {
    return value_or_raise(texture_classes(taxonomy, classes));
  });
  m.def("build_taxonomy_groups", [](const Taxonomy& taxonomy, const std::vector<std::string>& classes) {
    const TaxonomyGroups groups = value_or_raise(build_taxonomy_groups(taxonomy, classes));
    return nb::make_tuple(groups.names, groups.class_to_group);
  });
  m.def("map_to_perch", [](const Taxonomy& taxonomy, const std::vector<std::string>& classes,
                           const std::vector<std::string>& labels,
                           const std::map<std::string, std::string>& synonyms,
                           const std::vector<std::string>& taxa) {
    PerchMappingOptions options;
    options.synonyms = {synonyms.begin(), synonyms.end()}, options.proxy_taxa = {taxa.begin(), taxa.end()};
    const PerchMapping mapping = value_or_raise(map_to_perch(taxonomy, classes, labels, options));
    Proxies proxies;
    for (const GenusProxy& p : mapping.proxies) proxies.emplace_back(p.class_index, p.genus, p.bc_indices);
    // no_label, the largest, becomes -1
    std::vector<std::int64_t> indices(mapping.bc_indices.begin(), mapping.bc_indices.end());
    return nb::make_tuple(array_of(std::move(indices)), proxies, mapping.n_labels);
  });
  m.def("map_perch_logits", [](const Floats2& logits, const ml::In1<std::int64_t>& indices,
                               const Proxies& proxies, std::size_t n_labels, bool mean) {
    return returned(map_perch_logits(scores_of(logits), mapping_of(indices, proxies, n_labels),
                                     mean ? ProxyReduce::mean : ProxyReduce::max));
  });
  nb::class_<FusionClasses>(m, "FusionClasses").def_prop_ro("lists", &lists_of);
  m.def("build_fusion_classes", [](const ml::In1<std::int64_t>& indices, const Proxies& proxies,
                                   std::size_t n_labels, const std::vector<bool>& texture,
                                   const std::vector<std::size_t>& active) {
    return value_or_raise(build_fusion_classes(mapping_of(indices, proxies, n_labels), texture, active));
  });
}

void bind_fusion(nb::module_& m) {
  nb::class_<PriorTables>(m, "PriorTables")
      .def_prop_ro(
          "global_p", [](const PriorTables& t) { return array_of(t.global_p); }, nb::rv_policy::move)
      .def_prop_ro("site", [](const PriorTables& t) { return table_dict(t.site); })
      .def_prop_ro("hour", [](const PriorTables& t) { return table_dict(t.hour); })
      .def_prop_ro("site_hour", [](const PriorTables& t) { return table_dict(t.site_hour); });
  m.def("fit_prior_tables", [](const Sites& sites, const Hours& hours, const Labels& y) {
    return value_or_raise(fit_prior_tables(places_of(sites, hours), multi_hot_of(y)));
  });
  m.def("prior_logits_from_tables",
        [](const Sites& sites, const Hours& hours, const PriorTables& tables, float eps) {
          return returned(prior_logits_from_tables(places_of(sites, hours), tables, eps));
        });
  m.def("fuse_scores_with_tables",
        [](const Floats2& scores, const Sites& sites, const Hours& hours, const PriorTables& tables,
           const FusionClasses& classes, const Weights& weights) {
          return fused_tuple(value_or_raise(fuse_scores_with_tables(
              scores_of(scores), places_of(sites, hours), tables, classes, weights_of(weights))));
        });
  m.def("build_oof_base_prior",
        [](const Floats2& scores, const std::vector<std::string>& filenames, const std::vector<int>& fold_id,
           const WindowLabels& labels, const FusionClasses& classes, const Weights& weights) {
          return fused_tuple(value_or_raise(build_oof_base_prior(
              scores_of(scores), metas_of(filenames), fold_id, labels, classes, weights_of(weights))));
        });
  m.def("smooth_cols_fixed12",
        [](const Floats2& scores, const std::vector<std::size_t>& cols, double alpha, std::size_t n) {
          return returned(smooth_cols_fixed12(scores_of(scores), cols, alpha, n));
        });
  m.def("smooth_events_fixed12",
        [](const Floats2& scores, const std::vector<std::size_t>& cols, double alpha, std::size_t n) {
          return returned(smooth_events_fixed12(scores_of(scores), cols, alpha, n));
        });
  m.def("seq_features_1d", [](const Floats1& v, std::size_t n) {
    SequenceFeatures f = value_or_raise(seq_features_1d(span_of(v), n));
    return nb::make_tuple(array_of(std::move(f.prev)), array_of(std::move(f.next)),
                          array_of(std::move(f.mean)), array_of(std::move(f.max)),
                          array_of(std::move(f.stddev)));
  });
  m.def("build_class_features",
        [](const Floats2& emb, const Floats1& raw, const Floats1& prior, const Floats1& base) {
          return returned(build_class_features(scores_of(emb), span_of(raw), span_of(prior), span_of(base)));
        });
  m.def("probability_to_logit", [](const Floats1& p) {
    std::vector<float> logits;
    for (const float x : span_of(p)) logits.push_back(probability_to_logit(x));
    return array_of(std::move(logits));
  });
  m.def("blend_scores", [](const Floats2& proto, const Floats2& mlp, double weight) {
    return returned(blend_scores(scores_of(proto), scores_of(mlp), weight));
  });
  m.def("blend_probe", [](const Floats2& base, std::size_t c, const Floats1& p, double alpha) {
    return returned(blend_probe(scores_of(base), c, span_of(p), alpha));
  });
  m.def("add_correction", [](const Floats2& first_pass, const Floats2& correction, double weight) {
    return returned(add_correction(scores_of(first_pass), scores_of(correction), weight));
  });
}

void bind_postprocessing(nb::module_& m) {
  m.def("temperature_sigmoid", [](const Floats2& logits, const Floats1& temperatures) {
    return returned(temperature_sigmoid(scores_of(logits), span_of(temperatures)));
  });
  m.def("file_level_confidence_scale", [](const Floats2& preds, std::size_t n, std::size_t top_k) {
    return returned(file_level_confidence_scale(scores_of(preds), n, top_k));
  });
  m.def("rank_aware_scaling", [](const Floats2& scores, std::size_t n, float power) {
    return returned(rank_aware_scaling(scores_of(scores), n, power));
  });
  m.def("adaptive_delta_smooth", [](const Floats2& probs, std::size_t n, float alpha) {
    return returned(adaptive_delta_smooth(scores_of(probs), n, alpha));
  });
  m.def("delta_shift_smooth", [](const Floats2& scores, std::size_t n, double alpha) {
    return returned(delta_shift_smooth(scores_of(scores), n, alpha));
  });
  m.def("optimize_per_class_thresholds",
        [](const Floats2& scores, const Labels& y, const std::vector<float>& grid) {
          ClassThresholds best =
              value_or_raise(optimize_per_class_thresholds(scores_of(scores), multi_hot_of(y), grid));
          return nb::make_tuple(array_of(std::move(best.thresholds)), array_of(std::move(best.f1)));
        });
  m.def("calibrate_and_optimize_thresholds", [](const Floats2& probs, const Labels& y, nb::callable calibrate,
                                                const std::vector<float>& grid, std::size_t n) {
    const auto call = [&](std::span<const float> p,
                          std::span<const std::uint8_t> truth) -> Result<std::vector<float>> {
      const nb::object found = calibrate(array_of(std::vector<float>(p.begin(), p.end())),
                                         array_of(std::vector<std::uint8_t>(truth.begin(), truth.end())));
      const auto values = nb::cast<Floats1>(found);
      return std::vector<float>(values.data(), values.data() + values.size());
    };
    return array_of(
        value_or_raise(calibrate_and_optimize_thresholds(scores_of(probs), multi_hot_of(y), call, grid, n)));
  });
  m.def("apply_per_class_thresholds", [](const Floats2& scores, const Floats1& thresholds) {
    return returned(apply_per_class_thresholds(scores_of(scores), span_of(thresholds)));
  });
  m.def("postprocess", [](const Floats2& logits, const Floats1& temperatures, const Floats1& thresholds,
                          std::size_t top_k, bool rank_aware, float power, int smoothing, float alpha) {
    const PostprocessOptions options{top_k, rank_aware, power, static_cast<DeltaSmoothing>(smoothing), alpha};
    return returned(postprocess(scores_of(logits), span_of(temperatures), span_of(thresholds), options));
  });
  m.def("write_submission", [](const std::string& path, const std::vector<std::string>& classes,
                               const std::vector<std::string>& row_ids, const Floats2& probs) {
    raise_if_failed(write_submission(path, classes, row_ids, row_ids, scores_of(probs)));
  });
  m.def("validate_submission", [](const std::string& path, const std::vector<std::string>& classes,
                                  const std::vector<std::string>& row_ids) {
    Submission read = value_or_raise(validate_submission(path, classes, row_ids));
    return nb::make_tuple(read.row_ids, array_of(std::move(read.probs)));
  });
}

}  // namespace
}  // namespace pantanal::pipeline

NB_MODULE(_pipeline, module) {
  pantanal::translate_failures();
  pantanal::pipeline::bind_labels(module);
  pantanal::pipeline::bind_mapping(module);
  pantanal::pipeline::bind_fusion(module);
  pantanal::pipeline::bind_postprocessing(module);
}
