-- SPDX-License-Identifier: Apache-2.0
-- Live: every call in progress on one screen. It is kept right by the events of the node (GET /events), which tell of
-- this node's calls as it happens; the others' are asked for again.
local live = require "ringdown.api.live_read"

local maybe = { type = "string", nullable = true }
local number = { type = "string", nullable = true, personal = "number" }
local moment = { type = "string", format = "time", nullable = true }

local schemas = {
  LiveScreen = { type = "object", about = "calls in progress: emergencies first, then the longest", fields = {
    at_unix_ms = { type = "integer", nullable = true, about = "the node's clock" },
    calls = { type = "integer", required = true, about = "how many there are" },
    left_out = { type = "integer", required = true, about = "that are not in `items`" },
    next = { type = "string", nullable = true, about = "`cursor` of those behind; none: these are the last" },
    elsewhere_reason = { type = "string", nullable = true,
      about = "the database is away: calls of other nodes, words and emergencies are not known" },
    items = { type = "array", required = true, of = { type = "object", fields = {
      call = { type = "string", required = true }, agent = maybe, version = maybe, from = number, to = number,
      state = { type = "string", required = true, about = "connecting, live, leaving, closing" },
      system = { type = "string", nullable = true, about = "who has the caller now" }, node = maybe,
      here = { type = "boolean", required = true, about = "on the node that answers: it can be acted on by it" },
      started_at = moment, seconds = { type = "integer", required = true },
      emergency = { type = "object", nullable = true, about = "the one that matters most", fields = {
        rule = { type = "string", required = true }, severity = maybe,
        state = { type = "string", required = true, about = "open: nobody has it yet; handled, abandoned" },
        since = moment } },
      last_words = { type = "object", nullable = true, fields = { turn = { type = "integer", nullable = true },
        role = { type = "string", required = true }, text = { type = "string", personal = "words", nullable = true },
        at = moment } } } } },
  } },
}

return {
  schemas = schemas,
  { method = "GET", path = "/live", role = "viewer", scoped = true,
    about = "calls in progress on all nodes, emergencies first, with the last words",
    query = { cursor = { type = "string", format = "cursor", max = 1000 }, limit = { type = "integer", min = 1,
      max = live.MOST, default = live.MOST, about = "at most so many" } },
    answers = { [200] = "LiveScreen" }, example = {}, run = live.run },
}
