#include "pantanal/heads/window_encoder.hpp"

#include <gtest/gtest.h>

#include <array>

#include "core/refused.hpp"
#include "heads/random_state.hpp"

namespace pantanal::heads {
namespace {

constexpr WindowEncoder::Config config{5, 3, 4, 2, 1};

nn::StateDict state() {
  TensorList list;
  WindowEncoder::require(list, config);
  return random_state(std::move(list).take());
}

TEST(WindowEncoder, EmbedsSiteAndHourAndAddsThem) {
  const nn::StateDict parameters = state();
  const WindowEncoder encoder(*kernels::all_tables().front(), parameters, config);
  const std::int64_t sites[] = {1, 0}, hours[] = {23, 4};
  AlignedBuffer<float> meta(2 * encoder.stride()), scratch(encoder.meta_scratch_size(2));
  encoder.embed_meta(sites, hours, meta.data(), nn::Scratch(scratch.data()));
  const auto at = [&](const char* name, std::size_t i) { return tensor_values(parameters, name)[i]; };
  for (std::size_t f = 0; f < 2; ++f)
    for (std::size_t c = 0; c < 3; ++c) {
      const float expected =
          at("meta_proj.bias", c) +
          at("meta_proj.weight", 2 * c) * at("site_emb.weight", static_cast<std::size_t>(sites[f])) +
          at("meta_proj.weight", 2 * c + 1) * at("hour_emb.weight", static_cast<std::size_t>(hours[f]));
      EXPECT_NEAR(meta[f * encoder.stride() + c], expected, 1e-6);
    }
  std::array<float, 3> row{1, 2, 3};
  encoder.add_position(row.data(), 2, row.data());
  encoder.add_meta(row.data(), meta.data(), row.data());
  EXPECT_EQ(row[1], 2 + at("pos_enc", 2 * 3 + 1) + meta[1]);
}

TEST(CheckMeta, WantsBothOrNeitherAndKnownIds) {
  const WindowEncoder encoder(*kernels::all_tables().front(), state(), config);
  const std::int64_t sites[] = {1, 2}, good[] = {1, 0}, hours[] = {23, 4};
  constexpr auto code = ErrorCode::invalid_argument;
  EXPECT_TRUE(succeeded(check_meta({}, 2, encoder, "Model")));
  EXPECT_TRUE(succeeded(check_meta({good, hours}, 2, encoder, "Model")));
  EXPECT_TRUE(succeeded(check_meta({sites, hours}, 2, encoder, "Model", true)));
  EXPECT_TRUE(
      refused(check_meta({sites, hours}, 2, encoder, "Model"), code, {"Model.site_ids[1]", "2", "0 to 1"}));
  EXPECT_TRUE(
      refused(check_meta({good, {}}, 2, encoder, "Model"), code, {"Model.hours", "0 ids", "neither"}));
  EXPECT_TRUE(
      refused(check_meta({good, hours}, 3, encoder, "Model"), code, {"Model.site_ids", "2 ids", "3"}));
}

}  // namespace
}  // namespace pantanal::heads
