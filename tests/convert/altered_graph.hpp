// Graphs altered on purpose, for tests that they are refused, with the node and what belongs there.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "perch_graph.hpp"
#include "recognise/recognise.hpp"

namespace pantanal::convert::fixtures {

/// A graph and the names of the values in it that tests change.
struct Subject {
  Graph graph;
  std::map<std::string, std::string> places;

  explicit Subject(const Spelling& spelling = {}, const perch::Model& model = family_model()) {
    PerchGraph writer(model, spelling);
    places = writer.places();
    graph = std::move(writer).graph();
  }
  Node& at(const std::string& place) { return producer(graph, places.at(place)); }
  Constant& constant(const std::string& place, std::size_t input) {
    return graph.constants.at(at(place).inputs.at(input));
  }
  /// Everything that uses the value at `place` uses `value` instead.
  void replace(const std::string& place, const std::string& value, const Node* except = nullptr) {
    for (Node& node : graph.nodes)
      for (std::string& input : node.inputs)
        if (input == places.at(place) && &node != except) input = value;
  }
  /// Puts a node before all that use the value at `place`.
  void insert_after(const std::string& place, Node node) {
    const std::string before = places.at(place), after = node.outputs.front();
    replace(place, after);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      for (const std::string& output : graph.nodes[i].outputs)
        if (output == before) {
          graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(node));
          return;
        }
  }
  /// Lets what uses the value at `place` use input `i` of its node instead: the node is gone.
  void bypass(const std::string& place, std::size_t i) {
    replace(place, std::string(at(place).inputs.at(i)));
  }
};

enum class Trust { refused, accepted };

struct Alteration {
  std::string what;
  std::function<void(Subject&)> change;
  std::string names;     ///< what the message must contain: the operator, or the place
  std::string expected;  ///< and what it must say belongs there
  Trust with_trust = Trust::refused;
};

inline void expect_refused(const Alteration& alteration, Subject subject) {
  SCOPED_TRACE(alteration.what);
  alteration.change(subject);
  const auto found = recognise(subject.graph);
  ASSERT_FALSE(found.ok());
  const std::string message = found.error().message();
  EXPECT_NE(message.find(alteration.names), std::string::npos) << message;
  EXPECT_NE(message.find(alteration.expected), std::string::npos) << message;
  const bool family = message.find("--trust-graph") != std::string::npos;
  EXPECT_EQ(family, alteration.with_trust == Trust::accepted) << message;
  const auto trusted = recognise(subject.graph, {.trust_graph = true});
  ASSERT_EQ(trusted.ok(), family);
  EXPECT_TRUE(!trusted || !trusted->notes.empty());
}

}  // namespace pantanal::convert::fixtures
