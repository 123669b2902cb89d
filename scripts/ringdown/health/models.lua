-- SPDX-License-Identifier: Apache-2.0
-- health.models: the days on which OpenAI shuts models down, as its pages said in November 2026. The setting
-- openai.shutdowns changes and adds to them.
local M = {}

---@type table<string, string>
M.known = {
  ["gpt-realtime"] = "2027-01-20",
  ["gpt-realtime-mini"] = "2027-01-20",
  ["gpt-audio"] = "2027-01-20",
  ["gpt-realtime-mini-2025-10-06"] = "2026-07-23",
  ["gpt-4o-realtime-preview"] = "2026-05-12",
  ["gpt-4o-mini-realtime-preview"] = "2026-05-12",
  ["whisper-1"] = "2027-02-26",
  ["gpt-4o-transcribe"] = "2027-02-26",
  ["gpt-4o-mini-transcribe"] = "2027-02-26",
}

-- Days since 1970 of a day of the calendar (the years begin in March: then leap days are the last of theirs).
local function day_number(y, m, d)
  y = m > 2 and y or y - 1
  local of_year = (153 * (m > 2 and m - 3 or m + 9) + 2) // 5 + d - 1
  return 365 * y + y // 4 - y // 100 + y // 400 + of_year - 719468
end

---Days until a model goes, negative afterwards; nil: nobody has said so.
---@param model string
---@param set string "NAME=2027-01-20" lines, of the setting
---@param unix integer
---@return integer? days
---@return string? day
function M.days_left(model, set, unix)
  local day = M.known[model]
  for name, value in set:gmatch "([^=\n]+)=([^\n]*)" do
    if name == model then
      day = value
    end
  end
  local y, m, d = (day or ""):match "^(%d%d%d%d)%-(%d%d)%-(%d%d)$"
  if not y then
    return nil
  end
  return day_number(math.tointeger(y), math.tointeger(m), math.tointeger(d)) - unix // 86400, day
end

return M
