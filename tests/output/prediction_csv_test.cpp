#include "pantanal/output/prediction_csv.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <string>
#include <vector>

#include "core/refused.hpp"
#include "pantanal/io/csv.hpp"

namespace pantanal::output {
namespace {

const std::vector<std::string> labels = {"Ara ararauna", "Engine, idling", "the \"other\" one"};

TEST(PredictionCsv, WritesARowPerClass) {
  const PredictionCsv csv(labels, 2);
  EXPECT_EQ(csv.rows({"a.wav", 5, 10}, std::vector<float>{2, 2, -100}),
            "a.wav,5,10,1,Ara ararauna,2,0.5\na.wav,5,10,2,\"Engine, idling\",2,0.5\n");
}

TEST(PredictionCsv, WritesFractionsOfSecondsWithoutExponent) {
  const PredictionCsv csv(labels, 1);
  const std::string row = csv.rows({"a.wav", 0.0000005, 1e15 + 0.5}, std::vector<float>{1, 0, 0});
  EXPECT_EQ(row.find("a.wav,0.0000005,1000000000000000.5,1,"), 0u) << row;
}

TEST(PredictionCsv, IsReadBackAsItWas) {
  const PredictionCsv csv(labels, 3);
  const std::string file = "my, \"best\"\nrecording\r.wav";
  const std::vector<float> logits = {-1.2345678f, 0.1f, 7.0e-12f};
  const auto rows = parse_csv(std::string(PredictionCsv::header) + csv.rows({file, 0, 5}, logits), "t.csv");
  ASSERT_TRUE(succeeded(rows));
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ((*rows)[0].fields,
            (std::vector<std::string>{"file", "start_s", "end_s", "rank", "label", "logit", "softmax"}));
  const std::size_t order[] = {1, 2, 0};
  for (std::size_t rank = 1; rank <= 3; ++rank) {
    const std::vector<std::string>& fields = (*rows)[rank].fields;
    EXPECT_EQ(fields[0], file);
    EXPECT_EQ(fields[3], std::to_string(rank));
    EXPECT_EQ(fields[4], labels[order[rank - 1]]);
    float logit = 0;
    std::from_chars(fields[5].data(), fields[5].data() + fields[5].size(), logit);
    EXPECT_EQ(logit, logits[order[rank - 1]]);
  }
}

TEST(PredictionCsv, WritesNoRowsForNoClasses) {
  EXPECT_EQ(PredictionCsv({}, 5).rows({"a.wav", 0, 5}, {}), "");
}

TEST(PredictionCsv, KeepsBytesThatAreNotUtf8) {
  const PredictionCsv csv(labels, 1);
  EXPECT_EQ(csv.rows({"caf\xe9.wav", 0, 5}, std::vector<float>{1, 0, 0}).substr(0, 8), "caf\xe9.wav");
}

}  // namespace
}  // namespace pantanal::output
