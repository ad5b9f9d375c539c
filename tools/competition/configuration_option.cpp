#include "configuration_option.hpp"

#include "pantanal/competition/configuration_json.hpp"

namespace pantanal::competition {

Result<Configuration> find_configuration(const std::string& name) {
  if (const auto found = preset(name)) return *found;
  return read_configuration(name);
}

std::string configuration_text(const Configuration& configuration) {
  return configuration_json(configuration).dump(2) + "\n";
}

}  // namespace pantanal::competition
