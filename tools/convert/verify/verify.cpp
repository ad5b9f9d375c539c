#include "verify/verify.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include "interpreter/interpreter.hpp"
#include "onnx/node_message.hpp"
#include "pantanal/perch/session.hpp"
#include "verify/audio_like_window.hpp"

namespace pantanal::convert {
namespace {

constexpr std::size_t windows_at_once = 2;  // so that a graph's handling of the batch is run, too
constexpr std::uint64_t first_seed = 20250;

using Arrays = std::map<std::string, NdArray<double>>;

/// How one output is compared.
struct Criterion {
  const char* output;
  const char* measure;
  double allowed;
};
constexpr Criterion criteria[] = {{"embedding", "relative L2", 1e-5},
                                  {"spatial_embedding", "relative L2", 1e-5},
                                  {"spectrogram", "max |difference|", 1e-5},
                                  {"label", "max |difference|", 2e-4}};

std::string scientific(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2e", value);
  return text;
}

/// ‖a - b‖ / ‖b‖, or max |a - b|; not finite if any number is not.
double difference(std::span<const float> a, std::span<const double> b, bool relative) {
  double squares = 0, reference = 0, most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double gap = std::abs(a[i] - b[i]);
    if (!std::isfinite(gap)) return std::numeric_limits<double>::quiet_NaN();
    squares += gap * gap;
    reference += b[i] * b[i];
    most = std::max(most, gap);
  }
  if (!relative) return most;
  return squares == 0 ? 0 : std::sqrt(squares / std::max(reference, std::numeric_limits<double>::min()));
}

/// Runs both sides on the same windows.
class Comparison {
 public:
  Comparison(const Graph& graph, const Recognised& recognised, Interpreter<double> interpreter,
             perch::Session session)
      : recognised_(&recognised), interpreter_(std::move(interpreter)), session_(std::move(session)) {
    input_shape_ = graph.inputs.front().shape;
    for (const Criterion& criterion : criteria)
      if (recognised.outputs.contains(criterion.output))
        agreements_.push_back({criterion.output, criterion.measure, 0, criterion.allowed});
    const perch::OutputSizes sizes = session_.output_sizes();
    sizes_ = {{"embedding", sizes.embedding},
              {"spatial_embedding", sizes.spatial_embedding},
              {"spectrogram", sizes.spectrogram},
              {"label", sizes.label}};
  }

  /// Windows that the graph wants in one run.
  std::size_t batch() const {
    return input_shape_.front() > 0 ? static_cast<std::size_t>(input_shape_.front()) : windows_at_once;
  }

  Status add(std::uint64_t seed, std::size_t count) {
    const std::size_t samples = session_.model().architecture.frontend.samples;
    std::vector<float> windows;
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<float> window = audio_like_window(samples, seed + i);
      windows.insert(windows.end(), window.begin(), window.end());
    }
    PANTANAL_TRY(const Arrays expected, run_graph(windows, count));
    PANTANAL_TRY(const auto found, run_model(windows, count));
    for (OutputAgreement& agreement : agreements_)
      PANTANAL_TRY_STATUS(compare(agreement, found.at(agreement.output), expected, count));
    return {};
  }

  std::vector<OutputAgreement> take() && { return std::move(agreements_); }

 private:
  Result<Arrays> run_graph(const std::vector<float>& windows, std::size_t count) const {
    Shape shape = input_shape_;
    shape.front() = static_cast<std::int64_t>(count);
    std::vector<std::string> names;
    for (const auto& [output, name] : recognised_->outputs) names.push_back(name);
    Arrays inputs;
    inputs[recognised_->input] = {std::move(shape), std::vector<double>(windows.begin(), windows.end())};
    return interpreter_.run(inputs, names);
  }

  Result<std::map<std::string, std::vector<float>>> run_model(const std::vector<float>& windows,
                                                              std::size_t count) {
    std::map<std::string, std::vector<float>> found;
    for (const OutputAgreement& agreement : agreements_)
      found[agreement.output].resize(count * sizes_.at(agreement.output));
    PANTANAL_TRY_STATUS(session_.run(windows, count,
                                     {.embedding = found["embedding"],
                                      .spatial_embedding = found["spatial_embedding"],
                                      .spectrogram = found["spectrogram"],
                                      .label = found["label"]}));
    return found;
  }

  Status compare(OutputAgreement& agreement, std::span<const float> found, const Arrays& expected,
                 std::size_t count) const {
    const std::string& name = recognised_->outputs.at(agreement.output);
    const std::vector<double>& values = expected.at(name).values;
    if (values.size() != found.size())
      return Error{ErrorCode::mismatch, "verification of output " + in_quotes(name),
                   std::to_string(found.size()) + " values",
                   std::to_string(values.size()) + ", as the graph gives"};
    const bool relative = agreement.measure == criteria[0].measure;
    const std::size_t each = found.size() / count;
    for (std::size_t i = 0; i < count; ++i) {
      const double gap =
          difference(found.subspan(i * each, each), std::span(values).subspan(i * each, each), relative);
      if (!(gap <= agreement.allowed))
        return Error{ErrorCode::mismatch, "verification of output " + in_quotes(name),
                     std::isnan(gap) ? "NaN or infinity in the graph's or the converted model's output"
                                     : agreement.measure + " " + scientific(gap) +
                                           " between the graph and the converted model",
                     "at most " + scientific(agreement.allowed)};
      agreement.difference = std::max(agreement.difference, gap);
    }
    return {};
  }

  const Recognised* recognised_;
  Interpreter<double> interpreter_;
  perch::Session session_;
  Shape input_shape_;
  std::map<std::string, std::size_t> sizes_;
  std::vector<OutputAgreement> agreements_;
};

}  // namespace

Result<std::vector<OutputAgreement>> verify(const Graph& graph, const Recognised& recognised,
                                            std::shared_ptr<const perch::Model> model, std::size_t windows) {
  constexpr std::int64_t most_elements = std::int64_t{1}
                                         << 31;  // 16 GiB of doubles; a whole Perch v2 takes a tenth
  PANTANAL_TRY(Interpreter<double> interpreter, Interpreter<double>::create(graph, most_elements));
  PANTANAL_TRY(perch::Session session, perch::Session::create(std::move(model)));
  Comparison comparison(graph, recognised, std::move(interpreter), std::move(session));
  // A graph of a fixed batch is given whole batches, more windows than asked for if need be.
  const std::size_t batch = comparison.batch();
  const bool fixed = graph.inputs.front().shape.front() > 0;
  for (std::size_t done = 0; done < windows; done += batch)
    PANTANAL_TRY_STATUS(comparison.add(first_seed + done, fixed ? batch : std::min(batch, windows - done)));
  return std::move(comparison).take();
}

}  // namespace pantanal::convert
