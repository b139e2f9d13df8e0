// How starling and starlingd end: the one list.
//
// --help and the man pages print it from here, and scripts and service managers rely on it: a code keeps its meaning.
#pragma once

#include <array>

namespace starling::apps {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kWrongUse = 2,
  kCannotStart = 3,
};

struct ExitMeaning {
  ExitCode code;
  const char* meaning;
};

inline constexpr std::array kExitMeanings{
    ExitMeaning{kDone, "it was done; starlingd: it was asked to stop"},
    ExitMeaning{kFailed, "it could not be done, or verify found something; starlingd: it stopped itself, and its log says why"},
    ExitMeaning{kWrongUse, "the command line is wrong; starlingd: or the configuration"},
    ExitMeaning{kCannotStart, "starlingd could not start: the data folder is in use or unfit, or its address is taken"},
};

}  // namespace starling::apps
