-- SPDX-License-Identifier: Apache-2.0
-- routes/me: whose token this is. Whoever keeps a stream open asks it each minute.
local host = require "ringdown.host"

-- Nothing that one may do depends on it, so nobody waits for a database that is away.
local function is_demo()
  local rows = host.query("select to_json(exists (select from demo_database))::text", {}, 1000)
  return rows and rows[1] and rows[1][1] == "true" or false
end

return {
  schemas = { Me = { type = "object", fields = {
    who = { type = "string", required = true, about = "as the audit has it" },
    role = { type = "string", one_of = { "viewer", "operator", "admin" }, required = true },
    agents = { type = "array", of = { type = "string" }, nullable = true, about = "null: all" },
    masked = { type = "boolean", required = true, about = "numbers, names and words are hidden" },
    expires_unix = { type = "integer", nullable = true, about = "null: never" },
    demo = { type = "boolean", required = true, about = "calls in this database are made up: say so on every page" },
  } } },
  { method = "GET", path = "/me", role = "viewer", scoped = true, about = "whose token this is, and what it may",
    answers = { [200] = "Me" }, example = {},
    run = function(r)
      return 200, { who = r.who, role = r.role, agents = r.agents, masked = r.masked,
        expires_unix = r.asker.expires_unix, demo = is_demo() }
    end },
}
