-- SPDX-License-Identifier: Apache-2.0
-- routes/events: what happens now, as a stream. Here is decided who may have it; whoever posted the request streams
-- from the node's ring, leaves out other agents' calls, masks, and asks GET /me each minute whether it may go on.
return {
  { method = "GET", path = "/events", role = "viewer", scoped = true, ticket = "events",
    about = "events as they happen (text/event-stream); Last-Event-ID or `after` goes on behind one",
    query = { after = { type = "integer", min = 0, about = "the number of an event; absent: from now on" } },
    answers = { [200] = false }, example = { query = "after=0", stream = true },
    run = function(r)
      local last = r.headers["last-event-id"]
      local after = last and last:match "^%d+$" and #last < 16 and math.tointeger(tonumber(last)) or r.query.after
      return 200, { stream = { agents = r.agents, masked = r.masked, after = after, who = r.who,
        expires_unix = r.asker.expires_unix, token_sha256 = r.asker.token_sha256 } }
    end },
}
