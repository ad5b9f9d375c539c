#include "result_writer.hpp"

#include <gtest/gtest.h>

#include <list>
#include <string>
#include <vector>

#include "core/refused.hpp"
#include "io/temporary_folder.hpp"
#include "output/npz_reader.hpp"
#include "pantanal/io/csv.hpp"
#include "pantanal/output/file_name_text.hpp"
#include "perch/random_model.hpp"

namespace pantanal::infer {
namespace {

class ResultWriterTest : public ::testing::Test {
 protected:
  ResultWriterTest() {
    options_.out = folder_ / "o.csv";
    options_.embeddings = folder_ / "e.npz";
    options_.top = 2;
  }

  Result<ResultWriter> create(const perch::Model& model) {
    return ResultWriter::create(options_, model, recordings_);
  }

  static perch::Model model(std::size_t classes) {
    perch::Architecture architecture = perch::fixtures::smallest_architecture();
    architecture.label.classes = classes;
    return perch::fixtures::random_model(architecture, 1);
  }

  /// A window whose embedding and logits start with `value`.
  WindowResult window(std::size_t recording, float value) {
    values_.push_back({value, value + 1, value + 2});
    return {recording, value, value + 5, values_.back(), values_.back()};
  }

  static Status keep_going(ResultWriter& writer) {
    return writer.finish([] { return false; });
  }

  TemporaryFolder folder_;
  Options options_;
  std::vector<Recording> recordings_ = {{"b, \"x\".wav", 0}, {"caf\xe9.wav", 0}, {"a.ogg", 0}};
  std::list<std::vector<float>> values_;
};

TEST_F(ResultWriterTest, WritesBothFiles) {
  auto writer = create(model(3));
  ASSERT_TRUE(succeeded(writer));
  EXPECT_TRUE(writer->wants_embedding());
  for (const std::size_t recording : {0, 1, 1, 2})
    ASSERT_TRUE(succeeded(writer->write(window(recording, static_cast<float>(recording)))));
  ASSERT_TRUE(succeeded(keep_going(*writer)));
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{"e.npz", "o.csv"}));

  const auto rows = read_csv(folder_ / "o.csv");
  ASSERT_TRUE(succeeded(rows));
  ASSERT_EQ(rows->size(), 1u + 4 * 2);
  EXPECT_EQ((*rows)[1].fields[0], "b, \"x\".wav");
  EXPECT_EQ((*rows)[1].fields[4], "Species 2");
  EXPECT_EQ((*rows)[3].fields[0], "caf\xe9.wav");

  const auto arrays = output::read_npz(folder_ / "e.npz");
  ASSERT_EQ(arrays.size(), 4u);
  EXPECT_NE(arrays.at("embedding").header.find("(4, 3)"), std::string::npos);
  EXPECT_NE(arrays.at("label").header.find("(4, 3)"), std::string::npos);
  EXPECT_NE(arrays.at("file").header.find("'<U10', 'fortran_order': False, 'shape': (4,)"),
            std::string::npos);
  EXPECT_EQ(arrays.at("start_s").values<double>(), (std::vector<double>{0, 1, 1, 2}));
  EXPECT_EQ(arrays.at("embedding").values<float>()[3], 1.0f);
  const auto names = arrays.at("file").values<char32_t>();
  EXPECT_EQ(std::u32string(names.begin(), names.begin() + 10), U"b, \"x\".wav");
  EXPECT_EQ(std::u32string(names.begin() + 10, names.begin() + 20),
            output::decode_file_name("caf\xe9.wav") + std::u32string(2, U'\0'));
}

TEST_F(ResultWriterTest, GoesWithoutLabels) {
  options_.out.reset();
  auto writer = create(model(0));
  ASSERT_TRUE(succeeded(writer));
  WindowResult result = window(0, 0);
  result.logits = {};
  ASSERT_TRUE(succeeded(writer->write(result)));
  ASSERT_TRUE(succeeded(keep_going(*writer)));
  const auto arrays = output::read_npz(folder_ / "e.npz");
  EXPECT_EQ(arrays.size(), 3u);
  EXPECT_FALSE(arrays.contains("label"));
}

TEST_F(ResultWriterTest, GoesWithoutEmbeddings) {
  options_.embeddings.reset();
  auto writer = create(model(3));
  ASSERT_TRUE(succeeded(writer));
  EXPECT_FALSE(writer->wants_embedding());
  ASSERT_TRUE(succeeded(writer->write(window(0, 0))));
  ASSERT_TRUE(succeeded(keep_going(*writer)));
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"o.csv"});
}

TEST_F(ResultWriterTest, LeavesNothingUnlessFinished) {
  {
    auto writer = create(model(3));
    ASSERT_TRUE(succeeded(writer));
    ASSERT_TRUE(succeeded(writer->write(window(0, 0))));
    ASSERT_TRUE(succeeded(writer->flush()));
  }
  EXPECT_TRUE(folder_.names().empty());
}

TEST_F(ResultWriterTest, LeavesNothingIfCancelled) {
  {
    auto writer = create(model(3));
    ASSERT_TRUE(succeeded(writer));
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(succeeded(writer->write(window(0, 0))));
    EXPECT_TRUE(refused(writer->finish([] { return true; }), ErrorCode::io, {"e.npz"}));
  }
  EXPECT_TRUE(folder_.names().empty());
}

TEST_F(ResultWriterTest, RefusesPathsThatCannotBeWritten) {
  options_.embeddings = folder_ / "absent" / "e.npz";
  EXPECT_TRUE(refused(create(model(3)), ErrorCode::not_found, {"absent/e.npz"}));
  options_.embeddings.reset();
  options_.out = folder_.path();
  EXPECT_TRUE(refused(create(model(3)), ErrorCode::io, {"directory"}));
  EXPECT_TRUE(folder_.names().empty());
}

}  // namespace
}  // namespace pantanal::infer
