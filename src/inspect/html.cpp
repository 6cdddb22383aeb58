#include "inspect/html.hpp"

#include <algorithm>

#include "inspect/memory_views.hpp"
#include "inspect/stats.hpp"

namespace chiwawa::inspect {

namespace {

constexpr size_t kMaxFrames = 2000;

constexpr std::string_view kHead = R"(<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; --line: #8884; --dim: #888; --accent: #0b7285; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 0 1.5rem 4rem; }
header { border-bottom: 1px solid var(--line); margin-bottom: 1rem; }
h1 { font-size: 1.4rem; margin: 1rem 0 .2rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
nav a { margin-right: 1rem; color: var(--accent); text-decoration: none; }
pre, code, .hex, table { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
pre { overflow-x: auto; background: #8881; padding: .7rem .9rem; border-radius: .4rem; margin: .5rem 0; }
details { border-bottom: 1px solid var(--line); padding: .2rem 0; }
summary { cursor: pointer; font: 13px/1.6 ui-monospace, "DejaVu Sans Mono", monospace; }
summary b { color: var(--accent); }
.dim { color: var(--dim); }
table { border-collapse: collapse; margin: .3rem 0 .6rem 1.5rem; }
td, th { text-align: left; padding: 0 1.2rem 0 0; vertical-align: top; font-weight: normal; }
th { color: var(--dim); }
.map { display: grid; grid-template-columns: repeat(64, 1fr); gap: 1px; max-width: 52rem; }
.map i { height: 11px; background: #8882; cursor: pointer; }
.map i:hover { outline: 2px solid var(--accent); }
.bar { margin: .6rem 0; }
.bar input { font: inherit; width: 9rem; }
</style>
)";

constexpr std::string_view kScript = R"(<script>
'use strict';
const hex = (n, width) => n.toString(16).padStart(width, '0');
for (const box of document.querySelectorAll('.memory')) {
  const memory = memories[Number(box.dataset.memory)];
  const view = box.querySelector('pre'), input = box.querySelector('input'), note = box.querySelector('.note');
  const blocks = new Map();
  const bytesOf = (number) => {
    if (!(number in memory.blocks)) return null;
    if (!blocks.has(number)) blocks.set(number, Uint8Array.from(atob(memory.blocks[number]), (c) => c.charCodeAt(0)));
    return blocks.get(number);
  };
  let at = 0;
  const show = (address) => {
    const number = Math.max(0, Math.min(Math.floor(address / 4096), memory.size / 4096 - 1));
    at = number * 4096;
    const bytes = bytesOf(number);
    const left = memory.left.includes(number);
    note.textContent = `0x${hex(at, 8)} to 0x${hex(at + 4096, 8)}` +
      (left ? ': not in this page (html --memory-limit)' : bytes ? '' : ': only zeros');
    let text = '';
    for (let line = 0; bytes && line < 4096; line += 16) {
      const part = [...bytes.subarray(line, line + 16)];
      const mark = address >= at + line && address < at + line + 16 && address !== at ? '>' : ' ';
      text += `${mark}${hex(at + line, 8)}  ${part.map((b) => hex(b, 2)).join(' ')}  |` +
        part.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.')).join('') + '|\n';
    }
    view.textContent = text || (left ? '' : ' (zeros)');
    input.value = '0x' + hex(address, 8);
  };
  const next = (from, step) => {
    const known = memory.order;
    const after = step > 0 ? known.find((n) => n > from) : [...known].reverse().find((n) => n < from);
    if (after !== undefined) show(after * 4096);
  };
  box.querySelector('.go').onclick = () => show(Number(input.value) || 0);
  input.onkeydown = (event) => event.key === 'Enter' && show(Number(input.value) || 0);
  box.querySelector('.back').onclick = () => next(at / 4096, -1);
  box.querySelector('.on').onclick = () => next(at / 4096, 1);
  box.querySelector('.find').onclick = () => {
    const text = box.querySelector('.text').value;
    if (text === '') return;
    const wanted = [...new TextEncoder().encode(text)];
    const start = at / 4096;
    const order = [...memory.order.filter((n) => n > start), ...memory.order.filter((n) => n <= start)];
    for (const number of order) {
      const bytes = bytesOf(number);
      for (let i = 0; bytes && i + wanted.length <= 4096; ++i) {
        if (wanted.every((b, k) => bytes[i + k] === b)) return show(number * 4096 + i);
      }
    }
    note.textContent = 'not found in the blocks of this page';
  };
  const map = box.querySelector('.map');
  memory.cells.forEach((used, i) => {
    const cell = document.createElement('i');
    const address = i * memory.cell;
    if (used > 0) cell.style.background = `hsl(190 70% ${75 - 45 * used / memory.cell}%)`;
    cell.title = `0x${hex(address, 8)}: ${used} of ${memory.cell} bytes are not zero`;
    cell.onclick = () => show(memory.order.find((n) => n * 4096 >= address && n * 4096 < address + memory.cell) * 4096 || address);
    map.append(cell);
  });
  if (memory.order.length > 0) show(memory.order[0] * 4096); else show(0);
}
</script>
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string base64(std::span<const uint8_t> bytes) {
  constexpr const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? bytes[i + k] : 0u);
    for (size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > bytes.size();
      text += padding ? '=' : kDigits[group >> (18 - 6 * k) & 63];
    }
  }
  return text;
}

template <typename F>
void section(Text& out, const char* id, const char* title, F body) {
  out << "<section id=\"" << id << "\"><h2>" << title << "</h2>\n";
  body();
  out << "</section>\n";
}

template <typename F>
void preformatted(Text& out, F print) {
  out << "<pre>" << escaped(text_of(print)) << "</pre>\n";
}

void values(Text& out, const char* what, std::span<const Value> values, const Subject& subject,
            std::optional<uint32_t> function) {
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string local = function ? subject.names.local(*function, static_cast<uint32_t>(i)) : "";
    out << "<tr><th>" << what << " " << std::to_string(i) << "</th><td>" << escaped(local) << "</td><td>"
        << escaped(name(values[i].type)) << "</td><td>" << escaped(subject.names.plain(values[i]))
        << "</td><td class=dim>" << bits_text(values[i]) << "</td></tr>\n";
  }
}

void print_stack_section(Text& out, const Subject& subject) {
  const Stack stack = stack_of(subject, true);
  if (subject.records.machine.pending) {
    out << "<p>Waiting for <code>" << escaped(describe_call(*subject.records.machine.pending, subject.names))
        << "</code></p>\n";
  }
  for (size_t i = 0; i < std::min(stack.frames.size(), kMaxFrames); ++i) {
    const FrameView& frame = stack.frames[i];
    out << "<details><summary><span class=dim>#" << std::to_string(frame.depth) << " " << hex(frame.position, 6)
        << "</span> <b>" << escaped(frame.name) << "</b>";
    if (frame.source) out << " at " << escaped(short_place(*frame.source));
    if (!frame.instruction.empty()) {
      out << " <span class=dim>" << (frame.calling ? "in " : "before ") << escaped(frame.instruction) << "</span>";
    }
    out << "</summary>\n<table>";
    values(out, "local", frame.locals, subject, frame.function);
    values(out, "operand", frame.operands, subject, std::nullopt);
    if (frame.locals.empty() && frame.operands.empty()) out << "<tr><td class=dim>no values</td></tr>";
    out << "</table></details>\n";
  }
  if (stack.frames.size() > kMaxFrames) {
    out << "<p class=dim>… and " << grouped(stack.frames.size() + stack.omitted - kMaxFrames) << " more</p>\n";
  }
  if (stack.frames.empty()) out << "<p>There are no frames.</p>\n";
}

void print_globals_section(Text& out, const Subject& subject) {
  out << "<table>";
  for (uint32_t i = 0; i < subject.records.globals.size(); ++i) {
    const GlobalInst& global = subject.records.globals[i];
    const Value value = value_of(global);
    out << "<tr><th>" << std::to_string(i) << "</th><td>" << escaped(subject.names.global_name(i))
        << "</td><td class=dim>" << (global.type.is_mutable ? "mut" : "const") << "</td><td>"
        << escaped(name(value.type)) << "</td><td>" << escaped(subject.names.plain(value)) << "</td><td class=dim>"
        << bits_text(value) << "</td></tr>\n";
  }
  if (subject.records.globals.empty()) out << "<tr><td class=dim>none</td></tr>";
  out << "</table>\n";
}

void print_memory_section(Text& out, const Subject& subject) {
  for (uint32_t m = 0; m < subject.records.memories.size(); ++m) {
    const snapshot::MemoryRecord& memory = subject.records.memories[m];
    out << "<div class=memory data-memory=\"" << std::to_string(m) << "\"><p>" << escaped(subject.names.memory(m))
        << ": " << size_in_words(memory.bytes()) << ", " << pages_in_words(memory) << ", "
        << maximum(memory.type.limits)
        << "</p>\n<div class=map></div>\n"
           "<div class=bar><button class=back>◂</button> <button class=on>▸</button> "
           "<input aria-label=address> <button class=go>Go</button> "
           "<input class=text aria-label=text placeholder=text> <button class=find>Find</button> "
           "<span class=\"note dim\"></span></div>\n<pre class=hex></pre></div>\n";
  }
  if (subject.records.memories.empty()) out << "<p>The program has no memory.</p>\n";
}

Result<void> print_memory_data(Text& out, const Subject& subject, HtmlOptions options) {
  out << "<script>\nconst memories = [\n";
  uint64_t carried = 0;
  for (uint32_t m = 0; m < subject.records.memories.size(); ++m) {
    const Result<PageMap> map = page_map(subject, whole_memory(subject.records, m));
    if (!map) return map.error();
    std::string order;
    std::string left;
    out << "{size: " << std::to_string(subject.records.memories[m].bytes())
        << ", cell: " << std::to_string(map->cell_bytes) << ", cells: [";
    for (const uint64_t used : map->used) out << std::to_string(used) << ",";
    out << "], blocks: {\n";
    CHIWAWA_TRY(walk_memory(subject, map->range, [&](uint64_t offset, std::span<const uint8_t> bytes) {
      const std::string number = std::to_string(offset / snapshot::kBlockSize);
      if (carried + bytes.size() > options.max_memory) {
        left += number + ",";
        return;
      }
      carried += bytes.size();
      order += number + ",";
      out << number << ": \"" << base64(bytes) << "\",\n";
    }));
    out << "}, order: [" << order << "], left: [" << left << "]},\n";
  }
  out << "];\n</script>\n";
  return {};
}

}  // namespace

Result<void> print_html(Text& out, const Subject& subject, HtmlOptions options) {
  const Result<Stats> stats = stats_of(subject);
  if (!stats) return stats.error();
  const std::string title = escaped(printable(subject.file.name.empty() ? "snapshot" : subject.file.name));
  out << "<!doctype html>\n<html lang=en><head><title>" << title << "</title>\n" << kHead << "</head><body>\n";
  out << "<header><h1>" << title << "</h1><nav><a href=\"#overview\">Overview</a><a href=\"#stack\">Stack</a>"
      << "<a href=\"#memory\">Memory</a><a href=\"#globals\">Globals</a><a href=\"#tables\">Tables</a>"
      << "<a href=\"#segments\">Segments</a><a href=\"#wasi\">WASI</a><a "
         "href=\"#statistics\">Statistics</a></nav></header>\n";
  section(out, "overview", "Overview", [&] { preformatted(out, [&](Text& text) { print_overview(text, subject); }); });
  section(out, "stack", "Stack, innermost first", [&] { print_stack_section(out, subject); });
  section(out, "memory", "Memory", [&] { print_memory_section(out, subject); });
  section(out, "globals", "Globals", [&] { print_globals_section(out, subject); });
  section(out, "tables", "Tables", [&] { preformatted(out, [&](Text& text) { print_tables(text, subject); }); });
  section(out, "segments", "Segments", [&] { preformatted(out, [&](Text& text) { print_segments(text, subject); }); });
  section(out, "wasi", "WASI", [&] { preformatted(out, [&](Text& text) { print_wasi(text, subject); }); });
  section(out, "statistics", "What takes the bytes",
          [&] { preformatted(out, [&](Text& text) { print_stats(text, *stats); }); });
  CHIWAWA_TRY(print_memory_data(out, subject, options));
  out << kScript << "</body></html>\n";
  return {};
}

}  // namespace chiwawa::inspect
