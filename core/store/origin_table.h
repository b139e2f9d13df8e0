// Origins and positions: who writes in this workspace, and how far we hold each of their streams.
//
// The rows of sync_origin, in memory while the store is open: an origin's small ordinal, our position in its streams,
// the hash of its last entry, and what it had seen when it wrote that entry (the sum of its dependencies), by which a
// concurrent change is told from one that follows. Changes are made in memory and written by flush() in the
// transaction that makes them true; after a rollback reload() takes back what the database says.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "core/causal/version_vector.h"
#include "core/store/statement.h"

namespace starling {

class OriginTable {
 public:
  explicit OriginTable(sqlite3*);

  [[nodiscard]] Ordinal ordinal(const Origin&);  // gives it one, if it has none
  [[nodiscard]] std::optional<Ordinal> find(const Origin&) const;
  [[nodiscard]] const Origin& origin(Ordinal) const;
  [[nodiscard]] std::vector<Origin> of_device(const DeviceId&) const;

  [[nodiscard]] const VersionVector& vector() const { return vector_; }
  [[nodiscard]] VersionVector pulled() const;  // vector(), but of state streams that are read anew how far that has come
  [[nodiscard]] Position position(Ordinal o) const { return vector_.at(origin(o)); }
  [[nodiscard]] const Hash128& last_hash(Ordinal) const;
  [[nodiscard]] const VersionVector& seen(Ordinal) const;

  // How far back the streams can be told from here: log entries, and tombstones of state, up to it are gone.
  [[nodiscard]] Position horizon(Ordinal) const;
  void raise_horizon(Ordinal, const Position&);  // the greater of each
  // A state stream whose horizon has passed us is read from 0 again, and so far it was; zero: it is not.
  [[nodiscard]] Rev restart(Ordinal) const;
  void set_restart(Ordinal, Rev);

  // In which of its openings the owner told the revision that we hold, or a later one; 0: not known.
  [[nodiscard]] std::uint64_t opening(Ordinal) const;
  void set_opening(Ordinal, std::uint64_t);

  void advance_rev(Ordinal, Rev to);
  void advance_seq(Ordinal, Seq to, Hlc, const Hash128& hash, const VersionVector& dependencies);
  // Of our own streams: they end where they do not yet, and what follows is told under other numbers. `hash`: of the entry
  // that is the last one then.
  void put_back(Ordinal, const Position&, const Hash128& hash);

  void flush();
  void reload();

 private:
  struct Row {
    Origin origin;
    Hash128 hash;
    VersionVector seen;
    Position horizon;
    Rev restart;
    std::uint64_t opening = 0;
    bool dirty = false;
  };
  Row& row(Ordinal);
  [[nodiscard]] const Row& row(Ordinal) const;

  Statement insert_, update_, select_;
  std::map<Origin, Ordinal> ordinals_;
  std::map<Ordinal, Row> rows_;
  VersionVector vector_;
};

}  // namespace starling
