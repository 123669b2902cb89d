-- SPDX-License-Identifier: Apache-2.0
-- numbers.switch: sends a number's calls to us, or to Vapi: looks, checks, says what will be, and does it (bulk.lua).
--
-- Whatever a number had besides is kept: its status callback, and its texts unless they are to move too. Vapi is the
-- safety net of a number that it has imported: Twilio asks it when we do not answer.
local agents = require "ringdown.numbers.agents"
local bulk = require "ringdown.numbers.bulk"
local checks = require "ringdown.numbers.checks"
local choose = require "ringdown.numbers.choose"
local json = require "ringdown.json"
local snapshots = require "ringdown.numbers.snapshot"
local sync = require "ringdown.numbers.sync"
local twilio = require "ringdown.twilio.numbers"
local where = require "ringdown.numbers.where"

local M = {}

local NO_OTHER_WAY = { voice_application_sid = "", trunk_sid = "" } -- each would go before the URL

local function with(fields, more)
  for name, value in pairs(more) do
    fields[name] = value
  end
  return fields
end

local function to_us(seen, plan)
  local fields = with({ voice_url = where.voice_url(plan.ours), voice_method = "POST" }, NO_OTHER_WAY)
  if checks.is_at_vapi(seen, plan) then
    with(fields, { voice_fallback_url = where.vapi(plan.ours, "inbound_call"), voice_fallback_method = "POST" })
  end
  return plan.texts and with(fields, { sms_url = where.sms_url(plan.ours), sms_method = "POST" }) or fields
end

-- As it is there, or was when it went there; else as an import makes it.
local function to_vapi(seen, plan)
  local before = snapshots.stored(seen.number, true)
  local was = where.leads_to(seen.fields.voice_url, plan.ours) == "vapi" and seen.fields
    or before and where.leads_to(before.fields.voice_url, plan.ours) == "vapi" and before.fields
    or { voice_url = where.vapi(plan.ours, "inbound_call"), voice_method = "POST", voice_fallback_url = "",
      voice_fallback_method = "POST" }
  local fields = with({ voice_url = was.voice_url, voice_method = was.voice_method,
    voice_fallback_url = was.voice_fallback_url, voice_fallback_method = was.voice_fallback_method }, NO_OTHER_WAY)
  return plan.texts and with(fields, { sms_url = where.vapi(plan.ours, "sms"), sms_method = "POST" }) or fields
end

---What a number's fields shall say.
---@param seen ringdown.numbers.seen
---@param plan table see M.plan
---@return table<string, string>
function M.wanted(seen, plan)
  return (plan.to == "vapi" and to_vapi or to_us)(seen, plan)
end

-- ── saying it ───────────────────────────────────────────────────────────────────────────────────

local function tell_refused(number, problems, tell)
  for _, why in ipairs(problems) do
    tell { text = ("%-16s  refused: %s"):format(number, why), number = number, refused = why }
  end
end

local function tell_change(item, seen, tell)
  local changes = twilio.differences(seen.fields, item.wanted)
  if #changes == 0 then
    tell { text = ("%-16s  is so already"):format(item.number), number = item.number, changes = json.array {} }
    return
  end
  local lines = {}
  for i, one in ipairs(changes) do
    lines[i] = ("%-16s  %-21s  %s -> %s"):format(i == 1 and item.number or "", one.name,
      one.found == "" and "(nothing)" or one.found, one.wanted == "" and "(nothing)" or one.wanted)
  end
  tell { text = table.concat(lines, "\n"), number = item.number, changes = changes }
end

-- The same sentence about a hundred numbers is said once.
local function tell_warnings(said, tell)
  for text, numbers in pairs(said) do
    local some = #numbers <= 3 and table.concat(numbers, ", ") or ("%s and %d more"):format(numbers[1], #numbers - 1)
    tell { note = ("%s: %s"):format(some, text) }
  end
end

local function tell_next_call(to, n_switched, tell)
  local n = n_switched == 1 and "The next call to this number is"
    or ("The next call to each of these %d numbers is"):format(n_switched)
  tell { text = to == "ringdown"
    and n .. " answered here; which system it then runs on, the agent's rollout says: ringdown why NUMBER"
    or n .. " answered by Vapi, without us: no rollout and no rules of ours apply. Calls in progress go on." }
end

-- ── doing it ────────────────────────────────────────────────────────────────────────────────────

-- Looks at everything, and says what is in the way.
local function examine(payload, tell)
  local all_agents = agents.load()
  local _, by_number, vapi_why = sync.keep(payload.ours)
  local plan = { to = payload.to, texts = payload.texts, ours = payload.ours, agents = all_agents, vapi_why = vapi_why }
  local known = all_agents:numbers()
  local chosen, unknown = choose.of(payload, by_number, all_agents, function(seen)
    if payload.to == "vapi" then
      return seen.goes_to == "ringdown"
    end
    return known[seen.number] or false
  end)
  local items, warned, n_refused = {}, {}, #unknown
  for _, one in ipairs(unknown) do
    tell_refused(one.number, { one.why }, tell)
  end
  for _, seen in ipairs(chosen) do
    local problems, warnings = checks.of(seen, plan)
    if #problems > 0 then
      n_refused = n_refused + 1
      tell_refused(seen.number, problems, tell)
    else
      items[#items + 1] = { number = seen.number, carrier_id = seen.carrier_id, wanted = M.wanted(seen, plan),
        goes_to = payload.to }
      for _, text in ipairs(warnings) do
        warned[text] = warned[text] or {}
        table.insert(warned[text], seen.number)
      end
    end
  end
  tell_warnings(warned, tell)
  return items, by_number, n_refused
end

local function dry_run(items, by_number, n_refused, tell)
  for _, item in ipairs(items) do
    tell_change(item, by_number[item.number], tell)
  end
  tell { text = ("Nothing was changed. %d would be switched, %d refused."):format(#items, n_refused) }
  return { numbers = #items, refused = n_refused, failed = n_refused > 0 }
end

---@class ringdown.numbers.switch : ringdown.numbers.choice
---@field to "ringdown"|"vapi"
---@field ours ringdown.numbers.ours
---@field texts boolean? sms_url too
---@field dry_run boolean?
---@field resume integer? a run
---@field wave integer?
---@field pause_s integer? between waves
---@field max_failures integer?
---@field reason string?

---@param payload ringdown.numbers.switch
function M.run(payload, tell)
  if payload.resume then
    return bulk.go_on(payload.resume, payload.ours, tell)
  end
  local trouble = payload.to == "ringdown" and checks.address(payload.ours)
  if trouble then
    error(trouble, 0)
  end
  local items, by_number, n_refused = examine(payload, tell)
  if payload.dry_run then
    return dry_run(items, by_number, n_refused, tell)
  elseif #items == 0 then
    tell { text = n_refused > 0 and "Nothing was changed." or "There is no such number; nothing was changed." }
    return { numbers = 0, refused = n_refused, failed = true }
  end
  local run = bulk.begin({ action = "switch", goes_to = payload.to, reason = payload.reason,
    options = { wave = payload.wave, pause_s = payload.pause_s, max_failures = payload.max_failures } }, items)
  tell { text = ("run %d: %d numbers to %s"):format(run, #items, payload.to), run = run }
  local result = bulk.go_on(run, payload.ours, tell)
  if result.counts.verified then
    tell_next_call(payload.to, result.counts.verified, tell)
  end
  result.refused, result.failed = n_refused, result.failed or n_refused > 0
  return result
end

return M
