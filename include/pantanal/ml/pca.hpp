// PCA: principal component analysis with scikit-learn's attributes, signs and options.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/estimator_state.hpp"
#include "pantanal/ml/gemm.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/principal_axes.hpp"

namespace pantanal::ml {

/// automatic is scikit-learn 1.9's "auto": covariance_eigh for ten times as many samples as features, of
/// which there are no more than 1000; the randomized one for less than 0.8 times as many components as there
/// could be, of more than 500 samples or features; else full. Unlike scikit-learn's it is full instead of
/// randomized where no random_state is given, so that nothing depends on a seed that was not chosen.
enum class PcaSolver { automatic, full, covariance_eigh, randomized };

struct PcaOptions {
  /// How many: a number, the share of variance in (0, 1) that they must exceed, Minka's estimate, or (none of
  /// these) min(samples, features).
  std::optional<std::size_t> n_components = {};
  std::optional<double> variance_share = {};
  bool mle = false;
  bool whiten = false;
  PcaSolver svd_solver = PcaSolver::automatic;
  std::optional<std::size_t> iterated_power =
      {};  ///< of the randomized solver; none: 7, or 4 for many components
  std::size_t n_oversamples = 10;
  std::optional<std::uint32_t> random_state = {};  ///< of the randomized solver; none: 0
  std::size_t threads = 1;                         ///< the result does not depend on it
};

namespace detail {

/// Minka's log-evidence of `rank` components in a spectrum of variances.
/// Source: Minka 2000, "Automatic choice of dimensionality for PCA", equations 30 and 31.
inline double log_evidence(const std::vector<double>& spectrum, std::size_t rank, std::size_t samples) {
  constexpr double least = 1e-15;
  const double d = static_cast<double>(spectrum.size()), k = static_cast<double>(rank);
  const double n = static_cast<double>(samples), pi = std::numbers::pi;
  if (spectrum[rank - 1] < least) return -std::numeric_limits<double>::infinity();
  double prior = -k * std::log(2.0), logs = 0, tail = 0, curvature = 0;
  for (std::size_t i = 0; i < rank; ++i) {
    const double half = (d - static_cast<double>(i)) / 2;
    prior += std::lgamma(half) - std::log(pi) * half;
    logs += std::log(spectrum[i]);
  }
  for (std::size_t i = rank; i < spectrum.size(); ++i) tail += spectrum[i];
  const double noise = std::max(least, tail / (d - k));
  for (std::size_t i = 0; i < rank; ++i)
    for (std::size_t j = i + 1; j < spectrum.size(); ++j) {
      const double other = j < rank ? spectrum[j] : noise;
      curvature += std::log((spectrum[i] - spectrum[j]) * (1 / other - 1 / spectrum[i])) + std::log(n);
    }
  const double m = d * k - k * (k + 1) / 2;
  return prior - logs * n / 2 - std::log(noise) * n * (d - k) / 2 + std::log(2 * pi) * (m + k) / 2 -
         curvature / 2 - k * std::log(n) / 2;
}

inline std::size_t minka_rank(const std::vector<double>& spectrum, std::size_t samples) {
  std::size_t best = 0;
  double best_evidence = -std::numeric_limits<double>::infinity();
  for (std::size_t rank = 1; rank < spectrum.size(); ++rank)
    if (const double evidence = log_evidence(spectrum, rank, samples); evidence > best_evidence) {
      best = rank;
      best_evidence = evidence;
    }
  return best;
}

}  // namespace detail

/// scikit-learn 1.9's PCA. float32 input is decomposed in double and rounded once, so that its components are
/// those of the same numbers in float64, which scikit-learn's float32 path only approaches. Components of
/// equal variance, and those of none, span the same subspace as scikit-learn's. Ratios of data without
/// variance are 0.
template <Real T>
class Pca {
 public:
  explicit Pca(PcaOptions options = {}) : options_(std::move(options)) {}

  /// Errors: fewer than 2 samples, values that are not finite, n_components out of range.
  Status fit(MatrixView<T> x) {
    PANTANAL_TRY_STATUS(check_matrix(x, 2));
    const std::size_t most = std::min(x.rows, x.columns);
    PANTANAL_TRY_STATUS(check_options(x.rows, x.columns));
    std::vector<double> mean(x.columns);
    const Matrix<double> centred = centre(x, mean);
    const PcaSolver solver = solver_for(x.rows, x.columns);
    const bool randomized = solver == PcaSolver::randomized;
    const std::size_t count = options_.n_components.value_or(most);
    const kernels::KernelTable& table = best_kernels();
    const std::size_t iterations =
        options_.iterated_power.value_or(10 * count < most ? 7 : 4);  // count < 0.1·most
    PANTANAL_TRY(PrincipalAxes found,
                 randomized ? randomized_axes(table, centred, count, options_.n_oversamples, iterations,
                                              options_.random_state.value_or(0), options_.threads)
                            : exact_axes(table, centred, count, solver != PcaSolver::covariance_eigh,
                                         options_.threads));
    const double total = dot(centred.values.data(), centred.values.data(), centred.values.size());
    keep(found, x.rows, most, total, mean, solver == PcaSolver::covariance_eigh);
    return check_finite(std::span<const T>(components_.values), "PCA.components_");
  }

  /// (X - mean)·componentsᵀ, each column divided by its standard deviation if whitened: [samples,
  /// components].
  Result<Matrix<T>> transform(MatrixView<T> x) const {
    PANTANAL_TRY_STATUS(check_features(x, mean_.size(), "PCA"));
    Matrix<T> centred(x.rows, x.columns);
    for (std::size_t r = 0; r < x.rows; ++r)
      for (std::size_t c = 0; c < x.columns; ++c) centred(r, c) = x(r, c) - mean_[c];
    Matrix<T> z =
        multiply<T>(best_kernels(), factor(centred), factor(components_).transposed(), options_.threads);
    if (options_.whiten)
      for (std::size_t r = 0; r < z.rows; ++r)
        for (std::size_t c = 0; c < z.columns; ++c)
          z(r, c) /= std::max(std::sqrt(explained_variance_[c]), std::numeric_limits<T>::epsilon());
    PANTANAL_TRY_STATUS(check_finite(std::span<const T>(z.values), "PCA.transform"));
    return z;
  }

  /// The reverse of transform(), as far as the components go: [samples, features].
  Result<Matrix<T>> inverse_transform(MatrixView<T> z) const {
    PANTANAL_TRY_STATUS(check_features(z, components_.rows, "PCA.inverse_transform"));
    Matrix<T> scaled(z.rows, z.columns);
    for (std::size_t r = 0; r < z.rows; ++r)
      for (std::size_t c = 0; c < z.columns; ++c)
        scaled(r, c) = options_.whiten ? z(r, c) * std::sqrt(explained_variance_[c]) : z(r, c);
    Matrix<T> x = multiply<T>(best_kernels(), factor(scaled), factor(components_), options_.threads);
    for (std::size_t r = 0; r < x.rows; ++r)
      for (std::size_t c = 0; c < x.columns; ++c) x(r, c) += mean_[c];
    PANTANAL_TRY_STATUS(check_finite(std::span<const T>(x.values), "PCA.inverse_transform"));
    return x;
  }

  const PcaOptions& options() const { return options_; }
  const Matrix<T>& components() const { return components_; }
  const std::vector<T>& mean() const { return mean_; }
  const std::vector<T>& explained_variance() const { return explained_variance_; }
  const std::vector<T>& explained_variance_ratio() const { return explained_variance_ratio_; }
  const std::vector<T>& singular_values() const { return singular_values_; }
  double noise_variance() const { return noise_variance_; }
  std::size_t n_samples() const { return n_samples_; }

  Result<EstimatorState> state() const {
    if (mean_.empty())
      return Error{ErrorCode::invalid_argument, "PCA", "an estimator that is not fitted", "fit() first"};
    EstimatorState state{.estimator = "PCA"};
    state.settings = {
        {"whiten", options_.whiten}, {"n_samples_", n_samples_}, {"noise_variance_", noise_variance_}};
    state.add("components_", components_);
    state.add("mean_", mean_);
    state.add("explained_variance_", explained_variance_);
    state.add("explained_variance_ratio_", explained_variance_ratio_);
    state.add("singular_values_", singular_values_);
    return state;
  }

  static Result<Pca> from_state(const EstimatorState& state) {
    PANTANAL_TRY_STATUS(check_estimator(state, "PCA"));
    Pca fitted;
    PANTANAL_TRY(fitted.options_.whiten, state.template setting<bool>("whiten"));
    PANTANAL_TRY(fitted.n_samples_, state.template setting<std::size_t>("n_samples_"));
    PANTANAL_TRY(fitted.noise_variance_, state.template setting<double>("noise_variance_"));
    PANTANAL_TRY(fitted.components_, state.template matrix<T>("components_"));
    PANTANAL_TRY(fitted.mean_, state.template values<T>("mean_"));
    PANTANAL_TRY(fitted.explained_variance_, state.template values<T>("explained_variance_"));
    PANTANAL_TRY(fitted.explained_variance_ratio_, state.template values<T>("explained_variance_ratio_"));
    PANTANAL_TRY(fitted.singular_values_, state.template values<T>("singular_values_"));
    const std::size_t count = fitted.components_.rows;
    if (fitted.mean_.empty() || fitted.components_.columns != fitted.mean_.size() ||
        fitted.explained_variance_.size() != count || fitted.explained_variance_ratio_.size() != count ||
        fitted.singular_values_.size() != count)
      return Error{ErrorCode::mismatch, "PCA", "arrays of other lengths",
                   "components_ [components, features] and what belongs to them"};
    return fitted;
  }

 private:
  PcaSolver solver_for(std::size_t samples, std::size_t features) const {
    if (options_.svd_solver != PcaSolver::automatic) return options_.svd_solver;
    if (features <= 1000 && samples >= 10 * features) return PcaSolver::covariance_eigh;
    const double most = static_cast<double>(std::min(samples, features));
    const bool few =
        options_.n_components && static_cast<double>(*options_.n_components) < 0.8 * most && !options_.mle;
    return few && options_.random_state && std::max(samples, features) > 500 ? PcaSolver::randomized
                                                                             : PcaSolver::full;
  }

  Status check_options(std::size_t samples, std::size_t features) const {
    const std::size_t most = std::min(samples, features);
    const auto refuse = [](std::string found, std::string expected) {
      return Error{ErrorCode::invalid_argument, "n_components", std::move(found), std::move(expected)};
    };
    if (options_.n_components && (*options_.n_components > most || *options_.n_components == 0))
      return refuse(std::to_string(*options_.n_components),
                    "from 1 to min(samples, features), " + std::to_string(most));
    if (options_.variance_share && !(*options_.variance_share > 0 && *options_.variance_share < 1))
      return refuse(std::to_string(*options_.variance_share), "a share of variance between 0 and 1");
    if (options_.mle && samples < features)
      return refuse(
          "mle for " + std::to_string(samples) + " samples of " + std::to_string(features) + " features",
          "at least as many samples as features");
    if (options_.svd_solver == PcaSolver::randomized && (options_.mle || options_.variance_share))
      return refuse("mle or a share of variance", "a number for the randomized solver");
    return {};
  }

  static Matrix<double> centre(MatrixView<T> x, std::vector<double>& mean) {
    for (std::size_t r = 0; r < x.rows; ++r)
      for (std::size_t c = 0; c < x.columns; ++c) mean[c] += static_cast<double>(x(r, c));
    for (double& m : mean) m /= static_cast<double>(x.rows);
    Matrix<double> centred(x.rows, x.columns);
    for (std::size_t r = 0; r < x.rows; ++r)
      for (std::size_t c = 0; c < x.columns; ++c) centred(r, c) = static_cast<double>(x(r, c)) - mean[c];
    return centred;
  }

  /// Sets the attributes, once it is known how many components to keep.
  void keep(const PrincipalAxes& found, std::size_t samples, std::size_t most, double total,
            const std::vector<double>& mean, bool from_covariance) {
    const double degrees = static_cast<double>(samples - 1);
    std::size_t count = found.axes.rows;
    if (options_.mle) {
      std::vector<double> spectrum;
      for (const double s : found.squares) spectrum.push_back(s / degrees);
      count = detail::minka_rank(spectrum, samples);
    } else if (options_.variance_share) {
      double sum = 0;
      count = 0;
      while (count < most && total > 0 && sum <= *options_.variance_share)
        sum += found.squares[count++] / total;
      count = std::max<std::size_t>(count, 1);
    }
    n_samples_ = samples;
    mean_.assign(mean.begin(), mean.end());
    components_ = Matrix<T>(count, mean.size());
    std::transform(found.axes.values.begin(),
                   found.axes.values.begin() + static_cast<std::ptrdiff_t>(components_.values.size()),
                   components_.values.begin(), [](double v) { return static_cast<T>(v); });
    explained_variance_.clear();
    explained_variance_ratio_.clear();
    singular_values_.clear();
    double kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double square = found.squares[i];
      kept += square;
      explained_variance_.push_back(static_cast<T>(square / degrees));
      explained_variance_ratio_.push_back(static_cast<T>(total > 0 ? square / total : 0.0));
      singular_values_.push_back(static_cast<T>(std::sqrt(square)));
    }
    double rest = std::max(total - kept, 0.0);
    if (found.squares.size() == most)
      rest = std::accumulate(found.squares.begin() + static_cast<std::ptrdiff_t>(count), found.squares.end(),
                             0.0);
    // scikit-learn averages over all eigenvalues of the covariance matrix, also those that must be 0.
    const std::size_t averaged = from_covariance ? mean.size() - count : most - count;
    noise_variance_ = count < most ? rest / degrees / static_cast<double>(averaged) : 0.0;
  }

  PcaOptions options_;
  Matrix<T> components_;
  std::vector<T> mean_, explained_variance_, explained_variance_ratio_, singular_values_;
  double noise_variance_ = 0;
  std::size_t n_samples_ = 0;
};

}  // namespace pantanal::ml
