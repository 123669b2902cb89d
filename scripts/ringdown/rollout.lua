-- SPDX-License-Identifier: Apache-2.0
-- rollout: which callers a share of so many hundredths of a percent takes. Sticky: a caller always meets the same
-- system. Monotone: a larger share only adds callers, a smaller one only takes away those that were added last.
--
--   key ── fnv1a32(seed .. key), in decimal digits, once more ──▶ bucket 0…9999 ── bucket < share? ──▶ OpenAI
--
-- The hash is GrowthBook's second version. One pass alone lets two agents' cohorts overlap a little too often.
local calls = require "ringdown.call"

local M = {}

M.WHOLE = 10000 -- everybody, in hundredths of a percent
M.SALT = "v1" -- of a plan that names none

---@param text string
---@return integer 0 to 2^32 - 1
function M.fnv1a32(text)
  local h = 2166136261
  for i = 1, #text do
    h = (h ~ text:byte(i)) * 16777619 & 0xffffffff
  end
  return h
end

---@param seed string
---@param key string
---@return integer 0 to 9999
function M.bucket(seed, key)
  return M.fnv1a32(("%d"):format(M.fnv1a32(seed .. key))) % 10000
end

---Another salt is another cohort; no two agents have the same.
---@param agent string its name
---@param salt string?
---@return string
function M.seed(agent, salt)
  return ("rollout:%s:%s:"):format(agent, salt or M.SALT)
end

---The number in what the carrier says about a party, in E.164; nil when it is withheld, a placeholder, or none.
---@param party string? "+13125550142", "sip:+13125550142@example.com", "anonymous"
---@return string?
function M.number(party)
  local text = party and (party:match "^%s*sips?:(%+[^@;]*)" or party) or ""
  return calls.number_of((text:gsub("[%s().-]", "")))
end

---What a caller is known by. A withheld number is nobody's: each such call stands for itself, or all of them would
---move together. In the unit "call" every call does.
---@param unit "caller"|"call"
---@param party string? the caller's number, or of a call that we place, who is called
---@param call_id string
---@return string
function M.key(unit, party, call_id)
  return unit ~= "call" and M.number(party) or call_id
end

---@param bucket integer
---@param percent_bp integer 0 is nobody, 10000 is everybody, exactly
---@return boolean
function M.is_on(bucket, percent_bp)
  return bucket < percent_bp
end

return M
