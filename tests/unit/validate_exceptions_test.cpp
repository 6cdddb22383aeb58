// What catching needs of a frame, beyond what the official vectors look at.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "interp/decode.hpp"
#include "interp/types.hpp"
#include "interp/validate.hpp"
#include "unit/module_bytes.hpp"

namespace chiwawa {

namespace {

using namespace test;

/// Empty if the module is valid.
std::string refusal(const Bytes& bytes) {
  Result<Module> module = decode(bytes);
  if (!module) return describe(module.error());
  const Result<void> result = validate(*module);
  return result ? "" : result.error().cause;
}

bool too_large(const std::string& cause) { return cause.starts_with("frame too large"); }

}  // namespace

TEST_CASE("validate: The exception behind a catch counts as an operand") {
  const auto nested = [](size_t count) {
    const Bytes try_catch_all = {0x06, 0x40, 0x19};
    return function(func_type({}, {}), join({repeat(try_catch_all, count), repeat({0x0B}, count)}));
  };
  CHECK(refusal(nested(kMaxFrameSlots / 2)).empty());
  CHECK(too_large(refusal(nested(kMaxFrameSlots / 2 + 1))));
}

TEST_CASE("validate: What is caught needs room on top of the operands that are there") {
  constexpr size_t kValues = 200;
  constexpr uint32_t kLocals = 65'000;
  constexpr size_t kRoom = (kMaxFrameSlots - kLocals) / 2;
  const auto module = [](size_t operands) {
    const Bytes values = repeat({kI64}, kValues);
    // In a block with the exception's values as results, above some operands, a try_table that branches to it.
    const Bytes code = join({{0x02, 2},
                             repeat({0x41, 0}, operands),
                             {0x1F, 0x40, 1, 0, 0, 0, 0x0B},
                             {0x00, 0x0B},
                             repeat({0x1A}, kValues)});
    const Bytes types = vec({func_type({}, {}), func_type(values, {}), func_type({}, values)});
    return wasm_module({section(1, types), section(3, {1, 0}), section(13, {1, 0, 1}),
                        section(10, vec({body(code, join({{1}, leb(kLocals), {kF32}}))}))});
  };
  CHECK(refusal(module(kRoom - kValues)).empty());
  CHECK(too_large(refusal(module(kRoom - kValues + 1))));
}

}  // namespace chiwawa
