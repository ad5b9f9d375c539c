// The trained model is the one that is run: heads::ResidualSsm's correction. (tests/train holds its gradients
// to PyTorch's.)
#include "pantanal/autograd/residual_ssm.hpp"

#include "autograd/gradient_check.hpp"
#include "core/refused.hpp"
#include "heads/random_state.hpp"

namespace pantanal::autograd {
namespace {

TEST(ResidualSsm, IsTheModelThatIsRun) {
  heads::ResidualSsmConfig c;
  c.d_input = 9, c.d_scores = 7, c.d_model = 24, c.d_state = 5, c.n_classes = 7, c.n_windows = 6,
  c.n_sites = 4, c.meta_dim = 3, c.n_ssm_layers = 2;
  const nn::StateDict state = heads::random_state(heads::required_tensors(c));
  const nn::Sequences s{4, 5};
  const std::vector<float> inputs = kernels::random_floats(s.rows() * 16, 1);
  std::vector<float> emb, scores;
  for (std::size_t i = 0; i < inputs.size(); ++i) (i % 16 < 9 ? emb : scores).push_back(inputs[i]);
  const std::vector<std::int64_t> sites{0, 3, 1, 3}, hours{23, 0, 7, 7};
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    ResidualSsm model(*table, c, 0.3f);
    ASSERT_TRUE(succeeded(model.parameters().load(state)));
    model.plan(s);
    model.pack(Team());
    AlignedBuffer<float> scratch(model.scratch_size(s));
    model.forward({.table = table,
                   .files = {0, s.count},
                   .steps = s.steps,
                   .training = false,
                   .scratch = nn::Scratch(scratch.data())},
                  {inputs, sites, hours, s});
    auto session = heads::ResidualSsm::create(state, c, {.threads = 1, .isa = table->isa});
    ASSERT_TRUE(succeeded(session));
    std::vector<float> correction(scores.size());
    ASSERT_TRUE(succeeded(session->run({emb, scores, {sites, hours}}, s.count, s.steps, correction)));
    expect_same(unpad(model.correction().data, s.rows(), c.n_classes), correction, "correction");
  }
}

}  // namespace
}  // namespace pantanal::autograd
