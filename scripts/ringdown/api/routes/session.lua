-- SPDX-License-Identifier: Apache-2.0
-- routes/session: logging in to the console, and out.
local problem = require "ringdown.api.problem"
local sessions = require "ringdown.api.sessions"

local function begin(r)
  if not r.token then
    problem(409, "no-token", "A session is of a token", { detail = "whoever asks at the control socket needs none",
      fix = "ringdown console link prints a log-in link" })
  end
  local session = sessions.begin(r.token, r.asker.by_login == true, r.asker.name, r.who)
  if not session then
    problem(401, "unauthorized", "This needs a token that is good", { detail = "it was revoked or expired just now",
      fix = "make a new log-in link: ringdown console link" })
  end
  return 201, { token = session.token, who = ("token %s (%s)"):format(session.name, session.role), role = session.role,
    agents = session.agents, masked = r.masked, expires_unix = session.expires_unix }
end

local function finish(r)
  return 200, { ended = r.token ~= nil and sessions.finish(r.token, r.who) ~= nil }
end

return {
  schemas = { Session = { type = "object", about = "of the console; its token is told here only", fields = {
    token = { type = "string", required = true },
    who = { type = "string", required = true, about = "as the audit has it" },
    role = { type = "string", one_of = { "viewer", "operator", "admin" }, required = true },
    agents = { type = "array", of = { type = "string" }, nullable = true, about = "null: all" },
    masked = { type = "boolean", required = true, about = "numbers, names and words are hidden" },
    expires_unix = { type = "integer", required = true, about = "twelve hours from now at the latest" },
  } } },
  { method = "POST", path = "/session", role = "viewer", scoped = true, login = "console",
    about = "logs in to the console: by the ticket of a log-in link, once, or by a token, sent as one; what comes \z
      back ends by itself, and with the token",
    answers = { [201] = "Session" }, example = {}, run = begin },
  { method = "DELETE", path = "/session", role = "viewer", scoped = true,
    about = "logs out: a session is revoked; a token that was made otherwise stays, ringdown tokens revoke ends it",
    answers = { [200] = { type = "object", fields = {
      ended = { type = "boolean", required = true } } } }, example = {},
    run = finish },
}
