#include "pantanal/pipeline/submission.hpp"

#include <limits>

#include "io/temporary_folder.hpp"
#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

using Ids = std::vector<std::string>;
const Ids two_classes{"b", "a,1"}, expected{"x_5", "x_10"};

Scores two_rows() {
  Scores probs(2, 2);
  probs.values = {0.25f, 0, 0.1f, 1};
  return probs;
}

TEST(Submission, IsWrittenInTheExpectedOrder) {
  const TemporaryFolder folder;
  const auto path = folder / "submission.csv";
  ASSERT_TRUE(succeeded(write_submission(path, two_classes, expected, Ids{"x_10", "x_5"}, two_rows())));
  EXPECT_EQ(read_bytes(path), "row_id,b,\"a,1\"\nx_5,0.1,1\nx_10,0.25,0\n");
  EXPECT_EQ(folder.names(), Ids{"submission.csv"});
}

TEST(Submission, ReadsBackTheSameFloats) {
  const TemporaryFolder folder;
  for_each_golden([&](const Golden& golden) {
    Ids rows;
    for (const WindowMeta& window : golden.meta) rows.push_back(window.row_id);
    Scores probs = golden.array("post_5");
    probs(0, 0) = std::numeric_limits<float>::denorm_min();
    probs(0, 1) = std::nextafter(1.0f, 0.0f);
    const auto path = folder / "submission.csv";
    ASSERT_TRUE(succeeded(write_submission(path, golden.classes, rows, rows, probs)));
    const auto read = validate_submission(path, golden.classes, rows);
    ASSERT_TRUE(succeeded(read));
    EXPECT_EQ(read->row_ids, rows);
    EXPECT_EQ(read->probs.values, probs.values);
  });
}

TEST(Submission, NothingIsWrittenThatIsNotWhole) {
  const TemporaryFolder folder;
  const auto path = folder / "submission.csv";
  const auto write = [&](const Ids& rows, const Scores& probs) {
    return write_submission(path, two_classes, expected, rows, probs);
  };
  EXPECT_TRUE(refused(write({"x_5"}, Scores(1, 2)), ErrorCode::not_found, {"'x_10'"}));
  EXPECT_TRUE(refused(write({"x_5", "x_10", "y_5"}, Scores(3, 2)), ErrorCode::not_found, {"'y_5'"}));
  EXPECT_TRUE(refused(write({"x_5", "x_5"}, Scores(2, 2)), ErrorCode::corrupt, {"'x_5' twice"}));
  EXPECT_TRUE(refused(write(expected, Scores(2, 3)), ErrorCode::mismatch, {"2 x 3"}));
  for (const float bad : {NAN, INFINITY, -0.1f, 1.1f}) {
    Scores probs = two_rows();
    probs(1, 0) = bad;
    EXPECT_TRUE(refused(write(expected, probs), ErrorCode::invalid_argument, {"x_10", "class b"}));
  }
  EXPECT_TRUE(refused(write_submission(path, Ids{"a", "a"}, expected, expected, two_rows()),
                      ErrorCode::corrupt, {"'a' twice"}));
  EXPECT_TRUE(folder.names().empty());
  EXPECT_TRUE(refused(write_submission(folder / "none/s.csv", two_classes, expected, expected, two_rows()),
                      ErrorCode::not_found));
}

TEST(Submission, KeepsTheOldFileIfTheNewOneIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder / "submission.csv";
  ASSERT_TRUE(succeeded(write_submission(path, two_classes, expected, expected, two_rows())));
  const std::string before = read_bytes(path);
  EXPECT_FALSE(write_submission(path, two_classes, expected, expected, Scores(2, 2, NAN)));
  EXPECT_EQ(read_bytes(path), before);
}

TEST(Submission, ValidationSaysWhatIsWrong) {
  const TemporaryFolder folder;
  const auto path = folder / "submission.csv";
  const Ids ab{"a", "b"};
  const auto check = [&](const char* text) {
    write_bytes(path, text);
    return validate_submission(path, ab, expected);
  };
  EXPECT_TRUE(succeeded(check("row_id,a,b\nx_10,1,0\nx_5,0.5,1e-30\n")));
  EXPECT_TRUE(refused(check(""), ErrorCode::corrupt, {"no header"}));
  EXPECT_TRUE(refused(check("id,a,b\n"), ErrorCode::corrupt, {"'id'", "row_id"}));
  EXPECT_TRUE(refused(check("row_id\nx_5\n"), ErrorCode::corrupt, {"no classes"}));
  EXPECT_TRUE(refused(check("row_id,a,a\n"), ErrorCode::corrupt, {"'a' twice"}));
  EXPECT_TRUE(refused(check("row_id,a\n"), ErrorCode::mismatch, {"1 classes"}));
  EXPECT_TRUE(refused(check("row_id,b,a\n"), ErrorCode::mismatch, {"class 0", "'b'", "'a'"}));
  EXPECT_TRUE(refused(check("row_id,a,b\nx_5,0,0\n"), ErrorCode::not_found, {"'x_10'"}));
  EXPECT_TRUE(refused(check("row_id,a,b\nx_5,0,0\nx_10,0,0\nx_15,0,0\n"), ErrorCode::not_found, {"'x_15'"}));
  EXPECT_TRUE(
      refused(check("row_id,a,b\nx_5,0,0\nx_10,0,0\nx_5,0,0\n"), ErrorCode::corrupt, {"'x_5' twice"}));
  EXPECT_TRUE(refused(check("row_id,a,b\nx_5,0,0\nx_10,0,nan\n"), ErrorCode::invalid_argument,
                      {"x_10", "class b", "NaN"}));
  EXPECT_TRUE(
      refused(check("row_id,a,b\nx_5,0,0\nx_10,2,0\n"), ErrorCode::invalid_argument, {"x_10", "class a"}));
  EXPECT_TRUE(refused(check("row_id,a,b\nx_5,0,0\nx_10,,0\n"), ErrorCode::corrupt, {":3", "''"}));
  EXPECT_TRUE(refused(check("row_id,a,b\nx_5,0,0x\nx_10,0,0\n"), ErrorCode::corrupt, {":2", "'0x'"}));
  EXPECT_TRUE(refused(check("row_id,a,b\nx_5,0\n"), ErrorCode::corrupt, {"2 fields"}));
  EXPECT_TRUE(refused(validate_submission(folder / "none.csv", ab, expected), ErrorCode::not_found));
}

TEST(Submission, TheSampleGivesClassesAndRows) {
  const TemporaryFolder folder;
  write_bytes(folder / "s.csv", "row_id,z,a\nr_5,0.1,0.2\nr_10,0.1,0.2\n");
  const auto sample = read_sample_submission(folder / "s.csv");
  ASSERT_TRUE(succeeded(sample));
  EXPECT_EQ(sample->classes, (Ids{"z", "a"}));
  EXPECT_EQ(sample->row_ids, (Ids{"r_5", "r_10"}));
}

}  // namespace
}  // namespace pantanal::pipeline
