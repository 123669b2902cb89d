-- SPDX-License-Identifier: Apache-2.0
-- health.accounts: the operation `accounts`: every quarter of an hour, whether those we depend on still take our
-- keys, what money is left, and what time it is there. Requests that change nothing and cost nothing.
--
-- Failure modes: somebody who does not answer says nothing about our keys: the alarm stays as it is (the breakers
-- tell of that). An account without a balance (404: a subaccount) has none that could be low.
local host = require "ringdown.host"
local json = require "ringdown.json"
local judge = require "ringdown.health.judge"

local M = {}

local REFUSED = { [401] = true, [403] = true }

---@param whom string
---@param ready boolean
---@param ask fun(): table?, string?
---@return table? answer
---@return string? why
function M.try(whom, ready, ask)
  if not ready then -- then nothing is wrong with it either
    judge.tell("credentials.refused", whom)
    judge.tell("clock.wrong", whom)
    return nil, "no key is set"
  end
  local before = host.unix_ms()
  local answer, why = ask()
  local after = host.unix_ms()
  if not answer then
    return nil, why
  end
  if REFUSED[answer.status] then
    judge.tell("credentials.refused", whom, "critical", ("%s refuses our key (%d)"):format(whom, answer.status))
  elseif answer.status < 300 then
    judge.tell("credentials.refused", whom)
  end
  if (answer.date_ms or 0) > 0 then -- a whole second, as it was begun
    judge.tell("clock.wrong", whom, judge.clock(answer.date_ms, answer.date_ms + 999, before, after))
  end
  return answer
end

function M.openai()
  return M.try("openai", host.openai_ready(), function()
    return host.openai("/models")
  end)
end

function M.vapi()
  return M.try("vapi", host.vapi_ready(), function()
    return host.vapi("GET", "/assistant?limit=1")
  end)
end

---@return table? answer with `amount` and `currency` when there are some
---@return string? why
function M.twilio()
  local answer, why = M.try("twilio", host.twilio_ready(), function()
    return host.twilio("GET", "Balance.json")
  end)
  local balance = answer and answer.status == 200 and json.decode(answer.body)
  if answer and type(balance) == "table" then
    answer.amount, answer.currency = tonumber(balance.balance), tostring(balance.currency or "")
  end
  return answer, why
end

-- Looked at each minute, done in the second of each quarter of an hour: not while the node starts and has calls to
-- look after. A minute that falls between two beats is made up for in the next quarter.
local function is_time(uptime_s)
  return uptime_s // 60 % 15 == 1
end

function M.run()
  local now = json.decode(host.node.status() or "") or {}
  if not is_time(now.uptime_s or 0) then
    return
  end
  M.openai()
  M.vapi()
  local account = M.twilio()
  if not host.twilio_ready() then
    judge.tell("twilio.balance", "")
  elseif account and account.amount then
    judge.tell("twilio.balance", "", judge.balance(account.amount, account.currency,
      (now.standing or {}).twilio_balance or 0))
  end
end

return M
