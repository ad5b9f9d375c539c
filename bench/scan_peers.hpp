// What the selective scan is measured against. Compiled for the machine it is built on, with every
// optimisation that keeps IEEE arithmetic, so that the comparison is not with a lesser instruction set.
#pragma once

#include <cstddef>
#include <vector>

namespace pantanal::bench {

/// A scan's arrays, in the layouts of ops::ScanInputs.
struct ScanProblem {
  std::size_t batch, steps, channels, states;
  std::vector<float> u, dt, a, b, c, skip, y;
};

/// The recurrence as one writes it down, with std::exp.
void scan_scalar(ScanProblem& problem);

/// Array expressions over the channels, one state after another.
void scan_eigen(ScanProblem& problem);

}  // namespace pantanal::bench
