// The model that a match describes: its architecture and tensors.
#pragma once

#include "pantanal/perch/model.hpp"
#include "recognise/perch_match.hpp"

namespace pantanal::convert {

/// Moves the weights out of the match. Labels and source are left empty.
perch::Model model_from_match(PerchMatch&& match);

}  // namespace pantanal::convert
