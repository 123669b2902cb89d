-- SPDX-License-Identifier: Apache-2.0
-- routes/me: whose token this is. Whoever keeps a stream open asks it each minute.
return {
  schemas = { Me = { type = "object", fields = {
    who = { type = "string", required = true, about = "as the audit has it" },
    role = { type = "string", one_of = { "viewer", "operator", "admin" }, required = true },
    agents = { type = "array", of = { type = "string" }, nullable = true, about = "null: all" },
    masked = { type = "boolean", required = true, about = "numbers, names and words are hidden" },
    expires_unix = { type = "integer", nullable = true, about = "null: never" },
  } } },
  { method = "GET", path = "/me", role = "viewer", scoped = true, about = "whose token this is, and what it may",
    answers = { [200] = "Me" }, example = {},
    run = function(r)
      return 200, { who = r.who, role = r.role, agents = r.agents, masked = r.masked,
        expires_unix = r.asker.expires_unix }
    end },
}
