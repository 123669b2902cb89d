-- SPDX-License-Identifier: Apache-2.0
-- rollout.plan: the stages of a rollout, and whether a plan is one. Pure.
--
--   { name = "25", percent_bp = 2500, bake_s = 86400, min_canary = 50, min_baseline = 50 }
--
-- Shares grow from stage to stage, and the last one is everybody. Before the next: bake_s, so long at least;
-- min_canary, min_baseline, so many calls of each system at least.
local json = require "ringdown.json"

local M = {}

local DAY = 86400
local STAGES_MAX, BAKE_MAX_S, CALLS_MAX = 20, 90 * DAY, 100000
local WHOLE = 10000

---What a plan has that names no stages. The last one's time is how long Vapi is kept ready for the way back.
M.default = {
  { name = "pilot", percent_bp = 0 },
  { name = "25", percent_bp = 2500, bake_s = DAY, min_canary = 50, min_baseline = 50 },
  { name = "50", percent_bp = 5000, bake_s = 2 * DAY, min_canary = 100, min_baseline = 100 },
  { name = "100", percent_bp = WHOLE, bake_s = 14 * DAY, min_canary = 200, min_baseline = 0 },
}

---A share as people write it: "25", "12.5 %".
---@param text string
---@return integer? hundredths of a percent
---@return string? why
function M.percent(text)
  local digits = tostring(text):match "^%s*(%d+%.?%d*)%s*%%?%s*$"
  local bp = digits and tonumber(digits) * 100
  if not bp or bp > WHOLE or bp % 1 > 1e-6 and bp % 1 < 1 - 1e-6 then
    return nil, ("'%s' is no percentage: write 0 to 100, with two decimals at most"):format(tostring(text):sub(1, 40))
  end
  return math.floor(bp + 0.5)
end

---@param bp integer
---@return string "25 %"
function M.show(bp)
  return (("%.2f"):format(bp / 100):gsub("%.?0+$", "")) .. " %"
end

local units = { s = 1, m = 60, h = 3600, d = DAY }

---@param text string "24h"
---@return integer? seconds
---@return string? why
function M.seconds(text)
  local n, unit = tostring(text):match "^(%d+)([smhd]?)$"
  local s = n and #n < 9 and tonumber(n) * (units[unit] or 1)
  if not s or s > BAKE_MAX_S then
    return nil, ("'%s' is no time: write like 30m, 24h or 2d, at most 90d"):format(tostring(text):sub(1, 40))
  end
  return math.tointeger(s)
end

local function whole(value, max)
  return math.type(value) == "integer" and value >= 0 and value <= max
end

local function check_stage(stage, i, before, complain)
  local at = ("stage %d"):format(i)
  local name = type(stage) == "table" and stage.name
  if type(name) ~= "string" or not name:match "^[%w_.-]+$" or #name > 32 then
    complain(at .. ": needs a name of letters, digits and -")
    return
  end
  at = ("stage '%s'"):format(name)
  if not whole(stage.percent_bp, WHOLE) then
    complain(at .. ": percent_bp must be a whole number from 0 to 10000 (hundredths of a percent)")
  elseif before and stage.percent_bp <= (before.percent_bp or 0) then
    complain(("%s: must be more than the %s before it"):format(at, M.show(before.percent_bp)))
  end
  for _, limit in ipairs { { "bake_s", BAKE_MAX_S }, { "min_canary", CALLS_MAX }, { "min_baseline", CALLS_MAX } } do
    if stage[limit[1]] ~= nil and not whole(stage[limit[1]], limit[2]) then
      complain(("%s: %s must be a whole number from 0 to %d"):format(at, limit[1], limit[2]))
    end
  end
end

---@param stages any
---@return string[] complaints none: it is a plan
function M.check(stages)
  local complaints, seen, before = {}, {}, nil
  local function complain(text)
    complaints[#complaints + 1] = text
  end
  if type(stages) ~= "table" or #stages < 2 or #stages > STAGES_MAX then
    return { ("a plan has 2 to %d stages"):format(STAGES_MAX) }
  end
  for i, stage in ipairs(stages) do
    check_stage(stage, i, before, complain)
    local is_one = type(stage) == "table" and stage.name ~= nil and whole(stage.percent_bp, WHOLE)
    if is_one and seen[stage.name] then
      complain(("two stages are called '%s'"):format(tostring(stage.name)))
    elseif is_one then
      seen[stage.name], before = true, stage
    end
  end
  if before and before.percent_bp ~= WHOLE then
    complain(("the last stage must be 100 %%, not %s"):format(M.show(before.percent_bp)))
  end
  return complaints
end

---@param record { stages: table[]? }
---@return table[] stages
function M.stages(record)
  return record.stages and #record.stages > 0 and record.stages or M.default
end

---Which stage it is in: by name, else the last whose share is not larger.
---@param record table
---@return integer? index
---@return table? stage
function M.at(record)
  local stages, found = M.stages(record), nil
  for i, stage in ipairs(stages) do
    if record.stage ~= nil and stage.name == record.stage then
      return i, stage
    elseif stage.percent_bp <= (record.percent_bp or 0) then
      found = i
    end
  end
  return found, found and stages[found]
end

local function list_of(text, read)
  local list = {}
  for word in tostring(text or ""):gmatch "[^,%s]+" do
    local value, why = read(word)
    if not value then
      return nil, why
    end
    list[#list + 1] = value
  end
  return list
end

local function calls_of(word)
  local n = word:match "^%d+$" and #word <= 6 and math.tointeger(tonumber(word))
  return n, ("'%s' is no number of calls"):format(word:sub(1, 40))
end

local function stage_of(word)
  if word == "pilot" then
    return { name = word, percent_bp = 0 }
  end
  local bp, why = M.percent(word)
  return bp and { name = (M.show(bp):gsub(" %%", "")), percent_bp = bp }, why
end

local USUAL_CALLS = 50 -- of a stage that does not say

---What must be there before the next stage: where callers meet OpenAI, one call of each system at least. A share
---between two stages (an agent's file began there, or a rollback ended there) asks for what the larger one does.
---@param record table
---@return { bake_s: integer?, min_canary: integer, min_baseline: integer }
function M.wants(record)
  local i, stage = M.at(record)
  if not stage or stage.percent_bp < record.percent_bp then
    stage = M.stages(record)[(i or 0) + 1] or {}
  end
  local canary = record.percent_bp > 0 and math.max(stage.min_canary or USUAL_CALLS, 1) or stage.min_canary or 0
  return { bake_s = stage.bake_s, min_canary = canary,
    min_baseline = record.percent_bp < WHOLE and math.max(stage.min_baseline or 0, 1) or 0 }
end

-- Of the stages with callers, those of which that is true, in words.
local function of_stages(stages, said)
  local list = {}
  for _, stage in ipairs(stages) do
    local what = stage.percent_bp > 0 and said(stage)
    list[#list + 1] = what and ("stage '%s' %s"):format(stage.name, what) or nil
  end
  return list[1] and table.concat(list, ", ") or nil
end

---Stages that ask for nothing, so that they are ready before anybody has called. nil: there are none.
---@param stages table[]
---@return string?
function M.blind(stages)
  return of_stages(stages, function(stage)
    local calls, time = stage.min_canary == 0 and "no call", stage.bake_s == 0 and "no time"
    return (calls or time) and ("asks for %s"):format(calls and time and calls .. " and " .. time or calls or time)
  end)
end

local FEW, SHORT_S = 30, 3600

---Stages that ask for so little that their guards see next to nothing.
---@param stages table[]
---@return string?
function M.weak(stages)
  return of_stages(stages, function(stage)
    if (stage.min_canary or FEW) < FEW then
      return ("asks for %d call%s"):format(stage.min_canary, stage.min_canary == 1 and "" or "s")
    end
    return (stage.bake_s or SHORT_S) < SHORT_S and ("asks for %d s"):format(stage.bake_s)
  end)
end

---@param text string "pilot,10,50,100"
---@param o { bake: string?, min: string? } times and calls, one for each stage with callers; the last goes on
---@return table[]? stages
---@return string? why
function M.parse(text, o)
  local bakes, why = list_of(o.bake, M.seconds)
  local mins, stages
  if bakes then
    mins, why = list_of(o.min, calls_of)
  end
  if mins then
    stages, why = list_of(text, stage_of)
  end
  if not stages then
    return nil, why
  end
  local n = 0
  for _, stage in ipairs(stages) do
    if stage.percent_bp > 0 then
      n = n + 1
      local is_last = stage.percent_bp == WHOLE
      local usual = M.default[is_last and #M.default or math.min(n + 1, #M.default - 1)]
      stage.bake_s = bakes[n] or bakes[#bakes] or usual.bake_s
      stage.min_canary = mins[n] or mins[#mins] or usual.min_canary
      stage.min_baseline = is_last and 0 or stage.min_canary
    end
  end
  local complaints = M.check(stages)
  if complaints[1] then
    return nil, table.concat(complaints, "; ")
  end
  return json.array(stages)
end

return M
