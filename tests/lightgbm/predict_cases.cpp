// Fits and predicts what compare.py draws: one problem after another from standard input, probabilities to
// standard output, all numbers as binary float64.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "pantanal/ml/lgbm_classifier.hpp"

namespace {

using pantanal::ml::LgbmClassifier;
using pantanal::ml::LgbmOptions;

bool read(std::vector<double>& values) {
  return std::fread(values.data(), sizeof(double), values.size(), stdin) == values.size();
}

/// In compare.py's order.
LgbmOptions options_of(const std::vector<double>& v) {
  const auto count = [&](std::size_t i) { return static_cast<std::size_t>(v[i]); };
  LgbmOptions o;
  o.n_estimators = count(0), o.num_leaves = count(1), o.max_depth = static_cast<int>(v[2]);
  o.learning_rate = v[3], o.min_child_samples = count(4), o.min_child_weight = v[5];
  o.min_split_gain = v[6], o.subsample = v[7], o.subsample_freq = count(8), o.colsample_bytree = v[9];
  o.reg_alpha = v[10], o.reg_lambda = v[11], o.balanced = v[12] != 0, o.scale_pos_weight = v[13];
  o.random_state = static_cast<std::uint32_t>(v[14]);
  return o;
}

template <pantanal::ml::Real T>
int solve(std::size_t rows, std::size_t columns, bool weighted, const LgbmOptions& options) {
  std::vector<double> x(rows * columns), labels(rows), weights(weighted ? rows : 0);
  if (!read(x) || !read(labels) || !read(weights)) return 2;
  const std::vector<T> values(x.begin(), x.end());
  const std::vector<std::int64_t> y(labels.begin(), labels.end());
  const pantanal::ml::MatrixView<T> view{values.data(), rows, columns};
  LgbmClassifier model(options);
  if (const auto status = model.fit(view, y, weights); !status)
    return std::fprintf(stderr, "%s\n", status.error().message().c_str()), 1;
  const auto p = model.predict_proba(view);
  if (!p) return std::fprintf(stderr, "%s\n", p.error().message().c_str()), 1;
  return std::fwrite(p->values.data(), sizeof(double), p->values.size(), stdout) == p->values.size() ? 0 : 2;
}

}  // namespace

int main() {
  std::vector<double> shape(4), options(15);
  while (read(shape)) {
    if (!read(options)) return 2;
    const auto rows = static_cast<std::size_t>(shape[0]), columns = static_cast<std::size_t>(shape[1]);
    const LgbmOptions o = options_of(options);
    const int code = shape[3] != 0 ? solve<float>(rows, columns, shape[2] != 0, o)
                                   : solve<double>(rows, columns, shape[2] != 0, o);
    if (code != 0) return code;
  }
}
