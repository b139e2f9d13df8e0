// The ledger: what every device has committed and said, kept outside the world, and compared after every event.
//
// It hears each commit and each step of each node (witness.h), reads what they added, and complains when
//   - a commit that returned, or anything a node told a peer that it holds, is not there after a crash; or when a life
//     begins with what no write of the one before can have left;
//   - (origin, seq) or (origin, rev) names two things, or something that its author never wrote;
//   - an entry breaks its author's chain, goes back in time, comes before what its author had seen, or is applied
//     although its clock is beyond the drift limit;
//   - a row that the new entries touch is not the reference merge of all entries that the vector covers, or a
//     device-owned row is not what its owner last wrote; or tables with UNIQUE or references show other rows than the naive
//     reading of all merged rows (tests/core/store/naive_visibility.h);
//   - a transaction shows in part: transfers do not add up to nothing;
//   - a vector goes back while its node lives;
//   - a step that brought nothing new changed rows, or one changed rows that it does not name to the application;
//   - a node has another acknowledgement of a member than that member has given, or drops what it must not: what a snapshot
//     or a page brings is compared like any other change.
// What a device writes before it has caught up with anybody has no number yet (core/replica/rebase.h): those drafts
// count for that device alone. While a snapshot is merged rows are of no vector, and are compared when it is done.
// Devices have versions of their own: each is judged by the models that it has. A row of which something waits in quarantine
// is compared once nothing does.
// So "visible rows are a function of the vector" holds at every event, for what was touched. The whole tables are
// compared by oracle.h, at rest and now and then.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "proto/entry.h"
#include "tests/core/store/naive_visibility.h"
#include "tests/sim/row_reader.h"
#include "tests/sim/witness.h"

namespace starling::sim {

class Ledger : public Witness {
 public:
  void opened(SimNode&) override;
  void closing(SimNode&) override;
  void committed(SimNode&, const LocalCommit&) override;
  void in_doubt(SimNode&) override;
  void stepped(SimNode&, const std::vector<Effect>&) override;
  void migrated(SimNode&) override;
  void replaced(SimNode&) override;
  void rolled_back(SimNode& node) override { watches_[&node].distrusted = true; }

  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
  // A transaction of this life failed with its disk: it may be there after the next start, as no write has come over it.
  [[nodiscard]] bool doubts(const SimNode& node) { return watches_[&node].in_doubt; }
  // What it must show of shared models: the reference merge of all that its vector covers, and of its drafts.
  [[nodiscard]] std::map<reference::RowName, reference::VisibleRow> visible(const SimNode&) const;
  [[nodiscard]] bool drafted(const SimNode& node, const reference::RowName& name) const { return watches_.at(&node).drafted.contains(name); }
  // A row of a model with rules is drafted, or something of it waits in quarantine: what the others show depends on it.
  [[nodiscard]] bool rules_open(const SimNode& node) const { return watches_.at(&node).rules_open(); }
  // Something of it waits in quarantine.
  [[nodiscard]] bool waits(const SimNode& node, const reference::RowName& name) const { return watches_.at(&node).waiting.contains(name); }
  [[nodiscard]] bool merging(const SimNode& node) const { return watches_.at(&node).merging; }
  // Rows of this node change behind the engine's back: what it shows until they are healed, and that they are, is no news.
  void expect_damage(const SimNode& node) { watches_[&node].damaged = true; }
  [[nodiscard]] std::uint64_t counters_run_over() const { return run_over_; }  // a stamp that carried into its milliseconds
  [[nodiscard]] std::uint64_t relayed() const { return relayed_; }  // acknowledgements of others
  [[nodiscard]] std::uint64_t entries_written() const { return entries_written_; }
  [[nodiscard]] std::uint64_t rows_compared() const { return rows_compared_; }

 private:
  struct Entry {
    Bytes bytes;
    EntryHeader header;
    Hash128 hash;
    std::map<Hash128, DecodedEntry> under;  // by the digest of a schema
  };
  struct Version {  // of a device-owned row
    Origin origin;
    Rev rev;
    std::optional<reference::VisibleRow> values;  // by the models that its owner had; none: deleted
    friend bool operator<(const Version& x, const Version& y) { return std::tie(x.origin, x.rev) < std::tie(y.origin, y.rev); }
  };
  using RowName = reference::RowName;
  struct Named {  // to the application
    std::set<RowName> rows;
    bool everything = false;
    void add(const ChangeSet&);
    void add(const Named&);
  };
  struct Watch {  // of one node
    VersionVector seen;
    VersionVector told;
    bool in_doubt = false;
    bool damaged = false;
    bool was_open = false;
    bool opening = false;  // what it holds now, it may have taken at another time, and told of it then
    reference::State state;
    Hash128 schema;  // that the state was read by
    Origin self;
    bool distrusted = false;  // it goes by a name that is not its own any more, and does not know yet
    std::unique_ptr<RowReader> rows;
    bool merging = false;  // a snapshot
    Named named;           // while it merged
    bool taking = false;   // a snapshot, whose clock was judged when it began
    std::int64_t latest_ms = 0;  // that its own clock has shown since
    bool anew = false;     // it reads a state stream anew
    reference::State drafts;  // what has no number yet
    std::set<RowName> drafted;
    std::set<Hlc> draft_clocks;
    std::set<RowName> waiting;  // in quarantine
    Seq drafts_read;
    naive::ShownRows ruled;  // what was shown of models with rules
    [[nodiscard]] reference::Row row(const RowName&) const;  // with its drafts
    [[nodiscard]] bool rules_open() const;
    [[nodiscard]] naive::ShownRows shown_by_rules() const;  // of models with rules
  };

  using Shown = std::optional<reference::VisibleRow>;
  using Touched = std::map<RowName, Shown>;  // and what they showed before

  void observe(SimNode&, const Named&);
  [[nodiscard]] static Shown shown(const Watch&, const RowName&);
  void read_waiting(SimNode&, Watch&, Touched&);
  void read_anew(SimNode&, Watch&);
  [[nodiscard]] bool is_renamed(SimNode&, Watch&);
  void read_log(SimNode&, Watch&, const Origin&, Seq from, Touched&);
  void read_entry(SimNode&, Watch&, const Origin&, Entry&, Touched&);
  void read_drafts(SimNode&, Watch&, Touched&);
  void forget_drafts(Watch&, Touched&);
  void record_own(SimNode&, Watch&);
  void read_state(SimNode&, Watch&, const Origin&, Rev from);
  void record_state(SimNode&, Watch&, Rev from);
  Entry* record(SimNode&, const Origin&, Seq, Bytes bytes);
  void check_author(SimNode&, const Origin&, const Entry&);
  void check_shared(SimNode&, Watch&, const Touched&, const Named&);
  void check_ruled(SimNode&, Watch&, const Named&);
  void check_owned(SimNode&, Watch&, const RowName&, const std::vector<Version>&);
  void hear(SimNode&, Watch&, const Send&);
  void check_acknowledgements(SimNode&);
  void complain(const SimNode&, const std::string& what);

  std::map<Origin, std::deque<Entry>> logs_;
  std::map<Origin, std::map<Rev, RowName>> revisions_;
  std::map<std::pair<DeviceId, RowName>, std::vector<Version>> owned_;  // ascending
  std::map<SessionId, VersionVector> said_;  // on each session so far: what the deltas of acknowledgements are added to
  std::map<std::tuple<DeviceId, Incarnation, std::uint64_t>, VersionVector> given_;  // acknowledgements, by version
  std::set<Origin> put_back_;  // lives that may have begun again from an older disk: what they acknowledged counts no more
  std::map<const SimNode*, Watch> watches_;  // looked up, never walked
  std::vector<std::string> complaints_;
  std::uint64_t entries_written_ = 0;
  std::uint64_t relayed_ = 0;
  std::uint64_t run_over_ = 0;
  std::uint64_t rows_compared_ = 0;
};

}  // namespace starling::sim
