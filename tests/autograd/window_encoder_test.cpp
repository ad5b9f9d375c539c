// WindowEncoder's gradients, with and without site and hour.
#include "pantanal/autograd/window_encoder.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_layers.hpp"

namespace pantanal::autograd {
namespace {

constexpr std::size_t d_model = 18, d_input = 16,
                      m = 3;  // d_input a whole vector: the input's rows are not padded

reference::Rows encode(ParameterSet& p, const reference::Rows& x, std::span<const std::int64_t> sites,
                       std::span<const std::int64_t> hours) {
  auto h = reference::map(
      kernels::Function::gelu,
      reference::layer_norm(p, reference::linear(p, x, d_input, "input_proj.0"), "input_proj.1"));
  for (std::size_t i = 0; i < h.size(); ++i)
    h[i] += double{p["pos_enc"].value[i / d_model % 5 * d_model + i % d_model]};
  if (sites.empty()) return h;
  reference::Rows pairs;
  for (std::size_t f = 0; f < sites.size(); ++f)
    for (const auto& [name, id] :
         {std::pair{"site_emb.weight", sites[f]}, std::pair{"hour_emb.weight", hours[f]}})
      for (std::size_t c = 0; c < m; ++c)
        pairs.push_back(double{p[name].value[static_cast<std::size_t>(id) * m + c]});
  const auto meta = reference::linear(p, pairs, 2 * m, "meta_proj");
  for (std::size_t i = 0; i < h.size(); ++i) h[i] += meta[i / d_model / 5 * d_model + i % d_model];
  return h;
}

TEST(WindowEncoder, PassesTheGradientCheck) {
  for (const bool with_meta : {false, true}) {
    const WindowEncoder::Config c{d_input, d_model, 6, 4, m};
    TensorList list;
    heads::WindowEncoder::require(list, c);
    ParameterSet p(std::move(list).take());
    stir(p);
    const std::vector<std::int64_t> sites = with_meta ? std::vector<std::int64_t>{3, 1, 3}
                                                      : std::vector<std::int64_t>(),
                                    hours = with_meta ? std::vector<std::int64_t>{0, 23, 5}
                                                      : std::vector<std::int64_t>();
    check_gradients(p, {.in_features = d_input,
                        .out_features = d_model,
                        .reference = [&](const auto& x) { return encode(p, x, sites, hours); },
                        .run =
                            [&](LayerRun& run) {
                              Tape tape;
                              WindowEncoder encoder(run.table, p, c, 0.0f, 0);
                              encoder.plan(tape, run.sequences);
                              encoder.pack(run.team);
                              for (const Pass& pass : run.passes) {
                                encoder.forward(pass, rows_of(pass, run.x, d_input), sites, hours,
                                                rows_of(pass, run.y, d_model));
                                encoder.backward(pass, rows_of(pass, run.dy, d_model), with_meta);
                              }
                              encoder.weight_gradient(run.team, run.sequences, run.x, run.dy, sites, hours);
                            },
                        .input_gradient = false});
  }
}

}  // namespace
}  // namespace pantanal::autograd
