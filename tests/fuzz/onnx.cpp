// ONNX files: read, and recognised if they can be.
#include <algorithm>
#include <cmath>

#include "entry.hpp"
#include "onnx/onnx_reader.hpp"
#include "recognise/recognise.hpp"

PANTANAL_FUZZ_ENTRY(fuzz_onnx)(pantanal::fuzz::Bytes bytes) {
  using namespace pantanal;
  const auto graph = convert::parse_onnx(std::as_bytes(bytes), "fuzzed");
  if (!fuzz::succeeded(graph)) return;
  const auto recognised = convert::recognise(*graph, {.trust_graph = true});
  if (!fuzz::succeeded(recognised)) return;
  for (const auto& [name, tensor] : recognised->model.tensors)
    fuzz::require(
        std::all_of(tensor.values.begin(), tensor.values.end(), [](float x) { return std::isfinite(x); }),
        "weights are finite");
}
