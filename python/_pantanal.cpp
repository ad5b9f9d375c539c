// The compiled half of the Python package: a Session that threads may share, and recordings as arrays. What
// arrays mean is checked here; how friendly the package is about it is decided in pantanal/__init__.py.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "binding.hpp"
#include "pantanal/audio/load_audio.hpp"
#include "pantanal/core/requested_isa.hpp"
#include "pantanal/perch/architecture_json.hpp"
#include "pantanal/perch/model_file.hpp"
#include "pantanal/perch/session.hpp"
#include "process_mutex.hpp"

namespace nb = nanobind;

namespace pantanal {
namespace {

class Perch {
 public:
  Perch(const std::filesystem::path& path, std::int64_t threads, const std::filesystem::path& packed) {
    const std::size_t team = thread_count(threads);
    const nb::gil_scoped_release released;
    raise_if_failed(check_requested_isa());
    auto model = perch::load_model(path, {.keep_narrow = true});
    if (!model) throw Failure{blame_contents(std::move(model).error(), path)};
    session_.emplace(
        value_or_raise(perch::Session::create(std::make_shared<const perch::Model>(*std::move(model)),
                                              {.threads = team, .packed_weights = packed})));
  }

  const perch::Model& model() const { return session_->model(); }
  std::size_t threads() const { return session_->options().threads; }
  /// Why the file of packed weights is not used; empty where it is, or none was asked for.
  std::string packed_weights_problem() const {
    const Status& status = session_->packed_weights();
    return status ? "" : status.error().message();
  }

  /// Fills those of the outputs that are given; each must have room for `windows`, [n, samples]. One call at
  /// a time computes, others wait.
  void run(const ConstArray& windows, const std::optional<Array>& embedding,
           const std::optional<Array>& spatial_embedding, const std::optional<Array>& spectrogram,
           const std::optional<Array>& label) {
    const std::size_t n = windows.ndim() > 0 ? windows.shape(0) : 0;
    const perch::Outputs outputs{span_of(embedding), span_of(spatial_embedding), span_of(spectrogram),
                                 span_of(label)};
    bool interrupted = false;
    {
      const nb::gil_scoped_release released;
      auto lock = mutex_.lock();
      // Signal handlers are Python and may use this Perch: what they do, they do between two batches.
      const auto signalled = [&] {
        lock.unlock();
        interrupted = check_signals();
        lock.lock();
        return interrupted;
      };
      const Status status = session_->run(span_of(windows), n, outputs, signalled);
      if (!interrupted) raise_if_failed(status);
    }
    if (interrupted) throw nb::python_error();
  }

 private:
  /// Lets Python handle signals, Ctrl-C for instance. Whether a handler raised, with the exception set.
  static bool check_signals() {
    const nb::gil_scoped_acquire acquired;
    return PyErr_CheckSignals() != 0;
  }

  std::optional<perch::Session> session_;
  ProcessMutex mutex_;
};

/// Mono samples [count] at `rate` Hz, in memory of their own.
nb::ndarray<nb::numpy, float, nb::ndim<1>> load_audio(const std::filesystem::path& path, std::int64_t rate) {
  if (rate < 0 || rate > std::numeric_limits<std::uint32_t>::max())
    throw Failure{{ErrorCode::invalid_argument, "rate", std::to_string(rate), "a sample rate in Hz"}};
  std::unique_ptr<std::vector<float>> samples;
  {
    const nb::gil_scoped_release released;
    samples = std::make_unique<std::vector<float>>(
        value_or_raise(audio::load_audio(path, static_cast<std::uint32_t>(rate))));
  }
  float* const data = samples->data();
  const std::size_t count = samples->size();
  nb::capsule owner(samples.get(), [](void* p) noexcept { delete static_cast<std::vector<float>*>(p); });
  static_cast<void>(samples.release());
  return {data, {count}, owner};
}

}  // namespace
}  // namespace pantanal

NB_MODULE(_pantanal, module) {
  using namespace pantanal;
  translate_failures();
  module.attr("version") = PANTANAL_VERSION;
  nb::class_<Perch>(module, "Perch")
      .def(nb::init<const std::filesystem::path&, std::int64_t, const std::filesystem::path&>(),
           nb::arg("path"), nb::arg("threads"), nb::arg("packed_weights"))
      .def_prop_ro("packed_weights_problem",
                   [](const Perch& perch) { return perch.packed_weights_problem(); })
      .def_prop_ro("labels", [](const Perch& perch) { return perch.model().labels; })
      .def_prop_ro("architecture_json",
                   [](const Perch& perch) { return perch::architecture_json(perch.model().architecture); })
      .def_prop_ro("threads", &Perch::threads)
      .def_prop_ro("spatial_extent",
                   [](const Perch& perch) {
                     const perch::Extent extent = perch.model().architecture.extents().back();
                     return std::tuple(extent.height, extent.width);
                   })
      .def("run", &Perch::run, nb::arg("windows").noconvert(), nb::arg("embedding").noconvert().none(),
           nb::arg("spatial_embedding").noconvert().none(), nb::arg("spectrogram").noconvert().none(),
           nb::arg("label").noconvert().none());
  module.def("load_audio", &load_audio, nb::arg("path"), nb::arg("rate"));
  add_sequence_models(module);
}
