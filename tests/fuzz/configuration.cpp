// Configurations: of a competition's run, and a model's architecture.
#include "entry.hpp"
#include "pantanal/competition/configuration_json.hpp"
#include "pantanal/perch/architecture_json.hpp"
#include "pantanal/perch/model.hpp"
#include "perch/random_model.hpp"

namespace pantanal::fuzz {
namespace {

void read_configuration(Bytes bytes) {
  const auto configuration = competition::read_configuration(as_file("fuzzed.json", bytes));
  if (!succeeded(configuration)) return;
  const auto json = competition::configuration_json(*configuration);
  const auto again = competition::parse_configuration(json, "written");
  require(again.ok(), "what was read is written so that it can be read");
  require(competition::configuration_json(*again) == json, "and is the same");
}

std::vector<File> configurations() {
  std::vector<File> seeds;
  for (const char* const name : {"v5-run", "v5-cfg", "v5-card", "recommended"})
    seeds.push_back(as_seed(competition::configuration_json(*competition::preset(name)).dump(1)));
  seeds.push_back(as_seed(R"({"preset": "v5-cfg", "proto_ssm": {"d_model": 64}})"));
  return seeds;
}

void read_architecture(Bytes bytes) {
  const auto architecture = perch::parse_architecture(as_text(bytes), "fuzzed");
  if (!succeeded(architecture)) return;
  for (const perch::TensorSpec& tensor : perch::required_tensors(*architecture))
    require(element_count(tensor.shape).has_value(), "a valid architecture's tensors can be counted");
  const auto again = perch::parse_architecture(perch::architecture_json(*architecture));
  require(again.ok(), "what was read is written so that it can be read");
}

std::vector<File> architectures() {
  std::vector<File> seeds;
  for (const perch::Architecture& architecture :
       {perch::fixtures::smallest_architecture(), perch::fixtures::tiny_architecture()})
    seeds.push_back(as_seed(perch::architecture_json(architecture)));
  return seeds;
}

const Registration configuration(
    {.name = "configuration", .read = read_configuration, .seeds = configurations, .runs = 1500});
const Registration architecture(
    {.name = "architecture", .read = read_architecture, .seeds = architectures, .runs = 4000});

}  // namespace
}  // namespace pantanal::fuzz
