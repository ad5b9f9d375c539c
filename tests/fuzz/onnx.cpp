// ONNX files: read, and recognised if they can be.
#include <algorithm>
#include <cmath>

#include "entry.hpp"
#include "onnx/onnx_reader.hpp"
#include "recognise/recognise.hpp"

namespace pantanal::fuzz {
namespace {

void read_onnx(Bytes bytes) {
  const auto graph = convert::parse_onnx(std::as_bytes(bytes), "fuzzed");
  if (!succeeded(graph)) return;
  const auto recognised = convert::recognise(*graph, {.trust_graph = true});
  if (!succeeded(recognised)) return;
  for (const auto& [name, tensor] : recognised->model.tensors)
    require(std::ranges::all_of(tensor.values, [](float x) { return std::isfinite(x); }),
            "weights are finite");
}

const Registration onnx({.name = "onnx",
                         .read = read_onnx,
                         .seeds = [] { return golden_files("perch", {".onnx"}, 75000); },
                         .runs = 250});

}  // namespace
}  // namespace pantanal::fuzz
