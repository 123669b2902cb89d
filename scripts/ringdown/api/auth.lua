-- SPDX-License-Identifier: Apache-2.0
-- api.auth: who asks. A token is 256 random bits that its owner has and nobody else: the database has its SHA-256, by
-- which it is found, so that there is nothing to compare byte by byte. Unknown, expired and revoked are told in the
-- same words. Whoever came by the control socket is the operator of this machine. The database away: nobody is known,
-- and nobody gets in (503).
local db = require "ringdown.api.db"
local problem = require "ringdown.api.problem"

local M = {}

---@class ringdown.api.asker
---@field who string for the audit
---@field role "viewer"|"operator"|"admin"
---@field agents string[]? nil: all
---@field masked boolean
---@field token string? its id
---@field token_sha256 string?
---@field expires_unix integer?
---@field name string? of the token
---@field by_login boolean? by a log-in link

local ranks = { viewer = 1, operator = 2, admin = 3 }

local function unknown()
  problem(401, "unauthorized", "This needs a token that is good", {
    detail = "there is none, or it is unknown, expired or revoked",
    fix = "send Authorization: Bearer rd_…; ringdown tokens create NAME --role viewer makes one",
    headers = { ["www-authenticate"] = 'Bearer realm="ringdown"' } })
end

local function is_digest(text)
  return type(text) == "string" and #text == 64 and text:match "^%x+$" ~= nil
end

local function asker_of(token, sha256)
  if not token then
    unknown()
  end
  return { who = ("token %s (%s)"):format(token.name, token.role), name = token.name, role = token.role,
    agents = token.agents,
    masked = token.role == "viewer" and not token.sees_personal, token = token.id,
    token_sha256 = sha256 or token.hash, expires_unix = token.expires_unix }
end

---@param p table the request
---@param purpose string? of a ticket that opens this route too
---@param login string? of a ticket that comes where a token would, to log in with
---@param subject string? the call that the route is about
---@return ringdown.api.asker
function M.asker(p, purpose, login, subject)
  if p.who then
    return { who = p.who, role = "admin", masked = false }
  end
  local logged_in = login and is_digest(p.token_sha256)
    and db.ask("select ticket_used(decode($1, 'hex'), $2)::text", { p.token_sha256, login })
  if logged_in then
    local asker = asker_of(logged_in)
    asker.by_login = true
    return asker
  elseif is_digest(p.token_sha256) then
    return asker_of(db.ask("select token_used(decode($1, 'hex'))::text", { p.token_sha256 }), p.token_sha256)
  elseif purpose and is_digest(p.ticket_sha256) then
    return asker_of(db.ask("select ticket_used(decode($1, 'hex'), $2, $3)::text",
      { p.ticket_sha256, purpose, subject or false }))
  end
  return unknown()
end

---Raises 403 where the asker may not.
---@param asker ringdown.api.asker
---@param route ringdown.api.route
function M.check(asker, route)
  if ranks[asker.role] < ranks[route.role] then
    problem(403, "role", "This needs another role", { detail = ("%s %s needs the role %s; this token is a %s's")
      :format(route.method, route.path, route.role, asker.role),
      fix = ("ringdown tokens create NAME --role %s makes one"):format(route.role) })
  elseif asker.agents and not route.scoped then
    problem(403, "scope", "This is about all agents", { detail = ("this token is for %s only"):format(
      table.concat(asker.agents, ", ")), fix = "use a token of all agents" })
  end
end

---@param asker ringdown.api.asker
---@param agent string?
---@return boolean
function M.sees(asker, agent)
  if not asker.agents then
    return true
  end
  for _, name in ipairs(asker.agents) do
    if name == agent then
      return true
    end
  end
  return false
end

return M
