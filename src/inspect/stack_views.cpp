// backtrace and frames.
#include "inspect/views.hpp"

namespace chiwawa::inspect {

namespace {

void print_calls(Text& out, const Subject& subject) {
  const MachineImage& machine = subject.records.machine;
  if (!machine.pending) return;
  out << "waiting for ";
  out.put(Tone::Name, describe_call(*machine.pending, subject.names)) << "\n";
}

void print_next(Text& out, const Subject& subject) {
  const MachineImage& machine = subject.records.machine;
  if (!machine.next) return;
  out << "then      ";
  out.put(Tone::Name, describe_call(*machine.next, subject.names)) << "\n";
}

void print_place(Text& out, const FrameView& frame) {
  out.put(Tone::Dim, padded("#" + std::to_string(frame.depth), 4)) << hex(frame.position, 6) << "  ";
  out.put(Tone::Name, frame.name);
}

void print_value(Text& out, std::string_view what, size_t index, const std::string& name, const Value& value,
                 const Names& names) {
  std::string label = std::string(what) + " " + std::to_string(index);
  if (!name.empty()) label += " (" + name + ")";
  out << "      " << padded(label, 10) << " " << names.value(value) << "\n";
}

}  // namespace

void print_backtrace(Text& out, const Subject& subject) {
  const Stack stack = stack_of(subject, true);
  print_calls(out, subject);
  for (const FrameView& frame : stack.frames) {
    print_place(out, frame);
    if (!frame.instruction.empty()) {
      out.put(Tone::Dim, (frame.calling ? ", in " : ", before ") + frame.instruction);
    }
    out << "\n";
    if (frame.source) {
      out << "              at " << printable(frame.source->file) << ":" << std::to_string(frame.source->line);
      if (frame.source->column != 0) out << ":" << std::to_string(frame.source->column);
      out << "\n";
    }
  }
  if (stack.omitted != 0) out.put(Tone::Dim, "… and " + grouped(stack.omitted) + " more") << "\n";
  print_next(out, subject);
  if (stack.frames.empty() && !subject.records.machine.pending) out << "There are no frames.\n";
  for (const std::string& problem : stack.problems) out.put(Tone::Bad, "(" + printable(problem) + ")") << "\n";
}

void print_frames(Text& out, const Subject& subject, FrameParts parts) {
  const Stack stack = stack_of(subject, false);
  print_calls(out, subject);
  for (const FrameView& frame : stack.frames) {
    print_place(out, frame);
    out << "  (" << plural(frame.locals.size(), "local", "locals") << ", "
        << plural(frame.operands.size(), "operand", "operands") << ")\n";
    for (size_t i = 0; parts.locals && i < frame.locals.size(); ++i) {
      print_value(out, "local", i, subject.names.local(frame.function, static_cast<uint32_t>(i)), frame.locals[i],
                  subject.names);
    }
    for (size_t i = 0; parts.operands && i < frame.operands.size(); ++i) {
      print_value(out, "operand", i, "", frame.operands[i], subject.names);
    }
    if (out.failed()) return;
  }
  if (stack.omitted != 0) out.put(Tone::Dim, "… and " + grouped(stack.omitted) + " more") << "\n";
  print_next(out, subject);
  if (stack.frames.empty() && !subject.records.machine.pending) out << "There are no frames.\n";
}

}  // namespace chiwawa::inspect
