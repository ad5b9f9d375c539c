#include "pantanal/ml/mlp_backward.hpp"

#include "kernels/guarded.hpp"

namespace pantanal::ml {
namespace {

/// Mean weighted log-loss with penalty, in plain loops over predict().
double loss_of(const MlpNetwork<double>& network, const Matrix<double>& x, const MlpBatch<double>& batch,
               double alpha) {
  const Matrix<double> p = network.predict(x.view());
  double loss = 0, squares = 0;
  for (std::size_t r = 0; r < x.rows; ++r)
    for (std::size_t j = 0; j < p.columns; ++j) {
      const bool y = batch.targets[r][j] != 0;
      if (network.output() == MlpOutput::logistic)
        loss -= batch.weights[r] * std::log(y ? p(r, j) : 1 - p(r, j));
      else if (y)
        loss -= batch.weights[r] * std::log(p(r, j));
    }
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    for (const double w : network.coefs(i).values) squares += w * w;
  return (loss + 0.5 * alpha * squares) / batch.total_weight;
}

/// One step of plain SGD of rate 1 changes every parameter by minus the loss's slope, found by differences.
void check_gradient(const kernels::KernelTable& table, MlpActivation activation, MlpOutput output,
                    const std::vector<std::size_t>& sizes) {
  const std::size_t outputs = sizes.back();
  MlpNetwork<double> network(table, sizes, activation, output);
  RandomState random(3);
  network.initialize(random);
  Matrix<double> x(7, 4);
  for (double& v : x.values) v = random.standard_normal();
  Matrix<std::uint8_t> targets(7, outputs);
  MlpBatch<double> batch;
  for (std::size_t r = 0; r < 7; ++r) {
    if (r % 2 < outputs) targets(r, r % 2) = 1;
    batch.targets.push_back(targets.row(r));
    batch.weights.push_back(r == 3 ? 2.5 : 1.0);
    batch.total_weight += batch.weights.back();
  }
  MlpOptions options;
  options.solver = MlpSolver::sgd;
  options.momentum = 0;
  options.nesterovs_momentum = false;
  options.learning_rate_init = 1;
  const double alpha = 0.3, before = loss_of(network, x, batch, alpha), h = 1e-6;
  const std::vector<double> start(network.parameters().data(),
                                  network.parameters().data() + network.parameters().size());
  std::vector<double> slopes;
  for (std::size_t i = 0; i < start.size(); ++i) {
    network.parameters()[i] = start[i] + h;
    const double up = loss_of(network, x, batch, alpha);
    network.parameters()[i] = start[i] - h;
    slopes.push_back((up - loss_of(network, x, batch, alpha)) / (2 * h));
    network.parameters()[i] = start[i];
  }
  MlpBackward<double> backward(network, 7);
  MlpOptimizer<double> optimizer(table, options, network.parameters().size());
  for (std::size_t r = 0; r < 7; ++r)
    std::copy_n(x.row(r), 4, backward.activations().layers[0].data() + r * backward.activations().strides[0]);
  EXPECT_NEAR(backward.step(network, optimizer, batch, alpha), before, 1e-12);
  for (std::size_t i = 0; i < start.size(); ++i)
    ASSERT_NEAR(start[i] - network.parameters()[i], slopes[i], 1e-7) << "parameter " << i;
}

TEST(MlpBackward, DescendsAlongTheLossesSlope) {
  for (const kernels::KernelTable* table : kernels::all_tables())
    for (const MlpActivation activation :
         {MlpActivation::relu, MlpActivation::tanh, MlpActivation::logistic, MlpActivation::identity})
      for (const MlpOutput output : {MlpOutput::logistic, MlpOutput::softmax}) {
        SCOPED_TRACE(testing::Message() << to_string(table->isa) << " " << static_cast<int>(activation));
        check_gradient(*table, activation, output, {4, 9, 18, 2});
        if (output == MlpOutput::logistic) check_gradient(*table, activation, output, {4, 9, 1, 18, 1});
      }
}

}  // namespace
}  // namespace pantanal::ml
