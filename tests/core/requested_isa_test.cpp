#include "pantanal/core/requested_isa.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/refused.hpp"

namespace pantanal {
namespace {

class RequestedIsa : public ::testing::Test {
 protected:
  ~RequestedIsa() override { ::unsetenv("PANTANAL_ISA"); }

  static Status check(const char* wanted) {
    ::setenv("PANTANAL_ISA", wanted, 1);
    return check_requested_isa();
  }
};

TEST_F(RequestedIsa, MayBeAbsent) {
  ::unsetenv("PANTANAL_ISA");
  EXPECT_TRUE(succeeded(check_requested_isa()));
  EXPECT_TRUE(succeeded(check("")));
}

TEST_F(RequestedIsa, IsWhatTheCpuRunsOrAnError) {
  for (const InstructionSet isa : {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512}) {
    const Status status = check(to_string(isa));
    if (is_supported(isa)) {
      EXPECT_TRUE(succeeded(status));
      EXPECT_EQ(best_instruction_set(), isa);
    } else {
      EXPECT_TRUE(refused(status, ErrorCode::unsupported, {"PANTANAL_ISA", to_string(isa), "portable"}));
    }
  }
}

TEST_F(RequestedIsa, RefusesNamesThatAreNone) {
  for (const char* const name : {"foo", "AVX2", "avx2 ", "avx"})
    EXPECT_TRUE(refused(check(name), ErrorCode::invalid_argument,
                        {"PANTANAL_ISA", "'" + std::string(name) + "'", "one of portable, avx2, avx512"}));
}

}  // namespace
}  // namespace pantanal
