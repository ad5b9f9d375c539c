// MLPClassifier, LogisticRegression and IsotonicRegression for pantanal/_ml_neural.py and _ml_classify.py.
#include "ml_binding.hpp"
#include "pantanal/ml/isotonic_regression.hpp"
#include "pantanal/ml/logistic_regression.hpp"
#include "pantanal/ml/mlp_classifier.hpp"

namespace pantanal::ml {

namespace {

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

}  // namespace

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

void bind_isotonics(nb::module_& m) {
  bind_isotonic<float>(m, "IsotonicFloat32");
  bind_isotonic<double>(m, "IsotonicFloat64");
}

}  // namespace pantanal::ml
