// Image shapes, and the gradients of the nonlinearities over their pixels.
#include "pantanal/autograd/image.hpp"

#include "autograd/gradient_check.hpp"
#include "autograd/reference_images.hpp"

namespace pantanal::autograd {
namespace {

TEST(Image, TakesARowPerPixel) {
  const ImageShape shape{{3, 5}, 17};
  EXPECT_EQ(shape.positions(), 15u);
  EXPECT_EQ(shape.stride(), 32u);
  EXPECT_EQ(shape.floats(), 15u * 32);
  Tape tape;
  const Slot slot = shape.take(tape, 2);
  EXPECT_EQ(slot.stride, shape.stride());
  EXPECT_EQ(at_positions({.files = {1, 2}, .steps = 1}, 15).in(slot), slot.data + shape.floats());
}

TEST(Nonlinearity, PassesTheGradientCheck) {
  for (const perch::Activation activation :
       {perch::Activation::none, perch::Activation::relu, perch::Activation::swish}) {
    ParameterSet none({});
    check_gradients(none, {.in_features = 19,
                           .out_features = 19,
                           .reference = [&](const auto& x) { return reference::activate(activation, x); },
                           .run =
                               [&](LayerRun& run) {
                                 const Nonlinearity layer(run.table, activation);
                                 for (const Pass& pass : run.passes) {
                                   const std::size_t floats = pass.rows() * nn::row_stride(19);
                                   layer.forward(rows_of(pass, run.x, 19), rows_of(pass, run.y, 19), floats);
                                   std::copy_n(rows_of(pass, run.dy, 19), floats, rows_of(pass, run.dx, 19));
                                   layer.backward(rows_of(pass, run.x, 19), rows_of(pass, run.dx, 19),
                                                  floats);
                                 }
                               }});
  }
}

}  // namespace
}  // namespace pantanal::autograd
