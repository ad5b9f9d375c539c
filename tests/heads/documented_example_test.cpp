// The C++ example of docs/sequence_models.md, run.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "heads/random_state.hpp"
#include "io/temporary_folder.hpp"
#include "kernels/guarded.hpp"
#include "pantanal/core/finite.hpp"
#include "pantanal/heads/proto_ssm.hpp"
#include "pantanal/io/safetensors_writer.hpp"

namespace pantanal::heads {
namespace {

using kernels::random_floats;

/// Goes to a folder, and back at the end.
class WorkingFolder {
 public:
  explicit WorkingFolder(const std::filesystem::path& path) { std::filesystem::current_path(path); }
  ~WorkingFolder() { std::filesystem::current_path(before_); }

 private:
  std::filesystem::path before_ = std::filesystem::current_path();
};

void write_checkpoint(const std::filesystem::path& path, const nn::StateDict& state) {
  std::vector<SafetensorsSpec> specs;
  for (const auto& [name, tensor] : state) specs.push_back({name, "F32", tensor.shape});
  auto writer = SafetensorsWriter::create(path, {}, specs);
  ASSERT_TRUE(writer.ok());
  for (const auto& [name, tensor] : state)
    ASSERT_TRUE(writer->write(name, std::as_bytes(tensor.values)).ok());
  ASSERT_TRUE(writer->finish().ok());
}

void fail(const std::string& message) { FAIL() << message; }

void example(const std::vector<float>& emb, const std::vector<float>& perch_logits,
             const std::vector<std::int64_t>& site_ids, const std::vector<std::int64_t>& hours,
             std::size_t files) {
  const pantanal::heads::ProtoSsmConfig config;  // the published run's sizes: 5,776,250 parameters
  auto state = pantanal::heads::load_proto_ssm("proto_ssm.safetensors", config);
  if (!state) return fail(state.error().message());  // the tensor that is missing, too many or misshaped
  auto model = pantanal::heads::ProtoSsm::create(*state, config, {.threads = 2});
  if (!model) return fail(model.error().message());

  std::vector<float> scores(files * 12 * config.n_classes);
  const int shifts[] = {0, 1, -1, 2, -2};
  auto status = model->temporal_shift_tta({emb, perch_logits, {site_ids, hours}}, files, 12, shifts, scores);
  if (!status) return fail(status.error().message());  // the site, hour or window that is wrong

  EXPECT_TRUE(all_finite(scores));
  EXPECT_NE(scores.front(), scores.back());
}

TEST(DocumentedExample, Runs) {
  const TemporaryFolder folder;
  const WorkingFolder inside(folder.path());
  constexpr std::size_t files = 2;
  write_checkpoint("proto_ssm.safetensors", random_state(required_tensors(ProtoSsmConfig{})));
  example(random_floats(files * 12 * 1536, 1), random_floats(files * 12 * 234, 2), {0, 19}, {5, 23}, files);
}

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(std::string(PANTANAL_SOURCE_DIR) + path).rdbuf();
  return text.str();
}

/// Line by line: the document is not indented as this file is.
TEST(DocumentedExample, IsTheOneAbove) {
  const std::string document = read("/docs/sequence_models.md"),
                    source = read("/tests/heads/documented_example_test.cpp");
  const std::size_t begin = document.find("```cpp\n") + 7, end = document.find("```\n", begin);
  ASSERT_LT(begin, end);
  std::istringstream lines(document.substr(begin, end - begin));
  std::size_t at = 0, count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    at = source.find(line, at);
    ASSERT_NE(at, std::string::npos) << line;
  }
  EXPECT_GT(count, 5u);
}

}  // namespace
}  // namespace pantanal::heads
