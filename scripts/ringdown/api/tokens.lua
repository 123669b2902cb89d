-- SPDX-License-Identifier: Apache-2.0
-- api.tokens: the operation `tokens`, and what the API's routes do with them. A token is rd_ and 64 hex digits of 256
-- random bits; it is shown once, to whoever made it. The database gets the SHA-256 of all of it.
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local nearest = require "ringdown.nearest"
local problem = require "ringdown.api.problem"
local sorted = require "ringdown.sorted"
local time = require "ringdown.time"

local M = {}

M.roles = { "viewer", "operator", "admin" }
M.NAME = "^%w[%w_.-]*$"
M.NAME_MAX = 40
M.EXPIRES = "90d"
local DAY_MS, LONGEST_DAYS = 86400000, 3650

---@param prefix "rd_"|"rt_"
---@return string secret
---@return string hash hex
function M.secret(prefix)
  local secret = prefix .. host.random()
  return secret, host.digest(secret)
end

---Whole days of "90d"; nil, why. "never" is false.
---@param text string
---@return integer|false|nil days
---@return string? why
function M.days(text)
  if text == "never" then
    return false
  end
  local ms = time.duration(text)
  local days = ms and ms // DAY_MS
  if not days or days < 1 or days > LONGEST_DAYS or ms % DAY_MS ~= 0 then
    return nil, ('%s is no time from 1d to %dd; write it like "90d", or never'):format(tostring(text):sub(1, 40),
      LONGEST_DAYS)
  end
  return days
end

local make_sql = [[with made as (
    insert into tokens (name, hash, role, agents, sees_personal, made_by, expires_at)
    values ($1, decode($2, 'hex'), $3, $4::text[], $5::boolean, $6, now() + $7::integer * interval '1 day')
    returning tokens),
  noted as (insert into audit (who, what, subject, after)
    select $6, 'tokens.create', $1, shown_token((tokens)) - array['id', 'state', 'expires_unix', 'last_used_at',
      'revoked_at'] from made)
  select shown_token((tokens))::text from made]]

---@param o { name: string, role: string, agents: string[]?, sees_personal: boolean?, expires: string? }
---@return table? token with its secret in `token`; nil: there is one of this name
function M.create(o)
  local days, why = M.days(o.expires or M.EXPIRES)
  if days == nil then
    problem(422, "fields", "The request is not what this route takes", { detail = "expires: " .. why })
  end
  local secret, hash = M.secret "rd_"
  local made = db.ask(make_sql, { o.name, hash, o.role, db.array(o.agents), tostring(o.sees_personal == true),
    host.who(), days }, "23505")
  if made then
    made.token = secret
  end
  return made
end

local list_sql = [[select coalesce(jsonb_agg(shown_token(t) order by t.id desc), '[]')::text from (
  select * from tokens where ($1::bigint is null or id < $1::bigint)
    and ($2::boolean or revoked_at is null and (expires_at is null or expires_at > now()))
  order by id desc limit $3::integer) t]]

---@param o { before: string?, all: boolean?, limit: integer? }
---@return table[] newest first
function M.list(o)
  return json.array(db.ask(list_sql, { o.before or false, tostring(o.all == true), o.limit or 1000 }))
end

---@param name string a name of one that is not revoked, or an id
---@return table?
function M.find(name)
  return db.ask([[select shown_token(t)::text from tokens t where id::text = $1 or name = $1
    order by revoked_at is not null, id desc limit 1]], { name })
end

local revoke_sql = [[with gone as (update tokens set revoked_at = now() where id = $1::bigint and revoked_at is null
    returning tokens),
  noted as (insert into audit (who, what, subject, after)
    select $2, 'tokens.revoke', (tokens).name, jsonb_build_object('role', (tokens).role) from gone)
  select shown_token((tokens))::text from gone]]

---@param id string
---@return table? token nil: it was revoked already, or there is none
function M.revoke(id)
  return db.ask(revoke_sql, { id, host.who() })
end

---Whose part of a node's places is taken: the token that this one comes of, if it is a session.
---@param id string? nil: the control socket, which has no bound
---@return integer?
function M.holder(id)
  local root = id and db.ask("select token_root($1::bigint)::text", { id })
  return root and math.tointeger(tonumber(root)) or nil
end

---A ticket opens one stream once, within a minute, with the rights of its token; or the recording of one call.
---@param id string of a token
---@param purpose string
---@param call string? of a recording
---@return string ticket
function M.ticket(id, purpose, call)
  local secret, hash = M.secret "rt_"
  db.ask([[insert into tickets (hash, token, purpose, subject)
    values (decode($1, 'hex'), $2::bigint, $3, $4) returning 'true']], { hash, id, purpose, call or false })
  return secret
end

-- ---- the command ----

local verbs = {}

---@param text string? names with commas between
---@return string[]? nil: all
function M.agents_of(text)
  local list = {}
  for word in tostring(text or ""):gmatch "[^,%s]+" do
    list[#list + 1] = word
  end
  return #list > 0 and list or nil
end

---Raises for what is no agent's name; tells of those that are not loaded.
---@param list string[]?
---@param tell fun(value: table)
function M.check_agents(list, tell)
  local known = {}
  for _, agent in ipairs((host.agents())) do
    known[agent.name] = true
  end
  for _, name in ipairs(list or {}) do
    if not name:match "^[%l%d][%l%d_-]*$" or #name > 64 then
      error(("'%s' is no agent's name"):format(name:sub(1, 40)), 0)
    elseif not known[name] then
      local all = sorted.keys(known)
      tell { note = ("no agent '%s' is loaded here%s"):format(name, #all > 0 and "; " .. nearest.hint(name, all)
        or "") }
    end
  end
end

---@param text string?
---@return string role
function M.role_of(text)
  for _, role in ipairs(M.roles) do
    if role == text then
      return role
    end
  end
  error(text and ("--role: '%s' is none; %s"):format(text:sub(1, 40), nearest.hint(text, M.roles))
    or "--role is missing: viewer looks, operator acts, admin also makes tokens", 0)
end

local function until_when(token)
  return token.expires_at and "until " .. token.expires_at:sub(1, 16):gsub("T", " ") .. " UTC" or "for good"
end

function verbs.create(payload, tell)
  local name = payload.name
  if not name or not name:match(M.NAME) or #name > M.NAME_MAX then
    error(("NAME: letters, digits, _ . - and at most %d of them, like ops-1"):format(M.NAME_MAX), 0)
  end
  local days, why = M.days(payload.expires or M.EXPIRES)
  if days == nil then
    error("--expires: " .. why, 0)
  end
  local agents = M.agents_of(payload.agents)
  M.check_agents(agents, tell)
  local made = M.create { name = name, role = M.role_of(payload.role), agents = agents,
    sees_personal = payload.personal, expires = payload.expires }
  if not made then
    error(("there is a token %s; ringdown tokens revoke %s ends it"):format(name, name), 0)
  end
  tell { text = made.token }
  tell { note = ("this is shown once. %s %s may %s, %s"):format(made.role, name,
    agents and "see " .. table.concat(agents, ", ") or "see all agents", until_when(made)) }
  return made
end

local function cell(value)
  return value and tostring(value):sub(1, 16):gsub("T", " ") or "-"
end

function verbs.list(payload, tell)
  local list = M.list { all = payload.all }
  for _, token in ipairs(list) do
    tell { text = ("%-5s %-24s %-9s %-8s until %-17s used %-17s %s%s"):format(token.id, token.name, token.role,
      token.state, cell(token.expires_at), cell(token.last_used_at),
      token.agents and table.concat(token.agents, ",") or "all agents",
      token.sees_personal and ", sees personal data" or "") }
  end
  if #list == 0 then
    tell { text = "There is no token; ringdown tokens create NAME --role viewer makes one." }
  end
  return { tokens = list }
end

local function found(payload)
  local token = payload.name and M.find(payload.name)
  if not token then
    error(("there is no token %s; ringdown tokens list shows them"):format(tostring(payload.name or "without a name")),
      0)
  end
  return token
end

function verbs.revoke(payload, tell)
  local token = found(payload)
  local gone = M.revoke(token.id)
  tell { text = gone and ("%s is revoked; a stream it opened ends within a minute."):format(token.name)
    or ("%s was revoked already."):format(token.name) }
  return gone or token
end

function verbs.link(payload, tell)
  local token = found(payload)
  if token.state ~= "good" then
    error(("%s is %s"):format(token.name, token.state), 0)
  end
  local ticket = M.ticket(token.id, "events")
  tell { text = "/api/v1/events?ticket=" .. ticket }
  tell { note = "opens one stream once, within a minute" }
  return { path = "/api/v1/events?ticket=" .. ticket }
end

---@param payload { verb: string, name: string? }
---@param tell fun(value: table)
---@return table result
function M.run(payload, tell)
  return require("ringdown.verbs").run(verbs, payload, tell)
end

return M
