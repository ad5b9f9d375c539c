// ProgramTest: the program on a folder of its own, with models that are quickly run.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "pantanal/io/csv.hpp"
#include "pantanal/perch/model_file.hpp"
#include "perch/random_model.hpp"
#include "program.hpp"

namespace pantanal::infer {

namespace fs = std::filesystem;

/// A folder with a model of half-second windows and seven classes, and one without classes.
class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    perch::Architecture architecture = perch::fixtures::tiny_architecture();
    save("m.safetensors", perch::fixtures::random_model(architecture, 7));
    architecture.label.classes = 0;
    save("headless.safetensors", perch::fixtures::random_model(architecture, 7));
  }

  void save(const char* name, const perch::Model& model) {
    ASSERT_TRUE(succeeded(perch::save_model(model, folder_ / name)));
  }

  /// With --model m.safetensors unless `arguments` name another.
  Finished infer(std::vector<std::string> arguments) const {
    if (std::ranges::find(arguments, "--model") == arguments.end())
      arguments.insert(arguments.begin(), {"--model", "m.safetensors"});
    return run(std::move(arguments), folder_.path());
  }

  /// How many rows of CSV each file has.
  static std::map<std::string, int> rows_per_file(const std::string& csv) {
    std::map<std::string, int> count;
    const auto rows = parse_csv(csv, "CSV");
    EXPECT_TRUE(succeeded(rows));
    for (std::size_t i = 1; rows && i < rows->size(); ++i) ++count[(*rows)[i].fields[0]];
    return count;
  }

  std::vector<std::string> temporaries() const {
    std::vector<std::string> all;
    for (const std::string& name : folder_.names())
      if (name.starts_with(".")) all.push_back(name);
    return all;
  }

  TemporaryFolder folder_;
};

using Counts = std::map<std::string, int>;

}  // namespace pantanal::infer
