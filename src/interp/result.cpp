#include "interp/result.hpp"

#include <cinttypes>
#include <cstdio>

namespace chiwawa {

std::string describe(const Error& error) {
  std::string text = name(error.phase);
  text += " error: ";
  text += error.cause;
  if (error.offset != Error::kNoOffset) {
    char place[40];
    std::snprintf(place, sizeof place, " (at byte 0x%" PRIx64 ")", error.offset);
    text += place;
  }
  return text;
}

}  // namespace chiwawa
