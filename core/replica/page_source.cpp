#include "core/replica/page_source.h"

#include <algorithm>

#include "core/base/planted_bug.h"
#include "core/store/origin_table.h"
#include "core/store/peer_log.h"
#include "core/store/row_store.h"
#include "core/store/store.h"
#include "proto/state_page.h"

namespace starling {

void PageSource::request(PeerSession& session, const StreamKey& key, std::uint64_t from, std::uint32_t credit, bool open) {
  // The sum is bounded, not what is added: one large row takes more than the whole credit, and all of it is given back.
  const auto known = session.serving.find(key);
  const std::int64_t held = known == session.serving.end() || open ? 0 : known->second.credit;
  if (credit == 0 || (known == session.serving.end() && session.serving.size() >= limits::kServingMax)) return;
  const auto given = std::min<std::int64_t>(held + credit, static_cast<std::int64_t>(limits::kPullCredit));
  if (open) session.serving[key] = Serving{from, given};
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
      page.add({row.model, row.rev, row.deleted || row.missing, row.key, row.values});
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
  const Seq head = store_.origins().vector().at(origin).seq;
  SharedChangeResponse response;
  response.batch.origin = origin;
  response.batch.from = Seq{serving.cursor + 1};
  const std::optional<Ordinal> ordinal = store_.origins().find(origin);
  if (ordinal) response.batch.entries = store_.log().read(*ordinal, Seq{serving.cursor}, limits::kPageTarget);
  serving.cursor += response.batch.entries.size();
  for (const Bytes& entry : response.batch.entries) serving.credit -= static_cast<std::int64_t>(entry.size());
  response.last = serving.cursor >= head.value || response.batch.entries.empty();
  if (origin == store_.self() && response.last) session.pushed_seq = head;
  const bool more = !response.last;
  out.emplace_back(std::move(response));
  return more;
}

}  // namespace starling
