// What people do with albums: make, describe, fill, empty, delete, list.
//
// An album is named by its name or, since two devices may have made two of one name, by its id in hexadecimal. Each
// change is one shared transaction; doing what is done already changes nothing and is no error.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "net/node.h"

namespace starling::apps {

struct AlbumInfo {
  Bytes id;
  std::string name;
  std::string description;
};

// Errors: no such album, or several of that name.
[[nodiscard]] Expected<AlbumInfo> find_album(const Reader&, const std::string& album);

// Makes the album where it does not exist; `description`: nullopt, as it is; empty, none.
[[nodiscard]] Expected<CommitInfo> add_to_album(Node&, const std::string& album, const std::vector<Bytes>& entries,
                                                const std::optional<std::string>& description);
[[nodiscard]] Expected<CommitInfo> remove_from_album(Node&, const std::string& album,
                                                     const std::vector<Bytes>& entries);
[[nodiscard]] Expected<CommitInfo> delete_album(Node&, const std::string& album);  // the entries stay

// Every album with the number of its entries, in the order of their ids; `after`: an id.
[[nodiscard]] Expected<nlohmann::json> list_albums(const Reader&, std::size_t limit, const std::optional<Bytes>& after);

}  // namespace starling::apps
