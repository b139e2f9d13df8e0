// What does not end as it should yet: what goes wrong today, and which rule will mend it.
//
// The only place where this is said, and it only shrinks. Two kinds: stories that are told exactly (story.h), and kinds
// of bad luck that drawn runs leave out (draw.h). Each is run, and must fail, a story with the complaint that stands here: it
// is a bug of its own when it fails otherwise, and its line goes as soon as it no longer fails.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "tests/sim/scenario.h"

namespace starling::sim {

struct ExpectedStory {
  std::string_view tag;        // of the story
  std::string_view complaint;  // a part of what it complains of
  std::string_view why;        // what goes wrong, and whether anybody is told; then the rule that it waits for
};

struct ExpectedFault {
  Verb verb;
  std::string_view why;
};

// The rules that are missing:
//   new life   a device takes a new incarnation when the number in its database is not the one written beside it at its
//              last start, when a peer knows its origin further, or by another hash; its old origin is a stranger's then
//   rebase     what a device in that state has not told, or writes, are drafts: written anew once it has caught up

inline constexpr ExpectedStory kExpectedStories[] = {
    {"reuse-copy", "the peer knows more of this device's history",
     "Told, nothing mixed: B refuses every session, names an old backup or a copy as the reason, and its rows stay at home."
     " Waits for: new life, rebase."},
    {"split-copy", "C: its rows differ from those of A",
     "SILENT: one seq names two entries, and as each has as many as the other, nobody asks; both call themselves ready. Only"
     " the device itself compares hashes, and it is gone. Waits for: new life (the two would have two names)."},
    {"owner-copy", "B: its rows differ from those of A",
     "SILENT: revisions carry no hash, so what A writes anew looks like progress. Peers ask for what follows the revision"
     " that they hold, never get the row that took its number, and keep one that A does not know. Vectors are equal, all"
     " are ready. Waits for: new life (revisions count anew in it)."},
    {"clone", "B's clone closed the session",
     "Told, nothing mixed: the clone refuses every session with the reason, and what it wrote stays at home; B is not told."
     " Waits for: new life, rebase, and that both of two live machines with one name are told."},
    {"clone-owner", "its rows differ from those of A",
     "SILENT: as owner-copy, B's revisions and the clone's are taken for one stream, and the clone's first row stays unknown"
     " to all others. B is told, as in reuse-copy, but only once A shows it more than it wrote. Waits for: new life, and that"
     " both of two live machines with one name are told."},
    {"ack-copy", "A counts on B for an entry that B has lost",
     "SILENT: the lower acknowledgement comes under the same incarnation, so it is taken"
     " for an old one. Waits for: new life (a later incarnation's acknowledgement replaces a higher one)."},
    {"R5a-behind-copy", "A shows '', not 'note a=written after the restore'",
     "Kept as a conflict everywhere, but not shown: the row counts as older than the delete. All devices agree. Waits for:"
     " rebase (the row would be stamped when B has caught up)."},
    {"R7-behind", "this device's clock was behind when its database was made anew, and it has written since",
     "Told, nothing mixed: the third life's name would lie before the second's, so B refuses every session with the reason."
     " Waits for: rebase (drafts have no name yet, and the new life may begin after all that are known)."},
    {"R9", "waits: its clock is ahead of ours",
     "Told: the others hold B's log for as long as its clock was ahead, also what it writes by the right clock. Waits for:"
     " rebase (entries that nobody took are written anew under a new life)."},
};

inline constexpr std::array kExpectedFaults = {
    ExpectedFault{Verb::put_back, "As reuse-copy and split-copy. Waits for: new life, rebase."},
    ExpectedFault{Verb::clone, "As clone and clone-owner. Waits for: new life, and that both are told."},
    ExpectedFault{Verb::flip, "Told and mended in a value of a row (repair_test.cpp), but shown until the scrub comes by; in SQLite's"
                              " own pages, our positions or the log nothing is mended. Waits for: a database made anew from peers."},
    ExpectedFault{Verb::short_read, "SILENT: SQLite takes a page that is read in part for one that ends in zeros. No kernel does"
                                    " that to it; what it writes then is damage as of a flipped byte."},
};

[[nodiscard]] inline const ExpectedStory* expected_failure(std::string_view tag) {
  const auto* const found = std::find_if(std::begin(kExpectedStories), std::end(kExpectedStories),
                                         [&](const ExpectedStory& e) { return e.tag == tag; });
  return found == std::end(kExpectedStories) ? nullptr : found;
}

[[nodiscard]] inline bool is_expected_to_fail(Verb verb) {
  return std::any_of(kExpectedFaults.begin(), kExpectedFaults.end(), [verb](const ExpectedFault& f) { return f.verb == verb; });
}

}  // namespace starling::sim
