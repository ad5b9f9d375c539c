// How a batch of files is cut into passes, and each thread's scratch for them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "pantanal/autograd/tape.hpp"
#include "pantanal/core/aligned_buffer.hpp"
#include "pantanal/core/parallel.hpp"
#include "pantanal/kernels/dispatch.hpp"

namespace pantanal::train {

/// Runs passes of a few files each, so that a pass's activations stay in cache while it goes through the
/// layers.
class Workspace {
 public:
  static constexpr std::size_t rows_per_pass = 192;

  Workspace(const kernels::KernelTable& table, std::size_t threads) : table_(&table), scratch_(threads) {}

  std::size_t threads() const { return scratch_.size(); }
  static nn::Sequences most_per_pass(nn::Sequences batch) {
    return {std::clamp<std::size_t>(rows_per_pass / batch.steps, 1, std::max<std::size_t>(batch.count, 1)),
            batch.steps};
  }

  /// `floats` of scratch for every thread.
  void plan(std::size_t floats) {
    for (AlignedBuffer<float>& scratch : scratch_)
      if (scratch.size() < floats) scratch = AlignedBuffer<float>(floats);
  }

  /// This member's share of the files, pass after pass; `pass` brings steps, training, seed and epoch.
  template <class Run>
  void run_passes(const Team& team, nn::Sequences batch, autograd::Pass pass, Run&& run) {
    const Range mine = team.share(batch.count);
    const std::size_t files = most_per_pass(batch).count;
    pass.table = table_;
    pass.steps = batch.steps;
    for (std::size_t first = mine.begin; first < mine.end; first += files) {
      pass.files = {first, std::min(first + files, mine.end)};
      pass.scratch = nn::Scratch(scratch_[team.rank()].data());
      run(pass);
    }
  }

 private:
  const kernels::KernelTable* table_;
  std::vector<AlignedBuffer<float>> scratch_;
};

}  // namespace pantanal::train
