-- SPDX-License-Identifier: Apache-2.0
-- json: text to values and back. Encoding sorts keys, so that equal values give equal text; decoding
-- gives whole numbers as integers and leaves null members out.
local cjson = require "cjson.safe"

local M = {}

local DEPTH_MAX = 32
local array_mark = { __name = "json.array" }

cjson.decode_max_depth(DEPTH_MAX) -- nobody else uses the safe one
cjson.decode_invalid_numbers(false)

---Marks a list, so that it encodes as one even when it is empty.
---@param list table
---@return table
function M.array(list)
  return setmetatable(list, array_mark)
end

-- A table and no function: gsub with a function has far fewer steps, and rules in JSON have very many quotes.
local escapes = setmetatable({ ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }, {
  __index = function(_, char)
    return ("\\u%04x"):format(char:byte())
  end,
})

-- Bytes that are no UTF-8 become "?": what reads us may refuse them.
local function valid_utf8(text)
  local ok, bad = utf8.len(text)
  if ok then
    return text
  end
  local parts, from = {}, 1
  while bad do
    parts[#parts + 1] = text:sub(from, bad - 1) .. "?"
    from = bad + 1
    if from > #text then
      break
    end
    ok, bad = utf8.len(text, from)
    if ok then
      parts[#parts + 1] = text:sub(from)
    end
  end
  return table.concat(parts)
end

local function quote(text)
  return '"' .. valid_utf8(text):gsub('[%c"\\\127]', escapes) .. '"'
end

local function number(n)
  if math.type(n) == "integer" then
    return ("%d"):format(n)
  end
  if n ~= n or n == math.huge or n == -math.huge then
    error("a number that JSON cannot hold", 0)
  end
  if n == math.floor(n) and math.abs(n) < 2 ^ 53 then
    return ("%d"):format(math.tointeger(n))
  end
  return ("%.17g"):format(n)
end

-- A list has the keys 1 to n and nothing else.
local function is_list(value)
  if getmetatable(value) == array_mark then
    return true
  end
  local n = 0
  for key in next, value do
    if math.type(key) ~= "integer" then
      return false
    end
    n = n + 1
  end
  return n > 0 and n == #value
end

local encode

local function encode_table(value, depth)
  if depth >= DEPTH_MAX then
    error("nested too deeply for JSON", 0)
  end
  local parts = {}
  if is_list(value) then
    for i, item in ipairs(value) do
      parts[i] = encode(item, depth + 1)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local keys = {}
  for key in pairs(value) do
    if type(key) ~= "string" then
      error(("a %s as key is not possible in JSON"):format(type(key)), 0)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    parts[i] = quote(key) .. ":" .. encode(value[key], depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(value, depth)
  local kind = type(value)
  if kind == "string" then
    return quote(value)
  elseif kind == "number" then
    return number(value)
  elseif kind == "boolean" then
    return value and "true" or "false"
  elseif kind == "table" then
    return encode_table(value, depth)
  elseif kind == "nil" then
    return "null"
  end
  error(("a %s is not possible in JSON"):format(kind), 0)
end

---The text of a value: keys sorted, no spaces.
---@param value any plain data
---@return string? text nil when it cannot be said in JSON
---@return string? why
function M.encode(value)
  local ok, text = pcall(encode, value, 0)
  if ok then
    return text
  end
  return nil, text
end

local function tidy(value, depth)
  if value == cjson.null then
    return nil
  end
  if type(value) == "number" then
    local whole = math.tointeger(value)
    return whole or value
  end
  if type(value) ~= "table" or depth >= DEPTH_MAX then
    return value
  end
  for key, item in pairs(value) do
    value[key] = tidy(item, depth + 1)
  end
  return value
end

---The value of a text. Members that are null are absent.
---@param text string
---@return any value nil when it is no JSON
---@return string? why
function M.decode(text)
  local value, why = cjson.decode(text)
  if value == nil then
    return nil, why
  end
  return tidy(value, 0)
end

---Whether a list was marked by json.array.
---@param value any
---@return boolean marked as a list
function M.is_array(value)
  return getmetatable(value) == array_mark
end

---A copy of plain data.
---@param value any
---@return any copy
function M.copy(value)
  if type(value) ~= "table" then
    return value
  end
  local copy = setmetatable({}, getmetatable(value) == array_mark and array_mark or nil)
  for key, item in pairs(value) do
    copy[key] = M.copy(item)
  end
  return copy
end

return M
