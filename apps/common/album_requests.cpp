#include "apps/common/album_requests.h"

#include "apps/common/albums.h"
#include "apps/common/byte_text.h"
#include "apps/common/catalog.h"
#include "apps/common/status_json.h"

namespace starling::apps {
namespace {

using nlohmann::json;

// What "album", "paths" and "device" say.
struct Selection {
  std::string album;
  std::vector<Bytes> paths;
  std::optional<DeviceId> device;

  explicit Selection(Arguments& arguments)
      : album(arguments.text("album")), paths(arguments.paths("paths")), device(arguments.maybe_device("device")) {}

  [[nodiscard]] Expected<std::vector<Bytes>> entries(const Node& node) const {
    Expected<Reader> reader = node.reader();
    if (!reader) return reader.error();
    const Catalog catalog(std::move(*reader), node.device());
    std::vector<Bytes> ids;
    for (const Bytes& path : paths) {
      Expected<EntryPlace> place = catalog.find(path, device);
      if (!place) return place.error();
      ids.push_back(std::move(place->id));
    }
    return ids;
  }
};

}  // namespace

Expected<json> album_add(Node& node, Arguments& arguments) {
  const Selection what(arguments);
  const std::optional<std::string> description = arguments.maybe_text("description");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<std::vector<Bytes>> entries = what.entries(node);
  if (!entries) return entries.error();
  return committed(add_to_album(node, what.album, *entries, description));
}

Expected<json> album_remove(Node& node, Arguments& arguments) {
  const Selection what(arguments);
  const bool whole = arguments.flag("whole");
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  if (whole != what.paths.empty()) {  // an empty list must not delete an album
    return Error{Errc::invalid_argument, "either entries or the whole album must be named", printable(what.album),
                 R"(give "paths", or "whole": true)"};
  }
  if (whole) return committed(delete_album(node, what.album));
  const Expected<std::vector<Bytes>> entries = what.entries(node);
  if (!entries) return entries.error();
  return committed(remove_from_album(node, what.album, *entries));
}

Expected<json> album_ls(const Node& node, Arguments& arguments) {
  const std::size_t limit = arguments.limit();
  const std::optional<Bytes> after = arguments.after();
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  const Expected<Reader> reader = node.reader();
  if (!reader) return reader.error();
  return list_albums(*reader, limit, after);
}

Expected<json> album_show(const Node& node, Arguments& arguments) {
  const std::string name = arguments.text("album");
  const std::size_t limit = arguments.limit();
  const std::optional<Bytes> after = arguments.after();
  if (Expected<void> ok = arguments.done(); !ok) return ok.error();
  Expected<Reader> reader = node.reader();
  if (!reader) return reader.error();
  const Expected<AlbumInfo> album = find_album(*reader, name);
  if (!album) return album.error();
  const Catalog catalog(std::move(*reader), node.device());
  Expected<json> answer = catalog.list_album(album->id, limit, after);
  if (!answer) return answer;
  (*answer)["album"] = to_hex(album->id);
  (*answer)["name"] = bytes_to_json(album->name);
  (*answer)["description"] = bytes_to_json(album->description);
  return answer;
}

}  // namespace starling::apps
