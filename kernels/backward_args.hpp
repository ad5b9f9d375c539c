// Arguments of the kernels that only training needs. As in table.hpp: plain pointers, float32, row-major,
// strides in floats.
#pragma once

#include <cstddef>

namespace pantanal::kernels {

/// c[i][j] (+)= Σ_k a[i·a_row_stride + k·a_depth_stride]·b[k·b_stride + j], summed over k in blocks of a
/// fixed size in order. Exactly `rows` by `columns` are stored. With a_row_stride 1 it is Aᵀ·B: a weight's
/// gradient.
struct GemmArgs {
  const float* a = nullptr;
  std::size_t a_row_stride = 0, a_depth_stride = 1;
  const float* b = nullptr;
  std::size_t b_stride = 0;
  float* c = nullptr;
  std::size_t c_stride = 0;
  std::size_t rows = 0, columns = 0, depth = 0;
  bool accumulate = false;  ///< add to c instead of overwriting it
};

/// The gradient of layer_norm: with x̂ = (x - mean)/√(variance + eps) and g = dy·weight,
///   dx = (g - mean(g) - x̂·mean(g·x̂))/√(variance + eps), means over the columns.
struct LayerNormBackwardArgs {
  const float* x = nullptr;   ///< what the layer was given
  const float* dy = nullptr;  ///< of x's layout
  const float* weight = nullptr;
  float* dx = nullptr;          ///< of x's layout; may be dy
  float* statistics = nullptr;  ///< [rows][2]: mean and 1/√(variance + eps), for layer_norm_weight_gradient
  std::size_t rows = 0, stride = 0, columns = 0;
  float eps = 0;
};

/// dweight[c] = Σ_r dy[r][c]·(x[r][c] - statistics[r][0])·statistics[r][1], dbias[c] = Σ_r dy[r][c].
struct LayerNormWeightGradientArgs {
  const float *x = nullptr, *dy = nullptr, *statistics = nullptr;
  float *dweight = nullptr, *dbias = nullptr;
  std::size_t rows = 0, stride = 0, columns = 0;
};

/// The gradient of causal_conv. dy becomes that of the sum before the activation; dx[t] = Σ_j
/// weights[j]·dy[t+(kernel-1)-j], nothing after the last step. Negative strides run through time backwards.
struct CausalConvBackwardArgs {
  const float* input = nullptr;
  std::ptrdiff_t input_stride = 0;
  const float* weights = nullptr;  ///< [kernel][channels]
  std::size_t weights_stride = 0;
  const float* bias = nullptr;
  float* dy = nullptr;
  std::ptrdiff_t dy_stride = 0;
  float* dx = nullptr;
  std::ptrdiff_t dx_stride = 0;
  std::size_t steps = 0, channels = 0;  ///< channels: a multiple of vector_floats
  std::size_t kernel = 4;
  bool swish = false;  ///< whether the forward ended in it
};

/// Over all sequences, dweights[j][c] = Σ_t dy[t][c]·input[t-(kernel-1)+j][c] and dbias[c] = Σ_t dy[t][c], dy
/// that of the sum before the activation.
struct CausalConvWeightGradientArgs {
  const float* input = nullptr;
  std::ptrdiff_t input_stride = 0;
  const float* dy = nullptr;
  std::ptrdiff_t dy_stride = 0;
  std::size_t sequences = 0, sequence_stride = 0;  ///< floats between the starts of sequences, in both arrays
  float* dweights = nullptr;                       ///< [kernel][weights_stride]
  std::size_t weights_stride = 0;
  float* dbias = nullptr;
  std::size_t steps = 0, channels = 0, kernel = 4;  ///< channels: a multiple of vector_floats
};

/// Where a depthwise convolution's taps fall: output (y, x) reads input (y·stride + i - top, x·stride + j -
/// left) for tap (i, j), zeros outside.
struct DepthwiseShape {
  std::size_t input_rows = 0, input_columns = 0, output_rows = 0, output_columns = 0;
  std::size_t kernel = 3, stride = 1, top = 0, left = 0;
};

/// The gradient of depthwise by its input, no activation: dx = Σ over the outputs and taps that read it of
/// weights·dy. Images are rows of pixels without border, a pixel every `dy_stride` or `dx_stride` floats.
struct DepthwiseBackwardArgs {
  DepthwiseShape shape;
  const float* dy = nullptr;
  std::size_t dy_stride = 0;
  const float* weights = nullptr;  ///< [kernel·kernel][channels]
  std::size_t weights_stride = 0;
  float* dx = nullptr;
  std::size_t dx_stride = 0;
  std::size_t channels = 0;  ///< a multiple of vector_floats
};

/// Over `images` images, dweights[i·kernel + j][c] = Σ_yx dy[y][x][c]·input[y·stride + i - top][x·stride + j
/// - left][c] and dbias[c] = Σ_yx dy[y][x][c]; summed image by image, in order.
struct DepthwiseWeightGradientArgs {
  DepthwiseShape shape;
  const float* input = nullptr;
  std::size_t input_stride = 0, input_image = 0;  ///< floats between pixels, between images
  const float* dy = nullptr;
  std::size_t dy_stride = 0, dy_image = 0;
  std::size_t images = 0;
  float* dweights = nullptr;
  std::size_t weights_stride = 0;
  float* dbias = nullptr;
  std::size_t channels = 0;  ///< a multiple of vector_floats
};

inline constexpr std::size_t scan_backward_steps = 12;  ///< steps whose states are recomputed together

/// The gradient of selective_scan from a state of zeros: given dy and the scan's inputs, with
/// dh_t = dy_t·c_t + dh_{t+1}·e_{t+1} and e_t = e^(dt_t·A),
///   dc_t[n] = Σ_channels dy_t·h_t,   db_t[n] = Σ_channels dh_t·u_t·dt_t,   du_t = dt_t·Σ_n dh_t·b_t +
///   dy_t·skip, ddt_t = u_t·Σ_n dh_t·b_t + Σ_n dh_t·h_{t-1}·e_t·A,   dA = Σ_t dh_t·h_{t-1}·e_t·dt_t,   dskip
///   = Σ_t dy_t·u_t.
/// States are recomputed, 12 steps at a time, from ones kept every 12 steps.
struct SelectiveScanBackwardArgs {
  const float *u = nullptr, *dt = nullptr, *dy = nullptr;  ///< [steps][channels]
  std::ptrdiff_t u_stride = 0, dt_stride = 0, dy_stride = 0;
  const float* decay = nullptr;  ///< as SelectiveScanArgs
  std::size_t decay_stride = 0;
  const float *b = nullptr, *c = nullptr;  ///< [steps][states]
  std::ptrdiff_t b_stride = 0, c_stride = 0;
  const float* skip = nullptr;          ///< [channels]; null: zeros
  float *du = nullptr, *ddt = nullptr;  ///< [steps][channels]; exactly these are stored; du may be dy
  bool accumulate_du = false;           ///< add to du instead of overwriting it
  std::ptrdiff_t du_stride = 0, ddt_stride = 0;
  float *db = nullptr, *dc = nullptr;  ///< [steps][states]; exactly these are stored
  std::ptrdiff_t db_stride = 0, dc_stride = 0;
  float* da = nullptr;  ///< [states][da_stride], of A itself; exactly `channels` columns are stored
  std::size_t da_stride = 0;
  float* dskip = nullptr;    ///< [channels]
  float* scratch = nullptr;  ///< scan_backward_scratch floats, 64-byte aligned
  std::size_t steps = 0, channels = 0, states = 0;
};

/// Floats of scratch that a backward scan needs: carried gradients, dA, states every 12 steps, and db and dc
/// before their lanes are summed.
constexpr std::size_t scan_backward_scratch(std::size_t steps, std::size_t channels, std::size_t states) {
  constexpr std::size_t widest = 16;
  const std::size_t chunks = (steps + scan_backward_steps - 1) / scan_backward_steps,
                    padded = (channels + widest - 1) / widest * widest;
  return states * padded * (chunks + 1) + 2 * scan_backward_steps * states * widest;
}

/// One step of AdamW on `size` parameters, in PyTorch's order of operations: value·decay; first += (1 -
/// beta1)·(g - first); second = beta2·second + (1 - beta2)·g²; value -= step_size·first/(√second/root + eps),
/// with g = gradient·gradient_scale.
struct AdamWArgs {
  float *value = nullptr, *first = nullptr, *second = nullptr;
  const float* gradient = nullptr;
  std::size_t size = 0;
  float gradient_scale = 1, beta1 = 0.9f, beta2 = 0.999f, eps = 1e-8f;
  float decay = 1;      ///< 1 - lr·weight_decay
  float step_size = 0;  ///< lr/(1 - beta1^step)
  float root = 1;       ///< √(1 - beta2^step)
};

}  // namespace pantanal::kernels
