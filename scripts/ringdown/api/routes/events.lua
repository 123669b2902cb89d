-- SPDX-License-Identifier: Apache-2.0
-- routes/events: what happens now, as a stream, or in answers to who asks again and again. Here is decided who may have
-- it; whoever posted the request streams from the node's ring, leaves out other agents' calls, masks, and asks GET /me
-- each minute whether it may go on.
local tokens = require "ringdown.api.tokens"

local schemas = {
  Happened = { type = "object", about = "events behind `after`, for those who cannot hold a stream", fields = {
    items = { type = "array", required = true, max = 500, of = { type = "object", fields = {
      id = { type = "integer", required = true },
      event = { type = "object", open = true, required = true, about = "as docs/records.md has it" } } } },
    next = { type = "integer", required = true, about = "ask again with this as `after`" },
    missed = { type = "boolean", required = true, about = "what was between `after` and these is not here any more" },
    more = { type = "boolean", required = true, about = "there is more already" },
  } },
}

return {
  schemas = schemas,
  { method = "GET", path = "/events", role = "viewer", scoped = true, ticket = "events",
    about = "events as they happen (text/event-stream); Last-Event-ID or `after` goes on behind one. With wait_s one "
      .. "answer in JSON, once there is something or that time is over",
    query = { after = { type = "integer", min = 0, about = "the number of an event; absent: from now on" },
      wait_s = { type = "integer", min = 0, max = 55, about = "no stream: wait so many seconds for something" } },
    answers = { [200] = "Happened" }, example = { query = "after=0", stream = true },
    run = function(r)
      local last = r.headers["last-event-id"]
      local after = last and last:match "^%d+$" and #last < 16 and math.tointeger(tonumber(last)) or r.query.after
      return 200, { stream = { agents = r.agents, masked = r.masked, after = after, wait_s = r.query.wait_s,
        who = r.who, expires_unix = r.asker.expires_unix, token_sha256 = r.asker.token_sha256,
        holder = tokens.holder(r.token) } }
    end },
}
