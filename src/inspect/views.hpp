// The views of a snapshot that need no memory contents, as text and as JSON (schema/inspect.schema.json).
#pragma once

#include <nlohmann/json.hpp>

#include "inspect/stack.hpp"
#include "inspect/subject.hpp"
#include "inspect/text.hpp"

namespace chiwawa::inspect {

using Json = nlohmann::ordered_json;

/// The program, where it stopped, its stack, memory and descriptors, in about a dozen lines.
void print_overview(Text& out, const Subject& subject);

/// One line for each frame, innermost first: place, function, instruction, source line.
void print_backtrace(Text& out, const Subject& subject);

struct FrameParts {
  bool locals = true;
  bool operands = true;
};
/// Every frame with its typed locals and operands, innermost first.
void print_frames(Text& out, const Subject& subject, FrameParts parts);

void print_globals(Text& out, const Subject& subject);
/// Elements that are null are folded.
void print_tables(Text& out, const Subject& subject);
/// Element and data segments: whether they are dropped.
void print_segments(Text& out, const Subject& subject);
/// Arguments, environment, clock, sleep, descriptors.
void print_wasi(Text& out, const Subject& subject);

/// What all JSON documents begin with: "tool", "view", "snapshot". A view adds its members.
Json json_document(const char* tool, const char* view);
Json json_of_file(const Subject& subject);
Json json_of_program(const Subject& subject);
Json json_of_machine(const Subject& subject, FrameParts parts, bool sources);
Json json_of_memories(const Subject& subject);
Json json_of_tables(const Subject& subject);
Json json_of_globals(const Subject& subject);
Json json_of_segments(const Subject& subject);
Json json_of_wasi(const Subject& subject);
Json json_of_value(const Value& value, const Names& names);
/// Strings of the guest need not be UTF-8: what is not becomes U+FFFD. With line ends, indented.
std::string json_text(const Json& json);
/// A number, or where a script's double could not hold it a decimal string.
Json json_number(uint64_t number);

}  // namespace chiwawa::inspect
