// What the environment variable PANTANAL_ISA asks for, checked.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include "pantanal/core/cpu.hpp"
#include "pantanal/core/result.hpp"

namespace pantanal {

/// Whether best_instruction_set() can obey PANTANAL_ISA, which it ignores otherwise: programs check it once,
/// so that nobody measures or tests another instruction set than the one asked for. Unset or empty asks for
/// nothing. Errors: invalid_argument for a name that is none, unsupported for a set that this CPU lacks.
inline Status check_requested_isa() {
  const char* const wanted = std::getenv("PANTANAL_ISA");
  if (!wanted || !*wanted) return {};
  std::string known, supported;
  bool is_known = false;
  for (const InstructionSet isa : {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512}) {
    const std::string_view name = to_string(isa);
    if (name == wanted && is_supported(isa)) return {};
    is_known = is_known || name == wanted;
    known.append(known.empty() ? "" : ", ").append(name);
    if (is_supported(isa)) supported.append(supported.empty() ? "" : ", ").append(name);
  }
  const std::string found = "'" + std::string(wanted) + "'";
  if (is_known)
    return Error{ErrorCode::unsupported, "PANTANAL_ISA", found + ", which this CPU lacks",
                 "one of " + supported};
  return Error{ErrorCode::invalid_argument, "PANTANAL_ISA", found, "one of " + known};
}

}  // namespace pantanal
