-- SPDX-License-Identifier: Apache-2.0
-- pattern: whether a text is a Lua pattern, all of it. The matcher itself complains only once it comes to the
-- broken place, which may be in the middle of a call. Only while an agent loads.
local M = {}

-- The index behind a set that begins at `at`, or nil.
local function after_set(p, at)
  at = at + (p:sub(at + 1, at + 1) == "^" and 2 or 1)
  repeat
    if at > #p then
      return nil
    end
    local char = p:sub(at, at)
    at = at + (char == "%" and 2 or 1)
  until p:sub(at, at) == "]"
  return at + 1
end

-- The index behind what a % begins, or nil and what is wrong with it.
local function after_escape(p, at, closed)
  local char = p:sub(at + 1, at + 1)
  if char == "" then
    return nil, "it ends with %"
  elseif char == "b" then
    return #p >= at + 3 and at + 4 or nil, "%b needs two characters"
  elseif char == "f" then
    return p:sub(at + 2, at + 2) == "[" and after_set(p, at + 2) or nil, "%f needs a set like [%w]"
  elseif char:match "%d" and not closed[tonumber(char)] then
    return nil, "there is no capture %" .. char
  end
  return at + 2
end

---@param p string
---@return string? why it is none; nil for a good one
function M.wrong(p)
  local at, open, closed, n = 1, {}, {}, 0
  while at <= #p do
    local char, why = p:sub(at, at), nil
    if char == "(" then
      n = n + 1
      open[#open + 1], at = n, at + 1
    elseif char == ")" then
      if #open == 0 then
        return "there is a ) without ("
      end
      closed[table.remove(open)], at = true, at + 1
    elseif char == "%" then
      at, why = after_escape(p, at, closed)
    elseif char == "[" then
      at, why = after_set(p, at), "there is a [ without ]"
    else
      at = at + 1
    end
    if not at then
      return why
    end
  end
  return #open > 0 and "there is a ( without )" or n > 32 and "it has more than 32 captures" or nil
end

return M
