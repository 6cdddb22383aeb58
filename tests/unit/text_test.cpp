// Numbers as text.
#include "interp/text.hpp"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

using namespace chiwawa;

namespace {

template <typename Float>
std::string shortest(Float value) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::string text_of(double value) {
  return number(Value{.type = ValType::F64, .bits = std::bit_cast<uint64_t>(value)});
}
std::string text_of(float value) { return number(Value{.type = ValType::F32, .bits = std::bit_cast<uint32_t>(value)}); }

}  // namespace

TEST_CASE("floats are the shortest text that reads back as the same number") {
  std::vector<double> values = {0.0, -0.0, 0.1, 1e21, 5e-324, 1.7976931348623157e308, 9007199254740993.0, 1234567.0};
  for (int exponent = -1074; exponent <= 1023; ++exponent) values.push_back(std::ldexp(1.0, exponent));
  for (int exponent = -323; exponent <= 308; ++exponent) values.push_back(-1.5 * std::pow(10.0, exponent));
  uint64_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values.push_back(std::bit_cast<double>(state));
    values.push_back(static_cast<double>(static_cast<int64_t>(state) >> (state % 64)));
    values.push_back(static_cast<double>(static_cast<int64_t>(state % 2'000'001) - 1'000'000) / 1000);
  }
  for (const double value : values) {
    if (std::isfinite(value)) CHECK(text_of(value) == shortest(value));
    const auto narrow = static_cast<float>(value);
    if (std::isfinite(narrow)) CHECK(text_of(narrow) == shortest(narrow));
  }
}
