#include "pantanal/core/cpu.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace pantanal {
namespace {

TEST(InstructionSet, PortableRunsEverywhere) { EXPECT_TRUE(is_supported(InstructionSet::portable)); }

TEST(InstructionSet, BestIsSupported) { EXPECT_TRUE(is_supported(best_instruction_set())); }

TEST(InstructionSet, EnvironmentChoosesAmongTheSupported) {
  ::setenv("PANTANAL_ISA", "portable", 1);
  EXPECT_EQ(best_instruction_set(), InstructionSet::portable);
  ::setenv("PANTANAL_ISA", "no such set", 1);
  const InstructionSet unknown = best_instruction_set();
  ::unsetenv("PANTANAL_ISA");
  EXPECT_EQ(unknown, best_instruction_set());
}

TEST(InstructionSet, NamesDiffer) {
  EXPECT_STREQ(to_string(InstructionSet::portable), "portable");
  EXPECT_STREQ(to_string(InstructionSet::avx2), "avx2");
  EXPECT_STREQ(to_string(InstructionSet::avx512), "avx512");
}

}  // namespace
}  // namespace pantanal
