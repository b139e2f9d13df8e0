#include "apps/common/indexer.h"

#include <map>

#include "apps/common/byte_text.h"
#include "apps/common/entry_batch.h"
#include "apps/common/uuid.h"
#include "models/entry.h"

namespace starling::apps {
namespace {

// What the table says of an entry.
struct KnownEntry {
  std::string kind;
  std::uint64_t size = 0;
  std::int64_t modified_ms = 0;
  std::uint32_t mode = 0;

  [[nodiscard]] bool matches(const FoundEntry& found) const {
    return kind == to_string(found.kind) && size == found.size && modified_ms == found.modified_ms && mode == found.mode;
  }
  [[nodiscard]] bool is_folder() const { return kind == to_string(EntryKind::folder); }
};
using KnownEntries = std::map<Bytes, KnownEntry>;  // by id

const Error kStopped{Errc::stopped, "the index run was stopped", "", "run it again: it goes on where it was"};

class Run {
 public:
  Run(Node& node, Reader reader, Bytes root, const IndexOptions& options, const IndexProgressFn& progress)
      : node_(node), root_(std::move(root)), options_(options), progress_(progress), reader_(std::move(reader)) {}

  Expected<IndexReport> index();

 private:
  [[nodiscard]] FolderWalk::Options walk_options(bool details) const;
  Expected<void> count();
  Expected<void> find_location();
  Expected<void> compare(const FoundFolder&);
  Expected<void> compare_root(const FoundEntry&);
  Expected<void> compare_entry(const FoundFolder&, const FoundEntry&, const Bytes& id, KnownEntries& known);
  [[nodiscard]] Expected<KnownEntries> known_in(const Bytes& folder_id) const;
  [[nodiscard]] Expected<KnownEntries> known_where(const std::string& condition, std::span<const ValueView>) const;
  Expected<void> remove_below(const Bytes& folder_id);
  void add(const Bytes& id, const Bytes& parent, const FoundEntry&);
  void note_unreadable(const Bytes& path, const std::string& why);
  Expected<void> commit_if(bool due);
  [[nodiscard]] Expected<void> tell() const;

  Node& node_;
  const Bytes root_;
  const IndexOptions& options_;
  const IndexProgressFn& progress_;
  Reader reader_;
  EntryBatch batch_{{}};
  std::vector<Bytes> ids_;  // of the folders from the root to the one at hand
  IndexProgress how_far_;
  IndexReport report_;
};

Expected<IndexReport> Run::index() {
  if (Expected<void> ok = count(); !ok) return ok.error();
  if (Expected<void> ok = find_location(); !ok) return ok.error();
  Expected<FolderWalk> walk = FolderWalk::open(root_, walk_options(true));
  if (!walk) return walk.error();
  while (const std::optional<FoundFolder> folder = walk->next()) {
    if (Expected<void> ok = compare(*folder); !ok) return ok.error();
    if (Expected<void> ok = tell(); !ok) return ok.error();
  }
  if (Expected<void> ok = commit_if(batch_.rows() > 0); !ok) return ok.error();
  if (Expected<void> ok = tell(); !ok) return ok.error();
  return std::move(report_);
}

FolderWalk::Options Run::walk_options(bool details) const {
  FolderWalk::Options options;
  options.details = details;
  options.skip = options_.skip;
  return options;
}

// How many entries there are, for the progress: names alone are read much faster than what they name.
Expected<void> Run::count() {
  Expected<FolderWalk> walk = FolderWalk::open(root_, walk_options(false));
  if (!walk) return walk.error();
  std::uint64_t found = 1;
  while (const std::optional<FoundFolder> folder = walk->next()) {
    found += folder->entries.size();
    how_far_.entries = found;
    if (Expected<void> ok = tell(); !ok) return ok;
  }
  how_far_ = {found, 0, 0};
  return {};
}

Expected<void> Run::find_location() {
  const Bytes device(node_.device().view());
  Expected<Rows> rows = reader_.query("SELECT id FROM location WHERE device = ? AND path = ?", ValueView::blob(device),
                                      name_value(root_));
  if (!rows) return rows.error();
  report_.new_location = rows->empty();
  report_.location = report_.new_location ? new_uuid() : rows->text(0);
  batch_ = EntryBatch(report_.location);
  if (report_.new_location) batch_.add_location({report_.location, device, root_, wall_clock_ms()});
  return {};
}

Expected<void> Run::compare(const FoundFolder& folder) {
  ids_.resize(folder.depth);
  if (folder.depth == 0) {
    if (Expected<void> ok = compare_root(folder.self); !ok) return ok;
    ids_.push_back(report_.location);
  } else {
    const Bytes& parent = ids_.back();
    ids_.push_back(models::entry_id(parent, models::folder_prefix(parent), folder.self.name));
  }
  if (!folder.unreadable.empty()) {
    note_unreadable(folder.path, folder.unreadable);
    return {};
  }
  ++report_.folders;
  const Bytes& id = ids_.back();
  const Bytes prefix = models::folder_prefix(id);
  KnownEntries known;
  if (!report_.new_location) {
    Expected<KnownEntries> rows = known_in(id);
    if (!rows) return rows.error();
    known = std::move(*rows);
  }
  for (const FoundEntry& entry : folder.entries) {
    if (Expected<void> ok = compare_entry(folder, entry, models::entry_id(id, prefix, entry.name), known); !ok) return ok;
  }
  for (const auto& [gone, row] : known) {
    if (row.is_folder()) {
      if (Expected<void> ok = remove_below(gone); !ok) return ok;
    }
    batch_.erase(gone);
    ++report_.removed;
    if (Expected<void> ok = commit_if(batch_.rows() >= options_.batch_rows); !ok) return ok;
  }
  return {};
}

// The root's own row: its id is the location's, its parent NULL.
Expected<void> Run::compare_root(const FoundEntry& self) {
  const ValueView id = ValueView::blob(report_.location);
  Expected<KnownEntries> known = known_where("id = ?", std::span(&id, 1));
  if (!known) return known.error();
  ++report_.entries;
  ++how_far_.entries;
  if (known->empty()) {
    add(report_.location, {}, self);
  } else if (!known->begin()->second.matches(self)) {
    batch_.update({report_.location, {}, self});
    ++report_.changed;
  }
  return {};
}

// Takes the entry out of `known`: what stays there is gone from disk.
Expected<void> Run::compare_entry(const FoundFolder& folder, const FoundEntry& entry, const Bytes& id,
                                  KnownEntries& known) {
  const auto row = known.find(id);
  ++how_far_.entries;
  if (!entry.unreadable.empty() && entry.kind != EntryKind::folder) {  // only its name is known: keep what we had
    note_unreadable(folder.path.empty() ? entry.name : folder.path + "/" + entry.name, entry.unreadable);
    if (row != known.end()) known.erase(row);
    return {};
  }
  if (!entry.unreadable.empty()) {  // a folder that the walk does not enter
    note_unreadable(folder.path.empty() ? entry.name : folder.path + "/" + entry.name, entry.unreadable);
  }
  ++report_.entries;
  report_.bytes += entry.size;
  if (row == known.end()) {
    add(id, ids_.back(), entry);
  } else {
    if (!row->second.matches(entry)) {
      if (row->second.is_folder() && entry.kind != EntryKind::folder) {
        if (Expected<void> ok = remove_below(id); !ok) return ok;
      }
      batch_.update({id, {}, entry});
      ++report_.changed;
    }
    known.erase(row);
  }
  return commit_if(batch_.rows() >= options_.batch_rows);
}

// One range of the primary key: see models/entry.h.
Expected<KnownEntries> Run::known_in(const Bytes& folder_id) const {
  const Bytes first = models::folder_prefix(folder_id);
  const Bytes last = first + Bytes(models::kEntryIdBytes - models::kFolderPrefixBytes, '\xFF');
  const std::array values{ValueView::blob(first), ValueView::blob(last), ValueView::blob(folder_id)};
  return known_where("id >= ? AND id <= ? AND parent = ?", values);
}

Expected<KnownEntries> Run::known_where(const std::string& condition, std::span<const ValueView> values) const {
  const Expected<Rows> rows =
      reader_.query_values("SELECT id, kind, size, modified_ms, mode FROM entry WHERE " + condition, values);
  if (!rows) return rows.error();
  KnownEntries known;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    known[rows->text(i, 0)] = {rows->text(i, 1), static_cast<std::uint64_t>(rows->integer(i, 2)), rows->integer(i, 3),
                               static_cast<std::uint32_t>(rows->integer(i, 4))};
  }
  return known;
}

Expected<void> Run::remove_below(const Bytes& folder_id) {
  std::vector<Bytes> folders{folder_id};
  while (!folders.empty()) {
    const Bytes id = std::move(folders.back());
    folders.pop_back();
    const Expected<KnownEntries> rows = known_in(id);
    if (!rows) return rows.error();
    for (const auto& [child, row] : *rows) {
      if (row.is_folder()) folders.push_back(child);
      batch_.erase(child);
      ++report_.removed;
    }
    if (Expected<void> ok = commit_if(batch_.rows() >= options_.batch_rows); !ok) return ok;
  }
  return {};
}

void Run::add(const Bytes& id, const Bytes& parent, const FoundEntry& entry) {
  batch_.insert({id, parent, entry});
  ++report_.added;
}

void Run::note_unreadable(const Bytes& path, const std::string& why) {
  ++report_.unreadable;
  if (report_.unreadable_list.size() < options_.unreadable_max) report_.unreadable_list.push_back({path, why});
}

Expected<void> Run::commit_if(bool due) {
  if (!due) return {};
  const Expected<CommitInfo> info = batch_.commit(node_);
  if (!info) return info.error();
  how_far_.written += info->rows;
  ++report_.commits;
  return tell();
}

Expected<void> Run::tell() const {
  if (progress_ && !progress_(how_far_)) return kStopped;
  return {};
}

}  // namespace

Expected<IndexReport> index_folder(Node& node, const Bytes& root, const IndexOptions& options,
                                   const IndexProgressFn& progress) {
  Expected<Reader> reader = node.reader();
  if (!reader) return reader.error();
  return Run(node, std::move(*reader), root, options, progress).index();
}

}  // namespace starling::apps
