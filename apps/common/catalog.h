// Questions about locations and entries: where is a path, what is in a folder, what has a tag.
//
// Reads only, each call on the connection it is given. A path is looked up in the locations that it lies in: our own
// first, then those of other devices; an entry's key follows from the path (models/entry.h), so nothing is searched.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "net/node.h"

namespace starling::apps {

struct LocationInfo {
  Bytes id;
  DeviceId device;
  Bytes path;
};

struct EntryPlace {
  Bytes id;
  LocationInfo location;
};

class Catalog {
 public:
  Catalog(Reader reader, DeviceId self) : reader_(std::move(reader)), self_(self) {}

  // Errors: no location of that device (none given: of any device) holds the path.
  [[nodiscard]] Expected<EntryPlace> find(const Bytes& path, const std::optional<DeviceId>& device) const;

  // What `ls` answers, see docs/control.md.
  [[nodiscard]] Expected<nlohmann::json> list_locations() const;
  [[nodiscard]] Expected<nlohmann::json> list_entry(const EntryPlace&, const Bytes& path, std::size_t limit,
                                                    const std::optional<Bytes>& after) const;
  // {"entries", "more"}, in the order of their ids; `after`: an id.
  [[nodiscard]] Expected<nlohmann::json> list_tagged(const std::string& tag, std::size_t limit,
                                                     const std::optional<Bytes>& after) const;
  [[nodiscard]] Expected<nlohmann::json> list_album(const Bytes& album, std::size_t limit,
                                                    const std::optional<Bytes>& after) const;

 private:
  [[nodiscard]] Expected<std::vector<LocationInfo>> locations() const;
  // The entries that a link table joins with something. `column` of `table` is what; both are ours, never a user's.
  [[nodiscard]] Expected<nlohmann::json> list_linked(const std::string& table, const std::string& column, ValueView what,
                                                     std::size_t limit, const std::optional<Bytes>& after) const;
  [[nodiscard]] Expected<nlohmann::json> rows_to_json(const Rows&) const;
  [[nodiscard]] Expected<Bytes> path_of(Bytes id) const;

  Reader reader_;
  DeviceId self_;
};

}  // namespace starling::apps
