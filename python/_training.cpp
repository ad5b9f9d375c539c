// The compiled half of pantanal.training. Configurations and options come as JSON; arrays are checked by the
// library.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "failure.hpp"
#include "pantanal/train/ensemble_weight.hpp"
#include "pantanal/train/out_of_fold.hpp"
#include "pantanal/train/train_residual_ssm.hpp"
#include "training_arrays.hpp"
#include "training_options.hpp"

namespace pantanal {
namespace {

/// What one set of files is given as.
struct Files {
  Floats emb;
  std::optional<Floats> logits;
  Floats labels;
  std::optional<Ids> site_ids, hours;
  std::optional<Floats> families;

  train::ProtoSsmData data() const {
    const std::size_t files = emb.ndim() == 3 ? emb.shape(0) : 0, steps = emb.ndim() == 3 ? emb.shape(1) : 0;
    return {span_of(emb),   span_of(logits),   span_of(labels), span_of(site_ids),
            span_of(hours), span_of(families), files,           steps};
  }
};

nb::tuple train_proto_ssm(const State& state, const std::string& config, const std::string& options,
                          const Files& files, const std::optional<Files>& validation,
                          const nb::object& progress) {
  const auto c = value_or_raise(bindings::proto_ssm_config(config));
  auto o = value_or_raise(bindings::proto_ssm_training(options));
  add_callbacks(o.training, progress);
  const nn::StateDict start = state_of(state);
  const train::ProtoSsmData data = files.data(),
                            held = validation ? validation->data() : train::ProtoSsmData();
  std::optional<Result<train::TrainedModel>> model;
  {
    const nb::gil_scoped_release released;
    model = train::train_proto_ssm(start, c, data, validation ? &held : nullptr, o);
  }
  return model_tuple(value_or_raise(*std::move(model)));
}

train::ResidualSsmData residual_data(const Floats& emb, const Floats& scores, const Floats& residuals,
                                     const std::optional<Ids>& site_ids, const std::optional<Ids>& hours) {
  const bool three = emb.ndim() == 3;
  return {span_of(emb),   span_of(scores),          span_of(residuals),      span_of(site_ids),
          span_of(hours), three ? emb.shape(0) : 0, three ? emb.shape(1) : 0};
}

nb::tuple train_residual_ssm(const State& state, const std::string& config, const std::string& options,
                             const Floats& emb, const Floats& scores, const Floats& residuals,
                             const std::optional<Ids>& site_ids, const std::optional<Ids>& hours,
                             const nb::object& progress) {
  const auto c = value_or_raise(bindings::residual_ssm_config(config));
  auto o = value_or_raise(bindings::residual_ssm_training(options));
  add_callbacks(o.training, progress);
  const nn::StateDict start = state_of(state);
  const train::ResidualSsmData data = residual_data(emb, scores, residuals, site_ids, hours);
  std::optional<Result<train::TrainedModel>> model;
  {
    const nb::gil_scoped_release released;
    model = train::train_residual_ssm(start, c, data, o);
  }
  return model_tuple(value_or_raise(*std::move(model)));
}

nb::tuple run_proto_ssm_oof(const std::string& config, const std::string& options, const Files& files,
                            const std::vector<std::string>& groups, std::size_t n_splits,
                            const std::vector<int>& shifts, const nb::object& progress) {
  const auto c = value_or_raise(bindings::proto_ssm_config(config));
  train::OutOfFoldOptions o;
  o.training = value_or_raise(bindings::proto_ssm_training(options));
  o.n_splits = n_splits, o.shifts = shifts;
  add_callbacks(o.training.training, progress);
  const train::ProtoSsmData data = files.data();
  std::optional<Result<train::OutOfFold>> result;
  {
    const nb::gil_scoped_release released;
    result = train::run_proto_ssm_oof(c, data, groups, o);
  }
  const train::OutOfFold found = value_or_raise(*std::move(result));
  std::vector<std::string> histories;
  for (const train::History& h : found.histories) histories.push_back(history_json(h));
  return nb::make_tuple(array_of(found.logits, {data.files, data.steps, c.n_classes}), found.folds, histories,
                        found.gates, found.interrupted);
}

/// The loss of one batch without augmentation, and its gradients: None where PyTorch has None.
nb::tuple proto_ssm_loss_and_grads(const State& state, const std::string& config, const std::string& options,
                                   const Files& files) {
  const auto c = value_or_raise(bindings::proto_ssm_config(config));
  const auto o = value_or_raise(bindings::proto_ssm_training(options));
  const train::ProtoSsmData data = files.data();
  raise_if_failed(heads::validate(c));
  raise_if_failed(train::validate(data, c, "loss_and_grads"));
  train::ProtoSsmStep step(c, data,
                           {.loss = o.loss,
                            .dropout = o.training.dropout,
                            .seed = o.training.seed,
                            .threads = train::thread_count(o.training)});
  autograd::ParameterSet& parameters = step.model().parameters();
  raise_if_failed(parameters.load(state_of(state), "loss_and_grads"));
  const double loss = step.gradients(0);
  OutState gradients = arrays_of(parameters.state_dict(parameters.gradients()));
  std::size_t begin = 0;
  for (const TensorSpec& spec : parameters.specs()) {
    for (const autograd::ParameterRange& range : parameters.ranges())
      if (range.begin == begin && range.kind == autograd::GradientKind::none) gradients.erase(spec.name);
    begin += parameters[spec.name].value.size();
  }
  return nb::make_tuple(loss, gradients);
}

/// A batch's mean squared error without augmentation, and its gradients.
nb::tuple residual_ssm_loss_and_grads(const State& state, const std::string& config,
                                      const std::string& options, const Floats& emb, const Floats& scores,
                                      const Floats& residuals, const std::optional<Ids>& site_ids,
                                      const std::optional<Ids>& hours) {
  const auto c = value_or_raise(bindings::residual_ssm_config(config));
  const auto o = value_or_raise(bindings::residual_ssm_training(options));
  const train::ResidualSsmData data = residual_data(emb, scores, residuals, site_ids, hours);
  raise_if_failed(heads::validate(c));
  raise_if_failed(train::validate(data, c, "loss_and_grads"));
  train::ResidualSsmStep step(
      c, data,
      {.dropout = o.training.dropout, .seed = o.training.seed, .threads = train::thread_count(o.training)});
  autograd::ParameterSet& parameters = step.model().parameters();
  raise_if_failed(parameters.load(state_of(state), "loss_and_grads"));
  const double loss = step.gradients(0);
  return nb::make_tuple(loss, arrays_of(parameters.state_dict(parameters.gradients())));
}

template <class Config>
OutState initial_state_of(const Config& config, std::uint64_t seed) {
  raise_if_failed(heads::validate(config));
  return arrays_of(train::initial_state(heads::required_tensors(config), seed));
}
OutState initial_proto_ssm(const std::string& config, std::uint64_t seed) {
  return initial_state_of(value_or_raise(bindings::proto_ssm_config(config)), seed);
}
OutState initial_residual_ssm(const std::string& config, std::uint64_t seed) {
  return initial_state_of(value_or_raise(bindings::residual_ssm_config(config)), seed);
}

OutState start_prototypes(const State& state, const std::string& config, const Files& files, float dropout,
                          std::uint64_t seed) {
  const auto c = value_or_raise(bindings::proto_ssm_config(config));
  const nn::StateDict start = state_of(state);
  raise_if_failed(heads::validate(c));
  raise_if_failed(validate(start, heads::required_tensors(c), "start_prototypes"));
  raise_if_failed(train::validate(files.data(), c, "start_prototypes"));
  return arrays_of(train::start_prototypes(start, c, files.data(), dropout, seed));
}

/// AdamW on parameters of its own.
class Optimizer {
 public:
  Optimizer(const State& state, double beta2, double eps, double weight_decay)
      : parameters_(specs(state)),
        optimizer_(parameters_, {.beta2 = beta2, .eps = eps, .weight_decay = weight_decay},
                   kernels::table(best_instruction_set())) {
    raise_if_failed(parameters_.load(state_of(state), "AdamW"));
  }

  void step(const State& gradients, double lr, double beta1, std::optional<double> max_norm) {
    const nn::StateDict given = state_of(gradients);
    raise_if_failed(validate(given, parameters_.specs(), "AdamW.step"));
    for (const auto& [name, tensor] : given)
      std::copy(tensor.values.begin(), tensor.values.end(), parameters_[name].gradient.begin());
    const double squares = max_norm ? optimizer_.squared_norm(Team()) : 0;
    optimizer_.begin_step();
    optimizer_.step(Team(), {.lr = lr, .beta1 = beta1},
                    max_norm ? train::clip_scale(squares, *max_norm) : 1.0);
  }
  OutState parameters() const { return arrays_of(parameters_.state_dict()); }

 private:
  static std::vector<TensorSpec> specs(const State& state) {
    std::vector<TensorSpec> list;
    for (const auto& [name, tensor] : state_of(state)) list.push_back({name, tensor.shape});
    return list;
  }
  autograd::ParameterSet parameters_;
  train::AdamW optimizer_;
};

std::pair<double, double> one_cycle(double max_lr, std::size_t total_steps, double pct_start,
                                    std::size_t step) {
  const auto size =
      value_or_raise(
          train::OneCycleLr::create({.max_lr = max_lr, .total_steps = total_steps, .pct_start = pct_start}))
          .at(step);
  return {size.lr, size.beta1};
}

double warm_restarts(double lr, std::size_t t_0, std::size_t t_mult, double eta_min, std::size_t step) {
  return value_or_raise(train::CosineAnnealingWarmRestarts::create(
                            {.lr = lr, .t_0 = t_0, .t_mult = t_mult, .eta_min = eta_min}))
      .at(step)
      .lr;
}

}  // namespace
}  // namespace pantanal

NB_MODULE(_training, module) {
  using namespace pantanal;
  translate_failures();
  nb::class_<Files>(module, "Files")
      .def(
          "__init__",
          [](Files* self, const Floats& emb, const std::optional<Floats>& logits, const Floats& labels,
             const std::optional<Ids>& site_ids, const std::optional<Ids>& hours,
             const std::optional<Floats>& families) {
            new (self) Files{emb, logits, labels, site_ids, hours, families};
          },
          nb::arg("emb"), nb::arg("logits").none(), nb::arg("labels"), nb::arg("site_ids").none(),
          nb::arg("hours").none(), nb::arg("families").none());
  nb::class_<Optimizer>(module, "Optimizer")
      .def(nb::init<const State&, double, double, double>())
      .def("step", &Optimizer::step, nb::arg("gradients"), nb::arg("lr"), nb::arg("beta1"),
           nb::arg("max_norm").none())
      .def("parameters", &Optimizer::parameters);
  module.def("train_proto_ssm", &train_proto_ssm, nb::arg("state"), nb::arg("config"), nb::arg("options"),
             nb::arg("files"), nb::arg("validation").none(), nb::arg("progress").none());
  module.def("train_residual_ssm", &train_residual_ssm, nb::arg("state"), nb::arg("config"),
             nb::arg("options"), nb::arg("emb"), nb::arg("scores"), nb::arg("residuals"),
             nb::arg("site_ids").none(), nb::arg("hours").none(), nb::arg("progress").none());
  module.def("run_proto_ssm_oof", &run_proto_ssm_oof, nb::arg("config"), nb::arg("options"), nb::arg("files"),
             nb::arg("groups"), nb::arg("n_splits"), nb::arg("shifts"), nb::arg("progress").none());
  module.def("proto_ssm_loss_and_grads", &proto_ssm_loss_and_grads);
  module.def("residual_ssm_loss_and_grads", &residual_ssm_loss_and_grads, nb::arg("state"), nb::arg("config"),
             nb::arg("options"), nb::arg("emb"), nb::arg("scores"), nb::arg("residuals"),
             nb::arg("site_ids").none(), nb::arg("hours").none());
  module.def("initial_proto_ssm", &initial_proto_ssm);
  module.def("initial_residual_ssm", &initial_residual_ssm);
  module.def("start_prototypes", &start_prototypes);
  module.def("one_cycle", &one_cycle);
  module.def("warm_restarts", &warm_restarts);
  module.def("optimize_ensemble_weight",
             [](const Floats& proto, const Floats& mlp, const Floats& labels, std::size_t classes) {
               const auto found = value_or_raise(
                   train::optimize_ensemble_weight(span_of(proto), span_of(mlp), span_of(labels), classes));
               return nb::make_tuple(found.weight, found.auc, found.weights, found.aucs);
             });
  add_perch_training(module);
}
