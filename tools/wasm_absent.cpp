// What libraries bring into wasm builds and nothing here calls, defined as empty: the programs are a fifth smaller.
//
// CLI11 writes its texts through C++ streams. Every stream has a locale, and the constructor of the one that there is,
// inside libc++, names all of its facets: those for money, dates, messages and wide characters, and for reading and
// writing numbers. The linker keeps what a virtual table refers to. So these tables are defined here, without
// functions; whoever calls one nevertheless calls a null function, which is a trap. What streams do use is the
// library's: ctype<char> and codecvt<char, char>. So nothing may write a number to a stream.
//
// All of this is weak and comes before the libraries. Where one insists on its own, or has other names, that is taken,
// and the program is as large as it was.
#include <cstdint>

/// At least as many entries as the largest of the libraries' has.
using EmptyTable = const uintptr_t[24];

// By their names in the C++ ABI. Of a facet there is one for narrow and one for wide streams.
#define CHIWAWA_EMPTY(id, mangled)               \
  extern EmptyTable id asm("_ZTVN" mangled "E"); \
  [[gnu::weak]] EmptyTable id = {}
#define CHIWAWA_EMPTY_FACET(id, name)              \
  CHIWAWA_EMPTY(id##_narrow, "St3__2" name "IcE"); \
  CHIWAWA_EMPTY(id##_wide, "St3__2" name "IwE")
#define CHIWAWA_EMPTY_STREAMING(id, name, iterator)                                         \
  CHIWAWA_EMPTY(id##_narrow, "St3__2" name "IcNS_19" iterator "IcNS_11char_traitsIcEEEEE"); \
  CHIWAWA_EMPTY(id##_wide, "St3__2" name "IwNS_19" iterator "IwNS_11char_traitsIwEEEEE")

CHIWAWA_EMPTY_FACET(collate, "7collate");
CHIWAWA_EMPTY_FACET(messages, "8messages");
CHIWAWA_EMPTY_STREAMING(num_get, "7num_get", "istreambuf_iterator");
CHIWAWA_EMPTY_STREAMING(num_put, "7num_put", "ostreambuf_iterator");
CHIWAWA_EMPTY(moneypunct_narrow, "St3__210moneypunctIcLb0EE");
CHIWAWA_EMPTY(moneypunct_narrow_international, "St3__210moneypunctIcLb1EE");
CHIWAWA_EMPTY(moneypunct_wide, "St3__210moneypunctIwLb0EE");
CHIWAWA_EMPTY(moneypunct_wide_international, "St3__210moneypunctIwLb1EE");
CHIWAWA_EMPTY_STREAMING(money_get, "9money_get", "istreambuf_iterator");
CHIWAWA_EMPTY_STREAMING(money_put, "9money_put", "ostreambuf_iterator");
CHIWAWA_EMPTY_STREAMING(time_get, "8time_get", "istreambuf_iterator");
CHIWAWA_EMPTY_FACET(time_get_names, "20__time_get_c_storage");
CHIWAWA_EMPTY_STREAMING(time_put, "8time_put", "ostreambuf_iterator");

// The descriptions of types that go with exceptions: only their names are looked at (wasm_exceptions.cpp).
CHIWAWA_EMPTY(class_type_info, "10__cxxabiv117__class_type_info");
CHIWAWA_EMPTY(si_class_type_info, "10__cxxabiv120__si_class_type_info");
CHIWAWA_EMPTY(vmi_class_type_info, "10__cxxabiv121__vmi_class_type_info");
CHIWAWA_EMPTY(pointer_type_info, "10__cxxabiv119__pointer_type_info");
CHIWAWA_EMPTY(fundamental_type_info, "10__cxxabiv123__fundamental_type_info");

// CLI11 can take options from configuration files, and write such.
#define CHIWAWA_ABSENT(id, mangled, ...)                   \
  extern "C" void id(__VA_ARGS__) asm("_ZNK3CLI" mangled); \
  [[gnu::weak]] void id(__VA_ARGS__) { __builtin_trap(); }

CHIWAWA_ABSENT(from_config, "10ConfigBase11from_configERNSt3__213basic_istreamIcNS1_11char_traitsIcEEEE", void*, void*,
               void*)
CHIWAWA_ABSENT(to_config,
               "10ConfigBase9to_configEPKNS_3AppEbb"
               "NSt3__212basic_stringIcNS4_11char_traitsIcEENS4_9allocatorIcEEEE",
               void*, void*, void*, bool, bool, void*)
CHIWAWA_ABSENT(from_file, "6Config9from_fileERKNSt3__212basic_stringIcNS1_11char_traitsIcEENS1_9allocatorIcEEEE", void*,
               void*, void*)
