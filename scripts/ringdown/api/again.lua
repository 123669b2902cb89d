-- SPDX-License-Identifier: Apache-2.0
-- api.again: a create that is asked twice is done once. The first request with an Idempotency-Key is written down
-- before it is done; the second gets its answer, or is told that another request had this key (422), or that the first
-- is still on its way (409). What was refused, or not begun
-- (a problem with `not_begun`), frees the key. An outage while it was done does not: nobody knows what
-- came of it, so nobody does it again by itself. Kept for a day.
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local problem = require "ringdown.api.problem"

local M = {}

local KEY_MAX = 128

---The key of a request, checked; nil: it has none.
---@param p table
---@return string?
function M.key(p)
  local key = p.headers["idempotency-key"]
  if key and (#key == 0 or #key > KEY_MAX or not key:match "^[%w_.:+/=\"-]+$") then
    problem(400, "idempotency-key", "This is no Idempotency-Key", {
      detail = ("it has 1 to %d letters, digits and _ . : + / = -"):format(KEY_MAX), fix = "use a UUID" })
  end
  return key
end

local function digest(p)
  local query = {}
  for name, value in pairs(p.query) do
    query[name] = value
  end
  return host.digest(assert(json.encode { method = p.method, path = p.path, query = query, body = p.body or "" }))
end

local begin_sql = [[with made as (
    insert into api_requests (token, key, digest) values ($1, $2, decode($3, 'hex')) on conflict do nothing returning 1)
  select case when exists (select from made) then '{"first":true}' else (
    select jsonb_build_object('same', r.digest = decode($3, 'hex'), 'status', r.status, 'body', r.body,
      'headers', r.headers)::text from api_requests r where (r.token, r.key) = ($1, $2)) end]]

---@param p table
---@param key string
---@param owner string whose key it is
---@return { status: integer, body: string, headers: table }? answer of the first request; nil: this is the first
function M.begin(p, key, owner)
  local seen = db.ask(begin_sql, { owner, key, digest(p) })
  if not seen then -- written between our two looks
    seen = { same = true }
  end
  if seen.first then
    return nil
  elseif not seen.same then
    problem(422, "idempotency-key-used", "Another request had this Idempotency-Key", {
      detail = "its method, path, query or body was another", fix = "use a new key for a new request" })
  elseif not seen.status then
    problem(409, "in-progress", "The first request with this Idempotency-Key has no answer yet", {
      detail = "it is being done, or an outage came between; what came of it then, nobody noted",
      fix = "ask again; after a minute look whether it was done, and use a new key if not",
      headers = { ["retry-after"] = "2" } })
  end
  return { status = seen.status, body = seen.body, headers = seen.headers or {} }
end

---@param key string
---@param owner string
---@param answer { status: integer, body: string, headers: table }
function M.done(key, owner, answer)
  db.ask([[update api_requests set status = $3, body = $4, headers = $5::jsonb where (token, key) = ($1, $2)
    returning 'true']], { owner, key, answer.status, answer.body or "", json.encode(answer.headers or {}) })
end

---It was not done: the key is free again.
function M.forget(key, owner)
  db.ask("delete from api_requests where (token, key) = ($1, $2) and status is null returning 'true'", { owner, key })
end

return M
