// StandardScaler and PCA for pantanal/_ml_transform.py.
#include "ml_binding.hpp"
#include "pantanal/ml/pca.hpp"
#include "pantanal/ml/standard_scaler.hpp"

namespace pantanal::ml {

namespace {

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

}  // namespace

void bind_scalers(nb::module_& m) {
  nb::class_<StandardScaler> bound(m, "StandardScaler");
  bound.def("__init__", [](StandardScaler* s, bool with_mean, bool with_std) {
    new (s) StandardScaler(StandardScalerOptions{with_mean, with_std});
  });
  bind_scaler<float>(bound);
  bind_scaler<double>(bound);
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
      .def_rw("random_state", &PcaOptions::random_state, nb::arg().none())
      .def_rw("threads", &PcaOptions::threads);
  bind_pca<float>(m, "PcaFloat32");
  bind_pca<double>(m, "PcaFloat64");
}

}  // namespace pantanal::ml
