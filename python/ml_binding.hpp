// What the bindings of the scikit-learn equivalents share: arrays in and out, and an estimator's state.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "failure.hpp"
#include "owned_array.hpp"
#include "pantanal/ml/estimator_state.hpp"
#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

template <class T>
using In1 = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using In2 = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Weights = std::optional<In1<T>>;
template <class T>
using Out = OwnedArray<T>;

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

using pantanal::array_of;
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

/// (estimator, settings as JSON, arrays by name), and back.
nb::tuple state_tuple(const EstimatorState& state);
EstimatorState state_of(const std::string& estimator, const std::string& settings, const nb::dict& arrays);

/// state() and from_state() of an estimator's class.
template <class Estimator>
void bind_state(nb::class_<Estimator>& bound) {
  bound.def("state", [](const Estimator& e) { return state_tuple(value_or_raise(e.state())); });
  bound.def_static("from_state",
                   [](const std::string& estimator, const std::string& settings, const nb::dict& arrays) {
                     return value_or_raise(Estimator::from_state(state_of(estimator, settings, arrays)));
                   });
}

void bind_scalers(nb::module_& m);
void bind_pcas(nb::module_& m);
void bind_mlps(nb::module_& m);
void bind_logistic(nb::module_& m);
void bind_isotonics(nb::module_& m);

}  // namespace pantanal::ml
