// What the training module's source files share: arrays, state dicts, callbacks and results on their way in
// and out.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "binding.hpp"
#include "owned_array.hpp"
#include "pantanal/nn/state_dict.hpp"
#include "pantanal/train/training.hpp"

namespace pantanal {

using Floats = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;
using Ids = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Out = OwnedArray<float>;
using State = std::map<std::string, Floats>;
using OutState = std::map<std::string, Out>;

inline OutState arrays_of(const nn::StateDict& state) {
  OutState arrays;
  for (const auto& [name, tensor] : state)
    arrays.emplace(name, array_of(std::vector<float>(tensor.values.begin(), tensor.values.end()),
                                  {tensor.shape.begin(), tensor.shape.end()}));
  return arrays;
}

/// The arrays, in place.
inline nn::StateDict state_of(const State& arrays) {
  nn::StateDict state;
  for (const auto& [name, array] : arrays) {
    Tensor tensor;
    for (std::size_t i = 0; i < array.ndim(); ++i)
      tensor.shape.push_back(static_cast<std::int64_t>(array.shape(i)));
    tensor.values = span_of(array);
    state.emplace(name, std::move(tensor));
  }
  return state;
}

inline nb::dict report_dict(const train::EpochReport& r) {
  nb::dict report;
  report["epoch"] = r.epoch, report["n_epochs"] = r.n_epochs;
  report["train_loss"] = r.train_loss, report["val_loss"] = r.val_loss, report["val_auc"] = r.val_auc;
  report["lr"] = r.lr, report["wait"] = r.wait, report["swa_count"] = r.swa_count;
  report["seconds"] = r.seconds, report["eta_seconds"] = r.eta_seconds;
  return report;
}

/// Calls back into Python after each epoch. Ctrl-C, whenever it comes, ends the training after the epoch it
/// is in.
inline void add_callbacks(train::TrainingOptions& options, const nb::object& progress) {
  const auto interrupted = std::make_shared<bool>(false);
  if (!progress.is_none())
    options.progress = [&progress, interrupted](const train::EpochReport& r) {
      const nb::gil_scoped_acquire acquired;
      try {
        progress(report_dict(r));
      } catch (nb::python_error& error) {
        if (!error.matches(PyExc_KeyboardInterrupt)) throw;
        *interrupted = true;
      }
    };
  options.should_stop = [interrupted] {
    const nb::gil_scoped_acquire acquired;
    if (PyErr_CheckSignals() == 0) return *interrupted;
    PyErr_Clear();
    return true;
  };
}

inline std::string history_json(const train::History& h) {
  return nlohmann::json{
      {"train_loss", h.train_loss}, {"val_loss", h.val_loss}, {"val_auc", h.val_auc}, {"lr", h.lr}}
      .dump();
}

inline nb::tuple model_tuple(const train::TrainedModel& model) {
  nb::dict summary;
  summary["best_val_loss"] = model.best_val_loss, summary["swa_count"] = model.swa_count;
  summary["stopped_early"] = model.stopped_early, summary["interrupted"] = model.interrupted;
  return nb::make_tuple(arrays_of(model.state), history_json(model.history), summary);
}

/// Adds Perch's trainer and what prepares for it to the module.
void add_perch_training(nb::module_& module);

}  // namespace pantanal
