#include "configuration_option.hpp"

#include "pantanal/competition/configuration_json.hpp"
#include "pantanal/competition/settings_check.hpp"

namespace pantanal::competition {

Result<Configuration> find_configuration(const std::string& name) {
  if (const auto found = preset(name)) return *found;
  PANTANAL_TRY(Configuration configuration, read_configuration(name));
  PANTANAL_TRY_STATUS(check_settings(configuration));
  return configuration;
}

std::string configuration_text(const Configuration& configuration) {
  return configuration_json(configuration).dump(2) + "\n";
}

}  // namespace pantanal::competition
