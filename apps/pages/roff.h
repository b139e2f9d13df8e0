// The text of a man page, as groff and mandoc take it.
//
// Text goes in as it is; what roff would take for a command is escaped here. In a paragraph, words in 'quotes' stay.
#pragma once

#include <string>

namespace starling::apps {

class Roff {
 public:
  // "STARLING", "1", "User Commands"
  Roff(const std::string& name, const std::string& section, const std::string& manual);

  void heading(const std::string& text);
  void subheading(const std::string& text);
  void paragraph(const std::string& text);                      // its lines are joined
  void item(const std::string& term, const std::string& text);  // `term`: made of bold() and italic()
  void lines(const std::string& text);                          // as they are, an example
  void indent() { text_ += ".RS\n"; }
  void outdent() { text_ += ".RE\n"; }

  [[nodiscard]] const std::string& text() const { return text_; }

  [[nodiscard]] static std::string plain(const std::string& text);
  [[nodiscard]] static std::string bold(const std::string& text) { return "\\fB" + plain(text) + "\\fR"; }
  [[nodiscard]] static std::string italic(const std::string& text) { return "\\fI" + plain(text) + "\\fR"; }

 private:
  std::string text_;
};

}  // namespace starling::apps
