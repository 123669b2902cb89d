-- SPDX-License-Identifier: Apache-2.0
-- api.page: lists in pieces. A cursor is the key of the last row as base64url of a JSON array. It is no secret and
-- not signed: it is checked like any other input, and what comes back are rows that the asker may see anyhow.
--
--   local after = page.read(r.query.cursor, { "time", "call" })          -- nil, or { "2026-…", "CA…" }
--   rows = … order by started_at desc, call desc limit r.query.limit + 1
--   return 200, page.answer(rows, r.query.limit, function(row) return { row.started_at, row.call } end)
local json = require "ringdown.json"
local problem = require "ringdown.api.problem"
local shape = require "ringdown.api.shape"

local M = {}

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local value_of = {}
for i = 1, 64 do
  value_of[alphabet:byte(i)] = i - 1
end

local function encode(text)
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    for j = 0, c and 3 or b and 2 or 1 do
      local at = (bits >> (18 - 6 * j) & 63) + 1
      out[#out + 1] = alphabet:sub(at, at)
    end
  end
  return table.concat(out)
end

local function decode(text)
  local out, bits, n = {}, 0, 0
  for i = 1, #text do
    local value = value_of[text:byte(i)]
    if not value then
      return nil
    end
    bits, n = (bits << 6 | value) & 0xffffff, n + 6
    if n >= 8 then
      n = n - 8
      out[#out + 1] = string.char(bits >> n & 255)
    end
  end
  return table.concat(out)
end

-- For `query` of a route.
M.query = {
  limit = { type = "integer", min = 1, max = 200, default = 50, about = "at most so many" },
  cursor = { type = "string", format = "cursor", max = 1000 },
}

---The query of a list: these, and cursor and limit.
---@param more table<string, table>?
---@return table<string, table>
function M.query_with(more)
  local query = { limit = M.query.limit, cursor = M.query.cursor }
  for key, value in pairs(more or {}) do
    query[key] = value
  end
  return query
end

local function refuse()
  problem(400, "cursor", "This is no cursor of this list", {
    detail = "`cursor` is `next` of the answer before, of the same list",
    fix = "leave it out to begin anew" })
end

---@param cursor string?
---@param formats string[] of its parts: names of shape.formats, or "text"
---@return string[]? key nil: from the beginning
function M.read(cursor, formats)
  if not cursor then
    return nil
  end
  local text = decode(cursor)
  local key = text and json.decode(text)
  if type(key) ~= "table" or #key ~= #formats or encode(text) ~= cursor then
    refuse()
  end
  for i, format in ipairs(formats) do
    local part = key[i]
    if type(part) ~= "string" or not utf8.len(part) or part:find "%c" or #part > 200
      or format ~= "text" and not shape.fits(format, part) then
      refuse()
    end
  end
  return key
end

---@param key string[]
---@return string
function M.cursor(key)
  local texts = json.array {}
  for i, part in ipairs(key) do
    texts[i] = tostring(part)
  end
  return encode(assert(json.encode(texts)))
end

---@param rows table[] one more than `limit` when there are more
---@param limit integer
---@param key_of fun(row: table): string[]
---@return table answer { items, next }
function M.answer(rows, limit, key_of)
  local items = json.array {}
  for i = 1, math.min(#rows, limit) do
    items[i] = rows[i]
  end
  return { items = items, next = #rows > limit and M.cursor(key_of(items[limit])) or nil }
end

return M
