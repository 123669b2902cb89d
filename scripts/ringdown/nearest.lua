-- SPDX-License-Identifier: Apache-2.0
-- nearest: the known word that was probably meant.
local M = {}

local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local above = row[j]
      local change = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(above + 1, row[j - 1] + 1, diagonal + change)
      diagonal = above
    end
  end
  return row[#b]
end

---@param word any
---@param known string[]
---@return string? nearest nil when nothing is near
function M.word(word, known)
  local best, best_distance
  word = tostring(word):sub(1, 64)
  for _, candidate in ipairs(known) do
    local d = distance(word:lower(), candidate:lower())
    if not best_distance or d < best_distance then
      best, best_distance = candidate, d
    end
  end
  if best and best_distance <= math.max(#word > 2 and 2 or 1, #word // 3) then
    return best
  end
end

---@param known string[]
---@param word any
---@return boolean
function M.knows(known, word)
  for _, item in ipairs(known) do
    if item == word then
      return true
    end
  end
  return false
end

---The sentence for an unknown word: what was probably meant, and what there is.
---@param word any
---@param known string[]
---@return string
function M.hint(word, known)
  local near = M.word(word, known)
  local all = "allowed: " .. table.concat(known, ", ")
  return near and ("did you mean '%s'? %s"):format(near, all) or all
end

return M
