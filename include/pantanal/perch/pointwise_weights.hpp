// PointwiseWeights: the weights of a 1x1 convolution or of prototypes, packed as float32, bfloat16 or int8,
// and the kernels that go with them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/half.hpp"
#include "pantanal/core/packed_arena.hpp"
#include "pantanal/core/result.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/io/page_release.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ops/packed_matrix.hpp"
#include "pantanal/ops/packed_pairs.hpp"
#include "pantanal/ops/packed_quads.hpp"

namespace pantanal::perch {

/// In what the wide products (1x1 convolutions of blocks and head, label head) are computed. bf16 rounds both
/// factors to bfloat16 and sums in float32. int8 rounds weights to 8 bits with a scale per output channel,
/// inputs with a scale per pixel, and sums exactly in 32 bits; it leaves the label head in float32. All else
/// is float32 in each.
enum class Precision { fp32, bf16, int8 };

inline const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return "fp32";
    case Precision::bf16:
      return "bf16";
    case Precision::int8:
      return "int8";
  }
  return "unknown";
}

/// Whether `isa` on this CPU has the products of `precision`.
inline bool is_supported(Precision precision, InstructionSet isa) {
  if (precision == Precision::bf16) return kernels::bfloat16_table(isa) != nullptr;
  return precision == Precision::fp32 || kernels::int8_table(isa) != nullptr;
}

/// The same as an error that says what is missing; `where` starts it.
inline Status check_precision(Precision precision, InstructionSet isa, std::string where) {
  if (is_supported(precision, isa)) return {};
  const bool bf16 = precision == Precision::bf16;
  const std::string extension = bf16 ? "AVX512-BF16" : "AVX512_VNNI";
  const bool has_extension = bf16 ? has_bfloat16() : has_integer_dot_products();
  return Error{ErrorCode::unsupported, std::move(where),
               std::string("precision ") + name_of(precision) + " on " + to_string(isa) +
                   (has_extension ? "" : ", and a CPU without " + extension),
               "avx512 on a CPU with " + extension + ", or precision fp32"};
}

/// Words that a pixel of `columns` floats takes once it is rounded for products of `precision`.
constexpr std::size_t rounded_words(Precision precision, std::size_t columns) {
  return precision == Precision::fp32 ? 0 : precision == Precision::bf16 ? columns / 2 : 1 + columns / 4;
}

/// Stays in 16 or 8 bits where the tensor is bfloat16 or int8: then float32 products widen it on the way, to
/// the same bits as with the tensor in float32. binary16 is widened when it is packed. Where products are
/// bfloat16 or int8, a tensor of another type becomes that.
class PointwiseWeights {
 public:
  PointwiseWeights() = default;

  /// `weight` [columns, depth], `bias` [columns] or empty. Packs some rows at a time and gives a mapped
  /// file's pages back behind them. `precision` must be one that is_supported(). Where `arena` has them
  /// packed, the tensor's values are not touched.
  PointwiseWeights(const kernels::KernelTable& table, const Tensor& weight, std::span<const float> bias,
                   std::size_t columns, std::size_t depth, Precision precision, PackedArena* arena = nullptr)
      : table_(&table),
        precision_(precision),
        bfloat16_(precision == Precision::bf16 ? kernels::bfloat16_table(table.isa) : nullptr),
        int8_(precision == Precision::int8 ? kernels::int8_table(table.isa) : nullptr),
        is_narrow_(bfloat16_ || (!int8_ && weight.dtype == Dtype::bf16)),
        is_int8_(int8_ || (!bfloat16_ && weight.dtype == Dtype::i8)) {
    if (is_int8_)
      quads_ = ops::make_packed_quads(weight.scales, bias, columns, depth, arena);
    else if (is_narrow_)
      pairs_ = ops::make_packed_pairs(bias, columns, depth, arena);
    else
      floats_ = ops::make_packed_matrix(bias, columns, depth, arena);
    if (int8_) quads_.offset = take_packed<std::int32_t>(arena, quads_.padded_columns);
    if (is_packed(arena)) return;
    const std::size_t piece = piece_panels * table.panel_floats;
    for (std::size_t begin = 0; begin < columns; begin += piece)
      pack(weight, {begin, std::min(begin + piece, columns)}, depth);
  }

  std::size_t depth() const { return is_int8_ ? quads_.depth : is_narrow_ ? pairs_.depth : floats_.depth; }
  std::size_t padded_columns() const {
    return is_int8_ ? quads_.padded_columns : is_narrow_ ? pairs_.padded_columns : floats_.padded_columns;
  }
  /// Whether products are of rounded inputs, as round() makes them.
  bool rounds_input() const { return bfloat16_ || int8_; }
  /// Whether the weights take 16 or 8 bits; if not, floats() has them.
  bool is_narrow() const { return is_narrow_ || is_int8_; }
  const ops::PackedMatrix& floats() const { return floats_; }

  /// The convolution of `args`, whose weights, bias and depth are these, from `column` on.
  void run(kernels::PointwiseArgs args, std::size_t column = 0) const {
    args.bias = bias() + column, args.depth = depth();
    if (is_int8_) return table_->pointwise_quads(args, quads_from(column));
    if (is_narrow_) return table_->pointwise_pairs(args, pairs_.weights.data() + column * pairs_.words());
    args.weights = floats_.weights.data() + column * floats_.depth;
    table_->pointwise(args);
  }
  /// The same of an input that round() made; needs rounds_input().
  void run(kernels::PointwiseArgs args, const std::uint32_t* input, std::size_t input_stride,
           std::size_t column = 0) const {
    args.bias = bias() + column, args.depth = depth();
    if (int8_)
      return int8_->pointwise(args, {input, input_stride, quads_from(column), quads_.offset.data() + column});
    bfloat16_->pointwise(args, {input, input_stride, pairs_.weights.data() + column * pairs_.words()});
  }

  /// The maxima of `args` over `args.padded_columns` columns from `column` on.
  void max_similarity(kernels::MaxSimilarityArgs args, std::size_t column) const {
    args.depth = depth();
    if (is_int8_) return table_->max_similarity_quads(args, quads_from(column));
    if (is_narrow_)
      return table_->max_similarity_pairs(args, pairs_.weights.data() + column * pairs_.words());
    args.weights = floats_.weights.data() + column * floats_.depth;
    table_->max_similarity(args);
  }
  /// The same of an input that round() made, in bfloat16.
  void max_similarity(kernels::MaxSimilarityArgs args, const std::uint32_t* input, std::size_t input_stride,
                      std::size_t column) const {
    args.depth = depth();
    bfloat16_->max_similarity(args, {input, input_stride, pairs_.weights.data() + column * pairs_.words()});
  }

  /// Words of a rounded pixel of `columns` floats; 0 where none is rounded.
  std::size_t rounded_words(std::size_t columns) const { return perch::rounded_words(precision_, columns); }

  /// Rounded input rows, times `scale` if that is not null; in bfloat16 `words` may start where `data` does.
  /// Strides count floats and words, columns floats.
  void round(const float* data, std::size_t rows, std::size_t stride, std::size_t columns, const float* scale,
             std::uint32_t* words, std::size_t words_stride) const {
    (int8_ ? int8_->round_rows : bfloat16_->round_rows)(data, rows, stride, columns, scale, words,
                                                        words_stride);
  }

  /// The convolution whose output round() will round: its activations need be no better than that.
  void depthwise(const kernels::DepthwiseArgs& args) const {
    (int8_ ? int8_->depthwise : bfloat16_ ? bfloat16_->depthwise : table_->depthwise)(args);
  }

  /// Floats that scale() writes.
  std::size_t scaled_size() const { return depth() * padded_columns(); }
  /// Weights for PointwiseArgs, float32, depth k multiplied by scale[k].
  void scale(const float* scale, float* scaled) const {
    if (is_int8_) return table_->scale_quads(quads_from(0), scaled, depth(), padded_columns(), scale);
    if (is_narrow_)
      return table_->scale_pairs(pairs_.weights.data(), scaled, depth(), padded_columns(), scale);
    table_->scale_packed_rows(floats_.weights.data(), scaled, depth(), padded_columns(), scale);
  }
  const float* bias() const {
    return is_int8_ ? quads_.bias.data() : is_narrow_ ? pairs_.bias.data() : floats_.bias.data();
  }

 private:
  static constexpr std::size_t piece_panels = 8;

  struct Columns {
    std::size_t begin, end;
  };

  kernels::QuadsArgs quads_from(std::size_t column) const {
    return {quads_.weights.data() + column * quads_.words(), quads_.scale.data() + column};
  }

  void pack(const Tensor& weight, Columns columns, std::size_t depth) {
    const std::size_t first = columns.begin * depth, count = (columns.end - columns.begin) * depth;
    if (is_int8_) {
      pack_quads(weight, columns, depth);
    } else if (is_narrow_) {
      if (weight.dtype == Dtype::bf16)
        ops::pack_pair_columns(
            *table_, columns.begin, columns.end,
            [&](std::size_t n, std::size_t k) { return weight.halves[n * depth + k]; }, pairs_);
      else if (weight.dtype == Dtype::i8)
        ops::pack_pair_columns(
            *table_, columns.begin, columns.end,
            [&](std::size_t n, std::size_t k) {
              return to_bfloat16(static_cast<float>(weight.quanta[n * depth + k]) * weight.scales[n]);
            },
            pairs_);
      else
        ops::pack_pair_columns(
            *table_, columns.begin, columns.end,
            [&](std::size_t n, std::size_t k) { return to_bfloat16(weight.at(n * depth + k)); }, pairs_);
    } else {
      std::vector<float> widened;
      if (weight.is_narrow())
        for (std::size_t i = first; i < first + count; ++i) widened.push_back(weight.at(i));
      ops::pack_columns(*table_, weight.is_narrow() ? widened.data() : weight.values.data() + first, depth, 1,
                        columns.end - columns.begin, depth, floats_.weights.writable() + first);
    }
    if (!weight.is_mapped) return;
    const std::size_t element = weight.bytes().size() / weight.size();
    release_pages(weight.bytes().subspan(first * element, count * element));
  }

  void pack_quads(const Tensor& weight, Columns columns, std::size_t depth) {
    const std::size_t first = columns.begin * depth, count = (columns.end - columns.begin) * depth;
    std::vector<std::int8_t> quantized;
    if (weight.dtype != Dtype::i8) {
      quantized.resize(count);
      for (std::size_t n = columns.begin; n < columns.end; ++n)
        quads_.scale.writable()[n] = quantize_values(
            weight, n * depth, std::span(quantized).subspan((n - columns.begin) * depth, depth));
    }
    const std::span<const std::int8_t> values =
        weight.dtype == Dtype::i8 ? weight.quanta.subspan(first, count) : quantized;
    ops::pack_quad_columns(*table_, columns.begin, columns.end, values, quads_);
    if (int8_) ops::add_offsets(columns.begin, columns.end, values, quads_);
  }

  const kernels::KernelTable* table_ = nullptr;
  Precision precision_ = Precision::fp32;
  const kernels::Bfloat16Table* bfloat16_ = nullptr;
  const kernels::Int8Table* int8_ = nullptr;
  bool is_narrow_ = false, is_int8_ = false;  ///< pairs_; quads_; neither: floats_
  ops::PackedMatrix floats_;
  ops::PackedPairs pairs_;
  ops::PackedQuads quads_;
};

}  // namespace pantanal::perch
