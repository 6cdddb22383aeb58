// Throwing: which frame's clause takes an exception.
// https://webassembly.github.io/spec/core/exec/instructions.html#exec-throw-ref
#include <algorithm>
#include <cstring>

#include "interp/executor.hpp"
#include "interp/instrumentation.hpp"
#include "interp/text.hpp"

namespace chiwawa {

namespace {

const CatchTarget* find_clause(const Code& code, uint32_t cell, uint32_t tag) {
  const auto start = std::upper_bound(code.region_starts.begin(), code.region_starts.end(), cell,
                                      [](uint32_t at, const RegionStart& s) { return at < s.cell; });
  if (start == code.region_starts.begin()) return nullptr;
  for (uint32_t region = start[-1].region; region != TryRegion::kNone; region = code.regions[region].outer) {
    for (const CatchTarget& clause : code.regions[region].clauses) {
      if (clause.any_tag || raw(code.instance->tags[clause.tag_index]) == tag) return &clause;
    }
  }
  return nullptr;
}

/// "with tag 3, env.__cpp_exception: i32 1048"; the tag is an address.
std::string describe_exception(const Context& ctx, uint64_t exception) {
  const uint32_t tag = ctx.store->heap.header(exception).length;
  std::string text = "with tag " + std::to_string(tag);
  for (const auto& instance : ctx.store->instances) {
    const Module& module = *instance->module;
    const auto is_it = [&](ExternKind kind, uint32_t index) {
      return kind == ExternKind::Tag && raw(instance->tags[index]) == tag;
    };
    const auto import = std::ranges::find_if(module.imports, [&](const Import& i) { return is_it(i.kind, i.index); });
    const auto item = std::ranges::find_if(module.exports, [&](const Export& e) { return is_it(e.kind, e.index); });
    if (import == module.imports.end() && item == module.exports.end()) continue;
    text += ", " + (import != module.imports.end() ? import->module + "." + import->name : item->name);
    break;
  }
  const char* separator = ": ";
  const std::vector<ValType>& types = ctx.store->tags[tag]->type.params;
  std::vector<uint64_t> slots(slots_of(types));
  if (!slots.empty()) std::memcpy(slots.data(), ctx.store->heap.fields(exception), slots.size() * sizeof slots[0]);
  for (const Value& value : load_values(types, slots.data())) {
    text += separator + name(ctx.store->types.top(value.type)) + " " +
            (is_heap_ref(value.bits) && is_ref(value.type) ? "object" : number(value));
    separator = ", ";
  }
  return text;
}

/// The exception goes from where the machine stands to `catcher`.
void tell_unwinding(const Context& ctx, const Frame* catcher) {
  Instrumentation& instrumentation = *ctx.store->instrumentation;
  const Cell* at = ctx.pc;
  for (const Frame* frame = ctx.frame; frame != catcher; --frame) {
    if (frame->code->probes != nullptr) instrumentation.unwind(ctx, *frame, at);
    at = frame[-1].pc - 1;
  }
  instrumentation.caught(*catcher, at);
}

}  // namespace

Exit raise(Context& ctx, uint64_t exception) {
  const ObjectHeader header = ctx.store->heap.header(exception);
  // Nothing changes before somebody is found, so that a trap is reported where the exception was thrown.
  const Frame* frame = ctx.frame;
  const uint64_t* fp = ctx.fp;
  const Cell* at = ctx.pc;
  const CatchTarget* clause = nullptr;
  for (;; --frame) {
    if (frame == ctx.frames.data.get()) {
      ctx.trap = TrapKind::UncaughtException;
      ctx.trap_detail = describe_exception(ctx, exception);
      return Exit::Trapped;
    }
    const Code& code = *frame->code;
    if (code.instance != nullptr) clause = find_clause(code, static_cast<uint32_t>(at - code.cells), header.length);
    if (clause != nullptr) break;
    at = frame[-1].pc - 1;
    fp -= at->d;
  }
  const Code& code = *frame->code;
  if (ctx.store->instrumentation != nullptr) tell_unwinding(ctx, frame);
  ctx.frame += frame - ctx.frame;
  ctx.fp += fp - ctx.fp;
  // The calls in between stay counted, as they have happened.
  if (ctx.counting) ctx.fuel += int64_t{clause->steps} - int64_t{ctx.pc->bc()};
  ctx.pc = code.cells + clause->cell;
  if (code.instance != ctx.instance) ctx.set_instance(code.instance);
  uint64_t* slot = ctx.fp + clause->slot;
  if (clause->ref_first) *slot++ = exception;
  if (!clause->any_tag) {
    const uint32_t slots = slots_of((*ctx.store)[TagAddr{header.length}].type.params);
    if (slots != 0) std::memcpy(slot, ctx.store->heap.fields(exception), slots * sizeof(uint64_t));
    slot += slots;
  }
  if (clause->with_ref && !clause->ref_first) *slot = exception;
  // A legacy clause begins with the guest's instructions, where the machine can stop; the others branch at once.
  return ctx.counting && clause->ref_first && ctx.fuel <= 0 ? Exit::Budget : Exit::Go;
}

Exit throw_exception(Context& ctx) {
  const uint32_t tag = raw(ctx.instance->tags[ctx.pc->imm]);
  const ObjectHeader header{kExceptionType, tag};
  const uint64_t exception = allocate_object(ctx, ctx.pc, ctx.fp, header);
  if (exception == 0) {
    ctx.trap = TrapKind::HeapExhausted;
    return Exit::Trapped;
  }
  // Value by value, because the upper halves of slots with 32 bits may be anything.
  const std::vector<Value> values = load_values((*ctx.store)[TagAddr{tag}].type.params, ctx.fp + ctx.pc->a);
  uint8_t* field = ctx.store->heap.fields(exception);
  for (const Value& value : values) {
    uint64_t slots[2];
    store_value(slots, value);
    std::memcpy(field, slots, slots_of(value.type) * sizeof slots[0]);
    field += slots_of(value.type) * sizeof slots[0];
  }
  return raise(ctx, exception);
}

Exit throw_reference(Context& ctx) {
  const uint64_t exception = ctx.fp[ctx.pc->a];
  if (exception == kNullRef) {
    ctx.trap = TrapKind::NullExceptionReference;
    return Exit::Trapped;
  }
  return raise(ctx, exception);
}

}  // namespace chiwawa
