-- SPDX-License-Identifier: Apache-2.0
-- api.front: the operation `api`: one request of the admin API (docs/api.md), from whoever came by the control socket
-- or with a token. Its way:
--
--   which route (404, 405) ▶ who asks (401, 503) ▶ may they (403) ▶ what do they want (400, 422, 428)
--     ▶ asked before? (Idempotency-Key) ▶ the route's run(r) ▶ the answer, as described, masked for viewers
--
-- Unknown askers hear 401 before they hear which paths there are. The request was read, bounded and rid of what is no
-- UTF-8 by whoever posted it (runtime/control/). What is raised here besides problems is a mistake of ours.
local again = require "ringdown.api.again"
local auth = require "ringdown.api.auth"
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local mask = require "ringdown.api.mask"
local nearest = require "ringdown.nearest"
local problem = require "ringdown.api.problem"
local route = require "ringdown.api.route"
local shape = require "ringdown.api.shape"
local sorted = require "ringdown.sorted"

local M = {}

local JSON = "application/json"
local COMPLAINTS_MAX = 20

-- ---- what is wanted ----

local function refuse_fields(complaints)
  local first = complaints[1]
  problem(422, "fields", "The request is not what this route takes", {
    detail = (first.at == "" and "" or first.at .. ": ") .. first.message, errors = json.array(complaints) })
end

local function checked(value, s, at, complaints)
  local function complain(where, message)
    if #complaints < COMPLAINTS_MAX then
      complaints[#complaints + 1] = { at = where, message = message }
    end
  end
  return shape.check(value, s, at, complain)
end

local function read_query(one, given, complaints)
  local values, shapes = {}, one.query or {}
  for name, text in pairs(given) do
    if shapes[name] then
      values[name] = shape.read(text, shapes[name])
    elseif name ~= "ticket" or not one.ticket then
      complaints[#complaints + 1] = { at = "query", message = ('unknown parameter "%s"; %s'):format(name:sub(1, 40),
        next(shapes) and nearest.hint(name, sorted.keys(shapes)) or "this route takes none") }
    end
  end
  return checked(values, route.query(one), "", complaints)
end

local function media_type(text)
  return text and text:lower():match "^%s*([%w!#$&^_.+-]+/[%w!#$&^_.+-]+)"
end

local function check_type(one, given)
  local wanted = one.type or JSON
  if media_type(given) ~= wanted then
    problem(415, "media-type", "The body is of another type", {
      detail = ("this route takes %s"):format(wanted), fix = "send Content-Type: " .. wanted })
  end
end

local function read_body(one, p, complaints)
  local s, text = route.body(one), p.body or ""
  if not s and not one.type then
    if text ~= "" then
      complaints[#complaints + 1] = { at = "body", message = "this route takes none" }
    end
    return nil
  elseif text == "" then
    if not one.body_optional then
      complaints[#complaints + 1] = { at = "body", message = "is missing" }
    end
    return {}
  end
  check_type(one, p.headers["content-type"])
  if one.type then
    return text
  end
  local value, why = json.decode(text)
  if value == nil then
    problem(400, "json", "The body is no JSON", { detail = tostring(why or "null"):sub(1, 200) })
  end
  return checked(value, s, "body", complaints)
end

-- `"7"` -> 7; * as it is. A weak tag matches nothing.
local function read_if_match(one, text)
  if not text or not one.if_match then
    if one.if_match == true then
      problem(428, "if-match", "This change needs If-Match", {
        detail = "it is made from the state you have seen, or not at all",
        fix = "send If-Match with the etag of your GET" })
    end
    return nil
  end
  local tag = text:match '^%s*"([^"%c]*)"%s*$' or text:match "^%s*(%*)%s*$" or text:match '^%s*(W/"[^"%c]*")%s*$'
  if not tag or #tag > 200 then
    problem(400, "if-match", "This is no If-Match", { detail = "it is one etag in quotes, as a GET gave it, or *" })
  end
  return tag
end

-- ---- the request, as a route sees it ----

local audit_sql = [[insert into audit (who, what, subject, before, after)
  values ($1, $2, $3, $4::jsonb, $5::jsonb) returning 'true']]

local function encoded(value)
  return value ~= nil and assert(json.encode(value)) or false
end

-- Whoever may not see something personal does not look for it either: that something is found would tell.
local function check_masked(one, params, p)
  local function refuse(name)
    problem(403, "masked", "This token sees no personal data", {
      detail = "who may not see numbers and words may not look for them either: " .. name,
      fix = "leave it out, or use a token with `sees_personal`" })
  end
  for _, name in ipairs(sorted.keys(p.query)) do
    local s = (one.query or {})[name]
    if s and s.personal and mask.value(s.personal, p.query[name]) ~= p.query[name] then
      refuse(name)
    end
  end
  for _, name in ipairs(sorted.keys(params)) do
    if route.param(one, name).personal then
      refuse(name)
    end
  end
end

local function request(one, params, p, asker)
  if asker.masked then
    check_masked(one, params, p)
  end
  local complaints = {}
  local r = { params = params, headers = p.headers, peer = p.peer, who = asker.who, role = asker.role,
    agents = asker.agents, masked = asker.masked, token = asker.token, asker = asker }
  r.query = read_query(one, p.query, complaints)
  r.body = read_body(one, p, complaints)
  if #complaints > 0 then
    refuse_fields(complaints)
  end
  r.if_match = read_if_match(one, p.headers["if-match"])

  function r.sees(agent)
    return auth.sees(asker, agent)
  end

  function r.audit(what, subject, before, after)
    db.ask(audit_sql, { asker.who, what, subject or false, encoded(before), encoded(after) })
  end

  ---Of what is done already, in a node's memory: the audit may be away, then the log has it.
  function r.note(what, subject, before, after)
    local done, why = pcall(r.audit, what, subject, before, after)
    if not done and not (problem.is(why) and why.status == 503) then
      error(why, 0)
    elseif not done then
      host.log("info", "api.not_in_audit", { "who", "str", asker.who, "what", "str", what, "subject", "str", subject })
    end
  end

  ---Raises 412 with the state there is, unless it is the one that was seen.
  function r.must_match(version, state)
    if r.if_match and r.if_match ~= "*" and r.if_match ~= tostring(version) then
      problem(412, "changed", "It has changed since", { detail = ("you saw %s, it is %s"):format(r.if_match,
        tostring(version)), current = state, fix = "look at `current` and decide anew",
        headers = { etag = '"' .. tostring(version) .. '"' } })
    end
  end
  return r
end

-- ---- the answer ----

local function body_of(one, status, value, masked)
  local s = route.answer(one, status)
  if value == nil and not s then
    return ""
  elseif type(value) == "string" and (not s or s.type ~= "string") then
    return value -- a text of its own type
  end
  return shape.write(value, s or { type = "object", open = true }, masked)
end

local function answer(one, r)
  local status, value, headers = one.run(r)
  headers = headers or {}
  if type(value) == "table" and (value.stream or value.file) then
    return { status = status, stream = value.stream, file = value.file, headers = headers }
  end
  local type_of = headers["content-type"] or JSON
  headers["content-type"] = nil
  return { status = status, type = type_of, headers = headers, body = body_of(one, status, value, r.masked) }
end

-- Whoever sends a key trusts that it is heeded.
local function refuse_key(one)
  problem(400, "idempotency-key", "This route takes no Idempotency-Key", {
    detail = one.if_match and "If-Match guards this change: sent twice, it is done once"
      or "its answer is not kept, or doing it twice is the same as once",
    fix = "leave it out" })
end

local function answer_once(one, r, p)
  if one.method ~= "GET" and not one.idempotent and p.headers["idempotency-key"] then
    refuse_key(one)
  end
  local key = one.idempotent and again.key(p)
  if not key then
    return answer(one, r)
  end
  local owner = r.token or r.who
  local first = again.begin(p, key, owner)
  if first then
    first.type = JSON
    first.headers["idempotent-replayed"] = "true"
    return first
  end
  local done, given = pcall(answer, one, r)
  if not done then
    if problem.is(given) and (given.status < 500 or given.not_begun) then
      again.forget(key, owner)
    end
    error(given, 0)
  end
  again.done(key, owner, given)
  return given
end

local function handle(p)
  if not (p.who or p.token_sha256 or p.ticket_sha256) then
    auth.asker(p) -- raises
  end
  local found, one, params = pcall(route.find, p.method, p.path)
  local asker = auth.asker(p, found and one.ticket or nil, found and one.login or nil, found and params.call or nil)
  if not found then
    error(one, 0)
  end
  auth.check(asker, one)
  if host.acts_for then
    host.acts_for(asker.who)
  end
  local given = answer_once(one, request(one, params, p, asker), p)
  given.token = asker.token
  return given
end

local members = { "type", "title", "status", "detail", "fix" }

local function problem_answer(why)
  local headers, out = why.headers or {}, {}
  for key, value in pairs(why) do
    if key ~= "headers" and key ~= "not_begun" then
      out[key] = value
    end
  end
  for _, key in ipairs(members) do
    out[key] = why[key]
  end
  return { status = why.status, type = problem.type, headers = headers, body = assert(json.encode(out)) }
end

---@param p table the request, as the head of docs/api.md's source has it
---@return table answer { status, type, headers, body } or { status, stream }
function M.run(p)
  p.query, p.headers = p.query or {}, p.headers or {}
  local done, given = pcall(handle, p)
  if done then
    return given
  elseif problem.is(given) then
    return problem_answer(given)
  end
  error(given, 0)
end

return M
