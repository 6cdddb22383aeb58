// MonitorState: what one monitor, or what they share, leaves in a snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chiwawa {

struct MonitorState {
  std::string name;
  std::vector<uint8_t> bytes;
  bool operator==(const MonitorState&) const = default;
};

}  // namespace chiwawa
