-- SPDX-License-Identifier: Apache-2.0
-- api.shape: what a request may be and what an answer is, said once: requests are checked, answers written and masked,
-- and docs/openapi.yaml made from it.
--
--   { type = "string", max = 200, min = 1, one_of = {…}, format = "phone", lines = true }
--   { type = "integer", min = 1, max = 200, default = 50 }   { type = "number", min =, max = }   { type = "boolean" }
--   { type = "array", of = shape, min = 0, max = 100 }
--   { type = "object", fields = { name = shape, … } }   or open = true: any members, or of = shape: any names;
--                                                        with ours = true nothing of a caller stands in it
--   { ref = "Call" }                                     a schema that a module of routes/ names in `schemas`
-- each also: about = "…", required = true, nullable = true, example = …, personal = "number" (a kind of mask.lua)
--
-- In a request, unknown members are refused, a string has at least one character and at most 200 unless that is
-- said, and no control characters (lines = true allows line breaks). In an answer, what is not described does not
-- leave, and what is absent and nullable is null.
local json = require "ringdown.json"
local mask = require "ringdown.api.mask"
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"

local M = {}

M.STRING_MAX = 200
local OPEN_DEPTH, OPEN_BYTES = 8, 16384

---Formats of strings: how they are told, and matched.
---@type table<string, { lua: string, regex: string, what: string, example: string, max: integer }>
M.formats = {
  agent = { lua = "^[%l%d][%l%d_-]*$", regex = "^[a-z0-9][a-z0-9_-]*$", what = "the name of an agent",
    example = "northside-plumbing", max = 64 },
  call = { lua = "^CA%x+$", regex = "^CA[0-9a-fA-F]{32}$", what = "a call like CA followed by 32 hex digits",
    example = "CA00000000000000000000000000000001", max = 34, min = 34 },
  cursor = { lua = "^[%w_-]+$", regex = "^[A-Za-z0-9_-]+$", what = "`next` of the answer before", example = "WyIxIl0",
    max = 1000 },
  date = { lua = "^%d%d%d%d%-[01]%d%-[0-3]%d$", regex = "^[0-9]{4}-[01][0-9]-[0-3][0-9]$",
    what = "a day like 2026-11-27", example = "2026-11-27", max = 10 },
  email = { lua = "^[^%s@]+@[^%s@]+$", regex = "^[^\\s@]+@[^\\s@]+$", what = "an e-mail address",
    example = "maria@example.com", max = 320 },
  id = { lua = "^[1-9]%d*$", regex = "^[1-9][0-9]{0,17}$", what = "a number as text", example = "17", max = 18 },
  label = { lua = "^[%w_.:-]+$", regex = "^[A-Za-z0-9_.:-]+$", what = "letters, digits, _ . : -", example = "default",
    max = 128 },
  name = { lua = "^%w[%w_.-]*$", regex = "^[A-Za-z0-9][A-Za-z0-9_.-]*$", what = "a name of letters, digits, _ . -",
    example = "ops-1", max = 40 },
  phone = { lua = "^%+[1-9]%d+$", regex = "^\\+[1-9][0-9]{6,14}$", what = "a phone number like +13125550142",
    example = "+13125550142", max = 16, min = 8 },
  release = { lua = "^[%da-f]+$", regex = "^[0-9a-f]{1,64}$", example = "17", max = 64,
    what = "a release's number, an agent's version or the beginning of a tree's hash" },
  sender = { lua = "^[+*]%d*$", regex = "^(\\*|\\+[1-9][0-9]{6,14})$", example = "+13125550100", max = 16,
    what = "a number of ours like +13125550100, or *" },
  time = { lua = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d", regex = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:"
    .. "[0-9]{2}(\\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$", what = "a moment like 2026-11-27T08:00:00Z",
    example = "2026-11-27T08:00:00Z", max = 40 },
  whom = { lua = "^%+?[%w_-]+$", regex = "^\\+?[A-Za-z0-9_-]+$", what = "a number, or one of the agent's people",
    example = "office", max = 64 },
}

local month_days = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function is_date(text)
  local y, m, d = text:match "^(%d%d%d%d)-(%d%d)-(%d%d)"
  y, m, d = tonumber(y), tonumber(m), tonumber(d)
  local leap = y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0)
  return y >= 1970 and m >= 1 and m <= 12 and d >= 1 and d <= month_days[m] and (m ~= 2 or d < 29 or leap)
end

local function is_time(text)
  local h, min, s, rest = text:match "^....%-..%-..T(%d%d):(%d%d):(%d%d)(.*)$"
  rest = rest:gsub("^%.%d%d?%d?%d?%d?%d?", "")
  local zone_h, zone_m = rest:match "^[+-](%d%d):(%d%d)$"
  return is_date(text) and tonumber(h) < 24 and tonumber(min) < 60 and tonumber(s) < 60
    and (rest == "Z" or zone_h ~= nil and tonumber(zone_h) < 15 and tonumber(zone_m) < 60)
end

local function is_sender(text)
  return text == "*" or #text >= M.formats.phone.min and text:match(M.formats.phone.lua) ~= nil
end

local further = { date = is_date, sender = is_sender, time = is_time }

---@param name string
---@param text string
---@return boolean
function M.fits(name, text)
  local format = M.formats[name]
  return #text <= format.max and #text >= (format.min or 1) and text:match(format.lua) ~= nil
    and (not further[name] or further[name](text))
end

-- ---- requests ----

local function shown(value)
  local text = type(value) == "string" and value or tostring(value)
  local short = text:sub(1, (utf8.offset(text, 41) or #text + 1) - 1)
  return '"' .. short .. (#short < #text and "…" or "") .. '"'
end

local check -- (value, shape, at, complain) -> value

local function is_array(value)
  local n = 0
  for key in pairs(value) do
    if math.type(key) ~= "integer" then
      return false
    end
    n = n + 1
  end
  return n == #value
end

local checks = {}

function checks.string(value, s, at, complain)
  if type(value) ~= "string" then
    return complain(at, "must be a string")
  end
  local length, max = utf8.len(value), s.max or s.format and M.formats[s.format].max or M.STRING_MAX
  if not length then
    return complain(at, "is no UTF-8")
  elseif length > max then
    return complain(at, ("is too long: at most %d characters"):format(max))
  elseif length < (s.min or 1) then
    return complain(at, length == 0 and "is empty" or ("is too short: at least %d characters"):format(s.min))
  elseif (s.lines and value:gsub("[\n\r\t]", "") or value):find "[%c]" then
    return complain(at, s.lines and "holds control characters" or "holds control characters or line breaks")
  elseif s.format and not M.fits(s.format, value) then
    return complain(at, ("%s is not %s"):format(shown(value), M.formats[s.format].what))
  elseif s.one_of then
    for _, word in ipairs(s.one_of) do
      if word == value then
        return value
      end
    end
    return complain(at, ("%s is unknown; %s"):format(shown(value), nearest.hint(value, s.one_of)))
  end
  return value
end

local function check_range(value, s, at, complain)
  if s.min and value < s.min or s.max and value > s.max then
    return complain(at, ("must be from %s to %s"):format(s.min or "…", s.max or "…"))
  end
  return value
end

function checks.integer(value, s, at, complain)
  if math.type(value) ~= "integer" then
    return complain(at, "must be a whole number")
  end
  return check_range(value, { min = s.min or -(1 << 53), max = s.max or 1 << 53 }, at, complain)
end

function checks.number(value, s, at, complain)
  if type(value) ~= "number" or value ~= value then
    return complain(at, "must be a number")
  end
  return check_range(value, { min = s.min or -1e15, max = s.max or 1e15 }, at, complain)
end

function checks.boolean(value, _, at, complain)
  if type(value) ~= "boolean" then
    return complain(at, "must be true or false")
  end
  return value
end

function checks.array(value, s, at, complain)
  if type(value) ~= "table" or not is_array(value) then
    return complain(at, "must be an array")
  elseif #value > (s.max or 100) then
    return complain(at, ("has too many items: at most %d"):format(s.max or 100))
  elseif #value < (s.min or 0) then
    return complain(at, ("has too few items: at least %d"):format(s.min))
  end
  local out = json.array {}
  for i, item in ipairs(value) do
    out[i] = check(item, s.of, ("%s[%d]"):format(at, i - 1), complain)
  end
  return out
end

-- Plain data that may go into the database as it is.
local function check_open(value, at, complain, depth)
  if type(value) == "string" then
    if not utf8.len(value) or value:find("\0", 1, true) then
      complain(at, "holds what is no text")
    end
  elseif type(value) == "table" then
    if depth > OPEN_DEPTH then
      return complain(at, "is nested too deeply")
    end
    for key, item in pairs(value) do
      check_open(type(key) == "string" and key or "", at, complain, depth)
      check_open(item, at, complain, depth + 1)
    end
  end
  return value
end

local function check_map(value, s, at, complain)
  local out, n = {}, 0
  for _, key in ipairs(sorted.keys(value)) do
    n = n + 1
    if not key:match "^[%w_.-]+$" or #key > 64 then
      complain(at, ("%s is no name; use letters, digits, _ . -"):format(shown(key)))
    elseif n <= (s.max or 100) then
      out[key] = check(value[key], s.of, at .. "." .. key, complain)
    end
  end
  return n <= (s.max or 100) and out or complain(at, ("has too many members: at most %d"):format(s.max or 100))
end

local function joined(at, key)
  return at == "" and key or at .. "." .. key
end

local function check_fields(value, s, at, complain)
  local out, known = {}, sorted.keys(s.fields)
  for _, key in ipairs(sorted.keys(value)) do
    if not s.fields[key] then
      complain(at, ("unknown field %s; %s"):format(shown(key), nearest.hint(key, known)))
    end
  end
  for _, key in ipairs(known) do
    local field = s.fields[key]
    if value[key] ~= nil then
      out[key] = check(value[key], field, joined(at, key), complain)
    elseif field.required then
      complain(joined(at, key), "is missing")
    else
      out[key] = field.default
    end
  end
  return out
end

function checks.object(value, s, at, complain)
  if type(value) ~= "table" or #value > 0 then
    return complain(at, "must be an object")
  elseif s.fields then
    return check_fields(value, s, at, complain)
  elseif s.of then
    return check_map(value, s, at, complain)
  end
  check_open(value, at, complain, 0)
  local text = json.encode(value)
  return text and #text <= OPEN_BYTES and value or complain(at, "is too much")
end

function check(value, s, at, complain)
  s = M.resolve(s)
  return checks[s.type](value, s, at, complain)
end

---What is wrong goes to complain(at, words).
M.check = check

local readers = {}

function readers.integer(text)
  return text:match "^-?%d+$" and #text < 17 and math.tointeger(tonumber(text)) or text
end

function readers.number(text)
  return text:match "^-?%d+%.?%d*$" and #text < 17 and tonumber(text) or text
end

function readers.boolean(text)
  if text == "true" or text == "1" then
    return true
  end
  return text ~= "false" and text ~= "0" and text
end

function readers.array(text, s)
  local list, of = {}, M.resolve(s.of)
  for word in text:gmatch "[^,]+" do
    list[#list + 1] = readers[of.type] and readers[of.type](word, of) or word
  end
  return list
end

---A query's value as what its shape says; check() then says whether it is.
---@param text string
---@param s table
---@return any
function M.read(text, s)
  local reader = readers[s.type]
  if reader then
    return reader(text, s)
  end
  return text
end

-- ---- answers ----

M.schemas = {} ---@type table<string, table>

---@param schemas table<string, table>? of a module of routes/
function M.add(schemas)
  for name, s in pairs(schemas or {}) do
    M.schemas[name] = s
  end
end

---@param s table
---@return table
function M.resolve(s)
  while s.ref do
    s = M.schemas[s.ref] or error("there is no schema " .. s.ref)
  end
  return s
end

---An answer of a list: { items, next }.
---@param of string a schema
---@return table
function M.page(of)
  return { type = "object", fields = {
    items = { type = "array", of = { ref = of }, required = true },
    next = { type = "string", nullable = true, required = true, about = "`cursor` of the request for what comes next" },
  } }
end

local write

local function write_array(value, s, masked)
  local parts = {}
  for i, item in ipairs(value) do
    parts[i] = write(item, s.of, masked)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function write_object(value, s, masked)
  local parts = {}
  for _, key in ipairs(sorted.keys(s.fields or value)) do
    local field = s.fields and s.fields[key] or s.of
    local item = value[key]
    if item ~= nil or field.nullable then
      parts[#parts + 1] = json.encode(key) .. ":" .. write(item, field, masked)
    end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function write(value, s, masked)
  s = M.resolve(s)
  if value == nil then
    return "null"
  elseif masked and s.personal then
    return assert(json.encode(mask.value(s.personal, value)))
  elseif s.type == "array" and type(value) == "table" and s.of then
    return write_array(value, s, masked)
  elseif s.type == "object" and type(value) == "table" and (s.fields or s.of) then
    return write_object(value, s, masked)
  end
  if masked and (s.type == "object" or type(value) == "table") then
    value = (s.ours and mask.ours or mask.open)(value)
  end
  return assert(json.encode(value))
end

---The text of an answer. `masked`: for somebody who may not see personal data.
---@param value any
---@param s table
---@param masked boolean?
---@return string json
M.write = write

---Whether an answer is what was promised, for specs: every difference.
---@param value any decoded; null members are absent
---@param s table
---@param at string?
---@param out string[]?
---@return string[]
function M.differences(value, s, at, out)
  out, at, s = out or {}, at or "", M.resolve(s)
  local function differs(text)
    out[#out + 1] = (at == "" and "the answer" or at) .. " " .. text
  end
  local kind = type(value)
  if value == nil then
    return out
  elseif s.type == "array" then
    if kind ~= "table" or not is_array(value) then
      differs "is no array"
    else
      for i, item in ipairs(value) do
        M.differences(item, s.of, ("%s[%d]"):format(at, i - 1), out)
      end
    end
  elseif s.type == "object" then
    if kind ~= "table" then
      differs "is no object"
      return out
    end
    for key, item in pairs(value) do
      local field = s.fields and s.fields[key] or s.of
      if field then
        M.differences(item, field, joined(at, key), out)
      elseif s.fields then
        differs("has a member that nobody described: " .. tostring(key))
      end
    end
    for key, field in pairs(s.fields or {}) do
      if field.required and not field.nullable and value[key] == nil then
        differs("lacks " .. key)
      end
    end
  elseif s.type == "integer" and math.type(value) ~= "integer" or s.type == "number" and kind ~= "number"
    or s.type == "string" and kind ~= "string" or s.type == "boolean" and kind ~= "boolean" then
    differs(("is a %s and no %s"):format(kind, s.type))
  elseif s.one_of and s.type == "string" then
    local known = false
    for _, word in ipairs(s.one_of) do
      known = known or word == value
    end
    if not known then
      differs(("is %s, which is none of its words"):format(shown(value)))
    end
  end
  return out
end

return M
