-- SPDX-License-Identifier: Apache-2.0
-- api.mask: what somebody sees who may not see personal data. A value's description says what it is
-- (personal = "number"), and answers are masked as they are written (shape.lua); handlers need this only for texts in
-- which something personal may stand.
--
--   number  "+13125550142" -> "+1…42", so that two of them can be told apart; "anonymous" stays
--   name, email, words -> "[hidden]"
--   text    only the numbers in it: sentences of ours
local M = {}

M.HIDDEN = "[hidden]"

---@param value any
---@return any
function M.number(value)
  if type(value) ~= "string" then
    return value
  end
  local country, last = value:match "^(%+%d)%d+(%d%d)$"
  if country then
    return country .. "…" .. last
  end
  local scheme = value:match "^(%a+):"
  return scheme and scheme .. ":…" or value:match "%d%d%d%d%d" and "…" or value
end

---@param value any
---@return any
function M.text(value)
  if type(value) ~= "string" then
    return value
  end
  return (value:gsub("%+?%d[%d %-%(%)%.]+%d", function(found)
    local digits = found:gsub("%D", "")
    if #digits < 7 or found:match "^%d%d%d%d%-%d%d%-%d%d" then -- a date is none
      return found
    end
    return (found:sub(1, 1) == "+" and found:sub(1, 2) or "") .. "…" .. digits:sub(-2)
  end))
end

---@param value any
---@return any
function M.words(value)
  return value ~= nil and M.HIDDEN or nil
end

local kinds = { number = M.number, text = M.text, words = M.words, name = M.words, email = M.words }

---@param kind "number"|"text"|"words"|"name"|"email"
---@param value any
---@return any
function M.value(kind, value)
  return kinds[kind](value)
end

-- Members of documents nobody described, by their names: facts, audit rows, what a tool was asked.
local by_key = { from = "number", to = "number", number = "number", from_number = "number", to_number = "number",
  target = "number", caller = "number", subject = "text", text = "words", heard = "words", said = "words",
  words = "words", body = "words", arguments = "words", output = "words", notes = "words", name = "text",
  email = "email", facts = "words", last_words = "words", transcript = "words", vars = "words",
  summary = "words", value = "words" }

---A document that nobody described: by the names of its members, and numbers wherever they stand.
---@param value any
---@param key string?
---@return any
function M.open(value, key)
  local kind = key and by_key[key]
  if type(value) == "table" then
    if kind == "words" then
      return M.HIDDEN
    end
    local out = setmetatable({}, getmetatable(value))
    for name, item in pairs(value) do
      out[name] = M.open(item, type(name) == "string" and name or key)
    end
    return out
  end
  return kinds[kind or "text"](value)
end

return M
