#include "apps/common/config_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <functional>
#include <map>

#include "apps/common/byte_text.h"
#include "apps/common/data_folder.h"
#include "core/base/assert.h"
#include "net/address.h"

namespace starling::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kWorkspaceNameMax = 64;

// One file while it is read: knows how to say where something stands.
class Document {
 public:
  explicit Document(fs::path file) : file_(std::move(file)) {}

  [[nodiscard]] Error error(const toml::source_region& at, const std::string& key, std::string what,
                            std::string remedy = "") const {
    const std::string line = ":" + std::to_string(at.begin.line);
    return {Errc::invalid_argument, std::move(what), file_.string() + line + (key.empty() ? "" : ": " + key),
            std::move(remedy)};
  }
  [[nodiscard]] Expected<std::string> text(const toml::node& node, const std::string& key) const {
    if (const auto* value = node.as_string()) return value->get();
    return error(node.source(), key, "must be a string", "write it in quotes");
  }
  // One of a few words.
  template <class T>
  [[nodiscard]] Expected<T> choice(const toml::node& node, const std::string& key,
                                   const std::vector<std::pair<std::string, T>>& choices) const {
    const Expected<std::string> word = text(node, key);
    if (!word) return word.error();
    std::string names;
    for (const auto& [name, value] : choices) {
      if (name == *word) return value;
      names += (names.empty() ? "\"" : ", \"") + name + "\"";
    }
    return error(node.source(), key, "\"" + printable(*word) + "\" is none of " + names);
  }
  // A check of the value that knows nothing of files.
  [[nodiscard]] Expected<void> checked(const toml::node& node, const std::string& key,
                                       const Expected<void>& result) const {
    if (result) return {};
    return error(node.source(), key, result.error().what, result.error().remedy);
  }

 private:
  fs::path file_;
};

using KeyReader = std::function<Expected<void>(const toml::node&, const std::string& key)>;

// Reads each key of a table with the reader of that name; a key without one is unknown.
Expected<void> read_table(const Document& document, const toml::table& table, const std::string& prefix,
                          const std::map<std::string, KeyReader>& readers) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const auto reader = readers.find(std::string(name.str()));
    if (reader == readers.end()) {
      std::string known;
      for (const auto& [other, unused] : readers) known += (known.empty() ? "" : ", ") + other;
      return document.error(name.source(), printable(key), "no such key", "known here: " + known);
    }
    if (Expected<void> result = reader->second(node, key); !result) return result;
  }
  return {};
}

template <class T>
Expected<void> assign(T& target, Expected<T> value) {
  if (!value) return std::move(value).error();
  target = std::move(*value);
  return {};
}

Expected<void> read_log(const Document& document, const toml::node& node, const std::string& key, LogConfig& log) {
  const toml::table* table = node.as_table();
  if (table == nullptr) return document.error(node.source(), key, "must be a table", "write [log] on a line of its own");
  const std::vector<std::pair<std::string, LogLevel>> levels{{"debug", LogLevel::debug},
                                                                {"info", LogLevel::info},
                                                                {"warning", LogLevel::warning},
                                                                {"error", LogLevel::error}};
  const std::vector<std::pair<std::string, LogFormat>> formats{{"text", LogFormat::text}, {"json", LogFormat::json}};
  const auto level = [&](const toml::node& value, const std::string& name) {
    return assign(log.level, document.choice(value, name, levels));
  };
  const auto format = [&](const toml::node& value, const std::string& name) {
    return assign(log.format, document.choice(value, name, formats));
  };
  return read_table(document, *table, key + ".", {{"level", level}, {"format", format}});
}

Expected<void> read_addresses(const Document& document, const toml::node& node, const std::string& key, Peer& peer) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return document.error(node.source(), key, "must be a list", "write [\"host:port\"]");
  for (const toml::node& item : *list) {
    Expected<std::string> address = document.text(item, key);
    if (!address) return address.error();
    if (Expected<void> ok = document.checked(item, key, check_address(*address, false)); !ok) return ok;
    peer.addresses.push_back(std::move(*address));
  }
  return {};
}

Expected<Peer> read_peer(const Document& document, const toml::table& table) {
  Peer peer;
  const auto device = [&](const toml::node& value, const std::string& name) -> Expected<void> {
    const Expected<std::string> text = document.text(value, name);
    if (!text) return text.error();
    const Expected<DeviceId> id = parse_device_id(*text);
    if (!id) return document.error(value.source(), name, "\"" + printable(*text) + "\": " + id.error().what,
                                   id.error().remedy);
    peer.device = *id;
    return {};
  };
  const auto addresses = [&](const toml::node& value, const std::string& name) {
    return read_addresses(document, value, name, peer);
  };
  if (Expected<void> ok = read_table(document, table, "peer.", {{"device", device}, {"addresses", addresses}}); !ok) {
    return ok.error();
  }
  if (!table.contains("device")) {
    return document.error(table.source(), "peer.device", "is missing", "'starling id' prints it on the other device");
  }
  return peer;
}

Expected<void> read_peers(const Document& document, const toml::node& node, std::vector<Peer>& peers) {
  const toml::array* list = node.as_array();
  if (list == nullptr || (!list->empty() && !list->is_array_of_tables())) {
    return document.error(node.source(), "peer", "must be blocks", "write [[peer]] on a line of its own");
  }
  for (const toml::node& item : *list) {
    Expected<Peer> peer = read_peer(document, *item.as_table());
    if (!peer) return peer.error();
    const auto same = [&](const Peer& other) { return other.device == peer->device; };
    if (std::any_of(peers.begin(), peers.end(), same)) {
      return document.error(item.source(), "peer.device", "this device has a block already",
                            "put all its addresses into one");
    }
    peers.push_back(std::move(*peer));
  }
  return {};
}

Expected<void> read_root(const Document& document, const toml::table& root, AppConfig& config) {
  const std::vector<std::pair<std::string, Start>> starts{
      {"create", Start::create}, {"join", Start::join}, {"offline", Start::offline}};
  const auto workspace = [&](const toml::node& value, const std::string& key) -> Expected<void> {
    if (Expected<void> ok = assign(config.workspace, document.text(value, key)); !ok) return ok;
    return document.checked(value, key, check_workspace_name(config.workspace));
  };
  const auto start = [&](const toml::node& value, const std::string& key) {
    return assign(config.start, document.choice(value, key, starts));
  };
  const auto listen = [&](const toml::node& value, const std::string& key) -> Expected<void> {
    if (Expected<void> ok = assign(config.listen, document.text(value, key)); !ok) return ok;
    if (config.listen.empty()) return {};
    return document.checked(value, key, check_address(config.listen, true));
  };
  const auto folder = [&](const toml::node& value, const std::string& key) -> Expected<void> {
    const Expected<std::string> text = document.text(value, key);
    if (!text) return text.error();
    if (text->empty()) return document.error(value.source(), key, "is empty", "\".\" is the folder of this file");
    config.folder = *text;
    return {};
  };
  const auto log = [&](const toml::node& value, const std::string& key) {
    return read_log(document, value, key, config.log);
  };
  const auto peer = [&](const toml::node& value, const std::string&) {
    return read_peers(document, value, config.peers);
  };
  return read_table(document, root, "",
                    {{"workspace", workspace},
                     {"start", start},
                     {"listen", listen},
                     {"folder", folder},
                     {"log", log},
                     {"peer", peer}});
}

// A basic string of TOML.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);  // refused by the checks of names and addresses
    out += c;
  }
  return out + "\"";
}

}  // namespace

Config AppConfig::node_config() const {
  Config config;
  config.folder = folder;
  config.workspace = workspace;
  config.start = start;
  config.listen = listen;
  config.peers = peers;
  return config;
}

Expected<AppConfig> parse_config(const std::string& text, const fs::path& file) {
  const Document document(file);
  AppConfig config;
  config.file = file;
  config.folder = ".";
  try {
    const toml::table root = toml::parse(text, file.string());
    if (Expected<void> ok = read_root(document, root, config); !ok) return ok.error();
  } catch (const toml::parse_error& e) {
    return document.error(e.source(), "", "not TOML: " + std::string(e.description()), "");
  }
  const fs::path base = fs::absolute(file).parent_path();
  config.folder = (base / config.folder).lexically_normal();
  if (!config.folder.has_filename()) config.folder = config.folder.parent_path();  // "x/." gives "x/"
  return config;
}

Expected<AppConfig> load_config(const fs::path& file) {
  const Expected<std::string> text = read_text(file);
  if (!text) {
    Error error = text.error();
    error.remedy = "'starling init' makes a data folder with a configuration";
    return error;
  }
  return parse_config(*text, file);
}

std::string with_value(const std::string& text, const std::string& key, const std::string& value) {
  const std::string start = key + " = ";
  std::size_t at = text.compare(0, start.size(), start) == 0 ? 0 : text.find("\n" + start);
  ASSERT(at != std::string::npos);
  if (at != 0) ++at;
  const std::size_t end = text.find('\n', at);
  return text.substr(0, at) + start + quoted(value) + (end == std::string::npos ? "" : text.substr(end));
}

Expected<std::string> with_peer(const std::string& text, const fs::path& file, const Peer& peer) {
  const Expected<AppConfig> before = parse_config(text, file);
  if (!before) return before.error();
  for (const Peer& other : before->peers) {
    if (other.device == peer.device) {
      return Error{Errc::invalid_argument, "the device " + to_string(peer.device) + " is a peer already", file.string(),
                   "edit its addresses there"};
    }
  }
  for (const std::string& address : peer.addresses) {
    if (Expected<void> ok = check_address(address, false); !ok) return ok.error();
  }
  std::string block = text;
  if (!block.empty() && block.back() != '\n') block += '\n';
  block += "\n[[peer]]\ndevice = " + quoted(to_string(peer.device)) + "\naddresses = [";
  for (std::size_t i = 0; i < peer.addresses.size(); ++i) block += (i == 0 ? "" : ", ") + quoted(peer.addresses[i]);
  block += "]\n";
  const Expected<AppConfig> after = parse_config(block, file);  // a list written as peer = [] cannot take a block
  if (!after) return after.error();
  return block;
}

Expected<std::string> without_peer(const std::string& text, const fs::path& file, const DeviceId& device) {
  const Expected<AppConfig> before = parse_config(text, file);
  if (!before) return before.error();
  const Error by_hand{Errc::invalid_argument, "the device " + to_string(device) + " has no [[peer]] block", file.string(),
                      "look at the file; 'starling peer list' shows who is there"};
  // Blocks are cut out one after the other, until the one is gone that was this device's.
  for (std::size_t begin = text.find("[[peer]]"); begin != std::string::npos; begin = text.find("[[peer]]", begin + 1)) {
    if (begin != 0 && text[begin - 1] != '\n') continue;
    std::size_t end = text.find("\n[", begin);
    end = end == std::string::npos ? text.size() : end + 1;
    const std::string rest = text.substr(0, begin) + text.substr(end);
    const Expected<AppConfig> after = parse_config(rest, file);
    if (!after || after->peers.size() + 1 != before->peers.size()) continue;
    const auto is_it = [&](const Peer& peer) { return peer.device == device; };
    const bool was = std::any_of(before->peers.begin(), before->peers.end(), is_it);
    if (was && std::none_of(after->peers.begin(), after->peers.end(), is_it)) return rest;
  }
  return by_hand;
}

Expected<void> check_address(const std::string& address, bool to_listen) {
  const Expected<Address> parsed = to_listen ? parse_address(address) : parse_dial_address(address);
  const std::string shown = printable(address);
  if (!parsed) return Error{Errc::invalid_argument, "\"" + shown + "\": " + parsed.error().what, "", parsed.error().remedy};
  if (shown != address) return Error{Errc::invalid_argument, "\"" + shown + "\" is not an address", "", "write host:port"};
  return {};
}

Expected<void> check_workspace_name(const std::string& name) {
  const auto odd = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '/' || c == '+' || c == '#'; };
  if (name.empty() || name.size() > kWorkspaceNameMax || !is_utf8(name) || std::any_of(name.begin(), name.end(), odd)) {
    return Error{Errc::invalid_argument, "\"" + printable(name) + "\" is not a workspace name", "",
                 "use 1 to 64 bytes of UTF-8 without control characters, '/', '+' and '#'"};
  }
  return {};
}

}  // namespace starling::apps
