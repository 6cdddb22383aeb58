// Result<T>: a value, or an Error that says in which phase what was wrong, and where. No exceptions are used.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace chiwawa {

enum class Phase : uint8_t {
  Decode,       ///< the binary is malformed
  Validate,     ///< the module is well-formed but invalid
  Link,         ///< an import is missing or has another type
  Instantiate,  ///< allocation, limits
  Invoke,       ///< no such export, wrong or badly typed parameters
  Snapshot,     ///< a snapshot is damaged, foreign or inconsistent
  Io,           ///< a file could not be read or written
};

constexpr const char* name(Phase phase) {
  switch (phase) {
    case Phase::Decode: return "decode";
    case Phase::Validate: return "validate";
    case Phase::Link: return "link";
    case Phase::Instantiate: return "instantiate";
    case Phase::Invoke: return "invoke";
    case Phase::Snapshot: return "snapshot";
    case Phase::Io: return "io";
  }
  return "?";
}

/// What went wrong with an input. `offset` is a byte offset in that input (module or snapshot), if there is one.
struct Error {
  static constexpr uint64_t kNoOffset = ~uint64_t{0};

  Phase phase = Phase::Decode;
  std::string cause;
  uint64_t offset = kNoOffset;
};

/// "decode error: unexpected end (at byte 0x1f)".
std::string describe(const Error& error);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return *value(); }
  const T& operator*() const { return *value(); }
  T* operator->() { return value(); }
  const T* operator->() const { return value(); }
  const Error& error() const {
    assert(state_.index() == 1);
    return *std::get_if<1>(&state_);
  }

 private:
  T* value() {
    assert(state_.index() == 0);
    return std::get_if<0>(&state_);
  }
  const T* value() const {
    assert(state_.index() == 0);
    return std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), failed_(true) {}

  explicit operator bool() const { return !failed_; }
  const Error& error() const {
    assert(failed_);
    return error_;
  }

 private:
  Error error_;
  bool failed_ = false;
};

/// Evaluates `expr` (a Result<void>) and returns its error from the enclosing function, if there is one.
#define CHIWAWA_TRY(expr)                                \
  do {                                                   \
    if (auto chiwawa_result = (expr); !chiwawa_result) { \
      return chiwawa_result.error();                     \
    }                                                    \
  } while (false)

}  // namespace chiwawa
