#include "pantanal/competition/effort.hpp"

#include <gtest/gtest.h>

namespace pantanal::competition {
namespace {

constexpr Pace pace{
    .perch = 10, .probes = 0.75, .proto_ssm = 2, .shifts = 8, .residual = 4, .postprocess = 0.25};

TEST(Effort, CostsWhatItDoes) {
  EXPECT_EQ(pace.seconds(Effort::full), 25);
  EXPECT_EQ(pace.seconds(Effort::no_tta), 17);
  EXPECT_EQ(pace.seconds(Effort::no_residual), 13);
  EXPECT_EQ(pace.seconds(Effort::no_proto_ssm), 11);
  EXPECT_EQ(pace.seconds(Effort::prior_only), 0);
}

TEST(Effort, IsTheMostThatTimeSufficesFor) {
  EXPECT_EQ(choose_effort(Effort::full, pace, 2, 50), Effort::full);
  EXPECT_EQ(choose_effort(Effort::full, pace, 2, 49.9), Effort::no_tta);
  EXPECT_EQ(choose_effort(Effort::full, pace, 2, 33.9), Effort::no_residual);
  EXPECT_EQ(choose_effort(Effort::full, pace, 2, 25.9), Effort::no_proto_ssm);
  EXPECT_EQ(choose_effort(Effort::full, pace, 2, -1), Effort::no_proto_ssm);
}

TEST(Effort, IsNotTakenBack) {
  EXPECT_EQ(choose_effort(Effort::no_residual, pace, 2, 1000), Effort::no_residual);
  EXPECT_EQ(choose_effort(Effort::no_proto_ssm, pace, 2, 1000), Effort::no_proto_ssm);
}

TEST(PaceMeter, BeginsWithTheFirstMeasurementAndFollows) {
  PaceMeter meter;
  EXPECT_FALSE(meter.pace());
  meter.add({.perch = 20, .probes = 2, .proto_ssm = 4, .shifts = 16, .residual = 8}, 2, Effort::full);
  EXPECT_EQ(meter.pace()->seconds(Effort::full), 25);
  meter.add({.perch = 20}, 1, Effort::no_proto_ssm);
  EXPECT_EQ(meter.pace()->perch, 12);
  EXPECT_EQ(meter.pace()->shifts, 8);  // not run, so not measured
}

}  // namespace
}  // namespace pantanal::competition
