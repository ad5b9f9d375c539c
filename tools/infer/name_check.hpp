// What a file's name on a command line must be.
#pragma once

#include <string>

namespace pantanal::infer {

/// What is wrong with `name`; "" if nothing is, as CLI11's validators say it.
inline std::string name_problem(const std::string& name) { return name.empty() ? "'' is no file name" : ""; }

}  // namespace pantanal::infer
