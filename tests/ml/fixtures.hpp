// scikit-learn's answers: the cases of make_fixtures.py.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/refused.hpp"
#include "pantanal/io/safetensors.hpp"
#include "pantanal/ml/matrix.hpp"

namespace pantanal::ml {

/// One problem: options, float64 arrays and int64 arrays.
struct FixtureCase {
  nlohmann::json options;
  std::map<std::string, Matrix<double>> reals;
  std::map<std::string, std::vector<std::int64_t>> integers;

  MatrixView<double> matrix(const char* name) const { return reals.at(name).view(); }
  const std::vector<double>& vector(const char* name) const { return reals.at(name).values; }
  std::string text(const char* name, const char* otherwise) const {
    return options.contains(name) && options[name].is_string() ? options[name].get<std::string>() : otherwise;
  }
};

/// The committed cases of `estimator`; a vector is a matrix of one row.
inline std::vector<FixtureCase> load_cases(const std::string& estimator) {
  const auto file =
      SafetensorsFile::open(PANTANAL_SOURCE_DIR "/tests/golden/ml/" + estimator + ".safetensors");
  EXPECT_TRUE(succeeded(file));
  if (!file) return {};
  std::vector<FixtureCase> cases;
  for (const nlohmann::json& options : nlohmann::json::parse(file->metadata().at("cases")))
    cases.push_back({options, {}, {}});
  for (const auto& [name, entry] : file->tensors()) {
    FixtureCase& c = cases.at(std::stoul(name));
    const std::string key = name.substr(name.find('.') + 1);
    const auto bytes = file->bytes(name);
    EXPECT_TRUE(succeeded(bytes));
    if (entry.dtype == "F64") {
      const std::size_t count = bytes->size() / sizeof(double);
      const std::size_t rows = entry.shape.size() == 2 ? static_cast<std::size_t>(entry.shape[0]) : 1;
      Matrix<double> m(rows, count / rows);
      std::memcpy(m.values.data(), bytes->data(), bytes->size());
      c.reals.emplace(key, std::move(m));
    } else {
      EXPECT_EQ(entry.dtype, "I64") << name;
      std::vector<std::int64_t> v(bytes->size() / sizeof(std::int64_t));
      std::memcpy(v.data(), bytes->data(), bytes->size());
      c.integers.emplace(key, std::move(v));
    }
  }
  EXPECT_FALSE(cases.empty());
  return cases;
}

/// Fails where `found` is further from `expected` than `tolerance` times the largest expected value.
template <class T>
void expect_close(std::span<const T> found, std::span<const double> expected, double tolerance,
                  const char* what = "") {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double scale = 0;
  for (const double v : expected) scale = std::max(scale, std::abs(v));
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(static_cast<double>(found[i]), expected[i], tolerance * scale) << what << " " << i;
}
template <class T>
void expect_close(const std::vector<T>& found, const std::vector<double>& expected, double tolerance,
                  const char* what = "") {
  expect_close(std::span<const T>(found), std::span<const double>(expected), tolerance, what);
}

/// The same numbers in another type.
template <class T>
Matrix<T> as(MatrixView<double> x) {
  Matrix<T> copy(x.rows, x.columns);
  for (std::size_t i = 0; i < copy.values.size(); ++i) copy.values[i] = static_cast<T>(x.data[i]);
  return copy;
}

/// Indices as NumPy has them.
inline std::vector<std::int64_t> signed_copy(const std::vector<std::size_t>& v) {
  return {v.begin(), v.end()};
}

}  // namespace pantanal::ml
