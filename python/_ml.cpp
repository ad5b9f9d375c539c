// The compiled half of the scikit-learn equivalents: each estimator in float and double. Names, argument
// checks and labels of any type are pantanal/_ml_*.py's.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "failure.hpp"
#include "pantanal/ml/f1_score.hpp"
#include "pantanal/ml/isotonic_regression.hpp"
#include "pantanal/ml/logistic_regression.hpp"
#include "pantanal/ml/mlp_classifier.hpp"
#include "pantanal/ml/pca.hpp"
#include "pantanal/ml/random_state.hpp"
#include "pantanal/ml/ranking_metrics.hpp"
#include "pantanal/ml/splits.hpp"
#include "pantanal/ml/standard_scaler.hpp"

namespace pantanal::ml {
namespace {

template <class T>
using In1 = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using In2 = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Weights = std::optional<In1<T>>;
template <class T>
using Out = nb::ndarray<nb::numpy, T>;

template <class T>
std::span<const T> span_of(const In1<T>& a) {
  return {a.data(), a.size()};
}
template <class T>
std::span<const T> span_of(const Weights<T>& a) {
  return a ? span_of(*a) : std::span<const T>();
}
template <class T>
MatrixView<T> view_of(const In2<T>& a) {
  return {a.data(), a.shape(0), a.shape(1)};
}

/// An array that owns `values`.
template <class T>
Out<T> array_of(std::vector<T> values, std::vector<std::size_t> shape = {}) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  if (shape.empty()) shape = {owned->size()};
  T* const data = owned->data();
  nb::capsule owner(owned.get(), [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  static_cast<void>(owned.release());
  return Out<T>(data, shape.size(), shape.data(), owner);
}
template <class T>
Out<T> array_of(Matrix<T> m) {
  return array_of(std::move(m.values), {m.rows, m.columns});
}

/// Runs `compute`, which touches no Python object, without the interpreter's lock.
template <class Compute>
auto unlocked(Compute&& compute) {
  const nb::gil_scoped_release released;
  return compute();
}

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

/// state() and from_state() of an estimator's class.
template <class Estimator>
void bind_state(nb::class_<Estimator>& bound) {
  bound.def("state", [](const Estimator& e) { return state_tuple(value_or_raise(e.state())); });
  bound.def_static("from_state",
                   [](const std::string& estimator, const std::string& settings, const nb::dict& arrays) {
                     return value_or_raise(Estimator::from_state(state_of(estimator, settings, arrays)));
                   });
}

template <Real T>
void bind_scaler(nb::class_<StandardScaler>& bound) {
  bound.def(
      "fit",
      [](StandardScaler& s, const In2<T>& x, const Weights<T>& w) {
        raise_if_failed(unlocked([&] { return s.fit(view_of(x), span_of(w)); }));
      },
      nb::arg("x").noconvert(), nb::arg("w").none());
  bound.def(
      "partial_fit",
      [](StandardScaler& s, const In2<T>& x, const Weights<T>& w) {
        raise_if_failed(unlocked([&] { return s.partial_fit(view_of(x), span_of(w)); }));
      },
      nb::arg("x").noconvert(), nb::arg("w").none());
  bound.def(
      "transform",
      [](const StandardScaler& s, const In2<T>& x) {
        return array_of(value_or_raise(unlocked([&] { return s.transform(view_of(x)); })));
      },
      nb::arg("x").noconvert());
  bound.def(
      "inverse_transform",
      [](const StandardScaler& s, const In2<T>& x) {
        return array_of(value_or_raise(unlocked([&] { return s.inverse_transform(view_of(x)); })));
      },
      nb::arg("x").noconvert());
}

void bind_scalers(nb::module_& m) {
  nb::class_<StandardScaler> bound(m, "StandardScaler");
  bound.def("__init__", [](StandardScaler* s, bool with_mean, bool with_std) {
    new (s) StandardScaler(StandardScalerOptions{with_mean, with_std});
  });
  bind_scaler<float>(bound);
  bind_scaler<double>(bound);
  bind_state(bound);
}

template <Real T>
void bind_pca(nb::module_& m, const char* name) {
  nb::class_<Pca<T>> bound(m, name);
  bound.def(nb::init<PcaOptions>())
      .def("fit",
           [](Pca<T>& p, const In2<T>& x) { raise_if_failed(unlocked([&] { return p.fit(view_of(x)); })); })
      .def("transform",
           [](const Pca<T>& p, const In2<T>& x) {
             return array_of(value_or_raise(unlocked([&] { return p.transform(view_of(x)); })));
           })
      .def("inverse_transform", [](const Pca<T>& p, const In2<T>& x) {
        return array_of(value_or_raise(unlocked([&] { return p.inverse_transform(view_of(x)); })));
      });
  bind_state(bound);
}

void bind_pcas(nb::module_& m) {
  nb::class_<PcaOptions>(m, "PcaOptions")
      .def(nb::init<>())
      .def_rw("n_components", &PcaOptions::n_components, nb::arg().none())
      .def_rw("variance_share", &PcaOptions::variance_share, nb::arg().none())
      .def_rw("mle", &PcaOptions::mle)
      .def_rw("whiten", &PcaOptions::whiten)
      .def_prop_rw(
          "svd_solver", [](const PcaOptions& o) { return static_cast<int>(o.svd_solver); },
          [](PcaOptions& o, int solver) { o.svd_solver = static_cast<PcaSolver>(solver); })
      .def_rw("iterated_power", &PcaOptions::iterated_power, nb::arg().none())
      .def_rw("n_oversamples", &PcaOptions::n_oversamples)
      .def_rw("random_state", &PcaOptions::random_state)
      .def_rw("threads", &PcaOptions::threads);
  bind_pca<float>(m, "PcaFloat32");
  bind_pca<double>(m, "PcaFloat64");
}

/// The seed, the losses and scores of training, and whether max_iter ended it.
template <Real T>
nb::tuple history_tuple(const MlpClassifier<T>& c) {
  const MlpHistory& h = c.history();
  return nb::make_tuple(array_of(h.loss_curve), array_of(h.validation_scores), h.best_loss,
                        h.best_validation_score, h.samples_seen, h.reached_max_iter, h.iterations);
}

template <Real T>
void bind_mlp(nb::module_& m, const char* name) {
  using Mlp = MlpClassifier<T>;
  nb::class_<Mlp> bound(m, name);
  bound.def(nb::init<MlpOptions>())
      .def(
          "fit",
          [](Mlp& c, const In2<T>& x, const In1<std::int64_t>& y, const Weights<T>& w) {
            raise_if_failed(unlocked([&] { return c.fit(view_of(x), span_of(y), span_of(w)); }));
          },
          nb::arg("x"), nb::arg("y"), nb::arg("w").none())
      .def(
          "fit_multilabel",
          [](Mlp& c, const In2<T>& x, const In2<std::uint8_t>& y, const Weights<T>& w) {
            raise_if_failed(unlocked([&] { return c.fit_multilabel(view_of(x), view_of(y), span_of(w)); }));
          },
          nb::arg("x"), nb::arg("y"), nb::arg("w").none())
      .def(
          "partial_fit",
          [](Mlp& c, const In2<T>& x, const In1<std::int64_t>& y, const In1<std::int64_t>& classes,
             const Weights<T>& w) {
            raise_if_failed(unlocked(
                [&] { return c.partial_fit(view_of(x), span_of(y), span_of(classes), span_of(w)); }));
          },
          nb::arg("x"), nb::arg("y"), nb::arg("classes"), nb::arg("w").none())
      .def("set_options", &Mlp::set_options)
      .def("predict_proba",
           [](const Mlp& c, const In2<T>& x) {
             return array_of(value_or_raise(unlocked([&] { return c.predict_proba(view_of(x)); })));
           })
      .def("history", &history_tuple<T>);
  bind_state(bound);
  m.def("fit_all", [](const std::vector<Mlp*>& classifiers, const std::vector<In2<T>>& x,
                      const std::vector<In1<std::int64_t>>& y, std::size_t threads) {
    std::vector<MlpTask<T>> tasks;
    for (std::size_t i = 0; i < classifiers.size(); ++i)
      tasks.push_back({classifiers[i], view_of(x.at(i)), span_of(y.at(i)), {}});
    for (const Status& status : unlocked([&] { return fit_all<T>(tasks, threads); })) raise_if_failed(status);
  });
}

void bind_mlps(nb::module_& m) {
  nb::class_<MlpOptions>(m, "MlpOptions")
      .def(nb::init<>())
      .def_rw("hidden_layer_sizes", &MlpOptions::hidden_layer_sizes)
      .def_prop_rw(
          "activation", [](const MlpOptions& o) { return static_cast<int>(o.activation); },
          [](MlpOptions& o, int v) { o.activation = static_cast<MlpActivation>(v); })
      .def_prop_rw(
          "solver", [](const MlpOptions& o) { return static_cast<int>(o.solver); },
          [](MlpOptions& o, int v) { o.solver = static_cast<MlpSolver>(v); })
      .def_prop_rw(
          "learning_rate", [](const MlpOptions& o) { return static_cast<int>(o.learning_rate); },
          [](MlpOptions& o, int v) { o.learning_rate = static_cast<MlpLearningRate>(v); })
      .def_rw("alpha", &MlpOptions::alpha)
      .def_rw("batch_size", &MlpOptions::batch_size)
      .def_rw("learning_rate_init", &MlpOptions::learning_rate_init)
      .def_rw("power_t", &MlpOptions::power_t)
      .def_rw("max_iter", &MlpOptions::max_iter)
      .def_rw("shuffle", &MlpOptions::shuffle)
      .def_rw("random_state", &MlpOptions::random_state)
      .def_rw("tol", &MlpOptions::tol)
      .def_rw("momentum", &MlpOptions::momentum)
      .def_rw("nesterovs_momentum", &MlpOptions::nesterovs_momentum)
      .def_rw("early_stopping", &MlpOptions::early_stopping)
      .def_rw("validation_fraction", &MlpOptions::validation_fraction)
      .def_rw("beta_1", &MlpOptions::beta_1)
      .def_rw("beta_2", &MlpOptions::beta_2)
      .def_rw("epsilon", &MlpOptions::epsilon)
      .def_rw("n_iter_no_change", &MlpOptions::n_iter_no_change)
      .def_rw("warm_start", &MlpOptions::warm_start);
  bind_mlp<float>(m, "MlpFloat32");
  bind_mlp<double>(m, "MlpFloat64");
}

void bind_logistic(nb::module_& m) {
  nb::class_<LogisticRegression> bound(m, "LogisticRegression");
  bound
      .def("__init__",
           [](LogisticRegression* l, double c, bool fit_intercept, double scaling, bool balanced,
              std::size_t max_iter, std::size_t threads) {
             new (l) LogisticRegression(
                 LogisticRegressionOptions{c, fit_intercept, scaling, balanced, max_iter, threads});
           })
      .def(
          "fit",
          [](LogisticRegression& l, const In2<double>& x, const In1<std::int64_t>& y,
             const Weights<double>& w) {
            raise_if_failed(unlocked([&] { return l.fit(view_of(x), span_of(y), span_of(w)); }));
          },
          nb::arg("x"), nb::arg("y"), nb::arg("w").none())
      .def("decision_function",
           [](const LogisticRegression& l, const In2<double>& x) {
             return array_of(value_or_raise(unlocked([&] { return l.decision_function(view_of(x)); })));
           })
      .def("predict_proba",
           [](const LogisticRegression& l, const In2<double>& x) {
             return array_of(value_or_raise(unlocked([&] { return l.predict_proba(view_of(x)); })));
           })
      .def_prop_ro("n_iter", &LogisticRegression::n_iter)
      .def_prop_ro("converged", &LogisticRegression::converged);
  bind_state(bound);
}

template <Real T>
void bind_isotonic(nb::module_& m, const char* name) {
  using Isotonic = IsotonicRegression<T>;
  nb::class_<Isotonic> bound(m, name);
  bound
      .def(
          "__init__",
          [](Isotonic* i, std::optional<double> y_min, std::optional<double> y_max, int increasing,
             int bounds) {
            new (i) Isotonic(IsotonicOptions{y_min, y_max, static_cast<Monotone>(increasing),
                                             static_cast<OutOfBounds>(bounds)});
          },
          nb::arg("y_min").none(), nb::arg("y_max").none(), nb::arg("increasing"), nb::arg("bounds"))
      .def(
          "fit",
          [](Isotonic& i, const In1<T>& x, const In1<T>& y, const Weights<T>& w) {
            raise_if_failed(unlocked([&] { return i.fit(span_of(x), span_of(y), span_of(w)); }));
          },
          nb::arg("x"), nb::arg("y"), nb::arg("w").none())
      .def("predict", [](const Isotonic& i, const In1<T>& x) {
        return array_of(value_or_raise(unlocked([&] { return i.predict(span_of(x)); })));
      });
  bind_state(bound);
}

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
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Failure& failure) {
      set_exception(failure.error);
    }
  });
  ml::bind_scalers(module);
  ml::bind_pcas(module);
  ml::bind_mlps(module);
  ml::bind_logistic(module);
  ml::bind_isotonic<float>(module, "IsotonicFloat32");
  ml::bind_isotonic<double>(module, "IsotonicFloat64");
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
