// The compiled half of training Perch from Python: models come as files and go as files.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/perch/architecture_json.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/train/initial_perch.hpp"
#include "pantanal/train/perch_inputs.hpp"
#include "pantanal/train/train_perch.hpp"
#include "training_arrays.hpp"
#include "training_options.hpp"

namespace pantanal {
namespace {

/// Inputs [n, ...] and labels [n, K] of the same windows. Sizes are the trainer's to check.
struct Windows {
  Floats inputs, labels;
  train::PerchData data() const { return {span_of(inputs), span_of(labels), inputs.shape(0)}; }
};

perch::Model load(const std::string& path) { return value_or_raise(perch::load_model(path)); }

autograd::PerchPart part_of(const perch::Model& model, const train::PerchTraining& options) {
  return value_or_raise(train::trained_part(model.architecture, options));
}

/// The extents of one window's input.
std::vector<std::size_t> input_shape(const perch::Model& model, const autograd::PerchPart& part) {
  const perch::Architecture& a = model.architecture;
  if (part.stem) return {a.frontend.frames(), a.frontend.mel_bands};
  const perch::Extent out = a.extents()[part.frozen_blocks];
  return {out.height, out.width, a.blocks[part.frozen_blocks - 1].out_channels};
}

Out perch_inputs(const std::string& path, const Floats& windows, const std::string& options) {
  const perch::Model model = load(path);
  const auto o = value_or_raise(bindings::perch_training(options));
  const autograd::PerchPart part = part_of(model, o);
  auto inputs =
      value_or_raise(train::PerchInputs::create(model, part, {.threads = train::thread_count(o.training)}));
  const std::size_t n = windows.ndim() == 2 ? windows.shape(0) : 0;
  std::vector<std::size_t> shape = input_shape(model, part);
  shape.insert(shape.begin(), n);
  std::vector<float> values(n * inputs.size());
  {
    const nb::gil_scoped_release released;
    raise_if_failed(inputs.run(span_of(windows), n, values));
  }
  return array_of(std::move(values), std::move(shape));
}

void initial_perch(const std::string& out, const std::string& architecture, std::vector<std::string> labels,
                   std::uint64_t seed) {
  auto parsed = perch::parse_architecture(architecture, "architecture");
  if (!parsed) {
    Error error = std::move(parsed).error();
    error.code = ErrorCode::invalid_argument;  // no file is missing or damaged: a key is
    throw Failure{std::move(error)};
  }
  const perch::Architecture a = *std::move(parsed);
  if (a.label.classes == 0 || labels.size() != a.label.classes)
    throw Failure{
        {ErrorCode::invalid_argument, "labels", std::to_string(labels.size()) + " names",
         "one for each of the architecture's " + std::to_string(a.label.classes) + " classes, at least one"}};
  const perch::Model model = train::initial_perch(a, std::move(labels), seed);
  raise_if_failed(perch::validate(model, "initial_perch"));
  raise_if_failed(perch::save_model(model, out));
}

void with_new_label_head(const std::string& path, const std::string& out, std::vector<std::string> labels,
                         std::size_t prototypes, std::uint64_t seed) {
  if (labels.empty() || prototypes == 0)
    throw Failure{{ErrorCode::invalid_argument, "with_new_label_head",
                   std::to_string(labels.size()) + " labels, " + std::to_string(prototypes) + " prototypes",
                   "at least one of each"}};
  const perch::Model model = train::with_new_label_head(load(path), std::move(labels), prototypes, seed);
  raise_if_failed(perch::validate(model, "with_new_label_head"));
  raise_if_failed(perch::save_model(model, out));
}

void calibrated_perch(const std::string& path, const std::string& out, const Windows& windows) {
  const perch::Model start = load(path);
  std::optional<Result<perch::Model>> model;
  {
    const nb::gil_scoped_release released;
    model = train::calibrated_perch(start, windows.data());
  }
  raise_if_failed(perch::save_model(value_or_raise(*std::move(model)), out));
}

nb::tuple train_perch(const std::string& path, const std::string& out, const std::string& options,
                      const Windows& windows, const std::optional<Windows>& validation,
                      const nb::object& progress) {
  const perch::Model start = load(path);
  auto o = value_or_raise(bindings::perch_training(options));
  add_callbacks(o.training, progress);
  const train::PerchData held = validation ? validation->data() : train::PerchData();
  std::optional<Result<train::TrainedPerch>> trained;
  {
    const nb::gil_scoped_release released;
    trained = train::train_perch(start, windows.data(), validation ? &held : nullptr, o);
  }
  const train::TrainedPerch perch = value_or_raise(*std::move(trained));
  raise_if_failed(perch::save_model(perch.model, out));
  return model_tuple(perch.training);
}

nb::tuple perch_loss_and_grads(const std::string& path, const std::string& options, const Windows& windows) {
  const std::string where = "perch_loss_and_grads";
  const perch::Model model = load(path);
  const auto o = value_or_raise(bindings::perch_training(options));
  const autograd::PerchPart part = part_of(model, o);
  const train::PerchData data = windows.data();
  train::PerchStep step(
      model.architecture, part,
      {.batch = std::max<std::size_t>(data.windows, 1), .threads = train::thread_count(o.training)});
  autograd::PerchNetwork& network = step.network();
  raise_if_failed(train::validate(data, network.input_floats(), network.classes(), where));
  raise_if_failed(network.parameters().load(train::perch_state(model, part), where));
  double loss = 0;
  {
    const nb::gil_scoped_release released;
    loss = step.gradients(data);
  }
  return nb::make_tuple(loss, arrays_of(network.parameters().state_dict(network.parameters().gradients())));
}

}  // namespace

void add_perch_training(nb::module_& module) {
  nb::class_<Windows>(module, "Windows")
      .def("__init__", [](Windows* self, const Floats& inputs, const Floats& labels) {
        new (self) Windows{inputs, labels};
      });
  module.def("perch_inputs", &perch_inputs);
  module.def("initial_perch", &initial_perch);
  module.def("with_new_label_head", &with_new_label_head);
  module.def("calibrated_perch", &calibrated_perch);
  module.def("train_perch", &train_perch, nb::arg("path"), nb::arg("out"), nb::arg("options"),
             nb::arg("windows"), nb::arg("validation").none(), nb::arg("progress").none());
  module.def("perch_loss_and_grads", &perch_loss_and_grads);
}

}  // namespace pantanal
