// The trained model is the one that is run: heads::ProtoSsm's logits. (tests/train holds its gradients to
// PyTorch's.)
#include "pantanal/autograd/proto_ssm.hpp"

#include "autograd/gradient_check.hpp"
#include "core/refused.hpp"
#include "heads/random_state.hpp"
#include "pantanal/heads/proto_ssm.hpp"

namespace pantanal::autograd {
namespace {

TEST(ProtoSsm, IsTheModelThatIsRun) {
  heads::ProtoSsmConfig c;
  c.d_input = 16, c.d_model = 24, c.d_state = 5, c.n_ssm_layers = 2, c.n_classes = 7, c.n_windows = 6,
  c.n_sites = 4, c.meta_dim = 3, c.cross_attn_heads = 4, c.n_families = 2, c.n_prototypes = 2;
  const nn::StateDict state = heads::random_state(heads::required_tensors(c));
  const nn::Sequences s{4, 5};
  const std::vector<float> emb = kernels::random_floats(s.rows() * c.d_input, 1),
                           logits = kernels::random_floats(s.rows() * c.n_classes, 2);
  const std::vector<std::int64_t> sites{0, 3, 1, 3}, hours{23, 0, 7, 7};
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    ProtoSsm model(*table, c, 0.3f, true);
    ASSERT_TRUE(succeeded(model.parameters().load(state)));
    model.plan(s);
    model.pack(Team());
    AlignedBuffer<float> scratch(model.scratch_size(s));
    model.forward({.table = table,
                   .files = {0, s.count},
                   .steps = s.steps,
                   .training = false,
                   .scratch = nn::Scratch(scratch.data())},
                  {emb, logits, sites, hours, s});
    auto session = heads::ProtoSsm::create(state, c, {.threads = 1, .isa = table->isa});
    ASSERT_TRUE(succeeded(session));
    std::vector<float> species(logits.size()), families(s.count * c.n_families);
    ASSERT_TRUE(
        succeeded(session->run({emb, logits, {sites, hours}}, s.count, s.steps, {species, families, {}})));
    expect_same(unpad(model.species().data, s.rows(), c.n_classes), species, "species");
    expect_same(unpad(model.families().data, s.count, c.n_families), families, "families");
  }
}

}  // namespace
}  // namespace pantanal::autograd
