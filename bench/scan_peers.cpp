#include "scan_peers.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace pantanal::bench {

void scan_scalar(ScanProblem& p) {
  std::vector<float> h(p.states);
  for (std::size_t i = 0; i < p.batch; ++i)
    for (std::size_t d = 0; d < p.channels; ++d) {
      std::fill(h.begin(), h.end(), 0.0f);
      for (std::size_t row = i * p.steps; row < (i + 1) * p.steps; ++row) {
        const float u = p.u[row * p.channels + d], dt = p.dt[row * p.channels + d];
        float y = u * p.skip[d];
        for (std::size_t n = 0; n < p.states; ++n) {
          h[n] = h[n] * std::exp(dt * p.a[d * p.states + n]) + u * dt * p.b[row * p.states + n];
          y += h[n] * p.c[row * p.states + n];
        }
        p.y[row * p.channels + d] = y;
      }
    }
}

void scan_eigen(ScanProblem& p) {
  using Array = Eigen::ArrayXf;
  const auto channels = static_cast<Eigen::Index>(p.channels), states = static_cast<Eigen::Index>(p.states);
  const auto row_of = [&](std::vector<float>& x, std::size_t row) {
    return Eigen::Map<Array>(x.data() + row * p.channels, channels);
  };
  const Eigen::ArrayXXf a = Eigen::Map<const Eigen::ArrayXXf>(p.a.data(), states, channels).transpose();
  Eigen::ArrayXXf h(channels, states);
  Array du(channels);
  for (std::size_t i = 0; i < p.batch; ++i) {
    h.setZero();
    for (std::size_t row = i * p.steps; row < (i + 1) * p.steps; ++row) {
      const auto u = row_of(p.u, row), dt = row_of(p.dt, row);
      auto y = row_of(p.y, row);
      du = dt * u;
      y = u * row_of(p.skip, 0);
      for (Eigen::Index n = 0; n < states; ++n) {
        const std::size_t at = row * p.states + static_cast<std::size_t>(n);
        h.col(n) = h.col(n) * (dt * a.col(n)).exp() + du * p.b[at];
        y += h.col(n) * p.c[at];
      }
    }
  }
}

}  // namespace pantanal::bench
