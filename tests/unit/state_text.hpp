// The state of a machine for a test's output, as snapshot-inspect shows it.
#pragma once

#include <string>

#include "inspect/views.hpp"
#include "snapshot/write.hpp"

/// Every frame with its values.
inline std::string state_text(const chiwawa::Store& store, const chiwawa::MachineImage& image) {
  using namespace chiwawa;
  const snapshot::Records records = snapshot::collect(store, image, std::nullopt);
  const inspect::Names names(records);
  const inspect::FileFacts file;
  snapshot::BlockStore blocks;
  const inspect::Subject subject{file, records, {}, names, blocks};
  return inspect::text_of([&](inspect::Text& out) { inspect::print_frames(out, subject, {}); });
}
