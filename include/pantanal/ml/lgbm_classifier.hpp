// LGBMClassifier: gradient-boosted trees through LightGBM's C library, in builds that have it.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "pantanal/core/result.hpp"
#include "pantanal/ml/estimator_state.hpp"
#include "pantanal/ml/matrix.hpp"
#include "pantanal/ml/splits.hpp"

#ifdef PANTANAL_LIGHTGBM
// What is used of LightGBM 4's C interface. Its Python wheel brings the library, but not the header.
extern "C" {
const char* LGBM_GetLastError();
int LGBM_DatasetCreateFromMat(const void* data, int data_type, std::int32_t rows, std::int32_t columns,
                              int is_row_major, const char* parameters, void* reference, void** dataset);
int LGBM_DatasetSetField(void* dataset, const char* name, const void* data, int count, int type);
int LGBM_DatasetFree(void* dataset);
int LGBM_BoosterCreate(void* dataset, const char* parameters, void** booster);
int LGBM_BoosterLoadModelFromString(const char* model, int* iterations, void** booster);
int LGBM_BoosterGetNumClasses(void* booster, int* classes);
int LGBM_BoosterGetNumFeature(void* booster, int* features);
int LGBM_BoosterUpdateOneIter(void* booster, int* is_finished);
int LGBM_BoosterSaveModelToString(void* booster, int first, int iterations, int importance_type,
                                  std::int64_t room, std::int64_t* length, char* text);
int LGBM_BoosterPredictForMat(void* booster, const void* data, int data_type, std::int32_t rows,
                              std::int32_t columns, int is_row_major, int kind, int first, int iterations,
                              const char* parameters, std::int64_t* length, double* result);
int LGBM_BoosterFree(void* booster);
}
#endif

namespace pantanal::ml {

/// Whether this build has LightGBM: CMake's PANTANAL_LIGHTGBM.
#ifdef PANTANAL_LIGHTGBM
inline constexpr bool have_lightgbm = true;
#else
inline constexpr bool have_lightgbm = false;
#endif

/// The constructor's arguments of LightGBM's LGBMClassifier, and its defaults. max_depth: -1 is without
/// limit.
struct LgbmOptions {
  std::size_t n_estimators = 100, num_leaves = 31, min_child_samples = 20, subsample_for_bin = 200000;
  int max_depth = -1;
  double learning_rate = 0.1, min_split_gain = 0, min_child_weight = 1e-3;
  double subsample = 1;
  std::size_t subsample_freq = 0;
  double colsample_bytree = 1, reg_alpha = 0, reg_lambda = 0;
  bool balanced = false;        ///< class_weight="balanced"
  double scale_pos_weight = 1;  ///< of two classes
  std::optional<std::uint32_t> random_state = {};
  std::size_t n_jobs = 1;
};

/// Whether the options are in LightGBM's ranges; the error names the first that is not.
inline Status validate(const LgbmOptions& o) {
  const auto refuse = [](const char* where, double found, const char* expected) {
    return Error{ErrorCode::invalid_argument, std::string("LGBMClassifier: ") + where, std::to_string(found),
                 expected};
  };
  const auto count = [](std::size_t n) { return static_cast<double>(n); };
  if (o.n_estimators < 1) return refuse("n_estimators", 0, "at least 1");
  if (o.num_leaves < 2 || o.num_leaves > 131072)
    return refuse("num_leaves", count(o.num_leaves), "from 2 to 131072");
  if (!(o.learning_rate > 0 && std::isfinite(o.learning_rate)))
    return refuse("learning_rate", o.learning_rate, "a finite number above 0");
  if (!(o.scale_pos_weight > 0 && std::isfinite(o.scale_pos_weight)))
    return refuse("scale_pos_weight", o.scale_pos_weight, "a finite number above 0");
  for (const auto& [name, share] :
       {std::pair("subsample", o.subsample), std::pair("colsample_bytree", o.colsample_bytree)})
    if (!(share > 0 && share <= 1)) return refuse(name, share, "a share above 0 and up to 1");
  for (const auto& [name, value] :
       {std::pair("min_split_gain", o.min_split_gain), std::pair("min_child_weight", o.min_child_weight),
        std::pair("reg_alpha", o.reg_alpha), std::pair("reg_lambda", o.reg_lambda)})
    if (!(value >= 0 && std::isfinite(value))) return refuse(name, value, "a finite number from 0");
  if (o.balanced && o.scale_pos_weight != 1)
    return refuse("scale_pos_weight", o.scale_pos_weight, "1, where class weights are balanced");
  return {};
}

namespace detail {

/// "key=value " per parameter, numbers in as many digits as they need.
class LgbmParameters {
 public:
  template <class T>
  LgbmParameters& add(std::string_view key, T value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    text_.append(key).append("=").append(digits, end).append(" ");
    return *this;
  }
  LgbmParameters& add(std::string_view key, const char* value) {
    text_.append(key).append("=").append(value).append(" ");
    return *this;
  }
  const char* text() const { return text_.c_str(); }

 private:
  std::string text_;
};

/// As LGBMClassifier names them, which LightGBM knows as aliases; and what makes its sums come in one order.
inline LgbmParameters lgbm_parameters(const LgbmOptions& o, std::size_t classes) {
  LgbmParameters p;
  p.add("boosting", "gbdt").add("objective", classes == 2 ? "binary" : "multiclass");
  if (classes > 2) p.add("num_class", classes);
  p.add("num_leaves", o.num_leaves).add("max_depth", o.max_depth).add("learning_rate", o.learning_rate);
  p.add("subsample_for_bin", o.subsample_for_bin).add("min_child_samples", o.min_child_samples);
  p.add("min_child_weight", o.min_child_weight).add("min_split_gain", o.min_split_gain);
  p.add("subsample", o.subsample).add("subsample_freq", o.subsample_freq);
  p.add("colsample_bytree", o.colsample_bytree);
  p.add("reg_alpha", o.reg_alpha).add("reg_lambda", o.reg_lambda);
  if (o.scale_pos_weight != 1) p.add("scale_pos_weight", o.scale_pos_weight);
  if (o.random_state) p.add("random_state", *o.random_state);
  p.add("num_threads", std::max<std::size_t>(o.n_jobs, 1)).add("verbosity", -1);
  return p.add("deterministic", "true").add("force_col_wise", "true");
}

inline Error without_lightgbm() {
  return {ErrorCode::unsupported, "LGBMClassifier", "a build without LightGBM",
          "one configured with -DPANTANAL_LIGHTGBM=ON"};
}

#ifdef PANTANAL_LIGHTGBM
inline Status lgbm_status(int code) {
  if (code == 0) return {};
  return Error{ErrorCode::invalid_argument, "LightGBM", LGBM_GetLastError(), "no error"};
}

template <class T>
int lgbm_type() {
  return std::is_same_v<T, float> ? 0 : 1;  // C_API_DTYPE_FLOAT32, C_API_DTYPE_FLOAT64
}

using LgbmHandle = std::shared_ptr<void>;
#endif

}  // namespace detail

/// LightGBM 4's LGBMClassifier, by LightGBM itself: the same trees as the Python package's with the
/// parameters deterministic and force_col_wise, whose sums come in one order, so that the result depends on
/// the seed and nothing else.
///
/// Differences: NaN is refused, boosting is "gbdt", one class is an error, n_jobs is 1 unless set. In a build
/// without LightGBM everything that would need it is an `unsupported` error.
class LgbmClassifier {
 public:
  explicit LgbmClassifier(LgbmOptions options = {}) : options_(std::move(options)) {}

  /// Errors: no LightGBM, options out of range, X not finite, lengths that differ, less than two classes.
  template <Real T>
  Status fit(MatrixView<T> x, std::span<const std::int64_t> y, std::span<const double> sample_weight = {}) {
    PANTANAL_TRY_STATUS(validate(options_));
    PANTANAL_TRY_STATUS(check_matrix(x, 2));
    PANTANAL_TRY_STATUS(check_length(y.size(), x.rows, "y"));
    PANTANAL_TRY_STATUS(check_weights(sample_weight, x.rows));
    const detail::Codes codes = detail::encode(y);
    const std::size_t classes = codes.values.size();
    const auto refuse = [](std::string where, std::string found, std::string expected) {
      return Error{ErrorCode::invalid_argument, std::move(where), std::move(found), std::move(expected)};
    };
    if (classes < 2) return refuse("LGBMClassifier: y", "one class", "at least 2");
    if (classes > 2 && options_.scale_pos_weight != 1)
      return refuse("LGBMClassifier: scale_pos_weight", std::to_string(classes) + " classes", "two");
    constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
    if (x.rows > most || x.columns > most)
      return refuse("X", std::to_string(x.rows) + " x " + std::to_string(x.columns),
                    "less than 2^31 of each");
    std::vector<float> labels(y.size()), weights;
    for (std::size_t i = 0; i < y.size(); ++i) labels[i] = static_cast<float>(codes.codes[i]);
    if (options_.balanced || !sample_weight.empty()) weights.assign(y.size(), 1.0f);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double count = static_cast<double>(codes.counts[codes.codes[i]]);
      const double balance =
          options_.balanced ? static_cast<double>(y.size()) / (static_cast<double>(classes) * count) : 1.0;
      weights[i] = static_cast<float>(balance * (sample_weight.empty() ? 1.0 : sample_weight[i]));
    }
    PANTANAL_TRY(std::string model, train(x, labels, weights, classes));
    return take(std::move(model), codes.values, x.columns);
  }

  /// [samples, classes].
  template <Real T>
  Result<Matrix<double>> predict_proba(MatrixView<T> x) const {
    PANTANAL_TRY_STATUS(check_features(x, features_, "LGBMClassifier"));
#ifdef PANTANAL_LIGHTGBM
    const std::size_t outputs = classes_.size() == 2 ? 1 : classes_.size();
    Matrix<double> p(x.rows, outputs);
    std::int64_t length = 0;
    detail::LgbmParameters parameters;
    parameters.add("num_threads", std::max<std::size_t>(options_.n_jobs, 1)).add("verbosity", -1);
    PANTANAL_TRY_STATUS(detail::lgbm_status(LGBM_BoosterPredictForMat(
        booster_.get(), x.data, detail::lgbm_type<T>(), static_cast<std::int32_t>(x.rows),
        static_cast<std::int32_t>(x.columns), 1, 0, 0, -1, parameters.text(), &length, p.values.data())));
    PANTANAL_TRY_STATUS(check_finite(std::span<const double>(p.values), "predict_proba"));
    if (outputs > 1) return p;
    Matrix<double> both(x.rows, 2);
    for (std::size_t r = 0; r < x.rows; ++r) {
      both(r, 0) = 1 - p(r, 0);
      both(r, 1) = p(r, 0);
    }
    return both;
#else
    return detail::without_lightgbm();
#endif
  }

  /// The likeliest class of each sample.
  template <Real T>
  Result<std::vector<std::int64_t>> predict(MatrixView<T> x) const {
    PANTANAL_TRY(const Matrix<double> p, predict_proba(x));
    std::vector<std::int64_t> labels;
    for (std::size_t r = 0; r < p.rows; ++r)
      labels.push_back(
          classes_[static_cast<std::size_t>(std::max_element(p.row(r), p.row(r) + p.columns) - p.row(r))]);
    return labels;
  }

  const LgbmOptions& options() const { return options_; }
  const std::vector<std::int64_t>& classes() const { return classes_; }
  /// LightGBM's own text form; empty before a fit.
  const std::string& model() const { return model_; }

  /// The classes, and the model as text, padded with newlines so that what follows it in a file is aligned.
  Result<EstimatorState> state() const {
    if (features_ == 0)
      return Error{ErrorCode::invalid_argument, "LGBMClassifier", "an estimator that is not fitted",
                   "fit() first"};
    EstimatorState state{.estimator = "LGBMClassifier"};
    state.settings = {{"n_features_in_", features_}};
    state.add("classes_", classes_);
    std::vector<std::uint8_t> text(model_.begin(), model_.end());
    text.resize((text.size() + 7) / 8 * 8, '\n');
    state.add("model", text);
    return state;
  }

  static Result<LgbmClassifier> from_state(const EstimatorState& state) {
    PANTANAL_TRY_STATUS(check_estimator(state, "LGBMClassifier"));
    PANTANAL_TRY(const std::size_t features, state.template setting<std::size_t>("n_features_in_"));
    PANTANAL_TRY(const std::vector<std::int64_t> classes, state.template values<std::int64_t>("classes_"));
    PANTANAL_TRY(const std::vector<std::uint8_t> text, state.template values<std::uint8_t>("model"));
    LgbmClassifier fitted;
    PANTANAL_TRY_STATUS(fitted.take(std::string(text.begin(), text.end()), classes, features));
    return fitted;
  }

 private:
#ifdef PANTANAL_LIGHTGBM
  /// The trained trees as text.
  template <Real T>
  Result<std::string> train(MatrixView<T> x, const std::vector<float>& labels,
                            const std::vector<float>& weights, std::size_t classes) const {
    using detail::lgbm_status;
    const detail::LgbmParameters parameters = detail::lgbm_parameters(options_, classes);
    void* made = nullptr;
    PANTANAL_TRY_STATUS(lgbm_status(LGBM_DatasetCreateFromMat(
        x.data, detail::lgbm_type<T>(), static_cast<std::int32_t>(x.rows),
        static_cast<std::int32_t>(x.columns), 1, parameters.text(), nullptr, &made)));
    const detail::LgbmHandle dataset(made, LGBM_DatasetFree);
    const auto set = [&](const char* name, const std::vector<float>& values) {
      return lgbm_status(
          LGBM_DatasetSetField(dataset.get(), name, values.data(), static_cast<int>(values.size()), 0));
    };
    PANTANAL_TRY_STATUS(set("label", labels));
    if (!weights.empty()) PANTANAL_TRY_STATUS(set("weight", weights));
    PANTANAL_TRY_STATUS(lgbm_status(LGBM_BoosterCreate(dataset.get(), parameters.text(), &made)));
    const detail::LgbmHandle booster(made, LGBM_BoosterFree);
    int finished = 0;  // this round splits no leaf; another draw of features may
    for (std::size_t i = 0; i < options_.n_estimators; ++i)
      PANTANAL_TRY_STATUS(lgbm_status(LGBM_BoosterUpdateOneIter(booster.get(), &finished)));
    std::string text(std::size_t{1} << 16, '\0');
    std::int64_t length = 0;  // with the terminating zero
    for (int attempt = 0; attempt < 2; ++attempt) {
      PANTANAL_TRY_STATUS(lgbm_status(LGBM_BoosterSaveModelToString(
          booster.get(), 0, -1, 0, static_cast<std::int64_t>(text.size()), &length, text.data())));
      if (static_cast<std::size_t>(length) <= text.size()) break;
      text.resize(static_cast<std::size_t>(length));
    }
    text.resize(static_cast<std::size_t>(length) - 1);
    return text;
  }
#else
  template <Real T>
  Result<std::string> train(MatrixView<T>, const std::vector<float>&, const std::vector<float>&,
                            std::size_t) const {
    return detail::without_lightgbm();
  }
#endif

  /// Takes over a model in text form: what a file gives is what the fit gave, to the last bit.
  Status take(std::string model, std::vector<std::int64_t> classes, std::size_t features) {
#ifdef PANTANAL_LIGHTGBM
    int iterations = 0, outputs = 0, inputs = 0;
    void* made = nullptr;
    PANTANAL_TRY_STATUS(
        detail::lgbm_status(LGBM_BoosterLoadModelFromString(model.c_str(), &iterations, &made)));
    detail::LgbmHandle booster(made, LGBM_BoosterFree);
    PANTANAL_TRY_STATUS(detail::lgbm_status(LGBM_BoosterGetNumClasses(booster.get(), &outputs)));
    PANTANAL_TRY_STATUS(detail::lgbm_status(LGBM_BoosterGetNumFeature(booster.get(), &inputs)));
    const std::size_t expected = classes.size() == 2 ? 1 : classes.size();
    if (classes.size() < 2 || static_cast<std::size_t>(outputs) != expected || features == 0 ||
        static_cast<std::size_t>(inputs) != features)
      return Error{ErrorCode::mismatch, "LGBMClassifier",
                   std::to_string(outputs) + " outputs of " + std::to_string(inputs) + " features",
                   std::to_string(expected) + " of " + std::to_string(features)};
    booster_ = std::move(booster);
    model_ = std::move(model);
    classes_ = std::move(classes);
    features_ = features;
    return {};
#else
    (void)model, (void)classes, (void)features;
    return detail::without_lightgbm();
#endif
  }

  LgbmOptions options_;
  std::shared_ptr<void> booster_;  ///< only read after a fit, so copies share it
  std::string model_;
  std::vector<std::int64_t> classes_;
  std::size_t features_ = 0;
};

}  // namespace pantanal::ml
