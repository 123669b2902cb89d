-- SPDX-License-Identifier: Apache-2.0
-- segments: how many parts a text is sent (and billed) in.
--
-- One part holds 160 characters of the GSM alphabet, or 70 once a single one is not in it; of a longer text, each
-- part holds 153 or 67. Some characters of the alphabet count twice, and none is torn between two parts.
local M = {}

local basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
  .. "¿abcdefghijklmnopqrstuvwxyzäöñüà"
local extended = "\f^{}\\[~]|€"

local widths = {} -- by code point, in 7-bit units

for _, code in utf8.codes(basic) do
  widths[code] = 1
end
for _, code in utf8.codes(extended) do
  widths[code] = 2
end

-- What word processors put in place of plain characters.
local plain = { ["“"] = '"', ["”"] = '"', ["„"] = '"', ["«"] = '"', ["»"] = '"', ["‘"] = "'", ["’"] = "'", ["‚"] = "'",
  ["`"] = "'", ["´"] = "'", ["–"] = "-", ["—"] = "-", ["‐"] = "-", ["‑"] = "-", ["−"] = "-", ["…"] = "...", ["•"] = "*",
  ["\u{a0}"] = " ", ["\u{202f}"] = " ", ["\u{2009}"] = " ", ["\u{200b}"] = "", ["\u{feff}"] = "", ["\t"] = " " }

local function gsm_width(code)
  return widths[code]
end

local function ucs2_width(code)
  return code > 0xffff and 2 or 1
end

local function is_gsm(text)
  for _, code in utf8.codes(text) do
    if not widths[code] then
      return false
    end
  end
  return true
end

-- Parts of `size` units each; a wide character that no longer fits begins the next.
local function parts_of(text, width, size)
  local parts, used = 1, 0
  for _, code in utf8.codes(text) do
    local wide = width(code)
    if used + wide > size then
      parts, used = parts + 1, 0
    end
    used = used + wide
  end
  return parts
end

---@param text string UTF-8
---@return integer segments
---@return "gsm"|"ucs2" encoding
function M.count(text)
  local gsm = is_gsm(text)
  local width, single, many = ucs2_width, 70, 67
  if gsm then
    width, single, many = gsm_width, 160, 153
  end
  local segments = 1
  if parts_of(text, width, single) > 1 then
    segments = parts_of(text, width, many)
  end
  return segments, gsm and "gsm" or "ucs2"
end

---The text with plain quotes, dashes and spaces, when that alone makes it one of the GSM alphabet; else as it is.
---@param text string UTF-8
---@return string
function M.plain(text)
  if is_gsm(text) then
    return text
  end
  local simple = text:gsub(utf8.charpattern, plain)
  return is_gsm(simple) and simple or text
end

return M
