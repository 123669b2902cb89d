-- SPDX-License-Identifier: Apache-2.0
-- routes/tokens: who may use the API, and tickets for streams.
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"
local shape = require "ringdown.api.shape"
local tokens = require "ringdown.api.tokens"

local schemas = {
  Token = { type = "object", about = "a token; its secret is told once, when it is made", fields = {
    id = { type = "string", required = true },
    name = { type = "string", required = true },
    role = { type = "string", one_of = tokens.roles, required = true },
    agents = { type = "array", of = { type = "string" }, nullable = true, about = "null: all" },
    sees_personal = { type = "boolean", required = true, about = "a viewer who sees numbers, names and words" },
    session = { type = "boolean", required = true, about = "of the console: made by logging in" },
    state = { type = "string", one_of = { "good", "expired", "revoked" }, required = true },
    made_at = { type = "string", format = "time", required = true },
    made_by = { type = "string", required = true },
    expires_at = { type = "string", format = "time", nullable = true, about = "null: never" },
    revoked_at = { type = "string", format = "time", nullable = true },
    last_used_at = { type = "string", format = "time", nullable = true, about = "to ten minutes" },
    token = { type = "string", about = "the secret; only in the answer to its making" },
  } },
  Ticket = { type = "object", fields = {
    ticket = { type = "string", required = true },
    purpose = { type = "string", required = true },
    expires_s = { type = "integer", required = true },
  } },
}

local function no_token(id)
  problem(404, "no-such-token", "There is no such token", { detail = ("no token has the id %s"):format(id),
    fix = "GET /api/v1/tokens lists them" })
end

local function list(r)
  local key = page.read(r.query.cursor, { "id" })
  local rows = tokens.list { before = key and key[1], all = r.query.all, limit = r.query.limit + 1 }
  return 200, page.answer(rows, r.query.limit, function(row)
    return { row.id }
  end)
end

local function create(r)
  local b = r.body
  local made = tokens.create { name = b.name, role = b.role, agents = b.agents, sees_personal = b.sees_personal,
    expires = b.expires }
  if not made then
    problem(409, "token-exists", "There is a token of this name", { detail = b.name,
      fix = "revoke it first, or choose another name" })
  end
  return 201, made, { location = "/api/v1/tokens/" .. made.id }
end

local function one(r)
  local token = tokens.find(r.params.id)
  if not token or token.id ~= r.params.id then
    no_token(r.params.id)
  end
  return 200, token
end

local function revoke(r)
  one(r)
  tokens.revoke(r.params.id)
  return one(r)
end

local function ticket(r)
  if not r.token then
    problem(409, "no-token", "A ticket is of a token", { detail = "the control socket opens streams without one",
      fix = "GET /api/v1/events there" })
  end
  local b = r.body
  if (b.purpose == "recording") ~= (b.call ~= nil) then
    problem(422, "fields", "The request is not what this route takes", { detail = b.call
      and "body.call: goes with the purpose recording" or "body.call: says which call's recording" })
  elseif b.call then
    require("ringdown.api.recordings").must_hear(r, b.call)
  end
  return 201, { ticket = tokens.ticket(r.token, b.purpose, b.call), purpose = b.purpose, expires_s = 60 }
end

return {
  schemas = schemas,
  { method = "GET", path = "/tokens", role = "admin", about = "the tokens, newest first",
    query = page.query_with { all = { type = "boolean", default = false, about = "expired and revoked ones too" } },
    answers = { [200] = shape.page "Token" }, example = { query = "all=true" }, run = list },
  { method = "POST", path = "/tokens", role = "admin", about = "makes a token; its secret is in this answer only",
    body = {
      name = { type = "string", required = true, format = "name", about = "what the audit calls it" },
      role = { type = "string", one_of = tokens.roles, required = true },
      agents = { type = "array", of = { type = "string", format = "agent" }, min = 1,
        about = "only these; absent: all" },
      sees_personal = { type = "boolean", default = false, about = "a viewer sees numbers, names and words" },
      expires = { type = "string", max = 8, default = tokens.EXPIRES, about = 'in whole days like "90d", or "never"',
        example = "30d" },
    },
    answers = { [201] = "Token" },
    example = { body = { name = "dashboard", role = "viewer", agents = { "northside-plumbing" }, expires = "30d" } },
    run = create },
  { method = "GET", path = "/tokens/{id}", role = "admin", about = "one token", answers = { [200] = "Token" },
    example = { path = "/tokens/1" }, run = one },
  { method = "DELETE", path = "/tokens/{id}", role = "admin",
    about = "revokes a token: its next request gets 401, its streams end within a minute",
    answers = { [200] = "Token" }, example = { path = "/tokens/2" }, run = revoke },
  { method = "POST", path = "/tickets", role = "viewer", scoped = true,
    about = "a ticket opens one stream once, within a minute, or one call's recording: for EventSource and <audio>, "
      .. "which cannot send a token; the pieces that a player asks for later come with it for 15 minutes",
    body = { purpose = { type = "string", one_of = { "events", "recording" }, required = true },
      call = { type = "string", format = "call", about = "whose recording" } },
    answers = { [201] = "Ticket" }, example = { body = { purpose = "events" } }, run = ticket },
}
