#include "pantanal/pipeline/perch_mapping.hpp"

#include "pipeline/golden.hpp"

namespace pantanal::pipeline {
namespace {

TEST(PerchMapping, AgreesWithTheOracle) {
  for_each_golden([](const Golden& golden) {
    const PerchMapping mapping = golden.mapping();
    const auto indices = golden.lines("bc_indices").front();
    ASSERT_EQ(mapping.bc_indices.size(), indices.size());
    for (std::size_t c = 0; c < indices.size(); ++c)
      EXPECT_EQ(mapping.is_mapped(c) ? std::to_string(mapping.bc_indices[c]) : "-1", indices[c]);
    const Lines proxies = golden.lines("proxies");
    ASSERT_EQ(mapping.proxies.size(), proxies.size());
    for (std::size_t i = 0; i < proxies.size(); ++i) {
      EXPECT_EQ(mapping.proxies[i].class_index, std::stoul(proxies[i][0]));
      EXPECT_EQ(mapping.proxies[i].bc_indices, indices_of(proxies[i][1]));
    }
    const auto reduce = golden.text("reduce") == "max" ? ProxyReduce::max : ProxyReduce::mean;
    expect_close(map_perch_logits(golden.array("logits"), mapping, reduce), golden.array("raw"));
  });
}

const std::vector<std::string> classes{"1", "2son1", "3"}, labels{"Rana alba", "Ranax b", "Rana", "Rana\tc"};
const Taxonomy taxonomy{{{"1", "Rana nova", "Amphibia", ""},
                         {"2son1", "Rana x", "Amphibia", ""},
                         {"3", "Rana alba", "Aves", ""}}};

TEST(PerchMapping, AGenusIsAWholeWordThatAnotherFollows) {
  const auto mapping = map_to_perch(taxonomy, classes, labels);
  ASSERT_TRUE(succeeded(mapping));
  ASSERT_EQ(mapping->proxies.size(), 1u);
  EXPECT_EQ(mapping->proxies[0].genus, "Rana");
  EXPECT_EQ(mapping->proxies[0].bc_indices, (std::vector<std::size_t>{0, 3}));
  EXPECT_FALSE(mapping->is_mapped(0));
  EXPECT_EQ(mapping->bc_indices[2], 0u);
}

TEST(PerchMapping, SynonymsComeFirstAndProxiesCanBeOff) {
  const auto mapped = map_to_perch(taxonomy, classes, labels, {.synonyms = {{"Rana nova", "Ranax b"}}});
  ASSERT_TRUE(succeeded(mapped));
  EXPECT_EQ(mapped->bc_indices[0], 1u);
  EXPECT_TRUE(mapped->proxies.empty());
  EXPECT_TRUE(map_to_perch(taxonomy, classes, labels, {.proxy_taxa = {}})->proxies.empty());
}

TEST(PerchMapping, RefusesWhatItCannotMap) {
  const std::vector<std::string> twice{"Rana alba", "Rana alba"}, unknown{"9"};
  EXPECT_TRUE(refused(map_to_perch(taxonomy, classes, twice), ErrorCode::corrupt, {"'Rana alba' twice"}));
  EXPECT_TRUE(refused(map_to_perch(taxonomy, unknown, labels), ErrorCode::not_found, {"'9'"}));
  const auto mapping = map_to_perch(taxonomy, classes, labels);
  ASSERT_TRUE(succeeded(mapping));
  EXPECT_TRUE(refused(map_perch_logits(Scores(1, 5), *mapping), ErrorCode::mismatch, {"1 x 5", "1 x 4"}));
  EXPECT_TRUE(refused(map_perch_logits(Scores(1, 4, INFINITY), *mapping), ErrorCode::invalid_argument));
}

TEST(PerchMapping, AMeanOfLargeLogitsDoesNotOverflow) {
  const auto mapping = map_to_perch(taxonomy, classes, labels);
  ASSERT_TRUE(succeeded(mapping));
  const auto scores = map_perch_logits(Scores(1, 4, 3e38f), *mapping, ProxyReduce::mean);
  ASSERT_TRUE(succeeded(scores));
  EXPECT_EQ(scores->values, (std::vector<float>{3e38f, 0, 3e38f}));
}

}  // namespace
}  // namespace pantanal::pipeline
