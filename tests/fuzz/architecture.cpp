// The architecture in a model's metadata.
#include "entry.hpp"
#include "pantanal/perch/architecture_json.hpp"
#include "pantanal/perch/model.hpp"

PANTANAL_FUZZ_ENTRY(fuzz_architecture)(pantanal::fuzz::Bytes bytes) {
  using namespace pantanal;
  const auto architecture = perch::parse_architecture(fuzz::as_text(bytes), "fuzzed");
  if (!fuzz::succeeded(architecture)) return;
  for (const perch::TensorSpec& tensor : perch::required_tensors(*architecture))
    fuzz::require(element_count(tensor.shape).has_value(), "a valid architecture's tensors can be counted");
  const auto again = perch::parse_architecture(perch::architecture_json(*architecture));
  fuzz::require(again.ok(), "what was read is written so that it can be read");
}
