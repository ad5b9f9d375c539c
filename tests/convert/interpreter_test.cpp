// What the interpreter does with a graph, apart from the operators themselves.
#include "interpreter/interpreter.hpp"

#include <gtest/gtest.h>

#include "interpreter_graphs.hpp"

namespace pantanal::convert {
namespace {

using fixtures::Names;

/// y = Relu(x + c), and z = x · x beside it.
Graph two_branches() {
  Graph graph;
  graph.opset = 13;
  graph.inputs = {{"x", {-1, 2}}};
  graph.outputs = {{"y", {-1, 2}}, {"z", {-1, 2}}};
  graph.constants["c"] = fixtures::floats({2}, {-1, 1});
  graph.nodes = {fixtures::node("Add", {"x", "c"}, {"sum"}), fixtures::node("Relu", {"sum"}, {"y"}),
                 fixtures::node("Mul", {"x", "x"}, {"z"})};
  return graph;
}

using Arrays = std::map<std::string, NdArray<double>>;

/// The outputs, or the error's message under the name "error" with no values.
Arrays run(const Graph& graph, const Arrays& inputs, const Names& outputs, std::string* message = nullptr) {
  const auto interpreter = Interpreter<double>::create(graph);
  EXPECT_TRUE(interpreter.ok());
  auto values = interpreter->run(inputs, outputs);
  if (!values && message) *message = values.error().message();
  return values ? *std::move(values) : Arrays();
}

TEST(Interpreter, ComputesEveryOutputAskedFor) {
  const Arrays outputs = run(two_branches(), {{"x", {{2, 2}, {1, 2, -3, -4}}}}, {"y", "z"});
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_EQ(outputs.at("y").shape, (Shape{2, 2}));
  EXPECT_EQ(outputs.at("y").values, (std::vector<double>{0, 3, 0, 0}));
  EXPECT_EQ(outputs.at("z").values, (std::vector<double>{1, 4, 9, 16}));
}

TEST(Interpreter, GivesIntermediatesInputsAndConstantsToo) {
  const Arrays outputs = run(two_branches(), {{"x", {{1, 2}, {5, 6}}}}, {"sum", "x", "c", "sum"});
  EXPECT_EQ(outputs.at("sum").values, (std::vector<double>{4, 7}));
  EXPECT_EQ(outputs.at("x").values, (std::vector<double>{5, 6}));
  EXPECT_EQ(outputs.at("c").values, (std::vector<double>{-1, 1}));
}

TEST(Interpreter, RunsAgainWithAnotherBatch) {
  const Graph graph = two_branches();
  const auto interpreter = Interpreter<float>::create(graph);
  ASSERT_TRUE(interpreter.ok());
  const Names outputs = {"z"};
  EXPECT_EQ(interpreter->run({{"x", {{1, 2}, {2, 3}}}}, outputs)->at("z").values, (std::vector<float>{4, 9}));
  EXPECT_EQ(interpreter->run({{"x", {{0, 2}, {}}}}, outputs)->at("z").shape, (Shape{0, 2}));
}

TEST(Interpreter, ComputesOnlyWhatIsNeeded) {
  Graph graph = two_branches();
  graph.constants["zero"] = fixtures::integers({}, {0});
  graph.nodes.push_back(fixtures::node("Div", {"zero", "zero"}, {"broken"}));
  EXPECT_EQ(run(graph, {{"x", {{1, 2}, {1, 2}}}}, {"z"}).size(), 1u);
  std::string message;
  EXPECT_TRUE(run(graph, {{"x", {{1, 2}, {1, 2}}}}, {"z", "broken"}, &message).empty());
  EXPECT_NE(message.find("the Div"), std::string::npos) << message;
  EXPECT_NE(message.find("divided by zero"), std::string::npos) << message;
}

TEST(Interpreter, ReturnsIntegersAndBooleansAsReals) {
  Graph graph;
  graph.opset = 13;
  graph.constants["i"] = fixtures::integer_list({-3, 4});
  graph.constants["j"] = fixtures::integer_list({5, 2});
  graph.nodes = {fixtures::node("Mul", {"i", "j"}, {"product"}),
                 fixtures::node("Less", {"i", "j"}, {"less"})};
  const Arrays outputs = run(graph, {}, {"product", "less"});
  EXPECT_EQ(outputs.at("product").values, (std::vector<double>{-15, 8}));
  EXPECT_EQ(outputs.at("less").values, (std::vector<double>{1, 0}));
}

TEST(Interpreter, WidensConstantsToItsOwnType) {
  Graph graph;
  graph.opset = 13;
  graph.constants["f"] = fixtures::floats({1}, {0.1f});
  graph.constants["d"] = {DataType::float64, {1}, {}, {0.1}, {}};
  graph.nodes = {fixtures::node("Sub", {"f", "d"}, {"y"})};
  const Names outputs = {"y"};
  const auto in_double = Interpreter<double>::create(graph);
  ASSERT_TRUE(in_double.ok());
  EXPECT_EQ(in_double->run({}, outputs)->at("y").values.front(), static_cast<double>(0.1f) - 0.1);
  const auto in_float = Interpreter<float>::create(graph);
  ASSERT_TRUE(in_float.ok());
  EXPECT_EQ(in_float->run({}, outputs)->at("y").values.front(), 0.0f);
}

TEST(Interpreter, DropsIntermediatesAfterTheirLastUse) {
  constexpr std::int64_t size = 1000, nodes = 50;
  Graph graph;
  graph.opset = 13;
  graph.constants["0"] = fixtures::counted({size});
  for (std::int64_t i = 0; i < nodes; ++i)
    graph.nodes.push_back(
        fixtures::node("Neg", {std::to_string(i)}, {i + 1 == nodes ? "y" : std::to_string(i + 1)}));
  const auto values = fixtures::evaluate(graph, 2 * size);
  ASSERT_TRUE(values.ok()) << values.error().message();
  EXPECT_EQ(values->values[7], 7);
  const auto refused = fixtures::evaluate(graph, 2 * size - 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
}

TEST(Interpreter, RefusesWrongInputs) {
  const Graph graph = two_branches();
  std::string message;
  const Names y = {"y"};
  EXPECT_TRUE(run(graph, {}, y, &message).empty());
  EXPECT_NE(message.find("input 'x'"), std::string::npos) << message;
  EXPECT_TRUE(run(graph, {{"x", {{1, 3}, {1, 2, 3}}}}, y, &message).empty());
  EXPECT_NE(message.find("shape [1, 3], expected shape [-1, 2]"), std::string::npos) << message;
  EXPECT_TRUE(run(graph, {{"x", {{2}, {1, 2}}}}, y, &message).empty());
  EXPECT_NE(message.find("shape [2]"), std::string::npos) << message;
  EXPECT_TRUE(run(graph, {{"x", {{2, 2}, {1, 2, 3}}}}, y, &message).empty());
  EXPECT_NE(message.find("3 elements"), std::string::npos) << message;
  EXPECT_TRUE(run(graph, {{"x", {{-1, 2}, {}}}}, y, &message).empty());
  EXPECT_TRUE(run(graph, {{"x", {{1, 2}, {1, 2}}}, {"w", {{1}, {1}}}}, y, &message).empty());
  EXPECT_NE(message.find("input 'w': not found"), std::string::npos) << message;
  EXPECT_TRUE(run(graph, {{"x", {{1, 2}, {1, 2}}}}, {"nothing"}, &message).empty());
  EXPECT_NE(message.find("output 'nothing': not found"), std::string::npos) << message;
}

/// The message with which create() refuses a graph.
std::string refusal(const Graph& graph) {
  const auto interpreter = Interpreter<double>::create(graph);
  return interpreter ? "accepted" : interpreter.error().message();
}

TEST(Interpreter, RefusesGraphsItCannotCompute) {
  Graph graph = two_branches();
  graph.opset = 6;
  EXPECT_NE(refusal(graph).find("operator set 6"), std::string::npos);
  graph.opset = 99;
  EXPECT_NE(refusal(graph).find("operator set 99"), std::string::npos);

  graph = two_branches();
  graph.nodes[1].op = "Gelu";
  EXPECT_EQ(refusal(graph),
            "node 'the Relu' (Gelu, output 'y'): unsupported: found operator Gelu, expected an operator the "
            "interpreter has");
  graph = two_branches();
  graph.nodes[1].domain = "com.microsoft";
  EXPECT_NE(refusal(graph).find("operator com.microsoft.Relu"), std::string::npos);
  graph = two_branches();
  graph.nodes[1].attributes["slope"] = 1.0f;
  EXPECT_NE(refusal(graph).find("'the Relu'"), std::string::npos);
  EXPECT_NE(refusal(graph).find("attribute slope"), std::string::npos);
}

TEST(Interpreter, RefusesMalformedGraphs) {
  const auto with = [](auto change) {
    Graph graph = two_branches();
    change(graph);
    return refusal(graph);
  };
  EXPECT_NE(with([](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); }).find("input 0 'sum'"),
            std::string::npos);
  EXPECT_NE(with([](Graph& g) { g.nodes[0].inputs = {"x"}; }).find("1 inputs"), std::string::npos);
  EXPECT_NE(with([](Graph& g) { g.nodes[0].inputs = {"x", ""}; }).find("input 1 ''"), std::string::npos);
  EXPECT_NE(with([](Graph& g) { g.nodes[1].inputs = {"x", "x"}; }).find("2 inputs"), std::string::npos);
  EXPECT_NE(with([](Graph& g) { g.nodes[0].outputs = {}; }).find("0 outputs"), std::string::npos);
  EXPECT_NE(with([](Graph& g) {
              g.nodes[0].outputs = {"sum", "more"};
            }).find("2 outputs"),
            std::string::npos);
  EXPECT_NE(with([](Graph& g) { g.nodes[1].outputs = {"sum"}; }).find("exists already"), std::string::npos);
  EXPECT_NE(with([](Graph& g) { g.nodes[0].outputs = {"c"}; }).find("exists already"), std::string::npos);
  EXPECT_NE(with([](Graph& g) { g.constants["c"].shape = {3}; }).find("constant 'c': corrupt"),
            std::string::npos);
  EXPECT_NE(with([](Graph& g) { g.constants["c"].shape = {-2}; }).find("constant 'c'"), std::string::npos);
  EXPECT_NE(with([](Graph& g) { g.constants["c"].type = DataType::int64; }).find("constant 'c'"),
            std::string::npos);
}

}  // namespace
}  // namespace pantanal::convert
