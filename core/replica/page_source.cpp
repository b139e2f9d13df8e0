#include "core/replica/page_source.h"

#include <algorithm>

#include "core/base/planted_bug.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_store.h"
#include "core/store/store.h"
#include "core/store/sync_state.h"
#include "proto/state_page.h"

namespace starling {

void PageSource::request(PeerSession& session, const StreamKey& key, std::uint64_t from, std::uint32_t credit, bool open,
                         std::uint32_t offset, Rev horizon) {
  const std::optional<Ordinal> ordinal = store_.origins().find(key.first);
  if (key.second == Stream::state && ordinal && store_.origins().horizon(*ordinal).rev > std::max(Rev{from}, horizon)) from = 0;
  // The sum is bounded, not what is added: one large row takes more than the whole credit, and all of it is given back.
  const auto known = session.serving.find(key);
  const std::int64_t held = known == session.serving.end() || open ? 0 : known->second.credit;
  if (credit == 0 || (known == session.serving.end() && session.serving.size() >= limits::kServingMax)) return;
  const auto given = std::min<std::int64_t>(held + credit, static_cast<std::int64_t>(limits::kPullCredit));
  if (open) session.serving[key] = Serving{from, given, offset};
  else if (known != session.serving.end()) known->second.credit = given;
}

std::vector<Message> PageSource::serve(PeerSession& session) {
  std::vector<Message> pages;
  std::int64_t left = limits::kServedMax;  // bytes
  session.serve_on = false;
  for (auto at = session.serving.begin(); at != session.serving.end();) {
    const auto& [origin, stream] = at->first;
    bool more = true;
    while (more && at->second.credit > 0) {
      session.serve_on = left <= 0;
      if (session.serve_on) return pages;
      const std::int64_t before = at->second.credit;
      more = stream == Stream::state ? serve_state(session, origin, at->second, pages)
                                     : serve_log(session, origin, at->second, pages);
      left -= before - at->second.credit;
    }
    at = more ? std::next(at) : session.serving.erase(at);
  }
  return pages;
}

bool PageSource::serve_state(PeerSession& session, const Origin& origin, Serving& serving, std::vector<Message>& out) {
  const Rev head = store_.origins().vector().at(origin).rev;
  StateResponse response;
  response.page.origin = origin;
  response.page.from = Rev{serving.cursor};
  Rev to = head;
  response.last = true;
  StatePageWriter page(store_.schema());
  const std::optional<Ordinal> ordinal = store_.origins().find(origin);
  if (ordinal) response.page.horizon = store_.origins().horizon(*ordinal).rev;
  if (ordinal) response.page.opening = origin == store_.self() ? store_.state().last_opening() : store_.origins().opening(*ordinal);
  if (ordinal && serving.cursor < head.value) {
    Rev listed;
    store_.rows().read_owned(*ordinal, Rev{serving.cursor}, [&](const OwnedRow& row) {
      if (page.size() >= limits::kPageTarget) {
        to = planted(PlantedBug::page_off_by_one) ? listed.next() : listed;
        response.last = false;
        return false;
      }
      // Our own row is what our table says. Of another's we know no more than that it ought to be here.
      if ((row.missing || row.damaged) && origin != store_.self()) {
        to = listed;
        return false;
      }
      const StateRow listed_row{row.model, row.rev, row.deleted || row.missing, row.key, row.values, row.name, row.columns};
      if (!page.takes(listed_row)) {  // its owner had more fields by then: the next page
        to = listed;
        response.last = false;
        return false;
      }
      page.add(listed_row);
      listed = row.rev;
      return true;
    });
  }
  response.page.to = std::max(to, response.page.from);
  response.page.body = page.finish();
  serving.cursor = response.page.to.value;
  serving.credit -= static_cast<std::int64_t>(response.page.body.size());
  if (origin == store_.self() && response.last) session.pushed_rev = head;
  const bool more = !response.last;
  out.emplace_back(std::move(response));
  return more;
}

bool PageSource::serve_log(PeerSession& session, const Origin& origin, Serving& serving, std::vector<Message>& out) {
  const Seq next{serving.cursor + 1};
  if (serving.offset > 0 && is_in_parts(origin, next)) return serve_part(session, origin, serving, out);
  serving.offset = 0;
  const Seq head = store_.origins().vector().at(origin).seq;
  SharedChangeResponse response;
  response.batch.origin = origin;
  response.batch.from = next;
  const std::optional<Ordinal> ordinal = store_.origins().find(origin);
  const Seq horizon = ordinal ? store_.origins().horizon(*ordinal).seq : Seq{};
  if (serving.cursor < horizon.value) response.horizon = horizon;
  else if (ordinal) response.batch.entries = store_.log().read(*ordinal, Seq{serving.cursor}, limits::kPageTarget);
  const bool in_parts = response.horizon == Seq{} && response.batch.entries.empty() && next <= head && is_in_parts(origin, next);
  if (in_parts) return serve_part(session, origin, serving, out);
  serving.cursor += response.batch.entries.size();
  for (const Bytes& entry : response.batch.entries) serving.credit -= static_cast<std::int64_t>(entry.size());
  response.last = serving.cursor >= head.value || response.batch.entries.empty();
  if (origin == store_.self() && response.last) session.pushed_seq = head;
  const bool more = !response.last;
  out.emplace_back(std::move(response));
  return more;
}

bool PageSource::is_in_parts(const Origin& origin, Seq seq) {
  const std::optional<Ordinal> ordinal = store_.origins().find(origin);
  return ordinal && store_.log().size(*ordinal, seq) > limits::kPartMax;
}

bool PageSource::serve_part(PeerSession& session, const Origin& origin, Serving& serving, std::vector<Message>& out) {
  const Seq head = store_.origins().vector().at(origin).seq;
  const Ordinal ordinal = *store_.origins().find(origin);
  EntryPart part{origin, Seq{serving.cursor + 1}, 0, 0, {}, false};
  const std::size_t total = store_.log().size(ordinal, part.seq);
  if (serving.offset >= total) serving.offset = 0;  // the asker has staged something else
  part.total = static_cast<std::uint32_t>(total);
  part.offset = static_cast<std::uint32_t>(serving.offset);
  part.bytes = store_.log().part(ordinal, part.seq, serving.offset);
  serving.credit -= static_cast<std::int64_t>(part.bytes.size());
  serving.offset += part.bytes.size();
  if (serving.offset == total) {
    serving.offset = 0;
    ++serving.cursor;
    part.last = serving.cursor >= head.value;
  }
  if (origin == store_.self() && part.last) session.pushed_seq = head;
  const bool more = !part.last;
  out.emplace_back(std::move(part));
  return more;
}

}  // namespace starling
