// --config: the name of a preset, or a JSON file.
#pragma once

#include <string>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::competition {

/// The preset of that name, or else the configuration in the file of that name.
Result<Configuration> find_configuration(const std::string& name);

/// Every key with its value, as JSON that can be given to --config.
std::string configuration_text(const Configuration& configuration);

}  // namespace pantanal::competition
