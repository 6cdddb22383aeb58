// Reading whole files.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <vector>

namespace chiwawa::spec {

inline std::optional<std::vector<uint8_t>> read_file(const std::filesystem::path& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return std::nullopt;
  std::vector<uint8_t> bytes;
  uint8_t buffer[65536];
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, file))
    bytes.insert(bytes.end(), buffer, buffer + count);
  const bool ok = std::ferror(file) == 0;
  std::fclose(file);
  return ok ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace chiwawa::spec
