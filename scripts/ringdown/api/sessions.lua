-- SPDX-License-Identifier: Apache-2.0
-- api.sessions: sessions of the console, and the command `ringdown console`. A session is a token that ends by itself,
-- after twelve hours at most, and with the token it was made of. A log-in link has a ticket in its fragment, which no
-- browser sends: the page sends it, once and within ten minutes, as a token would be, and gets a session for it.
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local time = require "ringdown.time"
local tokens = require "ringdown.api.tokens"

local M = {}

M.LONGEST_MS = 12 * 3600000
M.SHORTEST_MS = 60000
M.LINK_MINUTES = 10
local NAME_MAX = 28 -- of 40: the rest tells sessions of one name apart

local function named(name)
  return ("%s.%s"):format(name:sub(1, NAME_MAX), host.random():sub(1, 8))
end

---@param o { name: string, role: string, agents: string[]?, personal: boolean?, for_ms: integer? }
---@return string ticket
---@return table token
function M.link(o)
  local ticket, ticket_hash = tokens.secret "rt_"
  local _, unknown = tokens.secret "rd_"
  local token = db.ask([[select console_link(decode($1, 'hex'), decode($2, 'hex'), $3, $4, $5::text[], $6::boolean,
      $7::bigint * interval '1 millisecond', $8::integer * interval '1 minute', $9)::text]],
    { ticket_hash, unknown, named(o.name), o.role, db.array(o.agents), tostring(o.personal == true),
      o.for_ms or M.LONGEST_MS, M.LINK_MINUTES, host.who() })
  return ticket, token
end

---@param id string of a token, or of the session that a link is for
---@param by_link boolean
---@param name string of that token
---@param who string
---@return table? session with its secret in `token`; nil: the token is over
function M.begin(id, by_link, name, who)
  local secret, hash = tokens.secret "rd_"
  local session = db.ask("select session_begun($1::bigint, $2::boolean, decode($3, 'hex'), $4, $5)::text",
    { id, tostring(by_link), hash, named(name:gsub("%.%x%x%x%x%x%x%x%x$", "")), who })
  if session then
    session.token = secret
  end
  return session
end

---@param id string
---@param who string
---@return table? session nil: this token is none, or it is over
function M.finish(id, who)
  return db.ask("select session_ended($1::bigint, $2)::text", { id, who })
end

-- ---- the command ----

local verbs = {}

local function duration_of(text)
  local ms = time.duration(text or "12h")
  if not ms or ms < M.SHORTEST_MS or ms > M.LONGEST_MS then
    error(('--expires: %s is no time from 1m to 12h; write it like "8h"'):format(tostring(text):sub(1, 40)), 0)
  end
  return ms
end

-- What others can open of "0.0.0.0:8081" is not for this command to know: --url says it.
local function address_of(payload)
  local url = payload.url and payload.url:gsub("/+$", "")
  if url and not url:match "^https?://[%w.%-_:%[%]]+$" then
    error(("--url: %s is no address like https://ops.example.com"):format(url:sub(1, 80)), 0)
  end
  local listen = (payload.listen or "127.0.0.1:8081"):gsub("^0%.0%.0%.0:", "127.0.0.1:"):gsub("^%[::%]:", "[::1]:")
  return url or "http://" .. listen
end

function verbs.link(payload, tell)
  local name = payload.name or "console"
  if not name:match(tokens.NAME) or #name > NAME_MAX then
    error(("NAME: letters, digits, _ . - and at most %d of them, like maria"):format(NAME_MAX), 0)
  end
  local agents = tokens.agents_of(payload.agents)
  tokens.check_agents(agents, tell)
  local role = tokens.role_of(payload.role or "operator")
  local for_ms, address = duration_of(payload.expires), address_of(payload)
  local ticket, token = M.link { name = name, role = role, agents = agents, personal = payload.personal,
    for_ms = for_ms }
  local link = ("%s/#login=%s"):format(address, ticket)
  tell { text = link }
  tell { note = ("opens the console once, within %d minutes, as %s %s, until %s UTC"):format(M.LINK_MINUTES, role, name,
    token.expires_at:sub(1, 16):gsub("T", " ")) }
  return { link = link, role = role, name = token.name, expires_at = token.expires_at }
end

---@param payload { verb: string, name: string? }
---@param tell fun(value: table)
---@return table result
function M.run(payload, tell)
  return require("ringdown.verbs").run(verbs, payload, tell)
end

return M
