// A model's architecture as text for people.
#pragma once

#include <string>

#include "pantanal/perch/model.hpp"

namespace pantanal::convert {

/// Front end, stem, a table of the stages, head, classes and number of parameters; several lines. The
/// architecture must be valid.
std::string summary(const perch::Model& model);

}  // namespace pantanal::convert
