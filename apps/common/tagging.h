// What people do with tags: make, describe, put on entries, take off, delete.
//
// Each is one shared transaction. Putting a tag on an entry makes the tag where it does not exist; doing what is done
// already changes nothing and is no error.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "net/node.h"

namespace starling::apps {

// What people call a tag or an album: 1 to 200 bytes of UTF-8 without control characters. `what`: "a tag".
[[nodiscard]] Expected<void> check_label(const std::string& label, const std::string& what);
// At most 4 KiB of UTF-8, if any. `field`: for the error.
[[nodiscard]] Expected<void> check_description(const std::optional<std::string>& text, const std::string& field);

struct TagFields {  // nullopt: as it is; empty: none
  std::optional<std::string> color;
  std::optional<std::string> description;
};

[[nodiscard]] Expected<CommitInfo> add_tags(Node&, const Bytes& entry, const std::vector<std::string>& tags);
[[nodiscard]] Expected<CommitInfo> remove_tags(Node&, const Bytes& entry, const std::vector<std::string>& tags);
[[nodiscard]] Expected<CommitInfo> set_tag(Node&, const std::string& name, const TagFields&);
[[nodiscard]] Expected<CommitInfo> delete_tag(Node&, const std::string& name);  // and takes it off every entry

// Every tag with the number of its entries, by name.
[[nodiscard]] Expected<nlohmann::json> list_tags(const Reader&, std::size_t limit, const std::optional<Bytes>& after);

}  // namespace starling::apps
