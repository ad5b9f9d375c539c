// The compiled half of the scikit-learn equivalents: each estimator in float and double (_ml_*.cpp), states
// and files, splits, metrics and random numbers. Names, argument checks and labels of any type are
// pantanal/_ml_*.py's.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/tuple.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <tuple>

#include "ml_binding.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/ml/f1_score.hpp"
#include "pantanal/ml/random_state.hpp"
#include "pantanal/ml/ranking_metrics.hpp"
#include "pantanal/ml/splits.hpp"

namespace pantanal::ml {

nb::tuple state_tuple(const EstimatorState& state) {
  nb::dict arrays;
  for (const auto& [name, array] : state.arrays) {
    const std::vector<std::size_t> shape(array.shape.begin(), array.shape.end());
    const auto copy = [&]<class T>(T) {
      std::vector<T> values(array.bytes.size() / sizeof(T));
      if (!values.empty()) std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
      arrays[name.c_str()] = array_of(std::move(values), shape);
    };
    if (array.dtype == "F32") copy(float{});
    if (array.dtype == "F64") copy(double{});
    if (array.dtype == "I64") copy(std::int64_t{});
  }
  return nb::make_tuple(state.estimator, state.settings.dump(), arrays);
}

EstimatorState state_of(const std::string& estimator, const std::string& settings, const nb::dict& arrays) {
  EstimatorState state{.estimator = estimator};
  state.settings = value_or_raise(parse_json(settings, "settings"));
  for (const auto& [key, value] : arrays) {
    const auto name = nb::cast<std::string>(key);
    const auto any = nb::cast<nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>>(value);
    Shape shape;
    for (std::size_t i = 0; i < any.ndim(); ++i) shape.push_back(static_cast<std::int64_t>(any.shape(i)));
    const auto copy = [&]<class T>(T) {
      state.add<T>(name, shape, std::span(static_cast<const T*>(any.data()), any.size()));
    };
    if (any.dtype() == nb::dtype<float>()) copy(float{});
    if (any.dtype() == nb::dtype<double>()) copy(double{});
    if (any.dtype() == nb::dtype<std::int64_t>()) copy(std::int64_t{});
  }
  return state;
}

namespace {

nb::list index_pairs(const std::vector<Split>& splits) {
  const auto indices = [](const std::vector<std::size_t>& from) {
    return array_of(std::vector<std::int64_t>(from.begin(), from.end()));
  };
  nb::list pairs;
  for (const Split& split : splits) pairs.append(nb::make_tuple(indices(split.train), indices(split.test)));
  return pairs;
}

void bind_splits(nb::module_& m) {
  m.def(
      "group_k_fold",
      [](const In1<std::int64_t>& groups, std::size_t n_splits, std::optional<std::uint32_t> seed) {
        return index_pairs(value_or_raise(group_k_fold(span_of(groups), n_splits, seed)));
      },
      nb::arg("groups"), nb::arg("n_splits"), nb::arg("seed").none());
  m.def(
      "stratified_shuffle_splits",
      [](const In1<std::int64_t>& y, std::size_t n_splits, std::optional<double> test_share,
         std::optional<std::size_t> test_count, std::optional<double> train_share,
         std::optional<std::size_t> train_count, std::uint32_t seed) {
        return index_pairs(value_or_raise(stratified_shuffle_splits(
            span_of(y), n_splits, {test_share, test_count}, {train_share, train_count}, seed)));
      },
      nb::arg("y"), nb::arg("n_splits"), nb::arg("test_share").none(), nb::arg("test_count").none(),
      nb::arg("train_share").none(), nb::arg("train_count").none(), nb::arg("seed"));
}

void bind_metrics(nb::module_& m) {
  using Truth = In1<std::uint8_t>;
  using Scores = In1<double>;
  m.def(
      "roc_auc",
      [](const Truth& y, const Scores& s, const Weights<double>& w) {
        return value_or_raise(roc_auc<double>(span_of(y), span_of(s), span_of(w)));
      },
      nb::arg("y"), nb::arg("s"), nb::arg("w").none());
  m.def(
      "average_precision",
      [](const Truth& y, const Scores& s, const Weights<double>& w) {
        return value_or_raise(average_precision<double>(span_of(y), span_of(s), span_of(w)));
      },
      nb::arg("y"), nb::arg("s"), nb::arg("w").none());
  m.def("macro_auc_skip_empty", [](const In2<std::uint8_t>& y, const In2<double>& s) {
    return value_or_raise(macro_auc_skip_empty<double>(view_of(y), view_of(s)));
  });
  m.def(
      "f1_score",
      [](const Truth& y, const Truth& p, const Weights<double>& w) {
        return value_or_raise(f1_score(span_of(y), span_of(p), span_of(w)));
      },
      nb::arg("y"), nb::arg("p"), nb::arg("w").none());
  m.def("best_f1_threshold", [](const Truth& y, const Scores& s, const Scores& thresholds, bool inclusive) {
    const Threshold best =
        value_or_raise(best_f1_threshold<double>(span_of(y), span_of(s), span_of(thresholds), inclusive));
    return std::tuple(best.value, best.f1);
  });
}

void bind_random_state(nb::module_& m) {
  nb::class_<RandomState>(m, "RandomState")
      .def(nb::init<std::uint32_t>())
      .def("random_sample", &RandomState::random_sample)
      .def("uniform", &RandomState::uniform)
      .def("standard_normal", &RandomState::standard_normal)
      .def("randint", &RandomState::randint)
      .def("permutation",
           [](RandomState& r, std::size_t n) {
             const std::vector<std::size_t> order = r.permutation(n);
             return array_of(std::vector<std::int64_t>(order.begin(), order.end()));
           })
      .def("choice", [](RandomState& r, std::size_t n, std::size_t size, bool replace) {
        const std::vector<std::size_t> drawn = r.choice(n, size, replace);
        return array_of(std::vector<std::int64_t>(drawn.begin(), drawn.end()));
      });
}

}  // namespace
}  // namespace pantanal::ml

NB_MODULE(_ml, module) {
  using namespace pantanal;
  translate_failures();
  ml::bind_scalers(module);
  ml::bind_pcas(module);
  ml::bind_mlps(module);
  ml::bind_logistic(module);
  ml::bind_isotonics(module);
  ml::bind_splits(module);
  ml::bind_metrics(module);
  ml::bind_random_state(module);
  module.def("save_state", [](const std::filesystem::path& path, const std::string& estimator,
                              const std::string& settings, const nb::dict& arrays) {
    raise_if_failed(ml::save_state(ml::state_of(estimator, settings, arrays), path));
  });
  module.def("load_state", [](const std::filesystem::path& path) {
    return ml::state_tuple(value_or_raise(ml::load_state(path)));
  });
  module.def("hardware_threads", &hardware_threads);
}
