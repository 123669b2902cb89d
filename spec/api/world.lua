-- SPDX-License-Identifier: Apache-2.0
-- The admin API without sockets: requests go to front.lua, its questions to a real PostgreSQL. Whatever a route answers
-- is compared with what its description promises.
--
--   world.begin(o)                       a database for the file; o.seed(url) fills it; o.url: one that is there
--   world.token{ role =, agents =, sees_personal = } -> secret
--   world.ask("GET", "/calls?limit=2", { token =, body = {…} | text, headers = {…}, ticket = })
--       -> status, value (decoded), answer (as front gave it)
local front = require "ringdown.api.front"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local route = require "ringdown.api.route"
local shape = require "ringdown.api.shape"
local asking = require "spec.support.asking"

local M = {}

local real_query, ask
local n_tokens = 0

---@param o { seed: fun(url: string)?, url: string? }?
function M.begin(o)
  host.reset()
  M.url = o and o.url or pg.database()
  if o and o.seed then
    o.seed(M.url)
  end
  real_query = host.query
  ask = asking.open(M.url)
  M.down, M.down_code = nil, nil
  rawset(host, "query", function(sql, params)
    if M.down then
      return nil, M.down, M.down_code or "down"
    end
    return ask(sql, params)
  end)
end

---Before each `it`: what a spec did to the host is gone, the database is not.
function M.fresh()
  local query = host.query
  host.reset()
  rawset(host, "query", query)
  M.down, M.down_code = nil, nil
end

function M.finish()
  rawset(host, "query", real_query)
  if ask then
    ask.close()
  end
end

---Rows of SQL, by column.
function M.rows(sql)
  return pg.query(M.url, sql)
end

---@param o table as tokens.create has it; the name is made up
---@return string secret
function M.token(o)
  n_tokens = n_tokens + 1
  local copy = { name = "spec-" .. n_tokens, role = "admin" }
  for key, value in pairs(o or {}) do
    copy[key] = value
  end
  return require("ringdown.api.tokens").create(copy).token
end

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function query_of(text)
  local query = {}
  for name, value in (text or ""):gmatch "([^&=]+)=([^&]*)" do
    query[unescape(name)] = unescape(value)
  end
  return query
end

local function promised(method, path, answer)
  local found, one = pcall(route.find, method, path)
  local s = found and route.answer(one, answer.status)
  if not s or answer.type ~= "application/json" then
    assert(answer.status ~= 200 or found and (one.answers[200] == false or answer.type ~= "application/json"),
      "nobody described this answer")
    return
  end
  local differences = shape.differences(json.decode(answer.body), s)
  assert(#differences == 0, method .. " " .. path .. ": " .. table.concat(differences, "; "))
end

---@param method string
---@param target string
---@param o table?
function M.ask(method, target, o)
  o = o or {}
  local path, query = target:match "^([^?]*)%??(.*)$"
  local headers = { accept = "application/json" }
  for name, value in pairs(o.headers or {}) do
    headers[name] = value
  end
  local body = o.body
  if type(body) == "table" then
    body = assert(json.encode(body))
  end
  if body and not headers["content-type"] then
    headers["content-type"] = "application/json"
  end
  local p = { method = method, path = path:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end), query = query_of(query), headers = headers, body = body or "", peer = "127.0.0.1" }
  p.token_sha256 = o.token and host.digest(o.token)
  p.ticket_sha256 = o.ticket and host.digest(o.ticket)
  p.who = not o.token and not o.ticket and not o.nobody and "control socket uid 0" or nil
  local answer = front.run(p, function() end)
  local text = assert(json.encode(answer)) -- it leaves the VM so
  assert(json.decode(text))
  if not answer.stream and not answer.file then
    promised(method, p.path, answer)
  end
  local is_json = answer.type and answer.type:find("json", 1, true)
  return answer.status, is_json and json.decode(answer.body) or answer.body, answer
end

return M
