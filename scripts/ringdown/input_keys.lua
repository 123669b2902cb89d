-- SPDX-License-Identifier: Apache-2.0
-- input_keys: which keys of a caller are told. One with none so soon before or after it is a choice in a menu. Others
-- may be a card or a PIN: nobody is told of them.
local M = {}

local APART_MS = 5000

local keys = {}
keys.__index = keys

---@param inputs table ringdown.inputs
function M.new(inputs)
  return setmetatable({ inputs = inputs }, keys)
end

-- C counts keys by 32 bits of the clock.
function keys:since(now_ms)
  return (now_ms - self.ms) & 0xffffffff
end

function keys:let_out(ago_ms)
  if self.alone and ago_ms >= APART_MS then
    self.inputs.tell { kind = "key", key = self.key, ago_ms = ago_ms }
  end
end

function keys:press(key, now_ms)
  local ago_ms = self.key and self:since(now_ms)
  if ago_ms then
    self:let_out(ago_ms)
  end
  self.alone = not self.inputs.paused and (not ago_ms or ago_ms >= APART_MS)
  self.key, self.ms = key, now_ms
end

---None can follow any more.
function keys:last(now_ms)
  self:let_out(math.max(self:since(now_ms), APART_MS))
end

return M
