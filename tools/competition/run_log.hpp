// RunLog: logs.json, what a run did and found.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "pantanal/competition/configuration.hpp"
#include "pantanal/competition/heads.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal::competition {

/// Collects; write() leaves the file. JSON stays in the .cpp, since it takes long to compile.
class RunLog {
 public:
  RunLog();
  RunLog(RunLog&&) noexcept;
  RunLog& operator=(RunLog&&) noexcept;
  ~RunLog();

  void set(const std::string& key, const std::string& text);
  void set(const std::string& key, double number);
  /// Adds to the list `key`.
  void add(const std::string& key, const std::string& text);
  /// timings.stage, in seconds; set_training() adds timings.training.stage.
  void set_seconds(const std::string& stage, double seconds);
  void set_configuration(const Configuration& configuration);
  void set_training(const TrainedHeads& trained);

  Status write(const std::filesystem::path& path) const;

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

}  // namespace pantanal::competition
