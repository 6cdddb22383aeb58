// Wasi: making one, and finding its functions.
#include "wasi/wasi.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "wasi/functions.hpp"
#include "wasi/wasi_impl.hpp"

namespace chiwawa::wasi {
namespace {

template <typename T>
constexpr ValType val_type_of = sizeof(T) == 8 ? ValType::I64 : ValType::I32;

template <typename Signature>
struct ValTypes;
template <typename... T>
struct ValTypes<void(T...)> {
  static std::vector<ValType> list() { return {val_type_of<T>...}; }
};

/// Turns a HostCall into a call of an implementation with these parameters.
template <typename Params>
struct Adapter;
template <typename... P>
struct Adapter<void(P...)> {
  template <Answer (*implementation)(Call&, P...)>
  static HostResult call(HostCall& host_call, void* context) {
    Call call{*static_cast<Context*>(context), GuestMemory::of(host_call), host_call.slots};
    Answer answer = invoke<implementation>(call, std::index_sequence_for<P...>{});
    switch (answer.kind) {
      case HostResult::Kind::Wait: return HostResult::wait();
      case HostResult::Kind::Exit: return HostResult::exit(answer.exit_code);
      default: break;
    }
    host_call.result(0, static_cast<uint64_t>(answer.error));
    return HostResult::done();
  }

 private:
  template <Answer (*implementation)(Call&, P...), size_t... i>
  static Answer invoke(Call& call, std::index_sequence<i...>) {
    return implementation(call, static_cast<P>(call.args[i])...);
  }
};

struct Row {
  std::string_view name;
  std::vector<ValType> (*params)();
  std::vector<ValType> (*results)();
  HostResult (*call)(HostCall&, void*);
  HostResult (*unstable_call)(HostCall&, void*);
};

using preview1::I32;
using preview1::I64;
constexpr Row kFunctions[] = {
#define WASI_FUNCTION(name, params, results, implementation, unstable_implementation, parameter_names) \
  {#name, &ValTypes<void params>::list, &ValTypes<void results>::list,                                 \
   &Adapter<void params>::template call<&preview1::implementation>,                                    \
   &Adapter<void params>::template call<&preview1::unstable_implementation>},
#include "wasi/preview1.def"
};

}  // namespace

Wasi::Wasi(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Wasi::~Wasi() = default;

Result<std::unique_ptr<Wasi>> Wasi::create(Config config) {
  auto impl = std::make_unique<Impl>(std::move(config));
  CHIWAWA_TRY(impl->open_roots());
  CHIWAWA_TRY(impl->open_listeners());
  impl->start_clocks(0);
  if (impl->config.deterministic) impl->deterministic.emplace();
  for (auto kind : {DescriptorKind::Stdin, DescriptorKind::Stdout, DescriptorKind::Stderr}) {
    impl->table.add(impl->stdio(kind));
  }
  for (size_t i = 0; i < impl->roots.size(); ++i) {
    if (!impl->table.add(impl->preopen(static_cast<RootIndex>(i))).ok()) {
      return Error{Phase::Io, "too many directories are given"};
    }
  }
  for (uint32_t i = 0; i < impl->listeners.size(); ++i) {
    if (!impl->table.add(impl->listener(i)).ok()) return Error{Phase::Io, "too many listening sockets are given"};
  }
  return std::unique_ptr<Wasi>(new Wasi(std::move(impl)));
}

std::vector<std::string> Wasi::listening_on() const {
  std::vector<std::string> addresses;
  for (const OpenListener& listener : impl_->listeners) addresses.push_back(listener.address);
  return addresses;
}

std::optional<HostFunction> Wasi::function(std::string_view module, std::string_view name) {
  bool unstable = module == "wasi_unstable";
  if (!unstable && module != "wasi_snapshot_preview1") return std::nullopt;
  for (const Row& row : kFunctions) {
    if (row.name != name) continue;
    return HostFunction{std::string(module),
                        std::string(name),
                        {row.params(), row.results()},
                        unstable ? row.unstable_call : row.call,
                        static_cast<Context*>(impl_.get())};
  }
  return std::nullopt;
}

GuestClock Wasi::clock() {
  return {[](void* context) { return static_cast<Context*>(context)->monotonic(); },
          [](uint64_t nanoseconds, void* context) { static_cast<Context*>(context)->sleep(nanoseconds); },
          static_cast<Context*>(impl_.get())};
}

}  // namespace chiwawa::wasi
