-- SPDX-License-Identifier: Apache-2.0
-- lures: what is put into a text must not lead anybody anywhere: no link, no name of a host, no number that costs.
--
-- - the template marks what came from outside (the model's arguments, vars, the visit, the caller's name); values that
--   touch each other, or with only a dot between them, are one
-- - what stands in the agent's own words as well, in the text or in its declared vars, is the agent's
-- - a text to a caller is refused, one to the agent's people is sent with the lure made harmless: evil(.)com
--
-- A host's name is known by its form: a dot with two letters behind it. So "leak.Please" is one, too; whoever
-- wrote it may write it again with a space.
local numbers = require "ringdown.numbers"

local M = {}

---Around what came from outside. No value holds them: control characters of values become spaces.
M.OPEN, M.CLOSE = "\1", "\2"

local NUMBER_GROUPS = 6 -- in as many parts people write a telephone number
local DIGITS_MIN, DIGITS_MAX = 10, 15 -- with the country's code

-- Dots that resolvers take for dots; then marks that end a sentence and are no letters: ” ¿ » and their like.
local function plain(text)
  for _, dot in ipairs { "\u{3002}", "\u{ff0e}", "\u{ff61}", "\u{2024}" } do
    text = text:gsub(dot, ".")
  end
  return text
end

local function for_hosts(text)
  return (plain(text):lower():gsub("\xe2[\x80\x81].", " "):gsub("\xc2[\xa0-\xbf]", " "))
end

-- Each name of a host in a text.
local function hosts(text)
  local set = {}
  for run in for_hosts(text):gmatch "[%w\x80-\xff_.-]+" do
    local host = run:match "^[.-]*(.-)[.-]*$"
    if host:find "[%w\x80-\xff_-]%.[%a\x80-\xff][%a\x80-\xff]" or host:find "^%d+%.%d+%.%d+%.%d+$" then
      set[host] = true
    end
  end
  return set
end

local function has_link(word, own)
  local any, foreign = false, false
  for host in pairs(hosts(word)) do
    any, foreign = true, foreign or not own.hosts[host]
  end
  return foreign or not any and (word:find("://", 1, true) or word:lower():find "www%.") ~= nil
end

-- What somebody may dial who reads these digits.
local function dialled(digits, plus, code)
  if plus then
    return { digits }
  end
  local list = { digits:match "^00(.*)" or digits:match "^011(.*)" }
  if code then
    list[#list + 1] = digits:find("^" .. code) and digits or nil
    list[#list + 1] = code .. digits:gsub("^0", "")
  end
  return list
end

local function is_dear(digits, plus, own)
  if #digits < 7 or own.digits:find(digits, 1, true) then
    return false
  end
  for _, number in ipairs(dialled(digits, plus, own.code)) do
    local whole = number:find "^1" and #number == 11
      or not number:find "^1" and #number >= DIGITS_MIN and #number <= DIGITS_MAX
    if whole and numbers.is_premium("+" .. number) then
      return true
    end
  end
  return false
end

-- A run of digits, spaces and what people write between them may hold more than one number.
local function has_dear_number(run, own)
  local groups = {}
  for group in run:gmatch "%S+" do
    groups[#groups + 1] = group
  end
  for i = 1, #groups do
    local digits, plus = "", groups[i]:find("+", 1, true) ~= nil
    for j = i, math.min(#groups, i + NUMBER_GROUPS - 1) do
      digits = digits .. groups[j]:gsub("%D", "")
      if is_dear(digits, plus, own) then
        return true
      end
    end
  end
  return false
end

-- One value: harmless, and whether it was not.
local function harmless(value, own)
  local lured = false
  value = value:gsub("%S+", function(word)
    if has_link(word, own) then
      lured = true
      return (plain(word):gsub("%.", "(.)"):gsub("://", "(:)//"))
    end
  end)
  value = value:gsub("%+?%d[%d%s().+/-]*%d", function(run)
    if has_dear_number(run, own) then
      lured = true
      return "(premium number)"
    end
  end)
  return value, lured
end

---Takes the marks out of a text.
---@param text string rendered with marks
---@param ours string? one of our numbers: numbers without a country's code are of its country
---@param vars table<string, any> as the agent's file declares them: these words are its own
---@return string text with every lure made harmless
---@return boolean lured there was one
function M.sift(text, ours, vars)
  text = text:gsub("\2([.:/@-]*)\1", "%1")
  local words = text:gsub("\1[^\2]*\2", " ")
  for _, value in pairs(vars) do
    words = words .. " " .. tostring(value)
  end
  local own = { hosts = hosts(words), digits = words:gsub("%D", ""), code = ours and numbers.code(ours) }
  local lured = false
  text = text:gsub("\1([^\2]*)\2", function(value)
    local clean, found = harmless(value, own)
    lured = lured or found
    return clean
  end)
  return text, lured
end

return M
