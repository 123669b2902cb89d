-- SPDX-License-Identifier: Apache-2.0
-- stats.draw: bars and lines of small blocks. Axes begin at nothing and end at what they say; what is 0 is drawn as 0.
-- Pure; plain letters where the terminal has no others.
local M = {}

local LEVELS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local PLAIN_LEVELS = { "_", ".", ":", "-", "=", "+", "*", "#" }
local PARTS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

---How many columns a text takes, where every letter takes one.
---@param text string
---@return integer
function M.columns(text)
  return utf8.len(text) or #text
end

---@param text string
---@param width integer
---@return string exactly so wide
function M.fit(text, width)
  local n = M.columns(text)
  if n <= width then
    return text .. (" "):rep(width - n)
  end
  local at = utf8.offset(text, width)
  return at and width > 0 and text:sub(1, at - 1) .. "~" or text:sub(1, width)
end

---1234567 → "1,234,567"
---@param n integer
---@return string
function M.count(n)
  local text = ("%d"):format(n):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""):gsub("^%-,", "-"))
end

---Micro-dollars as people read them; to the cent, and smaller amounts to what they are.
---@param micro_usd number
---@return string
function M.usd(micro_usd)
  local dollars = micro_usd / 1000000
  if micro_usd ~= 0 and math.abs(micro_usd) < 100000 then
    return ("$%.4f"):format(dollars)
  end
  local text = ("%.2f"):format(math.abs(dollars))
  local whole, cents = text:match "^(%d+)(%.%d+)$"
  return (dollars < 0 and "-$" or "$") .. M.count(math.tointeger(tonumber(whole))) .. cents
end

---@param share number? of 1
---@return string
function M.percent(share)
  return share and ("%.1f %%"):format(share * 100) or "-"
end

---@param ms number?
---@return string
function M.ms(ms)
  if not ms then
    return "-"
  end
  return ms < 1000 and ("%d ms"):format(ms) or ("%.1f s"):format(ms / 1000)
end

---@param s number?
---@return string
function M.seconds(s)
  if not s then
    return "-"
  elseif s < 60 then
    return ("%d s"):format(s // 1)
  end
  return s < 3600 and ("%d min %02d s"):format(s // 60, s // 1 % 60) or ("%.1f h"):format(s / 3600)
end

local function greatest(values)
  local most = 0
  for _, value in ipairs(values) do
    most = math.max(most, value)
  end
  return most
end

---One letter for each value, from nothing (a space) to the greatest of them.
---@param values number[]
---@param plain boolean? ASCII
---@return string
function M.sparkline(values, plain)
  local most, letters, levels = greatest(values), {}, plain and PLAIN_LEVELS or LEVELS
  for i, value in ipairs(values) do
    letters[i] = value <= 0 and " " or levels[math.max(1, math.ceil(value / most * #levels))]
  end
  return table.concat(letters)
end

---Neighbours are put together until it is narrow enough; how many values one letter then stands for.
---@param values number[]
---@param width integer
---@return number[] sums
---@return integer each
function M.squeeze(values, width)
  local each = math.max(1, math.ceil(#values / math.max(width, 1)))
  if each == 1 then
    return values, 1
  end
  local sums = {}
  for i, value in ipairs(values) do
    local place = (i - 1) // each + 1
    sums[place] = (sums[place] or 0) + value
  end
  return sums, each
end

-- A bar of `value` where `most` is `width` columns.
local function bar(value, most, width, plain)
  if value <= 0 or most <= 0 then
    return ""
  end
  local eighths = math.floor(value / most * width * 8 + 0.5)
  if plain then
    return ("#"):rep(math.max(1, eighths // 8))
  end
  local rest = eighths % 8
  local text = ("█"):rep(eighths // 8) .. (rest > 0 and PARTS[rest] or "")
  return text == "" and PARTS[1] or text -- a little is not nothing
end

---@class ringdown.stats.bar
---@field name string
---@field value number
---@field text string what stands behind it

---Lines with a bar each, and the axis below.
---@param list ringdown.stats.bar[]
---@param width integer of the terminal
---@param axis string what the greatest is: "240 calls"
---@param plain boolean? ASCII
---@return string[]
function M.bars(list, width, axis, plain)
  local names, texts, most = 0, 0, 0
  for _, one in ipairs(list) do
    names = math.max(names, M.columns(one.name))
    texts = math.max(texts, M.columns(one.text))
    most = math.max(most, one.value)
  end
  names = math.min(names, math.max(8, width // 3))
  local room = math.max(4, width - names - texts - 4)
  local lines = {}
  for i, one in ipairs(list) do
    lines[i] = ("%s %s %s"):format(M.fit(one.name, names), M.fit(bar(one.value, most, room, plain), room),
      (" "):rep(texts - M.columns(one.text)) .. one.text)
  end
  lines[#lines + 1] = ("%s %s"):format((" "):rep(names), M.fit("0", math.max(1, room - M.columns(axis))) .. axis)
  return lines
end

return M
