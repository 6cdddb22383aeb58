#include "app_args.hpp"

namespace chiwawa::tools {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::optional<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;  // also after "", which is a word
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && is_space(c)) {
      in_word = false;
      continue;
    }
    if (!in_word) {
      words.emplace_back();
      in_word = true;
    }
    std::string& word = words.back();
    const bool more = i + 1 < text.size();
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == '\'') {
      word += c;
    } else if (quote == '"') {
      const bool escape = c == '\\' && more && (text[i + 1] == '"' || text[i + 1] == '\\');
      word += escape ? text[++i] : c;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '\\') {
      if (!more) return std::nullopt;
      word += text[++i];
    } else {
      word += c;
    }
  }
  if (quote != 0) return std::nullopt;
  return words;
}

}  // namespace chiwawa::tools
