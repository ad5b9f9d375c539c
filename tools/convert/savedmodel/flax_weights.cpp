#include "savedmodel/flax_weights.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "pantanal/core/finite.hpp"
#include "released_architecture.hpp"
#include "savedmodel/flax_leaves.hpp"

namespace pantanal::convert {
namespace {

constexpr double batch_norm_eps = 1e-5;

using Values = std::vector<float>;

/// Finds leaves by path.
class LeafReader {
 public:
  LeafReader(const TensorBundle& bundle, const perch::Architecture& architecture) : bundle_(bundle) {
    std::size_t number = 0;
    for (FlaxLeaf& leaf : flax_leaves(architecture))
      leaves_.emplace(std::move(leaf.path), Leaf{number++, std::move(leaf.shape)});
  }

  const Shape& shape(const std::string& path) const { return leaves_.at(path).shape; }

  Error error(const std::string& path, std::string found, std::string expected) const {
    return {ErrorCode::corrupt, leaf_name(bundle_.index_path().string(), leaves_.at(path).number, path),
            std::move(found), std::move(expected)};
  }

  Result<Values> read(const std::string& path) const {
    auto values = bundle_.read_floats(leaf_key(leaves_.at(path).number));
    if (!values) {
      Error unreadable = values.error();
      unreadable.where = error(path, {}, {}).where;
      return unreadable;
    }
    if (!all_finite(*values)) return error(path, "NaN or infinity", "finite values");
    return values;
  }

 private:
  struct Leaf {
    std::size_t number;
    Shape shape;
  };

  const TensorBundle& bundle_;
  std::map<std::string, Leaf> leaves_;
};

/// y = scale · x + shift, channel by channel.
struct NormAffine {
  std::vector<double> scale, shift;
};

class LeafConverter {
 public:
  LeafConverter(const TensorBundle& bundle, perch::Model& model)
      : leaves_(bundle, model.architecture), model_(model) {}

  Status convert() {
    const perch::Architecture& architecture = model_.architecture;
    const perch::Frontend& frontend = architecture.frontend;
    add("frontend.window", {extent(frontend.frame_length)}, hann_window(frontend));
    add("frontend.mel", {extent(frontend.bins()), extent(frontend.mel_bands)}, mel_filterbank(frontend));
    PANTANAL_TRY_STATUS(add_conv("stem", "Stem_0/Conv", "Stem_0/BatchNorm"));
    for (std::size_t i = 0; i < architecture.blocks.size(); ++i) PANTANAL_TRY_STATUS(add_block(i));
    PANTANAL_TRY_STATUS(add_conv("head", "Head_0/Conv", "Head_0/BatchNorm"));
    return add_label_head();
  }

 private:
  static std::int64_t extent(std::size_t count) { return static_cast<std::int64_t>(count); }

  void add(const std::string& name, Shape shape, Values values) {
    model_.tensors.insert_or_assign(name, perch::make_tensor(std::move(shape), std::move(values)));
  }

  Status add_block(std::size_t index) {
    const std::string from = "MBConv_" + std::to_string(index) + "/", gate = from + "SqueezeAndExcitation_0/";
    const std::string to = "blocks." + std::to_string(index) + ".";
    if (model_.architecture.blocks[index].has_expand)
      PANTANAL_TRY_STATUS(add_conv(to + "expand", from + "ExpandConv", from + "ExpandBatchNorm"));
    PANTANAL_TRY_STATUS(add_conv(to + "depthwise", from + "DepthwiseConv", from + "DepthwiseBatchNorm"));
    PANTANAL_TRY_STATUS(add_dense(to + "se.reduce", gate + "Reduce"));
    PANTANAL_TRY_STATUS(add_dense(to + "se.expand", gate + "Expand"));
    return add_conv(to + "project", from + "ProjectConv", from + "ProjectBatchNorm");
  }

  /// A convolution [height, width, in, out] and its BatchNorm, as weight [out, in, height, width] and bias
  /// [out].
  Status add_conv(const std::string& name, const std::string& conv, const std::string& norm) {
    const std::string path = "params/" + conv + "/kernel";
    PANTANAL_TRY(const Values kernel, leaves_.read(path));
    PANTANAL_TRY(const NormAffine affine, read_batch_norm(norm));
    const Shape& shape = leaves_.shape(path);
    const auto taps = static_cast<std::size_t>(shape[0] * shape[1]);
    const auto in = static_cast<std::size_t>(shape[2]), out = static_cast<std::size_t>(shape[3]);
    Values weight(kernel.size());
    for (std::size_t tap = 0; tap < taps; ++tap)
      for (std::size_t i = 0; i < in; ++i)
        for (std::size_t o = 0; o < out; ++o)
          weight[(o * in + i) * taps + tap] =
              static_cast<float>(kernel[(tap * in + i) * out + o] * affine.scale[o]);
    add(name + ".weight", {shape[3], shape[2], shape[0], shape[1]}, std::move(weight));
    add(name + ".bias", {shape[3]}, Values(affine.shift.begin(), affine.shift.end()));
    return {};
  }

  /// scale·(x − mean)/√(var + eps) + bias as one multiplication and one addition.
  Result<NormAffine> read_batch_norm(const std::string& norm) const {
    PANTANAL_TRY(const Values mean, leaves_.read("batch_stats/" + norm + "/mean"));
    PANTANAL_TRY(const Values variance, leaves_.read("batch_stats/" + norm + "/var"));
    PANTANAL_TRY(const Values scale, leaves_.read("params/" + norm + "/scale"));
    PANTANAL_TRY(const Values bias, leaves_.read("params/" + norm + "/bias"));
    if (std::ranges::any_of(variance, [](float value) { return value < 0; }))
      return leaves_.error("batch_stats/" + norm + "/var",
                           std::to_string(*std::ranges::min_element(variance)),
                           "variances, which are not negative");
    NormAffine affine;
    for (std::size_t i = 0; i < mean.size(); ++i) {
      affine.scale.push_back(scale[i] / std::sqrt(variance[i] + batch_norm_eps));
      affine.shift.push_back(bias[i] - mean[i] * affine.scale[i]);
    }
    return affine;
  }

  /// A dense layer [in, out] as weight [out, in] and bias [out].
  Status add_dense(const std::string& name, const std::string& dense) {
    const std::string path = "params/" + dense + "/kernel";
    PANTANAL_TRY(const Values kernel, leaves_.read(path));
    PANTANAL_TRY(Values bias, leaves_.read("params/" + dense + "/bias"));
    const Shape& shape = leaves_.shape(path);
    const auto in = static_cast<std::size_t>(shape[0]), out = static_cast<std::size_t>(shape[1]);
    Values weight(kernel.size());
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t o = 0; o < out; ++o) weight[o * in + i] = kernel[i * out + o];
    add(name + ".weight", {shape[1], shape[0]}, std::move(weight));
    add(name + ".bias", {shape[1]}, std::move(bias));
    return {};
  }

  Status add_label_head() {
    const perch::LabelHead& label = model_.architecture.label;
    PANTANAL_TRY(Values prototypes, leaves_.read("params/head/prototypes"));
    PANTANAL_TRY(Values scale, leaves_.read("params/head/protop_kernel"));
    PANTANAL_TRY(Values bias, leaves_.read("params/head/bias"));
    const std::size_t channels = model_.architecture.head.channels, class_size = channels * label.prototypes;
    for (std::size_t i = 0; i < label.classes; ++i)
      normalise(std::span(prototypes).subspan(i * class_size, class_size), channels, label.eps);
    for (float& value : scale) value = std::max(value, 0.0f);
    add("label.prototypes", {extent(label.classes), extent(label.prototypes), extent(channels)},
        std::move(prototypes));
    add("label.scale", {extent(label.classes), extent(label.prototypes)}, std::move(scale));
    add("label.bias", {extent(label.classes)}, std::move(bias));
    return {};
  }

  /// One class's prototypes, in place: [channels, prototypes] becomes [prototypes, channels], each divided by
  /// its length + eps.
  static void normalise(std::span<float> values, std::size_t channels, double eps) {
    const Values raw(values.begin(), values.end());
    const std::size_t count = raw.size() / channels;
    for (std::size_t p = 0; p < count; ++p) {
      double squares = 0.0;
      for (std::size_t c = 0; c < channels; ++c) squares += double{raw[c * count + p]} * raw[c * count + p];
      const double length = std::sqrt(squares) + eps;
      for (std::size_t c = 0; c < channels; ++c)
        values[p * channels + c] = static_cast<float>(raw[c * count + p] / length);
    }
  }

  LeafReader leaves_;
  perch::Model& model_;
};

}  // namespace

Status convert_leaves(const TensorBundle& bundle, perch::Model& model) {
  return LeafConverter(bundle, model).convert();
}

}  // namespace pantanal::convert
