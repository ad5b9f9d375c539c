#include "pantanal/ml/mlp_network.hpp"

#include <cmath>

#include "kernels/guarded.hpp"

namespace pantanal::ml {
namespace {

template <class T>
class Network : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Network, Types);

double act(MlpActivation activation, double x) {
  switch (activation) {
    case MlpActivation::relu:
      return std::max(x, 0.0);
    case MlpActivation::tanh:
      return std::tanh(x);
    case MlpActivation::logistic:
      return 1 / (1 + std::exp(-x));
    case MlpActivation::identity:
      return x;
  }
  return NAN;
}

TYPED_TEST(Network, RunsForwardsAsWrittenOut) {
  using T = TypeParam;
  constexpr double tolerance = std::is_same_v<T, float> ? 2e-6 : 1e-14;
  for (const kernels::KernelTable* table : kernels::all_tables())
    for (const MlpActivation activation :
         {MlpActivation::relu, MlpActivation::tanh, MlpActivation::logistic, MlpActivation::identity}) {
      const std::vector<std::size_t> sizes{5, 37, 6, 3};
      MlpNetwork<T> network(*table, sizes, activation, MlpOutput::softmax);
      RandomState random(1);
      network.initialize(random);
      Matrix<T> x(250, 5);  // more than one block
      for (T& v : x.values) v = static_cast<T>(random.standard_normal());
      const Matrix<T> y = network.predict(x.view());
      for (std::size_t r = 0; r < x.rows; r += 31) {
        std::vector<double> a(x.row(r), x.row(r) + 5);
        for (std::size_t i = 0; i < 3; ++i) {
          const Matrix<T> w = network.coefs(i);
          const std::vector<T> bias = network.intercepts(i);
          std::vector<double> next(bias.begin(), bias.end());
          for (std::size_t j = 0; j < next.size(); ++j) {
            for (std::size_t k = 0; k < a.size(); ++k) next[j] += a[k] * static_cast<double>(w(k, j));
            if (i < 2) next[j] = act(activation, next[j]);
          }
          a = next;
        }
        const double sum = std::exp(a[0]) + std::exp(a[1]) + std::exp(a[2]);
        for (std::size_t j = 0; j < 3; ++j) ASSERT_NEAR(y(r, j), std::exp(a[j]) / sum, tolerance);
      }
    }
}

TYPED_TEST(Network, StaysFiniteAtExtremes) {
  using T = TypeParam;
  for (const MlpOutput output : {MlpOutput::logistic, MlpOutput::softmax}) {
    MlpNetwork<T> network(best_kernels(), {1, 2}, MlpActivation::relu, output);
    const std::vector<T> w{1, -1}, bias{0, 0};
    network.set_layer(0, w, bias);
    const std::vector<T> x{1e30f, -1e30f, 0};
    for (const T p : network.predict({x.data(), 3, 1}).values) EXPECT_TRUE(p >= 0 && p <= 1);
  }
}

TYPED_TEST(Network, DrawsWithinGlorotsBound) {
  using T = TypeParam;
  MlpNetwork<T> network(best_kernels(), {30, 20}, MlpActivation::logistic, MlpOutput::logistic);
  RandomState random(42);
  network.initialize(random);
  T largest = 0;
  for (const T w : network.coefs(0).values) largest = std::max(largest, std::abs(w));
  EXPECT_LE(largest, T(0.2));  // √(2/50)
  EXPECT_GT(largest, T(0.19));
}

}  // namespace
}  // namespace pantanal::ml
