-- SPDX-License-Identifier: Apache-2.0
-- retry: tries again what may be tried again. Delays, budget and breakers are those of the runtime,
-- so that scripts and C give up on the same targets at the same time.
--
-- What failed is repeated only when that can do no harm: it surely did not happen, or it may happen
-- twice (idempotent), or reading back says that it did not. Else the answer is "unknown".
local host = require "ringdown.host"

local M = {}

local SLEEP_MAX_MS = 15000

---@class ringdown.retry.policy
---@field first_ms integer before the second attempt; doubles, drawn from its upper half
---@field max_ms integer up to this
---@field attempts integer? all in all
---@field budget_ms integer? no attempt begins later than this after the first

---Why an attempt failed. Without it, a failure is final.
---@class ringdown.retry.failure
---@field again boolean another attempt may work
---@field happened "no"|"unknown" may the work have been done all the same?
---@field after_ms integer? what the peer asked for (Retry-After)
---@field target "worked"|"failed"|"unknown" what it says about the target; an error of ours: "worked"
---@field code any? handed on to the caller

---@class ringdown.retry.opts
---@field target string who is asked: "twilio", or a host
---@field policy ringdown.retry.policy?
---@field idempotent boolean? doing it twice is as good as once
---@field attempt fun(n: integer): value: any, why: string?, failure: ringdown.retry.failure?
---@field read_back (fun(): happened: any, why: string?)? its result; false: no; nil: unknown

M.patient = { first_ms = 200, max_ms = 3000, attempts = 4, budget_ms = 15000 }

local function sleep(ms)
  while ms > SLEEP_MAX_MS do
    host.sleep(SLEEP_MAX_MS)
    ms = ms - SLEEP_MAX_MS
  end
  host.sleep(ms)
end

-- One attempt behind the target's breaker. A script that ends in the middle tells nothing; a probe of
-- it is given up after a while.
local function try(o, n)
  local ticket, wait_ms = host.breaker_ask(o.target)
  if not ticket then
    return nil, o.target .. " failed several times a moment ago and is not asked for now",
      { again = true, happened = "no", after_ms = wait_ms, code = "given_up" }
  end
  local value, why, failure = o.attempt(n)
  local about = value ~= nil and "worked" or failure and failure.target or "worked"
  host.breaker_tell(o.target, ticket, about, why)
  return value, why, failure
end

-- Did work that may have been done happen? Its result, or false to go on, or nil and why to stop.
local function settle(o, why)
  if not o.read_back then
    return nil, why
  end
  local happened, trouble = o.read_back()
  if happened == nil then
    return nil, ("%s; and reading back: %s"):format(why, trouble or "no answer")
  end
  return happened
end

---Runs `attempt` until it works, fails for good, or the policy says no. Waits without holding up
---other calls.
---@param o ringdown.retry.opts
---@return any value nil when it did not work
---@return string? why
---@return any code "unknown" when nobody knows whether it happened
function M.run(o)
  local policy, began_ms, failures, doubtful = o.policy or M.patient, host.now_ms(), 0, false
  while true do
    local value, why, failure = try(o, failures + 1)
    if value ~= nil or not failure or not failure.again then
      return value, why, failure and failure.code
    end
    failures = failures + 1
    doubtful = doubtful or (failure.happened ~= "no" and not o.idempotent)
    local delay_ms = host.retry_delay(policy, failures, began_ms, failure.after_ms or 0)
    if delay_ms then
      sleep(delay_ms)
    end
    if doubtful then
      local happened, trouble = settle(o, why)
      if happened == nil then
        return nil, trouble, "unknown"
      elseif happened then
        return happened
      end
      doubtful = false
    end
    if not delay_ms then
      return nil, why, failure.code
    end
  end
end

return M
