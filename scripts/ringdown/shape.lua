-- SPDX-License-Identifier: Apache-2.0
-- shape: what a field may be. A shape is a function (value, path, complain) that returns the value in
-- the form the library uses; what is wrong goes to complain(path, text).
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"
local time = require "ringdown.time"

local M = {}

local function quoted(value)
  return type(value) == "string" and ('"%s"'):format(value:sub(1, 60)) or tostring(value)
end

function M.text(value, path, complain)
  if type(value) ~= "string" or value == "" then
    complain(path, "must be a text in quotes, not " .. (value == "" and "an empty one" or type(value)))
    return ""
  end
  return value
end

function M.flag(value, path, complain)
  if type(value) ~= "boolean" then
    complain(path, "must be true or false")
  end
  return value == true
end

function M.func(value, path, complain)
  if type(value) ~= "function" then
    complain(path, "must be a function, not " .. type(value))
  end
  return value
end

function M.matching(pattern, what)
  return function(value, path, complain)
    if type(value) ~= "string" or not value:match(pattern) then
      complain(path, ("%s is not %s"):format(quoted(value), what))
      return ""
    end
    return value
  end
end

M.phone = M.matching("^%+[1-9]%d%d%d%d%d%d%d?%d?%d?%d?%d?%d?%d?%d?$",
  'a phone number; write it with country code, like "+13125550100"')

function M.number(min, max)
  return function(value, path, complain)
    if type(value) ~= "number" or value < min or value > max then
      complain(path, ("must be a number from %s to %s"):format(min, max))
      return min
    end
    return value
  end
end

function M.integer(min, max)
  return function(value, path, complain)
    if math.type(value) ~= "integer" or value < min or value > max then
      complain(path, ("must be a whole number from %d to %d"):format(min, max))
      return min
    end
    return value
  end
end

---A duration like "4s", in milliseconds afterwards.
function M.duration(min, max)
  local min_ms, max_ms = time.duration(min), time.duration(max)
  return function(value, path, complain)
    local ms = time.duration(value)
    if not ms then
      complain(path, ('%s is no duration; write it like "500ms", "4s" or "10m"'):format(quoted(value)))
    elseif ms < min_ms or ms > max_ms then
      complain(path, ("must be from %s to %s"):format(min, max))
    end
    return ms or min_ms
  end
end

function M.one_of(known)
  return function(value, path, complain)
    for _, word in ipairs(known) do
      if word == value then
        return value
      end
    end
    complain(path, ("%s is unknown; %s"):format(quoted(value), nearest.hint(value, known)))
    return known[1]
  end
end

function M.list_of(shape)
  return function(value, path, complain)
    local out = {}
    if type(value) ~= "table" then
      complain(path, "must be a list in { }")
      return out
    end
    for key in pairs(value) do
      if math.type(key) ~= "integer" then
        complain(path .. "." .. tostring(key), "is a key, but this must be a list")
      end
    end
    for i, item in ipairs(value) do
      out[i] = shape(item, path .. "." .. i, complain)
    end
    return out
  end
end

function M.one_or_list_of(shape)
  local list = M.list_of(shape)
  return function(value, path, complain)
    if type(value) == "table" then
      return list(value, path, complain)
    end
    return { shape(value, path, complain) }
  end
end

---Keys chosen by the agent, each with a value of the same shape.
function M.map_of(shape)
  return function(value, path, complain)
    local out = {}
    if type(value) ~= "table" then
      complain(path, "must be a table of names and values in { }")
      return out
    end
    for _, key in ipairs(sorted.keys(value)) do
      if not key:match("^[%a_][%w_]*$") then
        complain(path, ("'%s' is no name; use letters, digits and _"):format(key))
      else
        out[key] = shape(value[key], path .. "." .. key, complain)
      end
    end
    return out
  end
end

---Known keys, each with its own shape.
---@param shapes table<string, function>
---@param required string[]?
function M.fields(shapes, required)
  local known = sorted.keys(shapes)
  return function(value, path, complain)
    local out = {}
    local function at(key)
      return path == "" and key or path .. "." .. key
    end
    if type(value) ~= "table" then
      complain(path, "must be a table in { } with " .. table.concat(known, ", "))
      return out
    end
    for _, key in ipairs(sorted.keys(value)) do
      if not shapes[key] then
        complain(at(key), "unknown key; " .. nearest.hint(key, known))
      end
    end
    for _, key in ipairs(known) do
      if value[key] ~= nil then
        out[key] = shapes[key](value[key], at(key), complain)
      end
    end
    for _, key in ipairs(required or {}) do
      if value[key] == nil then
        complain(path, ("'%s' is missing"):format(key))
      end
    end
    return out
  end
end

---Words that are spoken: a text, or one text per language. Always a table by language afterwards.
function M.spoken(languages)
  return function(value, path, complain)
    local out = {}
    if type(value) == "string" then
      value = { [languages[1]] = value }
    end
    if type(value) ~= "table" then
      complain(path, 'must be a text, or texts by language like { en = "…" }')
      return out
    end
    for _, language in ipairs(sorted.keys(value)) do
      out[language] = M.text(value[language], path .. "." .. language, complain)
      if out[language]:find("{{", 1, true) then
        complain(path, "is spoken word by word and cannot hold {{…}}")
      end
      if #out[language] > 1000 then
        complain(path, "is longer than 1000 bytes; nobody listens that long")
      end
    end
    if not out[languages[1]] then
      complain(path, ("has no text in the agent's first language, '%s'"):format(languages[1]))
    end
    return out
  end
end

return M
