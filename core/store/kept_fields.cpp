#include "core/store/kept_fields.h"

#include <bit>

namespace starling {

KeptFields::KeptFields(sqlite3* db)
    : put_(db, "INSERT INTO sync_kept(model, key, field, value) VALUES(?1,?2,?3,?4)"
               " ON CONFLICT(model, key, field) DO UPDATE SET value=?4"),
      drop_(db, "DELETE FROM sync_kept WHERE model=? AND key=?"),
      drop_field_(db, "DELETE FROM sync_kept WHERE model=? AND key=? AND field=?"),
      of_(db, "SELECT field, value FROM sync_kept WHERE model=? AND key=? ORDER BY field"),
      first_due_(db, "SELECT key FROM sync_kept WHERE model=? AND field<? ORDER BY key LIMIT 1"),
      next_due_(db, "SELECT key FROM sync_kept WHERE model=? AND field<? AND key>? ORDER BY key LIMIT 1"),
      count_(db, "SELECT count(*) FROM sync_kept"),
      any_(db, "SELECT 1 FROM sync_kept LIMIT 1") {
  maybe_ = true;
  maybe_ = any();
}

void KeptFields::put(std::int64_t model, BytesView key, FieldMask fields, BytesView values) {
  ByteReader r(values);
  for (FieldMask left = fields; left != 0; left &= left - 1)
    put_.integer(model).blob(key).integer(std::countr_zero(left)).blob(read_value_bytes(r)).run();
  maybe_ = maybe_ || fields != 0;
}

void KeptFields::drop(std::int64_t model, BytesView key) {
  if (maybe_) drop_.integer(model).blob(key).run();
}

void KeptFields::drop(std::int64_t model, BytesView key, FieldMask fields) {
  if (!maybe_) return;
  for (FieldMask left = fields; left != 0; left &= left - 1)
    drop_field_.integer(model).blob(key).integer(std::countr_zero(left)).run();
}

KeptFields::Kept KeptFields::of(std::int64_t model, BytesView key) {
  Kept kept;
  if (!maybe_) return kept;
  const ResetGuard guard(of_);
  of_.integer(model).blob(key);
  while (of_.step()) {
    kept.fields |= FieldMask{1} << of_.column_integer(0);
    kept.values += of_.column_bytes(1);
  }
  return kept;
}

std::optional<Bytes> KeptFields::next_due(std::int64_t model, const std::optional<Bytes>& after, std::size_t fields) {
  if (!maybe_) return std::nullopt;
  Statement& next = after ? next_due_ : first_due_;
  const ResetGuard guard(next);
  next.integer(model).integer(static_cast<std::int64_t>(fields));
  if (after) next.blob(*after);
  return next.step() ? std::optional(Bytes(next.column_bytes(0))) : std::nullopt;
}

std::uint64_t KeptFields::count() {
  const ResetGuard guard(count_);
  return count_.step() ? static_cast<std::uint64_t>(count_.column_integer(0)) : 0;
}

bool KeptFields::any() {
  if (!maybe_) return false;
  const ResetGuard guard(any_);
  return any_.step();
}

}  // namespace starling
