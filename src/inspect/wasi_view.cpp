#include "inspect/views.hpp"

namespace chiwawa::inspect {

namespace {

void print_strings(Text& out, const char* title, const std::vector<std::string>& strings) {
  for (size_t i = 0; i < strings.size(); ++i) {
    out.part(i == 0 ? title : "") << printable(strings[i]) << "\n";
  }
  if (strings.empty()) out.part(title).put(Tone::Dim, "none") << "\n";
}

}  // namespace

void print_wasi(Text& out, const Subject& subject) {
  if (!subject.records.wasi) {
    out << "The program does not use WASI.\n";
    return;
  }
  const wasi::State& wasi = *subject.records.wasi;
  print_strings(out, "args", wasi.args);
  print_strings(out, "environ", wasi.environ);
  out.part("clock") << "the monotonic clock stands at " << grouped(wasi.monotonic) << " ns\n";
  if (wasi.random) out.part("random") << "the generator stands at " << hex(*wasi.random) << "\n";
  if (wasi.sleep) out.part("sleep") << "under way for " << duration(wasi.sleep->elapsed) << "\n";
  bool first = true;
  for (const wasi::DescriptorRecord& d : wasi.descriptors) {
    out.part(first ? "open" : "") << describe(d) << "\n";
    out.part("").put(Tone::Dim, "  flags " + hex(d.fdflags) + ", rights " + hex(d.rights_base) + " inheriting " +
                                    hex(d.rights_inheriting))
        << "\n";
    first = false;
  }
  if (first) out.part("open").put(Tone::Dim, "nothing") << "\n";
  for (size_t i = 0; i < wasi.removed_files.size(); ++i) {
    out.part(i == 0 ? "removed" : "") << "file " << std::to_string(i) << ": "
                                      << size_in_words(wasi.removed_files[i].size()) << ", whole in the snapshot\n";
  }
}

}  // namespace chiwawa::inspect
