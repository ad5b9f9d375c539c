// KernelTable: what one instruction set offers. Arguments are plain pointers and counts; the shape-checked
// door to them is pantanal/ops. All arrays are float32, row-major; "stride" counts floats; no output overlaps
// an input unless said.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pantanal/core/cpu.hpp"
#include "pantanal/kernels/backward_args.hpp"

namespace pantanal::kernels {

/// Nonlinearity applied where a kernel stores its result. sigmoid(x) = 1/(1+e^-x) saturates, it never
/// overflows; swish(x) = x·sigmoid(x).
enum class Activation { none, relu, swish, sigmoid };

/// output[r][n] = act(Σ_k input[r][k]·W[k][n] + bias[n]) + residual[r][n]: a 1x1 convolution over `rows`
/// pixels. W is packed by PointwisePacking; bias has `padded_columns` entries. Whole vectors are stored:
/// output and residual rows must have padded_columns entries of room, and the padding receives act(0).
struct PointwiseArgs {
  const float* input = nullptr;
  std::size_t input_stride = 0;
  const float* weights = nullptr;
  const float* bias = nullptr;
  const float* residual = nullptr;  ///< may be null; added after the activation; may be output itself
  std::size_t residual_stride = 0;
  float* output = nullptr;
  std::size_t output_stride = 0;
  /// If not 0, pixel r is stored at output[(r / row_width)·output_row_stride + (r mod
  /// row_width)·output_stride].
  std::size_t row_width = 0, output_row_stride = 0;
  std::size_t rows = 0, depth = 0, padded_columns = 0;
  Activation activation = Activation::none;
};

/// output[y][x][c] = act(Σ_ij input[y·stride+i][x·stride+j][c]·weights[i·kernel+j][c] + bias[c]), and
/// row_sums[y][c] = Σ_x output[y][x][c]. The caller supplies the border: input is already padded.
struct DepthwiseArgs {
  const float* input = nullptr;
  std::size_t input_row_stride = 0, input_stride = 0;
  const float* weights = nullptr;  ///< [kernel·kernel][channels]
  std::size_t weights_stride = 0;  ///< between taps
  const float* bias = nullptr;
  float* output = nullptr;
  std::size_t output_row_stride = 0, output_stride = 0;
  float* row_sums = nullptr;
  std::size_t row_sums_stride = 0;
  std::size_t rows = 0, columns = 0;  ///< of the output
  std::size_t channels = 0;           ///< a multiple of vector_floats
  std::size_t kernel = 3, stride = 1;
  Activation activation = Activation::none;
};

/// maxima[n] = max_r Σ_k input[r][k]·W[k][n], W packed by PointwisePacking.
struct MaxSimilarityArgs {
  const float* input = nullptr;
  std::size_t input_stride = 0;
  const float* weights = nullptr;
  float* maxima = nullptr;
  std::size_t rows = 0, depth = 0, padded_columns = 0;
};

/// Rows of a window and windows that a screen takes at most.
inline constexpr std::size_t screen_rows = 64, screen_windows = 12;

/// A window's rows. ops/similarity_screen.hpp makes what is not a MaxSimilarityArgs' input and maxima, and
/// says what the bounds mean.
struct ScreenedWindow {
  const float* input = nullptr;
  const float* transposed = nullptr;           ///< input [depth][screen_rows]
  const std::int16_t* screen_input = nullptr;  ///< [rows][pairs][2]
  const float *row_scale = nullptr, *row_error = nullptr, *row_norm = nullptr, *row_rounding = nullptr;
  float* maxima = nullptr;  ///< from column 0 on
};

/// The same maxima as MaxSimilarityArgs' of each window, bit for bit, most of the work done in 16-bit
/// integers. A pair is two neighbouring terms of the sum. row_scale[r]·column_scale[n]·Σ_k
/// screen_input·screen_weights is the similarity of row r and column n to within row_error[r]·column_norm[n]
/// + row_norm[r]·column_error[n] + row_rounding[r]·column_rounding[n], but for what is the same in all rows.
struct ScreenedMaxSimilarityArgs {
  const ScreenedWindow* window = nullptr;
  std::size_t windows = 0, input_stride = 0;
  std::size_t rows = 0, depth = 0;
  std::size_t pairs = 0;                         ///< of depth; the last is filled up with a zero
  const float* weights = nullptr;                ///< as MaxSimilarityArgs', from column 0 on
  const std::int16_t* screen_weights = nullptr;  ///< panels as those, [pairs][width][2]
  std::size_t first_column = 0;                  ///< a panel's
  std::size_t last_column = 0;                   ///< past the last, a panel's end
  std::size_t columns = 0;                       ///< maxima of those from here on are 0
  const float *column_scale = nullptr, *column_error = nullptr, *column_norm = nullptr,
              *column_rounding = nullptr;
};

/// The non-zero stretch of one mel band: bins first_bin … first_bin + bins - 1 with weights[offset …].
struct MelBand {
  std::uint32_t first_bin = 0, bins = 0, offset = 0;
};

/// spectrogram[t][m] = scale·ln(max(Σ_b |FFT(window·frame_t)|_b·mel[b][m], floor)).
struct LogMelArgs {
  const float* samples = nullptr;  ///< padded: frame t starts at samples[t·hop_length]
  std::size_t frames = 0, frame_length = 0, hop_length = 0, fft_size = 0;
  const double* window = nullptr;               ///< [frame_length]
  const std::uint32_t* bit_reversal = nullptr;  ///< [fft_size/2]
  /// For blocks of fft_size/2, fft_size/8, … > 8 points: pairs (cos, -sin) of 2πj/block, 4πj/block and
  /// 6πj/block for each j < block/4.
  const double* butterflies = nullptr;
  const double* twiddles = nullptr;  ///< pairs (cos, -sin) of 2πj/fft_size, j <= fft_size/4
  const MelBand* bands = nullptr;
  const double* band_weights = nullptr;
  std::size_t mel_bands = 0;
  float floor = 0, scale = 1;
  /// 64-byte aligned, for a vector as V: 3·fft_size/2 + 1 of them, and half as many as mel_bands rounded up
  /// to whole vectors.
  float* scratch = nullptr;
  float* spectrogram = nullptr;
  std::size_t spectrogram_stride = 0;
};

/// output[t][c] = act(bias[c] + Σ_j weights[j][c]·input[t-(kernel-1)+j][c]), zeros before the first step:
/// PyTorch's depthwise Conv1d, padded on the left. Negative strides run through time backwards.
struct CausalConvArgs {
  const float* input = nullptr;
  std::ptrdiff_t input_stride = 0;
  const float* weights = nullptr;  ///< [kernel][channels]
  std::size_t weights_stride = 0;  ///< between taps
  const float* bias = nullptr;
  float* output = nullptr;
  std::ptrdiff_t output_stride = 0;
  std::size_t steps = 0, channels = 0;  ///< channels: a multiple of vector_floats
  std::size_t kernel = 4;
  Activation activation = Activation::none;  ///< none or swish
};

/// The selective state space recurrence of one sequence, for each channel c and state n:
///   h[c][n] = h[c][n]·2^(dt[t][c]·decay[n][c]) + u[t][c]·dt[t][c]·b[t][n],
///   output[t][c] = Σ_n h[c][n]·c[t][n] + u[t][c]·skip[c].
/// decay is A·log2(e), so that the power is e^(dt·A); its exponent is clamped to [-126, 127]. Negative
/// strides run through time backwards. Source: Gu and Dao 2023, "Mamba", arXiv:2312.00752, algorithm 2.
struct SelectiveScanArgs {
  const float* u = nullptr;  ///< [steps][channels]
  std::ptrdiff_t u_stride = 0;
  const float* dt = nullptr;  ///< [steps][channels]
  std::ptrdiff_t dt_stride = 0;
  const float* decay = nullptr;  ///< [states][channels]
  std::size_t decay_stride = 0;  ///< at least channels rounded up to vector_floats
  const float* b = nullptr;      ///< [steps][states]
  std::ptrdiff_t b_stride = 0;
  const float* c = nullptr;  ///< [steps][states]
  std::ptrdiff_t c_stride = 0;
  const float* skip = nullptr;           ///< [channels]; null: zeros
  const float* initial_state = nullptr;  ///< [channels][states]; null: zeros
  float* final_state = nullptr;          ///< [channels][states]; may be null, may be initial_state
  float* output = nullptr;               ///< [steps][channels]; exactly these are stored
  std::ptrdiff_t output_stride = 0;
  std::size_t steps = 0, channels = 0, states = 0;
};

/// c = act(a·b + bias), or c += a·b: a [rows, depth], b [depth, columns], c [rows, columns], of float or
/// double. b and c lie in panels of gemm_panel<T>() columns, [panel][row][column within]; a row-major matrix
/// is one whose panels are a panel's width apart. Whole vectors are loaded and stored.
template <class T>
struct PanelGemmArgs {
  const T* a = nullptr;
  std::size_t a_row_stride = 0, a_depth_stride = 1;  ///< one of them is 1
  /// If not 0, and a_row_stride is 1, a lies in tiles of gemm_rows rows, which are this far apart.
  std::size_t a_tile_stride = 0;
  const T* b = nullptr;
  std::size_t b_depth_stride = 0, b_panel_stride = 0;
  const T* bias = nullptr;  ///< [columns]; null: zeros
  T* c = nullptr;
  std::size_t c_row_stride = 0, c_panel_stride = 0;
  std::size_t rows = 0, depth = 0, columns = 0;
  bool accumulate = false;  ///< start from c, not from bias
  bool relu = false;
  /// Terms to add, if not null: term k of row r where bit k mod 64 of mask[r·mask_stride + k / 64] is set.
  const std::uint64_t* mask = nullptr;
  std::size_t mask_stride = 0;
};

/// delta[r][c] = 0 where value[r][c] is not positive, and sums[c] = Σ_r delta[r][c], in order of r. Columns
/// are rounded up to whole vectors.
template <class T>
struct RectifyArgs {
  const T* value = nullptr;  ///< null: no delta is changed
  T* delta = nullptr;
  std::size_t stride = 0;  ///< of both
  std::size_t rows = 0, columns = 0;
  T* sums = nullptr;
};

/// With g = (gradient + decay·weight)·gradient_scale, per element: m = β₁m + (1-β₁)g, v = β₂v + (1-β₂)g²,
/// weight -= learning_rate·m/(√v + ε). Source: Kingma and Ba 2014, arXiv:1412.6980, the bias corrections left
/// to the caller's learning_rate.
template <class T>
struct AdamArgs {
  T* weights = nullptr;
  const T* gradient = nullptr;
  T* first_moment = nullptr;
  T* second_moment = nullptr;
  std::size_t count = 0;  ///< a multiple of vector_floats
  T decay = 0, gradient_scale = 1, beta_1 = 0, beta_2 = 0, learning_rate = 0, epsilon = 0;
  T rest_1 = 1, rest_2 = 1;  ///< 1 - β; given, since 1 - 0.999f is 1e-5 off
};

/// above[k] = how many eigenvalues of a symmetric tridiagonal matrix exceed x[k], as a number of positive
/// pivots. Source: Barth, Martin and Wilkinson 1967, "Calculation of the eigenvalues of a symmetric
/// tridiagonal matrix by the method of bisection".
struct SturmArgs {
  const double* diagonal = nullptr;  ///< [n]
  const double* squares = nullptr;   ///< [n - 1], of what is beside the diagonal
  std::size_t n = 0;
  double least = 0;  ///< positive; pivots closer to 0 count as negative
  const double* x = nullptr;
  double* above = nullptr;
  std::size_t count = 0;  ///< of x: a multiple of vector_floats / 2
};

/// Functions of one variable. silu(x) = x/(1+e^-x); gelu(x) = x·Φ(x), the exact one; softplus(x) = ln(1+e^x).
/// relu(x) = max(x, 0), of slope 0 at 0. exp takes x clamped to [-87, 87], exp2 x in [-126, 127].
enum class Function { exp, exp2, silu, gelu, softplus, relu };

/// Factors in bfloat16 that take the places of PointwiseArgs' or MaxSimilarityArgs' input and weights. A word
/// is two neighbours along the depth, the first in its low half. Where the depth is odd, the last word's high
/// half is zero in the weights and finite in the input.
struct WordsArgs {
  const std::uint32_t* input = nullptr;
  std::size_t input_stride = 0;            ///< words
  const std::uint32_t* weights = nullptr;  ///< packed as ops::PackedPairs
};

/// Kernels that multiply in bfloat16 and add in float32, of CPUs that can. Activations are good to 2^-12, so
/// that they suit results which are rounded again.
struct Bfloat16Table {
  /// activation: none, relu or swish
  void (*pointwise)(const PointwiseArgs&, const WordsArgs&) = nullptr;
  void (*max_similarity)(const MaxSimilarityArgs&, const WordsArgs&) = nullptr;
  void (*depthwise)(const DepthwiseArgs&) = nullptr;  ///< of float32, but for the activations
  /// words[r][c] = data[r][2c], data[r][2c+1], each times scale[...] if that is not null, to the nearest
  /// bfloat16. columns: of floats, a multiple of 16. words may start where data does.
  void (*round_rows)(const float* data, std::size_t rows, std::size_t stride, std::size_t columns,
                     const float* scale, std::uint32_t* words, std::size_t words_stride) = nullptr;
};

/// Weights in int8, packed as ops::PackedQuads, that take the place of PointwiseArgs' or MaxSimilarityArgs'.
struct QuadsArgs {
  const std::uint32_t* quads = nullptr;
  const float* scale = nullptr;  ///< [padded_columns]
};

/// Factors in 8 bits that take the places of PointwiseArgs' input and weights. An input row is its scale, a
/// float32's bits, and then four neighbours along the depth to a word, each a multiple of the scale plus
/// Int8Table::zero_point, the first in the lowest byte. Where the depth is not a multiple of four, the last
/// word's other bytes are zero in the weights and anything in the input.
struct BytesArgs {
  const std::uint32_t* input = nullptr;
  std::size_t input_stride = 0;  ///< words
  QuadsArgs weights = {};        ///< packed as ops::PackedQuads
  /// [padded_columns], -128·Σ_k W[k][n]; not read where Int8Table::zero_point is 0.
  const std::int32_t* offset = nullptr;
};

/// Kernels that multiply in 8 bits and add in 32, of CPUs that can: output[r][n] =
/// act(input_scale[r]·scale[n]·Σ_k input[r][k]·W[k][n] + bias[n]) + residual[r][n], the sum exact for a depth
/// of at most 2^16. Activations are good to 2^-12. A row whose scale is NaN gives NaN.
struct Int8Table {
  std::int32_t zero_point = 128;  ///< an input's byte for 0: 128 in unsigned ones, 0 in signed ones
  /// activation: none, relu or swish
  void (*pointwise)(const PointwiseArgs&, const BytesArgs&) = nullptr;
  void (*depthwise)(const DepthwiseArgs&) = nullptr;  ///< of float32, but for the activations
  /// Rows as BytesArgs::input, of data[r][c], times scale[c] if that is not null: to the nearest multiple of
  /// a 127th of the row's largest magnitude. One below 2^-119 counts as zero; that of a row with NaN or
  /// infinity is NaN. columns: of floats, a multiple of 16; words_stride: more than a quarter of them.
  void (*round_rows)(const float* data, std::size_t rows, std::size_t stride, std::size_t columns,
                     const float* scale, std::uint32_t* words, std::size_t words_stride) = nullptr;
};

/// Kernels that multiply 16-bit integers and add in 32 bits, of CPUs that can.
struct Int16Table {
  void (*screened_max_similarity)(const ScreenedMaxSimilarityArgs&) = nullptr;
};

/// One instruction set's kernels and the numbers that fix the packing of weights for them.
struct KernelTable {
  InstructionSet isa = InstructionSet::portable;
  std::size_t vector_floats = 4;
  std::size_t panel_floats = 12;  ///< columns computed together; a multiple of vector_floats
  std::size_t gemm_rows = 4;      ///< rows that panel_gemm computes together

  void (*pointwise)(const PointwiseArgs&) = nullptr;
  void (*depthwise)(const DepthwiseArgs&) = nullptr;
  void (*max_similarity)(const MaxSimilarityArgs&) = nullptr;
  /// The same two with weights in bfloat16, packed as ops::PackedPairs, in place of the arguments' own: the
  /// same bits as with those weights in float32.
  void (*pointwise_pairs)(const PointwiseArgs&, const std::uint32_t* pairs) = nullptr;
  void (*max_similarity_pairs)(const MaxSimilarityArgs&, const std::uint32_t* pairs) = nullptr;
  /// The same two with weights in int8: the same bits as with float32 weights scale[n]·W[k][n].
  void (*pointwise_quads)(const PointwiseArgs&, const QuadsArgs&) = nullptr;
  void (*max_similarity_quads)(const MaxSimilarityArgs&, const QuadsArgs&) = nullptr;
  void (*log_mel)(const LogMelArgs&) = nullptr;
  /// data[r][c] *= scale[c]
  void (*scale_columns)(float* data, std::size_t rows, std::size_t stride, std::size_t columns,
                        const float* scale) = nullptr;
  /// packed output = packed weights with row k multiplied by scale[k]; layout as PointwiseArgs::weights
  void (*scale_packed_rows)(const float* weights, float* output, std::size_t depth,
                            std::size_t padded_columns, const float* scale) = nullptr;
  /// The same from ops::PackedPairs to PointwiseArgs::weights
  void (*scale_pairs)(const std::uint32_t* pairs, float* output, std::size_t depth,
                      std::size_t padded_columns, const float* scale) = nullptr;
  /// The same from ops::PackedQuads
  void (*scale_quads)(const QuadsArgs& packed, float* output, std::size_t depth, std::size_t padded_columns,
                      const float* scale) = nullptr;
  /// mean[c] = Σ_r data[r][c] / divisor, added up in the order of rows
  void (*mean_rows)(const float* data, std::size_t rows, std::size_t stride, std::size_t columns,
                    float divisor, float* mean) = nullptr;
  /// output[r][c] = data[r][c] / (‖data[r]‖₂ + eps)
  void (*normalize_rows)(const float* data, std::size_t rows, std::size_t stride, std::size_t columns,
                         float eps, float* output, std::size_t output_stride) = nullptr;
  void (*causal_conv)(const CausalConvArgs&) = nullptr;
  void (*selective_scan)(const SelectiveScanArgs&) = nullptr;
  /// data[r][c] = function(data[r][c])
  void (*map)(Function function, float* data, std::size_t rows, std::size_t stride,
              std::size_t columns) = nullptr;
  /// output[r][c] = (data[r][c] - mean_r)/√(variance_r + eps)·weight[c] + bias[c], variance over `columns`;
  /// in place if output is data
  void (*layer_norm)(const float* data, std::size_t rows, std::size_t stride, std::size_t columns, float eps,
                     const float* weight, const float* bias, float* output,
                     std::size_t output_stride) = nullptr;
  /// data[r][c] = e^(scale·data[r][c]) / Σ_c e^(scale·data[r][c]), scale positive
  void (*softmax_rows)(float* data, std::size_t rows, std::size_t stride, std::size_t columns,
                       float scale) = nullptr;
  void (*panel_gemm_f32)(const PanelGemmArgs<float>&) = nullptr;
  void (*panel_gemm_f64)(const PanelGemmArgs<double>&) = nullptr;
  /// A mask for PanelGemmArgs with row r's bits set where x[r][k] > 0, 64 columns a word, zeros beyond.
  void (*positive_mask_f32)(const float* x, std::size_t stride, std::size_t rows, std::size_t columns,
                            std::uint64_t* mask, std::size_t mask_stride) = nullptr;
  void (*positive_mask_f64)(const double* x, std::size_t stride, std::size_t rows, std::size_t columns,
                            std::uint64_t* mask, std::size_t mask_stride) = nullptr;
  void (*rectify_f32)(const RectifyArgs<float>&) = nullptr;
  void (*rectify_f64)(const RectifyArgs<double>&) = nullptr;
  /// Returns Σ weights² from before the step.
  float (*adam_f32)(const AdamArgs<float>&) = nullptr;
  double (*adam_f64)(const AdamArgs<double>&) = nullptr;
  /// y += the part of a·x that the first `rows` rows of a symmetric matrix's upper triangle hold: of [n, n],
  /// entries a[i][j] with i < rows and j >= i, and their mirror images. All of them: a·x.
  void (*symmetric_product)(const double* a, std::size_t stride, std::size_t n, std::size_t rows,
                            const double* x, double* y) = nullptr;
  /// y[r] = Σ_c a[r][c]·x[c]
  void (*row_products)(const double* a, std::size_t stride, std::size_t rows, std::size_t n, const double* x,
                       double* y) = nullptr;
  /// For i = first … last-1 in turn: rows i and i+1 of z become c·z_i + s·z_{i+1} and c·z_{i+1} - s·z_i, with
  /// c = cosines[i - first], s = sines[i - first]. columns: a multiple of vector_floats.
  void (*rotate_rows)(double* z, std::size_t stride, std::size_t columns, std::size_t first, std::size_t last,
                      const double* cosines, const double* sines) = nullptr;
  void (*sturm_counts)(const SturmArgs&) = nullptr;

  // Training.
  void (*gemm)(const GemmArgs&) = nullptr;
  /// dy[r][c] *= function'(x[r][c])
  void (*map_backward)(Function function, const float* x, float* dy, std::size_t rows, std::size_t stride,
                       std::size_t columns) = nullptr;
  void (*layer_norm_backward)(const LayerNormBackwardArgs&) = nullptr;
  void (*layer_norm_weight_gradient)(const LayerNormWeightGradientArgs&) = nullptr;
  /// dp[r][c] = scale·p[r][c]·(dp[r][c] - Σ_c p[r][c]·dp[r][c]): the gradient of p = softmax_rows
  void (*softmax_rows_backward)(const float* p, float* dp, std::size_t rows, std::size_t stride,
                                std::size_t columns, float scale) = nullptr;
  void (*causal_conv_backward)(const CausalConvBackwardArgs&) = nullptr;
  void (*causal_conv_weight_gradient)(const CausalConvWeightGradientArgs&) = nullptr;
  void (*depthwise_backward)(const DepthwiseBackwardArgs&) = nullptr;
  void (*depthwise_weight_gradient)(const DepthwiseWeightGradientArgs&) = nullptr;
  void (*selective_scan_backward)(const SelectiveScanBackwardArgs&) = nullptr;
  void (*adamw)(const AdamWArgs&) = nullptr;
  double (*sum_squares)(const float* values, std::size_t size) = nullptr;

  /// Columns of a panel of PanelGemmArgs: two vectors.
  template <class T>
  std::size_t gemm_panel() const {
    return 2 * vector_floats * sizeof(float) / sizeof(T);
  }
};

}  // namespace pantanal::kernels
