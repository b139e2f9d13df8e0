// Changes of shared rows that cannot be applied here yet, kept with the reason.
//
// Their entry counts as taken in: it is relayed and acknowledged, and all else in it is applied. What is held stands in
// line by row: later changes of that row queue behind it, in the order in which they came, which extends causal order, so
// the merge rule takes them one by one as it would have. Why a change is held:
//   - its model is not registered here, or has another kind, key or fields: until the application is upgraded;
//   - this device's declaration or SQLite refuses it (NOT NULL, STRICT, a trigger);
//   - an earlier life of this process ended while it was applied.
// core/replica/quarantine_release.h applies them again. Of a device-owned row only the newest counts (quarantine.h).
// How many there are stands in memory, so that asking costs nothing while there are none; reload() after a rollback.
#pragma once

#include <optional>
#include <utility>

#include "core/causal/change.h"
#include "core/store/origin_table.h"
#include "core/store/statement.h"

namespace starling {

struct HeldChange {
  std::int64_t id = 0;
  Op op = Op::insert;
  Stamp generation;
  Stamp stamp;  // of its entry
  Seq seq;      // likewise
  FieldMask fields = 0;
  Bytes key;
  Bytes values;
  std::string why;
};

inline constexpr char kBehindAnother[] = "an earlier change of this row waits";
inline constexpr char kEndedTheProcess[] = "the process ended while it was applied";  // or something that came with it
inline constexpr char kEndedAlone[] = "the process ended while it was applied by itself";

class HeldChanges {
 public:
  HeldChanges(sqlite3*, OriginTable&);

  // Every write in the caller's transaction.
  void add(std::string_view model, const Change&, const Stamp&, Seq, std::string_view why);
  void drop(std::int64_t id);
  void drop_row(std::string_view model, BytesView key);
  void explain(std::int64_t id, std::string_view why);
  // What `from` wrote within (first, second] bears the name of `to` from now on, its entries the numbers behind `before`.
  void rename(Ordinal from, const std::pair<Position, Position>& within, Ordinal to, Seq before);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] bool holds(std::string_view model, BytesView key);  // something of this row
  // The first change of a row behind `id`.
  [[nodiscard]] std::optional<HeldChange> next_of(std::string_view model, BytesView key, std::int64_t id);
  // The first row of a model behind a key (nullopt: the first of all) of which something is held.
  [[nodiscard]] std::optional<Bytes> next_key(std::string_view model, const std::optional<Bytes>& after);
  void reload();

 private:
  OriginTable& origins_;
  Statement add_, drop_, drop_row_, explain_, holds_, next_of_, first_key_, next_key_, count_all_;
  sqlite3* db_;
  std::uint64_t count_ = 0;
};

}  // namespace starling
