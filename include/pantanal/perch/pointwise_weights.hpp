// PointwiseWeights: the weights of a 1x1 convolution or of prototypes, packed as float32, bfloat16 or int8,
// and the kernels that go with them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pantanal/core/half.hpp"
#include "pantanal/core/tensor.hpp"
#include "pantanal/io/page_release.hpp"
#include "pantanal/kernels/dispatch.hpp"
#include "pantanal/ops/packed_matrix.hpp"
#include "pantanal/ops/packed_pairs.hpp"
#include "pantanal/ops/packed_quads.hpp"

namespace pantanal::perch {

/// In what the wide products (1x1 convolutions of blocks and head, label head) are computed. bf16 rounds both
/// factors to bfloat16 and sums in float32; all else is float32 in either.
enum class Precision { fp32, bf16 };

/// Stays in 16 or 8 bits where the tensor is bfloat16 or int8: then float32 products widen it on the way, to
/// the same bits as with the tensor in float32. binary16 is widened when it is packed, and int8 becomes
/// bfloat16 where products are.
class PointwiseWeights {
 public:
  PointwiseWeights() = default;

  /// `weight` [columns, depth], `bias` [columns] or empty. Packs some rows at a time and gives a mapped
  /// file's pages back behind them. `precision` bf16 needs bfloat16_table(table.isa).
  PointwiseWeights(const kernels::KernelTable& table, const Tensor& weight, std::span<const float> bias,
                   std::size_t columns, std::size_t depth, Precision precision)
      : table_(&table),
        bfloat16_(precision == Precision::bf16 ? kernels::bfloat16_table(table.isa) : nullptr),
        is_narrow_(bfloat16_ || weight.dtype == Dtype::bf16),
        is_int8_(!is_narrow_ && weight.dtype == Dtype::i8) {
    if (is_int8_)
      quads_ = ops::make_packed_quads(weight.scales, bias, columns, depth);
    else if (is_narrow_)
      pairs_ = ops::make_packed_pairs(bias, columns, depth);
    else
      floats_ = ops::make_packed_matrix(bias, columns, depth);
    const std::size_t piece = piece_panels * table.panel_floats;
    for (std::size_t begin = 0; begin < columns; begin += piece)
      pack(weight, {begin, std::min(begin + piece, columns)}, depth);
  }

  std::size_t depth() const { return is_int8_ ? quads_.depth : is_narrow_ ? pairs_.depth : floats_.depth; }
  std::size_t padded_columns() const {
    return is_int8_ ? quads_.padded_columns : is_narrow_ ? pairs_.padded_columns : floats_.padded_columns;
  }
  bool multiplies_bfloat16() const { return bfloat16_ != nullptr; }
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
  /// The same of an input that round() made; needs multiplies_bfloat16().
  void run(kernels::PointwiseArgs args, const std::uint32_t* input, std::size_t input_stride,
           std::size_t column = 0) const {
    args.bias = bias() + column, args.depth = depth();
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
  void max_similarity(kernels::MaxSimilarityArgs args, const std::uint32_t* input, std::size_t input_stride,
                      std::size_t column) const {
    args.depth = depth();
    bfloat16_->max_similarity(args, {input, input_stride, pairs_.weights.data() + column * pairs_.words()});
  }

  /// Input rows in bfloat16, times `scale` if that is not null; `words` may start where `data` does. Strides
  /// count floats and words, columns floats.
  void round(const float* data, std::size_t rows, std::size_t stride, std::size_t columns, const float* scale,
             std::uint32_t* words, std::size_t words_stride) const {
    bfloat16_->round_rows(data, rows, stride, columns, scale, words, words_stride);
  }

  /// The convolution whose output round() will round: its activations need be no better than that.
  void depthwise(const kernels::DepthwiseArgs& args) const {
    (bfloat16_ ? bfloat16_->depthwise : table_->depthwise)(args);
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
      ops::pack_quad_columns(*table_, columns.begin, columns.end, weight.quanta, quads_);
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
                        columns.end - columns.begin, depth, floats_.weights.data() + first);
    }
    if (!weight.is_mapped) return;
    const std::size_t element = weight.bytes().size() / weight.size();
    release_pages(weight.bytes().subspan(first * element, count * element));
  }

  const kernels::KernelTable* table_ = nullptr;
  const kernels::Bfloat16Table* bfloat16_ = nullptr;
  bool is_narrow_ = false, is_int8_ = false;  ///< pairs_; quads_; neither: floats_
  ops::PackedMatrix floats_;
  ops::PackedPairs pairs_;
  ops::PackedQuads quads_;
};

}  // namespace pantanal::perch
