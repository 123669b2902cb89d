-- SPDX-License-Identifier: Apache-2.0
-- How loud each side of a stereo WAV is, 20 ms at a time: 16-bit PCM, or µ-law (what recordings are).
--
--   local w = wav.read(path)
--   w.left, w.right        lists of loudness (root mean square of 16-bit samples)
--   w.ms                   its length
--   wav.loud(side, from)   the first 20 ms at or after `from` (an index) that are loud, or nil
--   wav.quiet(side, from)  the first that begin a second of silence, or nil
local proc = require "spec.e2e.support.proc"

local wav = {}

local FRAME, LOUD, GAP = 160, 200, 50

local function ulaw_value(byte)
  local u = ~byte & 0xff
  local magnitude = (((u & 0x0f) << 3) + 0x84) << ((u & 0x70) >> 4)
  return (u & 0x80) ~= 0 and 0x84 - magnitude or magnitude - 0x84
end

local ulaw = {}
for byte = 0, 255 do
  ulaw[byte] = ulaw_value(byte)
end

local function chunks(bytes)
  local list, at = {}, 13
  assert(bytes:sub(1, 4) == "RIFF" and bytes:sub(9, 12) == "WAVE", "no WAV file")
  while at + 8 <= #bytes do
    local id, size = string.unpack("<c4I4", bytes, at)
    list[id] = { at = at + 8, size = math.min(size, #bytes - at - 7) }
    at = at + 8 + size + size % 2
  end
  return list
end

local function loudness(sample, count)
  local left, right = {}, {}
  for from = 0, count - FRAME, FRAME do
    local l, r = 0, 0
    for i = from, from + FRAME - 1 do
      local a, b = sample(i)
      l, r = l + a * a, r + b * b
    end
    left[#left + 1], right[#right + 1] = math.sqrt(l / FRAME), math.sqrt(r / FRAME)
  end
  return left, right
end

function wav.read(path)
  local bytes = proc.read(path)
  local list = chunks(bytes)
  local format, channels, rate = string.unpack("<I2I2I4", bytes, list["fmt "].at)
  local data = list.data
  assert(channels == 2 and rate == 8000, "not stereo at 8 kHz")
  local width = format == 7 and 2 or 4
  local function sample(i)
    if format == 7 then
      local a, b = bytes:byte(data.at + 2 * i, data.at + 2 * i + 1)
      return ulaw[a], ulaw[b]
    end
    return string.unpack("<i2i2", bytes, data.at + 4 * i)
  end
  local count = data.size // width
  local left, right = loudness(sample, count)
  return { left = left, right = right, ms = count // 8, format = format }
end

function wav.loud(side, from)
  for i = from, #side do
    if side[i] > LOUD then
      return i
    end
  end
end

function wav.quiet(side, from)
  local silent = 0
  for i = from, #side do
    silent = side[i] > LOUD and 0 or silent + 1
    if silent == GAP then
      return i - GAP + 1
    end
  end
end

return wav
