// Network: a sequence of oneDNN primitives over a few buffers that they take turns in. For oneDNN 2.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <dnnl.hpp>

#include "pantanal/core/aligned_buffer.hpp"

namespace pantanal::onednn {

static_assert(DNNL_VERSION_MAJOR == 2, "oneDNN 3 describes primitives otherwise");

/// The buffers. Each is as large as its largest use.
enum class Slot : std::size_t { input, output, image, other_image, expanded, depthwise, mean, reduced, gate };
constexpr std::size_t slot_count = 9;

/// A buffer with the layout of what lies there.
struct Value {
  Slot slot = Slot::input;
  dnnl::memory::desc layout;
};

/// Built once for a model; any number of Workspaces run it at the same time. What oneDNN refuses is thrown,
/// as dnnl::error.
class Network {
 public:
  /// A convolution of float32 values, in PyTorch's layout: weight [out, in / groups, k, k], bias [out].
  struct Convolution {
    std::span<const float> weight, bias;
    dnnl::memory::dim in = 0, out = 0, groups = 1, kernel = 1, stride = 1;
    std::array<dnnl::memory::dim, 4> pads{};  ///< top, left, bottom, right
    dnnl::memory::dim height = 1, width = 1;  ///< of the result
    dnnl::algorithm activation = dnnl::algorithm::undef;
    bool adds = false;        ///< to what lies in the result's slot, before the activation
    bool any_layout = false;  ///< of the result
  };

  /// Appends the convolution of `x` into `slot`: channels last, or in whatever layout oneDNN likes best.
  Value convolve(const Value& x, Slot slot, const Convolution& conv) {
    using dnnl::memory;
    const memory::dims weight_dims = conv.groups == 1
                                         ? memory::dims{conv.out, conv.in, conv.kernel, conv.kernel}
                                         : memory::dims{conv.groups, conv.out / conv.groups,
                                                        conv.in / conv.groups, conv.kernel, conv.kernel};
    const memory::dims result_dims{1, conv.out, conv.height, conv.width};
    const memory::desc bias({conv.out}, memory::data_type::f32, memory::format_tag::x);
    dnnl::primitive_attr attributes = own_scratchpad();
    dnnl::post_ops after;
    if (conv.adds) after.append_sum();
    const float slope =
        conv.activation == dnnl::algorithm::eltwise_swish ? 1.0f : 0.0f;  // of x; below 0 for ReLU
    if (conv.activation != dnnl::algorithm::undef) after.append_eltwise(1, conv.activation, slope, 0);
    attributes.set_post_ops(after);
    const dnnl::convolution_forward::desc operation(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, x.layout, any(weight_dims),
        bias, conv.any_layout ? any(result_dims) : channels_last(result_dims), {conv.stride, conv.stride},
        {conv.pads[0], conv.pads[1]}, {conv.pads[2], conv.pads[3]});
    const dnnl::convolution_forward::primitive_desc plan(operation, attributes, engine_);
    const memory::desc given(weight_dims, memory::data_type::f32,
                             conv.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw);
    const Value result{slot, plan.dst_desc()};
    append({dnnl::convolution_forward(plan),
            {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, result}},
            {{DNNL_ARG_WEIGHTS, stored(conv.weight, given, plan.weights_desc())},
             {DNNL_ARG_BIAS, stored(conv.bias, bias, bias)}},
            plan.scratchpad_desc()});
    return result;
  }

  /// Appends the mean over all positions.
  Value average(const Value& x, Slot slot) {
    const dnnl::memory::dims dims = x.layout.dims();
    const dnnl::pooling_forward::desc operation(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_avg_exclude_padding, x.layout,
        channels_last({1, dims[1], 1, 1}), {1, 1}, {dims[2], dims[3]}, {0, 0}, {0, 0});
    const dnnl::pooling_forward::primitive_desc plan(operation, own_scratchpad(), engine_);
    const Value result{slot, plan.dst_desc()};
    append({dnnl::pooling_forward(plan),
            {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, result}},
            {},
            plan.scratchpad_desc()});
    return result;
  }

  /// Appends `x` times the channels' `gate` [1, C, 1, 1], in place.
  void scale(const Value& x, const Value& gate) {
    const dnnl::binary::desc operation(dnnl::algorithm::binary_mul, x.layout, gate.layout, x.layout);
    const dnnl::binary::primitive_desc plan(operation, own_scratchpad(), engine_);
    append({dnnl::binary(plan),
            {{DNNL_ARG_SRC_0, x}, {DNNL_ARG_SRC_1, gate}, {DNNL_ARG_DST, x}},
            {},
            plan.scratchpad_desc()});
  }

  /// Appends a copy of `x` to `slot` in another layout.
  void copy(const Value& x, Slot slot, const dnnl::memory::desc& layout) {
    const dnnl::reorder::primitive_desc plan(engine_, x.layout, engine_, layout, own_scratchpad());
    append({dnnl::reorder(plan),
            {{DNNL_ARG_FROM, x}, {DNNL_ARG_TO, Value{slot, layout}}},
            {},
            plan.scratchpad_desc()});
  }

  /// `x` channels last: itself, or a copy in `slot`.
  Value to_channels_last(const Value& x, Slot slot) {
    const Value wanted{slot, channels_last(x.layout.dims())};
    if (x.layout == wanted.layout) return x;
    copy(x, slot, wanted.layout);
    return wanted;
  }

  /// The buffers of one caller.
  class Workspace {
   public:
    explicit Workspace(const Network& network) : network_(&network), stream_(network.engine_) {
      for (std::size_t s = 0; s < slot_count; ++s)
        if (!is_given(static_cast<Slot>(s))) buffers_[s] = AlignedBuffer<float>(network.slot_floats_[s]);
      scratch_ = AlignedBuffer<float>(network.scratch_floats_);
      for (const Step& step : network.steps_) bind(step);
    }

    /// From the model's input to its output, both in the layouts that the network was built with.
    void run(const float* input, float* output) {
      for (dnnl::memory& memory : inputs_) memory.set_data_handle(const_cast<float*>(input));  // only read
      for (dnnl::memory& memory : outputs_) memory.set_data_handle(output);
      for (std::size_t i = 0; i < arguments_.size(); ++i)
        network_->steps_[i].primitive.execute(stream_, arguments_[i]);
      stream_.wait();
    }

   private:
    void bind(const auto& step) {
      std::unordered_map<int, dnnl::memory> all(step.constants.begin(), step.constants.end());
      for (const auto& [argument, value] : step.values) {
        dnnl::memory memory(value.layout, network_->engine_, buffer(value.slot));
        if (value.slot == Slot::input) inputs_.push_back(memory);
        if (value.slot == Slot::output) outputs_.push_back(memory);
        all.emplace(argument, std::move(memory));
      }
      all.emplace(DNNL_ARG_SCRATCHPAD, dnnl::memory(step.scratchpad, network_->engine_, scratch_.data()));
      arguments_.push_back(std::move(all));
    }

    void* buffer(Slot slot) {
      return is_given(slot) ? nullptr : buffers_[static_cast<std::size_t>(slot)].data();
    }

    const Network* network_;
    dnnl::stream stream_;
    std::array<AlignedBuffer<float>, slot_count> buffers_;
    AlignedBuffer<float> scratch_;
    std::vector<dnnl::memory> inputs_, outputs_;
    std::vector<std::unordered_map<int, dnnl::memory>> arguments_;
  };

 private:
  struct Step {
    dnnl::primitive primitive;
    std::vector<std::pair<int, Value>> values;
    std::vector<std::pair<int, dnnl::memory>> constants;
    dnnl::memory::desc scratchpad;
  };

  static bool is_given(Slot slot) { return slot == Slot::input || slot == Slot::output; }

  static dnnl::memory::desc any(const dnnl::memory::dims& dims) {
    return {dims, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
  }

  static dnnl::memory::desc channels_last(const dnnl::memory::dims& dims) {
    return {dims, dnnl::memory::data_type::f32, dnnl::memory::format_tag::nhwc};
  }

  /// Primitives whose scratch is the caller's can be run by several callers at once.
  static dnnl::primitive_attr own_scratchpad() {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
  }

  /// A copy of `values`, in the layout that a primitive wants.
  dnnl::memory stored(std::span<const float> values, const dnnl::memory::desc& given,
                      const dnnl::memory::desc& wanted) {
    dnnl::stream stream(engine_);
    dnnl::memory from(given, engine_, const_cast<float*>(values.data())), to(wanted, engine_);
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    return to;
  }

  void append(Step step) {
    const auto floats = [](const dnnl::memory::desc& layout) {
      return (layout.get_size() + sizeof(float) - 1) / sizeof(float);
    };
    for (const auto& [argument, value] : step.values) {
      std::size_t& size = slot_floats_[static_cast<std::size_t>(value.slot)];
      size = std::max(size, floats(value.layout));
    }
    scratch_floats_ = std::max(scratch_floats_, floats(step.scratchpad));
    steps_.push_back(std::move(step));
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  std::vector<Step> steps_;
  std::array<std::size_t, slot_count> slot_floats_{};
  std::size_t scratch_floats_ = 0;
};

}  // namespace pantanal::onednn
