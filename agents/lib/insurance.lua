-- SPDX-License-Identifier: Apache-2.0
-- Which insurance plans a practice takes, and what may be said about each. The model knows nothing about them but
-- what stands here, so that it cannot promise what an insurer will pay.
--
--   local plans = insurance.plans { { "Delta Dental", "delta", taken = true, say = "…" }, … }
--   plans:find "Delta Dental PPO"   --> the row, or nil: nobody knows that plan
local M = {}

local plans = {}
plans.__index = plans

local function words_of(text)
  return " " .. text:lower():gsub("[^%w]+", " ") .. " "
end

---The row whose name, or one of whose other names, stands in what the caller said; the longest name wins.
---@param said string
---@return table? row
function plans:find(said)
  local best, longest = nil, 0
  said = words_of(said)
  for _, row in ipairs(self) do
    for _, name in ipairs(row) do
      if #name > longest and said:find(words_of(name), 1, true) then
        best, longest = row, #name
      end
    end
  end
  return best
end

---@param rows table[] each with its names, `taken`, and what to `say` about it
function M.plans(rows)
  return setmetatable(rows, plans)
end

return M
