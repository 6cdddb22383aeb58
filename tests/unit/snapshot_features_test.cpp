// What an older reader must not overlook is named in the state, and only in states that have it.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string_view>

#include "snapshot/decode_state.hpp"
#include "snapshot/write.hpp"

using namespace chiwawa;
using namespace chiwawa::snapshot;

namespace {

Records plain() {
  Records records;
  records.memories.push_back({{{1, 2}}, 1});
  records.host_funcs.push_back({"env", "f", {}});
  records.funcs.push_back({kHostInstance, 0});
  return records;
}

/// Where the name is in the encoded state; its end if it is not.
auto find(std::vector<uint8_t>& state, std::string_view name) {
  return std::search(state.begin(), state.end(), name.begin(), name.end());
}

constexpr std::string_view kNames[] = {kFeatureCustomPageSizes, kFeatureSharedMemory, kFeatureAtomicWait};

/// Checks that the records are read as they were written, and need these features.
void needs(const Records& records, std::initializer_list<std::string_view> names) {
  auto state = encode_state(records);
  REQUIRE(state);
  Records read;
  const StateDecoding decoded = decode_state(*state, read);
  INFO((decoded.result ? "" : describe(decoded.result.error())));
  REQUIRE(decoded.result);
  REQUIRE(read.memories.size() == 1);
  CHECK(read.memories[0].type == records.memories[0].type);
  CHECK(read.memories[0].bytes() == records.memories[0].bytes());
  CHECK(read.machine.waited == records.machine.waited);
  for (const std::string_view name : kNames) {
    INFO(name);
    const bool needed = std::find(names.begin(), names.end(), name) != names.end();
    const auto at = find(*state, name);
    CHECK((at != state->end()) == needed);
    if (!needed) continue;
    // To a reader that does not know it.
    std::vector<uint8_t> other = *state;
    *find(other, name) = 'X';
    const StateDecoding refused = decode_state(other, read);
    CHECK(refused.unsupported);
    REQUIRE_FALSE(refused.result);
    CHECK(refused.result.error().cause.find("which this program does not know") != std::string::npos);
  }
}

}  // namespace

TEST_CASE("States say which features their readers must know", "[snapshot]") {
  needs(plain(), {});

  Records pages = plain();
  pages.memories[0] = {{{1, 9000}, ValType::I32, 0}, 5000};
  needs(pages, {kFeatureCustomPageSizes});

  Records shared = plain();
  shared.memories[0].type.is_shared = true;
  needs(shared, {kFeatureSharedMemory});

  Records wait = shared;
  wait.machine.waited = 0;
  needs(wait, {kFeatureSharedMemory, kFeatureAtomicWait});

  Records wrong = plain();
  wrong.memories[0] = {{{1, 9000}, ValType::I32, 12}, 5000};
  const auto state = encode_state(wrong);
  REQUIRE(state);
  Records read;
  const StateDecoding refused = decode_state(*state, read);
  REQUIRE_FALSE(refused.result);
  CHECK(refused.result.error().cause.find("page size that is not valid") != std::string::npos);
}
