// SelectiveSsmSession against PyTorch, for any number of threads, and every way to call it wrongly.
#include "pantanal/heads/selective_ssm_session.hpp"

#include <cmath>
#include <limits>

#include "heads/random_state.hpp"
#include "nn/fixtures.hpp"

namespace pantanal::heads {
namespace {

using kernels::random_floats;
using nn::Direction;
using nn::SsmForm;

TEST(SelectiveSsmSession, AgreesWithPyTorchInBothFormsAndDirections) {
  nn::for_each_case("selective_ssm", [](const kernels::KernelTable& table, const nn::FixtureCase& c) {
    for (const auto& [form, name] : {std::pair{SsmForm::notebook, "notebook"}, {SsmForm::mamba, "mamba"}}) {
      auto session =
          SelectiveSsmSession::create(c.state, {c.size("d_model"), c.size("d_state"), c.size("d_conv"), form},
                                      {.threads = 2, .rows_per_block = 20, .isa = table.isa});
      ASSERT_TRUE(succeeded(session));
      std::vector<float> y(c.input("x").size());
      ASSERT_TRUE(succeeded(session->run(c.input("x"), c.sequences("x"), Direction::forwards, y)));
      nn::expect_close(y, c.output((std::string(name) + "_forwards").c_str()), name);
      ASSERT_TRUE(succeeded(session->run(c.input("x"), c.sequences("x"), Direction::backwards, y)));
      nn::expect_close(y, c.output((std::string(name) + "_backwards").c_str()), name);
    }
  });
}

TEST(SelectiveSsmSession, IsTheSameBitsForAnyThreadsAndBlocks) {
  for (const SsmForm form : {SsmForm::notebook, SsmForm::mamba})
    for (const kernels::KernelTable* table : kernels::all_tables()) {
      const nn::SelectiveSsmConfig config{21, 7, 4, form};
      const nn::StateDict state = random_state(required_tensors(config));
      const nn::Sequences sequences{9, 14};
      const std::vector<float> x = random_floats(sequences.rows() * config.d_model, 40);
      std::vector<float> expected;
      for (const auto& [threads, rows] : {std::pair{1, 1000}, {2, 96}, {3, 1}, {16, 30}, {0, 40}}) {
        auto session = SelectiveSsmSession::create(
            state, config, {static_cast<std::size_t>(threads), static_cast<std::size_t>(rows), table->isa});
        ASSERT_TRUE(succeeded(session));
        std::vector<float> found(x.size());
        ASSERT_TRUE(succeeded(session->run(x, sequences, Direction::forwards, found)));
        if (expected.empty()) expected = found;
        EXPECT_EQ(found, expected) << to_string(table->isa) << " " << threads << " threads, " << rows
                                   << " rows";
      }
    }
}

/// What comes later in a sequence changes nothing before it, however long the sequence; and a short call
/// after a long one is not disturbed by what that left behind.
TEST(SelectiveSsmSession, IsCausalOverLongSequences) {
  const nn::SelectiveSsmConfig config{3, 2, 4};
  auto session = SelectiveSsmSession::create(random_state(required_tensors(config)), config, {.threads = 2});
  ASSERT_TRUE(succeeded(session));
  constexpr std::size_t steps = 65536, cut = 40001;
  const std::vector<float> x = random_floats(steps * 3, 41);
  std::vector<float> whole(x.size()), start(cut * 3);
  ASSERT_TRUE(succeeded(session->run(x, {1, steps}, Direction::forwards, whole)));
  ASSERT_TRUE(succeeded(session->run(std::span(x).first(cut * 3), {1, cut}, Direction::forwards, start)));
  EXPECT_TRUE(std::equal(start.begin(), start.end(), whole.begin()));
}

TEST(SelectiveSsmSession, NamesWhatIsWrong) {
  const nn::SelectiveSsmConfig config{5, 3, 4};
  const nn::StateDict state = random_state(required_tensors(config));
  auto session = SelectiveSsmSession::create(state, config, {.threads = 1});
  ASSERT_TRUE(succeeded(session));
  constexpr auto code = ErrorCode::invalid_argument;
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> x(2 * 4 * 5, 0.5f), y(x.size());
  const auto run = [&](nn::Sequences s, std::size_t outputs) {
    return session->run(x, s, Direction::forwards, std::span(y).first(outputs));
  };
  EXPECT_TRUE(refused(run({2, 3}, 30), code, {"SelectiveSsm.x", "40 floats", "6 x 5"}));
  EXPECT_TRUE(refused(run({2, 4}, 30), code, {"SelectiveSsm.y", "30 floats", "8 x 5"}));
  EXPECT_TRUE(refused(run({2, 0}, 0), code, {"2 sequences of 0 steps"}));
  EXPECT_TRUE(refused(run({std::size_t{1} << 40, 2}, 0), code, {"sequences"}));
  x[7] = nan;
  EXPECT_TRUE(refused(run({2, 4}, 40), code, {"SelectiveSsm.x, window 1", "NaN"}));
  x.assign(x.size(), 3e38f);
  EXPECT_TRUE(refused(run({2, 4}, 40), code, {"SelectiveSsm.y", "overflows"}));
  nn::StateDict other = state;
  other.at("A_log") = make_tensor({5, 3}, std::vector<float>(15, nan));
  EXPECT_TRUE(refused(SelectiveSsmSession::create(other, config), ErrorCode::corrupt, {"A_log", "NaN"}));
  other.erase("A_log");
  EXPECT_TRUE(refused(SelectiveSsmSession::create(other, config), ErrorCode::not_found, {"A_log"}));
  EXPECT_TRUE(refused(SelectiveSsmSession::create(state, {5, 0, 4}), code, {"SelectiveSsmConfig.d_state"}));
}

}  // namespace
}  // namespace pantanal::heads
