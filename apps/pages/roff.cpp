#include "apps/pages/roff.h"

#include <sstream>

#include "apps/common/built_in.h"

namespace starling::apps {
namespace {

// A line that begins with a dot or an apostrophe is a command to roff; after \& it is text.
std::string as_text(const std::string& escaped) {
  const bool command = !escaped.empty() && (escaped.front() == '.' || escaped.front() == '\'');
  return (command ? "\\&" : "") + escaped + "\n";
}

std::string joined(const std::string& text) {
  std::istringstream all(text);
  std::string out;
  for (std::string line; std::getline(all, line);) out += (out.empty() ? "" : " ") + line;
  return out;
}

}  // namespace

Roff::Roff(const std::string& name, const std::string& section, const std::string& manual)
    : text_("."
            "\\\" Made by the build from the program's own command line and sample; do not edit.\n") {
  text_ += ".TH " + name + " " + section + R"( "" "Starling )" + version() + R"(" ")" + manual + "\"\n";
}

void Roff::heading(const std::string& text) { text_ += ".SH " + text + "\n"; }
void Roff::subheading(const std::string& text) { text_ += ".SS " + plain(text) + "\n"; }
void Roff::paragraph(const std::string& text) { text_ += ".PP\n" + as_text(plain(joined(text))); }

void Roff::item(const std::string& term, const std::string& text) {
  text_ += ".TP\n" + as_text(term) + as_text(text.empty() ? "\\&" : plain(joined(text)));
}

void Roff::lines(const std::string& text) {
  text_ += ".PP\n.nf\n.RS\n";
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) text_ += as_text(plain(line));
  text_ += ".RE\n.fi\n";
}

std::string Roff::plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";  // a hyphen would be set as another character, which nobody can paste
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '`')
      out += "\\(ga";
    else if (c == '^')
      out += "\\(ha";
    else if (c == '~')
      out += "\\(ti";
    else
      out += c;
  }
  return out;
}

}  // namespace starling::apps
