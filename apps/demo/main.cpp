// starling-demo: two devices, one bad day, and the proof that they end with the same data.
#include <iostream>

#include "apps/common/byte_text.h"
#include "apps/demo/options.h"
#include "apps/demo/scratch.h"
#include "apps/demo/story.h"
#include "apps/demo/verdict.h"

namespace starling::demo {
namespace {

bool run(const Options& options) {
  const Clock::time_point start = Clock::now();
  Scratch scratch(options.keep);
  Voice voice;
  voice.title("Starling: two devices on this machine, two processes, TLS between them");
  Story story(options, scratch, voice);
  story.meet();
  story.index_and_tag();
  story.write_while_b_is_dead();
  story.edit_cut_off();
  story.come_together();
  story.measure();
  const bool equal = give_verdict(story, voice);
  (void)story.b().stop();
  (void)story.a().stop();
  std::cout << "\n";
  voice.title(std::string(equal ? "Everything is equal." : "THE TWO DIFFER.") + " " + fixed(seconds_since(start), 1) + " s.");
  if (options.keep) voice.line("Kept in " + scratch.path().string());
  return equal;
}

}  // namespace
}  // namespace starling::demo

int main(int count, char** words) {
  using namespace starling::demo;
  const auto options = parse_options(count, words);
  if (!options) {
    std::cerr << "starling-demo: " << options.error().text() << "\n";
    return 2;
  }
  if (options->help) {
    std::cout << kHelp;
    return 0;
  }
  try {
    return run(*options) ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "\nstarling-demo: " << e.what() << "\n";
    return 1;
  }
}
