// ProtoSsm against PyTorch, for any number of threads, and every way to call it wrongly.
#include "pantanal/heads/proto_ssm.hpp"

#include <cmath>
#include <limits>

#include "heads/random_state.hpp"
#include "io/temporary_folder.hpp"
#include "nn/fixtures.hpp"
#include "pantanal/io/safetensors_writer.hpp"

namespace pantanal::heads {
namespace {

using kernels::random_floats;
using nn::FixtureCase;

ProtoSsmConfig config_of(const FixtureCase& c) {
  ProtoSsmConfig config;
  config.d_input = c.size("d_input"), config.d_model = c.size("d_model"), config.d_state = c.size("d_state");
  config.d_conv = c.size("d_conv"), config.n_ssm_layers = c.size("n_ssm_layers");
  config.n_classes = c.size("n_classes"), config.n_windows = c.size("n_windows");
  config.n_sites = c.size("n_sites"), config.meta_dim = c.size("meta_dim");
  config.use_cross_attn = c.flag("use_cross_attn");
  config.cross_attn_heads = c.size("cross_attn_heads"), config.n_families = c.size("n_families");
  if (c.contains("n_prototypes")) config.n_prototypes = c.size("n_prototypes");
  return config;
}

void expect_pytorchs(const char* cases) {
  nn::for_each_case(cases, [](const kernels::KernelTable& table, const FixtureCase& c) {
    auto model =
        ProtoSsm::create(c.state, config_of(c), {.threads = 1, .rows_per_block = 50, .isa = table.isa});
    ASSERT_TRUE(succeeded(model));
    const std::vector<std::int64_t> sites = c.ids("site_ids"), hours = c.ids("hours");
    const ProtoSsm::Inputs inputs{c.input("emb"), c.input("logits"), {sites, hours}};
    std::vector<float> species(c.output("species").size()), families(c.output("families").size()),
        h(c.output("h").size()), tta(species.size());
    ASSERT_TRUE(succeeded(model->run(inputs, c.size("files"), c.size("steps"), {species, families, h})));
    nn::expect_close(species, c.output("species"), "proto_ssm species");
    if (!families.empty()) nn::expect_close(families, c.output("families"), "proto_ssm families");
    nn::expect_close(h, c.output("h"), "proto_ssm h");
    const auto shifts = c.numbers("shifts");
    ASSERT_TRUE(succeeded(model->temporal_shift_tta(inputs, c.size("files"), c.size("steps"), shifts, tta)));
    nn::expect_close(tta, c.output("tta"), "proto_ssm tta");
  });
}

TEST(ProtoSsm, AgreesWithPyTorch) { expect_pytorchs("proto_ssm"); }

TEST(ProtoSsm, AgreesWithPyTorchOnSeveralPrototypes) { expect_pytorchs("several_prototypes"); }

/// A small model and inputs for it.
struct Small {
  Small() : state(random_state(required_tensors(config))) {
    emb = random_floats(files * steps * config.d_input, 50);
    logits = random_floats(files * steps * config.n_classes, 51);
  }
  static ProtoSsmConfig make_config() {
    ProtoSsmConfig c;
    c.d_input = 11, c.d_model = 18, c.d_state = 5, c.n_ssm_layers = 2, c.n_classes = 7, c.n_windows = 12,
    c.n_sites = 4, c.meta_dim = 3, c.cross_attn_heads = 3, c.n_families = 2;
    return c;
  }
  ProtoSsm::Inputs inputs() const { return {emb, logits, {sites, hours}}; }
  ProtoSsm model(SessionOptions options = {.threads = 1}) const {
    auto created = ProtoSsm::create(state, config, options);
    EXPECT_TRUE(succeeded(created));
    return *std::move(created);
  }

  ProtoSsmConfig config = make_config();
  nn::StateDict state;
  static constexpr std::size_t files = 7, steps = 9;
  std::vector<float> emb, logits;
  std::vector<std::int64_t> sites{0, 1, 2, 3, 0, 1, 2}, hours{0, 23, 5, 6, 7, 8, 9};
};

TEST(ProtoSsm, IsTheSameBitsForAnyThreadsAndBlocks) {
  const Small small;
  const std::size_t size = Small::files * Small::steps * small.config.n_classes;
  const int shifts[] = {0, 1, -1, 2, -2};
  for (const kernels::KernelTable* table : kernels::all_tables()) {
    std::vector<float> expected(size), expected_tta(size);
    ProtoSsm one = small.model({.threads = 1, .isa = table->isa});
    ASSERT_TRUE(succeeded(one.run(small.inputs(), Small::files, Small::steps, {.species_logits = expected})));
    ASSERT_TRUE(
        succeeded(one.temporal_shift_tta(small.inputs(), Small::files, Small::steps, shifts, expected_tta)));
    for (const auto& [threads, rows] : {std::pair{2, 96}, {3, 1}, {16, 20}, {0, 40}}) {
      ProtoSsm many =
          small.model({static_cast<std::size_t>(threads), static_cast<std::size_t>(rows), table->isa});
      std::vector<float> found(size), tta(size);
      ASSERT_TRUE(succeeded(many.run(small.inputs(), Small::files, Small::steps, {.species_logits = found})));
      ASSERT_TRUE(
          succeeded(many.temporal_shift_tta(small.inputs(), Small::files, Small::steps, shifts, tta)));
      EXPECT_EQ(found, expected) << to_string(table->isa) << " " << threads << " threads, " << rows
                                 << " rows";
      EXPECT_EQ(tta, expected_tta) << to_string(table->isa) << " " << threads << " threads, " << rows
                                   << " rows";
    }
  }
}

TEST(ProtoSsm, TtaOfNoShiftIsARunAndWrapsAround) {
  const Small small;
  ProtoSsm model = small.model();
  const std::size_t size = Small::files * Small::steps * small.config.n_classes;
  std::vector<float> plain(size), tta(size), once(size), around(size);
  ASSERT_TRUE(succeeded(model.run(small.inputs(), Small::files, Small::steps, {.species_logits = plain})));
  const int none[] = {0}, two[] = {2}, wrapped[] = {2 - 3 * static_cast<int>(Small::steps)};
  ASSERT_TRUE(succeeded(model.temporal_shift_tta(small.inputs(), Small::files, Small::steps, none, tta)));
  EXPECT_EQ(plain, tta);
  ASSERT_TRUE(succeeded(model.temporal_shift_tta(small.inputs(), Small::files, Small::steps, two, once)));
  ASSERT_TRUE(
      succeeded(model.temporal_shift_tta(small.inputs(), Small::files, Small::steps, wrapped, around)));
  EXPECT_EQ(once, around);
  EXPECT_NE(once, plain);
}

TEST(ProtoSsm, NamesWhatIsWrongWithItsInputs) {
  const Small small;
  ProtoSsm model = small.model();
  std::vector<float> species(Small::files * Small::steps * small.config.n_classes);
  const auto run = [&](auto change) {
    ProtoSsm::Inputs in = small.inputs();
    change(in);
    return model.run(in, Small::files, Small::steps, {.species_logits = species});
  };
  using In = ProtoSsm::Inputs&;
  constexpr auto code = ErrorCode::invalid_argument;
  const std::vector<std::int64_t> far{0, 1, 4, 3, 0, 1, 2}, late{0, 23, 5, 24, 7, 8, 9},
      negative{0, 0, 0, 0, 0, 0, -1};
  EXPECT_TRUE(
      refused(run([&](In in) { in.meta.site_ids = far; }), code, {"ProtoSsm.site_ids[2]", "4", "0 to 3"}));
  EXPECT_TRUE(
      refused(run([&](In in) { in.meta.hours = late; }), code, {"ProtoSsm.hours[3]", "24", "0 to 23"}));
  EXPECT_TRUE(refused(run([&](In in) { in.meta.hours = negative; }), code, {"ProtoSsm.hours[6]", "-1"}));
  EXPECT_TRUE(refused(run([&](In in) { in.meta.hours = {}; }), code, {"ProtoSsm.hours", "0 ids", "neither"}));
  EXPECT_TRUE(
      refused(run([&](In in) { in.emb = in.emb.first(5); }), code, {"ProtoSsm.emb", "5 floats", "63 x 11"}));
  EXPECT_TRUE(
      refused(run([&](In in) { in.perch_logits = in.emb; }), code, {"ProtoSsm.perch_logits", "63 x 7"}));
  std::vector<float> bad = small.emb;
  bad[12 * small.config.d_input + 3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(refused(run([&](In in) { in.emb = bad; }), code, {"ProtoSsm.emb, window 12", "NaN"}));
  bad[12 * small.config.d_input + 3] = 3e38f;
  bad[12 * small.config.d_input + 4] = -3e38f;
  EXPECT_TRUE(succeeded(run([&](In in) { in.emb = bad; })));  // LayerNorm brings it back
}

TEST(ProtoSsm, NamesWhatIsWrongWithTheCall) {
  const Small small;
  ProtoSsm model = small.model();
  std::vector<float> species(Small::files * Small::steps * small.config.n_classes), few(3);
  constexpr auto code = ErrorCode::invalid_argument;
  EXPECT_TRUE(refused(model.run(small.inputs(), 4, 13, {}), code, {"13 windows", "1 to 12"}));
  EXPECT_TRUE(refused(model.run(small.inputs(), 4, 0, {}), code, {"0 windows"}));
  EXPECT_TRUE(refused(model.run(small.inputs(), std::size_t{1} << 60, 9, {}), code, {"files"}));
  const auto store = [&](const ProtoSsm::Outputs& out) {
    return model.run(small.inputs(), Small::files, Small::steps, out);
  };
  EXPECT_TRUE(refused(store({.species_logits = few}), code, {"species_logits", "3 floats"}));
  EXPECT_TRUE(refused(store({.family_logits = few}), code, {"family_logits", "7 x 2"}));
  EXPECT_TRUE(refused(store({.h_temporal = few}), code, {"h_temporal", "63 x 18"}));
  EXPECT_TRUE(refused(model.temporal_shift_tta(small.inputs(), Small::files, Small::steps, {}, species), code,
                      {"shifts"}));
  const int shifts[] = {0};
  EXPECT_TRUE(refused(model.temporal_shift_tta(small.inputs(), Small::files, Small::steps, shifts, {}), code,
                      {"species_logits"}));
  EXPECT_TRUE(succeeded(model.run({}, 0, 5, {}))) << "no files";
}

TEST(ProtoSsm, NamesWhatIsWrongWithItsParameters) {
  const Small small;
  const auto create = [&](auto change) {
    nn::StateDict state = small.state;
    change(state);
    return ProtoSsm::create(state, small.config, {.threads = 1});
  };
  using State = nn::StateDict&;
  EXPECT_TRUE(refused(create([](State s) { s.erase("ssm_bwd.1.A_log"); }), ErrorCode::not_found,
                      {"ProtoSsm: ssm_bwd.1.A_log", "[18, 5]"}));
  EXPECT_TRUE(
      refused(create([](State s) { s.emplace("ssm_fwd.2.D", make_tensor({18}, std::vector<float>(18))); }),
              ErrorCode::mismatch, {"ssm_fwd.2.D"}));
  EXPECT_TRUE(refused(create([](State s) {
                        s.at("pos_enc").shape = {12, 18};
                      }),
                      ErrorCode::mismatch, {"pos_enc", "[12, 18]", "[1, 12, 18]"}));
  EXPECT_TRUE(refused(create([](State s) { s.at("proto_temp") = make_tensor({}, {INFINITY}); }),
                      ErrorCode::corrupt, {"proto_temp", "NaN or infinity"}));
  EXPECT_TRUE(refused(ProtoSsm::create(small.state, small.config, {.threads = 5000}),
                      ErrorCode::invalid_argument, {"5000 threads"}));
}

TEST(LoadProtoSsm, TakesACheckpointWithItsBuffer) {
  const Small small;
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  std::vector<SafetensorsSpec> specs{{"class_to_family", "I64", {7}}};
  for (const auto& [name, tensor] : small.state) specs.push_back({name, "F32", tensor.shape});
  auto writer = SafetensorsWriter::create(path, {}, specs);
  ASSERT_TRUE(succeeded(writer));
  const std::vector<std::int64_t> classes(7);
  ASSERT_TRUE(succeeded(writer->write("class_to_family", std::as_bytes(std::span(classes)))));
  for (const auto& [name, tensor] : small.state)
    ASSERT_TRUE(succeeded(writer->write(name, std::as_bytes(tensor.values))));
  ASSERT_TRUE(succeeded(writer->finish()));
  const auto state = load_proto_ssm(path, small.config);
  ASSERT_TRUE(succeeded(state));
  EXPECT_TRUE(succeeded(ProtoSsm::create(*state, small.config, {.threads = 1})));
  ProtoSsmConfig other = small.config;
  other.n_families = 0;
  EXPECT_TRUE(refused(load_proto_ssm(path, other), ErrorCode::mismatch, {"family_head"}));
}

}  // namespace
}  // namespace pantanal::heads
