// Damaged graphs: whatever a file says, the interpreter answers with values or an Error, in bounded time and
// memory.
#include <limits>
#include <random>

#include "interpreter_graphs.hpp"
#include "operator_vectors.hpp"

namespace pantanal::convert {
namespace {

constexpr std::int64_t max_elements = 1 << 16;

/// Damages graphs, reproducibly.
class Damage {
 public:
  explicit Damage(std::uint64_t seed) : engine_(seed) {}

  void apply(fixtures::OperatorCase& test) {
    switch (below(6)) {
      case 0:
        return damage_attribute(test.graph);
      case 1:
        return damage_elements(test.graph);
      case 2:
        return damage_constant_shape(test.graph);
      case 3:
        return damage_input(test);
      case 4:
        return swap_inputs(test.graph);
      default:
        test.graph.opset = below(30);
    }
  }

 private:
  std::int64_t below(std::size_t n) { return static_cast<std::int64_t>(engine_() % n); }

  template <class Range>
  auto& any_of(Range& range) {
    return *std::next(range.begin(), below(range.size()));
  }

  std::int64_t odd_integer() {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    const std::int64_t odd[] = {-most - 1,
                                -1 - (std::int64_t{1} << 31),
                                -1000,
                                -3,
                                -2,
                                -1,
                                0,
                                1,
                                2,
                                3,
                                7,
                                1000,
                                std::int64_t{1} << 31,
                                std::int64_t{1} << 40,
                                most - 1,
                                most};
    return odd[below(std::size(odd))];
  }

  /// The shape with one axis changed, dropped or doubled.
  Shape odd_shape(Shape shape) {
    const std::int64_t what = below(3);
    if (shape.empty() || what == 0)
      shape.push_back(below(4));
    else if (what == 1)
      shape.pop_back();
    else
      any_of(shape) = below(6);
    return shape;
  }

  void damage_attribute(Graph& graph) {
    Node& node = any_of(graph.nodes);
    if (node.attributes.empty()) return;
    auto& [name, attribute] = any_of(node.attributes);
    if (below(6) == 0) attribute = fixtures::Integers(below(5), odd_integer());
    if (auto* integer = std::get_if<std::int64_t>(&attribute)) *integer = odd_integer();
    if (auto* list = std::get_if<std::vector<std::int64_t>>(&attribute); list && !list->empty())
      any_of(*list) = odd_integer();
    if (auto* text = std::get_if<std::string>(&attribute); text && !text->empty())
      any_of(*text) = static_cast<char>(',' + below(60));
  }

  void damage_elements(Graph& graph) {
    if (graph.constants.empty()) return;
    auto& [name, constant] = any_of(graph.constants);
    if (!constant.ints.empty()) any_of(constant.ints) = odd_integer();
  }

  void damage_constant_shape(Graph& graph) {
    if (graph.constants.empty()) return;
    auto& [name, constant] = any_of(graph.constants);
    constant.shape = odd_shape(constant.shape);
    const auto count = static_cast<std::size_t>(*element_count(constant.shape));
    if (constant.type == DataType::float32)
      constant.floats.resize(count, 1);
    else if (constant.type == DataType::float64)
      constant.doubles.resize(count, 1);
    else
      constant.ints.resize(count, 1);
  }

  void damage_input(fixtures::OperatorCase& test) {
    if (test.inputs.empty()) return;
    auto& [name, array] = any_of(test.inputs);
    array.shape = odd_shape(array.shape);
    array.values.resize(static_cast<std::size_t>(*element_count(array.shape)), 0.5);
    for (Value& input : test.graph.inputs) input.shape.clear();
  }

  void swap_inputs(Graph& graph) {
    Node& node = any_of(graph.nodes);
    if (node.inputs.size() > 1) std::swap(any_of(node.inputs), any_of(node.inputs));
  }

  std::mt19937_64 engine_;
};

/// What became of a damaged case; fails the test if a value does not fill its shape.
bool is_computed(const fixtures::OperatorCase& test) {
  const auto interpreter = Interpreter<double>::create(test.graph, max_elements);
  if (!interpreter) return false;
  std::vector<std::string> names;
  for (const auto& [name, constant] : test.expected) names.push_back(name);
  const auto outputs = interpreter->run(test.inputs, names);
  if (!outputs) {
    EXPECT_FALSE(outputs.error().found.empty()) << test.name;
    return false;
  }
  for (const auto& [name, array] : *outputs) {
    const auto count = element_count(array.shape);
    EXPECT_TRUE(count && static_cast<std::size_t>(*count) == array.values.size())
        << test.name << ": " << name;
  }
  return true;
}

void expect_survival(const std::string& file) {
  std::size_t computed = 0, refused = 0;
  std::uint64_t seed = 0;
  for (const fixtures::OperatorCase& original : fixtures::read_cases(file)) {
    if (original.graph.nodes.empty()) continue;
    for (int round = 0; round < 12; ++round) {
      fixtures::OperatorCase test = original;
      Damage damage(++seed);
      for (int i = 0; i <= round % 3; ++i) damage.apply(test);
      ++(is_computed(test) ? computed : refused);
    }
  }
  EXPECT_GT(computed, 1000u);
  EXPECT_GT(refused, 1000u);
}

TEST(InterpreterHostile, SurvivesDamagedNodeVectors) { expect_survival("node_vectors.bin"); }

TEST(InterpreterHostile, SurvivesDamagedOperatorVectors) { expect_survival("operator_vectors.bin"); }

}  // namespace
}  // namespace pantanal::convert
