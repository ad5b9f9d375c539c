// Models over a file's windows, for Python: SelectiveSsm, ProtoSsm and ResidualSsm, each a configuration that
// becomes a session when parameters are loaded, and the scan itself. Names and shapes of arrays are checked
// in pantanal/_sequence.py, what they hold is checked here.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binding.hpp"
#include "pantanal/core/requested_isa.hpp"
#include "pantanal/heads/proto_ssm.hpp"
#include "pantanal/heads/residual_ssm.hpp"
#include "pantanal/heads/selective_ssm_session.hpp"
#include "pantanal/nn/state_dict.hpp"
#include "pantanal/nn/state_dict_file.hpp"
#include "pantanal/ops/mamba_scan.hpp"
#include "pantanal/ops/selective_scan.hpp"
#include "process_mutex.hpp"

namespace nb = nanobind;

namespace pantanal {
namespace {

using Ids = std::optional<nb::ndarray<const std::int64_t, nb::c_contig, nb::device::cpu>>;
using Input = std::optional<ConstArray>;
using Output = std::optional<Array>;

/// An error under the names that Python gives the models: ProtoSSM for ProtoSsm and ProtoSsmConfig.
Failure in_python_names(Error error) {
  for (const std::string model : {"Proto", "Residual", "Selective"}) {
    if (!error.where.starts_with(model + "Ssm")) continue;
    const std::size_t length = model.size() + (error.where.starts_with(model + "SsmConfig") ? 9 : 3);
    error.where.replace(0, length, model + "SSM");
  }
  return {std::move(error)};
}

/// What was wrong with arrays, not with a file.
Error blame_arguments(Error error) {
  if (error.code == ErrorCode::not_found) error.code = ErrorCode::mismatch;
  if (error.code == ErrorCode::corrupt) error.code = ErrorCode::invalid_argument;
  return error;
}

/// The arrays of `arrays`, {name: array}, in place.
nn::StateDict state_of(const nb::dict& arrays) {
  nn::StateDict state;
  for (const auto& [name, value] : arrays) {
    const auto array = nb::cast<ConstArray>(value, false);
    Shape shape;
    for (std::size_t i = 0; i < array.ndim(); ++i) shape.push_back(static_cast<std::int64_t>(array.shape(i)));
    state.emplace(nb::cast<std::string>(name), Tensor{shape, span_of(array), nullptr});
  }
  return state;
}

Result<nn::StateDict> load_parameters(const std::filesystem::path& path,
                                      const heads::ProtoSsmConfig& config) {
  return heads::load_proto_ssm(path, config);
}

Result<nn::StateDict> load_parameters(const std::filesystem::path& path,
                                      const heads::ResidualSsmConfig& config) {
  return heads::load_residual_ssm(path, config);
}

Result<nn::StateDict> load_parameters(const std::filesystem::path& path,
                                      const nn::SelectiveSsmConfig& config) {
  return nn::load_state_dict(path, heads::required_tensors(config));
}

/// A configuration and, once parameters are loaded, the session that has them. One call at a time computes,
/// others wait.
template <class Session, class Config>
class Model {
 public:
  Model(const Config& config, std::int64_t threads) : config_(config), threads_(thread_count(threads)) {
    raise_unless(check_requested_isa());
    raise_unless(heads::validate(config_));
  }

  std::vector<std::pair<std::string, Shape>> parameters() const {
    std::vector<std::pair<std::string, Shape>> list;
    for (TensorSpec& spec : heads::required_tensors(config_))
      list.emplace_back(std::move(spec.name), std::move(spec.shape));
    return list;
  }

  void load(const nb::dict& arrays) {
    const nn::StateDict state = state_of(arrays);
    const nb::gil_scoped_release released;
    auto created = Session::create(state, config_, {.threads = threads_});
    if (!created) throw in_python_names(blame_arguments(std::move(created).error()));
    replace(*std::move(created));
  }

  void load_file(const std::filesystem::path& path) {
    const nb::gil_scoped_release released;
    auto state = load_parameters(path, config_);
    if (!state) throw Failure{blame_contents(std::move(state).error(), path)};
    auto created = Session::create(*state, config_, {.threads = threads_});
    if (!created) throw in_python_names(std::move(created).error());
    replace(*std::move(created));
  }

  /// Calls run(session) without the interpreter's lock.
  template <class Run>
  void run(Run&& run) {
    const nb::gil_scoped_release released;
    const auto lock = mutex_.lock();
    raise_unless(run(*session_));
  }

 private:
  static void raise_unless(const Status& status) {
    if (!status) throw in_python_names(status.error());
  }

  void replace(Session&& session) {
    const auto lock = mutex_.lock();
    session_.emplace(std::move(session));
  }

  Config config_;
  std::size_t threads_;
  std::optional<Session> session_;
  ProcessMutex mutex_;
};

using SelectiveSsm = Model<heads::SelectiveSsmSession, nn::SelectiveSsmConfig>;
using ProtoSsm = Model<heads::ProtoSsm, heads::ProtoSsmConfig>;
using ResidualSsm = Model<heads::ResidualSsm, heads::ResidualSsmConfig>;

nn::SsmForm form_of(bool mamba) { return mamba ? nn::SsmForm::mamba : nn::SsmForm::notebook; }

void run_selective(SelectiveSsm& model, const ConstArray& x, bool backwards, const Array& y) {
  const auto direction = backwards ? nn::Direction::backwards : nn::Direction::forwards;
  model.run([&](heads::SelectiveSsmSession& session) {
    return session.run(span_of(x), {x.shape(0), x.shape(1)}, direction, span_of(y));
  });
}

heads::ProtoSsm::Inputs proto_inputs(const ConstArray& emb, const Input& logits, const Ids& sites,
                                     const Ids& hours) {
  return {span_of(emb), span_of(logits), {span_of(sites), span_of(hours)}};
}

void run_proto(ProtoSsm& model, const ConstArray& emb, const Input& logits, const Ids& sites,
               const Ids& hours, const Array& species, const Output& families, const Array& hidden) {
  const heads::ProtoSsm::Inputs inputs = proto_inputs(emb, logits, sites, hours);
  const heads::ProtoSsm::Outputs outputs{span_of(species), span_of(families), span_of(hidden)};
  model.run(
      [&](heads::ProtoSsm& session) { return session.run(inputs, emb.shape(0), emb.shape(1), outputs); });
}

void run_proto_shifted(ProtoSsm& model, const ConstArray& emb, const Input& logits, const Ids& sites,
                       const Ids& hours, const std::vector<int>& shifts, const Array& species) {
  const heads::ProtoSsm::Inputs inputs = proto_inputs(emb, logits, sites, hours);
  model.run([&](heads::ProtoSsm& session) {
    return session.temporal_shift_tta(inputs, emb.shape(0), emb.shape(1), shifts, span_of(species));
  });
}

void run_residual(ResidualSsm& model, const ConstArray& emb, const ConstArray& scores, const Ids& sites,
                  const Ids& hours, const Array& correction) {
  const heads::ResidualSsm::Inputs inputs{span_of(emb), span_of(scores), {span_of(sites), span_of(hours)}};
  model.run([&](heads::ResidualSsm& session) {
    return session.run(inputs, emb.shape(0), emb.shape(1), span_of(correction));
  });
}

/// The scan's arrays under the names that Python gives them.
Error rename_arguments(Error error) {
  if (error.where == "selective_scan: dt") error.where = "selective_scan: delta";
  if (error.where == "selective_scan: skip") error.where = "selective_scan: D";
  return error;
}

void selective_scan(const ConstArray& u, const ConstArray& delta, const ConstArray& a, const ConstArray& b,
                    const ConstArray& c, const Input& skip, const Input& z, const Input& delta_bias,
                    bool delta_softplus, const Input& initial_state, const Array& y,
                    const Output& final_state, std::int64_t threads) {
  const ops::ScanShape shape{u.shape(0), u.shape(1), u.shape(2), a.shape(1)};
  const ops::ScanInputs inputs{span_of(u),    span_of(delta),        span_of(a), span_of(b), span_of(c),
                               span_of(skip), span_of(initial_state)};
  const ops::MambaTerms terms{span_of(z), span_of(delta_bias), delta_softplus};
  const std::size_t team = thread_count(threads);
  if (team > 1024)  // as for the models
    throw Failure{
        {ErrorCode::invalid_argument, "selective_scan", std::to_string(team) + " threads", "at most 1024"}};
  const nb::gil_scoped_release released;
  const Status status = ops::mamba_scan(shape, inputs, terms, {span_of(y), span_of(final_state)}, team);
  if (!status) throw Failure{rename_arguments(status.error())};
}

template <class Bound>
nb::class_<Bound> add_model(nb::module_& module, const char* name) {
  return nb::class_<Bound>(module, name)
      .def_prop_ro("parameters", &Bound::parameters)
      .def("load", &Bound::load, nb::arg("arrays"))
      .def("load_file", &Bound::load_file, nb::arg("path"));
}

void add_selective_ssm(nb::module_& module) {
  add_model<SelectiveSsm>(module, "SelectiveSsm")
      .def(
          "__init__",
          [](SelectiveSsm* self, std::size_t d_model, std::size_t d_state, std::size_t d_conv, bool mamba,
             std::int64_t threads) {
            new (self) SelectiveSsm({d_model, d_state, d_conv, form_of(mamba)}, threads);
          },
          nb::arg("d_model"), nb::arg("d_state"), nb::arg("d_conv"), nb::arg("mamba"), nb::arg("threads"))
      .def("run", &run_selective, nb::arg("x").noconvert(), nb::arg("backwards"), nb::arg("y").noconvert());
}

void add_proto_ssm(nb::module_& module) {
  add_model<ProtoSsm>(module, "ProtoSsm")
      .def(
          "__init__",
          [](ProtoSsm* self, std::size_t d_input, std::size_t d_model, std::size_t d_state,
             std::size_t n_ssm_layers, std::size_t n_classes, std::size_t n_windows, std::size_t n_sites,
             std::size_t meta_dim, bool use_cross_attn, std::size_t cross_attn_heads, std::size_t n_families,
             std::size_t n_prototypes, std::size_t d_conv, bool mamba, std::int64_t threads) {
            new (self) ProtoSsm(
                {d_input, d_model, d_state, d_conv, n_ssm_layers, n_classes, n_windows, n_sites, meta_dim,
                 use_cross_attn, cross_attn_heads, n_families, n_prototypes, form_of(mamba)},
                threads);
          },
          nb::arg("d_input"), nb::arg("d_model"), nb::arg("d_state"), nb::arg("n_ssm_layers"),
          nb::arg("n_classes"), nb::arg("n_windows"), nb::arg("n_sites"), nb::arg("meta_dim"),
          nb::arg("use_cross_attn"), nb::arg("cross_attn_heads"), nb::arg("n_families"),
          nb::arg("n_prototypes"), nb::arg("d_conv"), nb::arg("mamba"), nb::arg("threads"))
      .def("run", &run_proto, nb::arg("emb").noconvert(), nb::arg("perch_logits").noconvert().none(),
           nb::arg("site_ids").noconvert().none(), nb::arg("hours").noconvert().none(),
           nb::arg("species_logits").noconvert(), nb::arg("family_logits").noconvert().none(),
           nb::arg("h_temporal").noconvert())
      .def("temporal_shift_tta", &run_proto_shifted, nb::arg("emb").noconvert(),
           nb::arg("perch_logits").noconvert().none(), nb::arg("site_ids").noconvert().none(),
           nb::arg("hours").noconvert().none(), nb::arg("shifts"), nb::arg("species_logits").noconvert());
}

void add_residual_ssm(nb::module_& module) {
  add_model<ResidualSsm>(module, "ResidualSsm")
      .def(
          "__init__",
          [](ResidualSsm* self, std::size_t d_input, std::size_t d_scores, std::size_t d_model,
             std::size_t d_state, std::size_t n_classes, std::size_t n_windows, std::size_t n_sites,
             std::size_t meta_dim, std::size_t n_ssm_layers, std::size_t d_conv, bool mamba, bool clamp_ids,
             std::int64_t threads) {
            new (self) ResidualSsm({d_input, d_scores, d_model, d_state, d_conv, n_classes, n_windows,
                                    n_sites, meta_dim, n_ssm_layers, form_of(mamba), clamp_ids},
                                   threads);
          },
          nb::arg("d_input"), nb::arg("d_scores"), nb::arg("d_model"), nb::arg("d_state"),
          nb::arg("n_classes"), nb::arg("n_windows"), nb::arg("n_sites"), nb::arg("meta_dim"),
          nb::arg("n_ssm_layers"), nb::arg("d_conv"), nb::arg("mamba"), nb::arg("clamp_ids"),
          nb::arg("threads"))
      .def("run", &run_residual, nb::arg("emb").noconvert(), nb::arg("first_pass_scores").noconvert(),
           nb::arg("site_ids").noconvert().none(), nb::arg("hours").noconvert().none(),
           nb::arg("correction").noconvert());
}

}  // namespace

void add_sequence_models(nb::module_& module) {
  add_selective_ssm(module);
  add_proto_ssm(module);
  add_residual_ssm(module);
  module.def("selective_scan", &selective_scan, nb::arg("u").noconvert(), nb::arg("delta").noconvert(),
             nb::arg("A").noconvert(), nb::arg("B").noconvert(), nb::arg("C").noconvert(),
             nb::arg("D").noconvert().none(), nb::arg("z").noconvert().none(),
             nb::arg("delta_bias").noconvert().none(), nb::arg("delta_softplus"),
             nb::arg("initial_state").noconvert().none(), nb::arg("y").noconvert(),
             nb::arg("final_state").noconvert().none(), nb::arg("threads"));
}

}  // namespace pantanal
