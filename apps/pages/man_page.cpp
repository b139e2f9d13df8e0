#include "apps/pages/man_page.h"

#include <cctype>
#include <sstream>

#include "apps/common/exit_code.h"
#include "apps/pages/roff.h"

namespace starling::apps {
namespace {

std::string in_capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// "Keeps x. Does y." gives "keeps x".
std::string in_short(const std::string& about) {
  std::string text = about.substr(0, about.find_first_of(".\n"));
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::string term_of(const OptionInfo& option) {
  if (option.names.empty()) return Roff::italic(option.value);
  std::string term;
  for (const std::string& name : option.names) term += (term.empty() ? "" : ", ") + Roff::bold(name);
  return term + (option.value.empty() ? "" : " " + Roff::italic(option.value));
}

std::string word_of(const OptionInfo& word) {
  const std::string text = Roff::italic(word.value) + (word.repeated ? "..." : "");
  return word.required ? text : "[" + text + "]";
}

std::string usage_of(const CommandInfo& command, const std::string& path) {
  std::string usage = Roff::bold(path);
  for (const OptionInfo& option : command.options) {
    if (option.required) usage += " " + term_of({{option.names.back()}, option.value, "", true, false});
  }
  for (const OptionInfo& word : command.words) usage += " " + word_of(word);
  return usage;
}

void add_options(Roff& page, const CommandInfo& command) {
  for (const OptionInfo& word : command.words) page.item(term_of(word), word.about);
  for (const OptionInfo& option : command.options) {
    if (option.names.back() != "--help") page.item(term_of(option), option.about);
  }
}

// Every command that can be typed, those inside others too.
void add_commands(Roff& page, const CommandInfo& parent, const std::string& path) {
  for (const CommandInfo& command : parent.commands) {
    const std::string name = path + command.name;
    if (!command.needs_command) {
      page.item(usage_of(command, name), command.about + ".");
      page.indent();
      add_options(page, command);
      page.outdent();
    }
    add_commands(page, command, name + " ");
  }
}

void add_sections(Roff& page, const std::vector<ManSection>& sections) {
  for (const ManSection& section : sections) {
    page.heading(section.heading);
    for (const auto& [word, text] : section.items) page.item(Roff::bold(word), text);
  }
}

void add_name(Roff& page, const std::string& name, const std::string& purpose) {
  page.heading("NAME");
  page.paragraph(name + " - " + purpose);
}

// One run of lines of the sample between empty ones.
struct Block {
  std::string prose;                  // comments
  std::string list;                   // those that are indented
  std::string example;                // the comment lines after an empty one
  std::vector<std::string> settings;  // all other lines
};

Block read_block(const std::vector<std::string>& lines) {
  Block block;
  bool example = false;
  for (const std::string& line : lines) {
    if (line.front() != '#')
      block.settings.push_back(line);
    else if (line == "#")
      example = true;
    else
      (example ? block.example : line[2] == ' ' ? block.list : block.prose) += line.substr(2) + "\n";
  }
  return block;
}

std::vector<Block> read_blocks(const std::string& sample) {
  std::vector<Block> blocks;
  std::vector<std::string> lines;
  std::istringstream all(sample + "\n\n");
  for (std::string line; std::getline(all, line);) {
    if (!line.empty()) {
      lines.push_back(line);
    } else if (!lines.empty()) {
      blocks.push_back(read_block(lines));
      lines.clear();
    }
  }
  return blocks;
}

// A line of settings, with the comment above it or at its end.
void add_setting(Roff& page, const std::string& line, const Block& block) {
  if (line.front() == '[') return page.subheading(line);
  const std::size_t comment = line.find(" # ");
  const std::string setting = line.substr(0, line.find_last_not_of(' ', comment) + 1);
  const std::size_t name_end = setting.find(' ');
  page.item(Roff::bold(setting.substr(0, name_end)) + Roff::plain(setting.substr(name_end)),
            block.prose + (comment == std::string::npos ? "" : line.substr(comment + 3)));
  if (block.list.empty()) return;
  page.indent();
  page.lines(block.list);
  page.outdent();
}

}  // namespace

std::string program_page(const CommandInfo& program, const std::string& section,
                         const std::vector<ManSection>& further) {
  Roff page(in_capitals(program.name), section, section == "1" ? "User Commands" : "System Administration");
  add_name(page, program.name, in_short(program.about));
  page.heading("SYNOPSIS");
  const std::string command =
      program.needs_command ? R"( [\fIOPTION\fR]... \fICOMMAND\fR [\fIARGUMENT\fR]...)" : R"( [\fIOPTION\fR]...)";
  page.item(usage_of(program, program.name) + command, "");
  page.heading("DESCRIPTION");
  page.paragraph(program.about);
  page.paragraph(program.notes);
  page.heading("OPTIONS");
  add_options(page, program);
  if (!program.commands.empty()) {
    page.heading("COMMANDS");
    add_commands(page, program, "");
  }
  page.heading("EXIT STATUS");
  for (const ExitMeaning& one : kExitMeanings) page.item(Roff::bold(std::to_string(one.code)), one.meaning);
  add_sections(page, further);
  return page.text();
}

std::string config_page(const std::string& name, const std::string& sample, const std::vector<ManSection>& further) {
  Roff page(in_capitals(name), "5", "File Formats");
  add_name(page, name, "the configuration of one device");
  page.heading("DESCRIPTION");
  bool settings = false;
  for (const Block& block : read_blocks(sample)) {
    if (!settings && !block.settings.empty()) page.heading("SETTINGS");
    settings = settings || !block.settings.empty();
    if (block.settings.empty()) {
      if (settings) page.heading("PEERS");
      page.paragraph(block.prose);
      if (!block.example.empty()) page.lines(block.example);
    }
    for (const std::string& line : block.settings) add_setting(page, line, block);
  }
  add_sections(page, further);
  return page.text();
}

}  // namespace starling::apps
