// Operators that take some elements of a value, or put zeros around it, and the form of a DFT.
// Source: ONNX operator specification, https://onnx.ai/onnx/operators/
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "analysis/fact.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::convert {

/// Places of elements along one dimension.
struct Selection {
  std::size_t dimension = 0;
  std::vector<std::int64_t> indices;
};

/// For each output of a Slice, Split or Gather (of indices of rank below 2): what it selects from its first
/// input, at most one selection per dimension; none where everything stays.
Result<std::vector<std::vector<Selection>>> selections(const NodeView& node);

/// Zeros in front of and behind each dimension.
using ZeroPads = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// What a Pad adds, or a Concat of one value with constant zeros. Errors: anything but zeros, negative pads.
Result<ZeroPads> zero_pads(const NodeView& node);

/// The one input of a Pad or Concat that is not known.
Result<const Fact*> padded_value(const NodeView& node);

/// A forward DFT of real numbers, whose last dimension has extent 1.
struct DftForm {
  std::size_t dimension = 0;
  std::int64_t length = 0;  ///< of the transform: the signal is cut or filled up with zeros
  std::int64_t bins = 0;    ///< that it gives: length, or length / 2 + 1 if one-sided
};
Result<DftForm> dft_form(const NodeView& node);

/// Layout rules of these operators.
Result<std::vector<Layout>> infer_selection(const NodeView& node, Axes& axes);
Result<std::vector<Layout>> infer_gather(const NodeView& node, Axes& axes);
Result<std::vector<Layout>> infer_pad(const NodeView& node, Axes& axes);

}  // namespace pantanal::convert
