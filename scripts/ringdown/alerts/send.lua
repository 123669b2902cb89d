-- SPDX-License-Identifier: Apache-2.0
-- alerts.send: notices leave the queue, one after the other, each to its channel. Whoever takes one has it for a
-- minute; whoever dies with it leaves it to the next. Mails and webhooks have an operation each, so that a mail server
-- that hangs keeps no webhook waiting.
--
-- What did not go is tried again after 30 s, 2 m and 10 m (or when the receiver wants it), then given up: an error in
-- the log and an alarm; a page that nobody else has goes to another channel, whatever severities that one wants. A
-- receiver may see a notice twice, with the same id.
local channels = require "ringdown.alerts.channels"
local host = require "ringdown.host"
local log = require "ringdown.log"
local store = require "ringdown.alerts.store"

local M = {}

local LEASE_S = 60
local AT_A_TIME_MS = 40000 -- then it ends, and comes again in two seconds
local AGAIN_S = { 30, 120, 600 }
local PATIENCE_MAX_S = 3600

-- In how many seconds; nil: never.
local function again(n, code, after_s)
  if code == "refused" then
    return nil
  end
  local s = AGAIN_S[n.attempts]
  return s and math.min(math.max(s, after_s or 0), PATIENCE_MAX_S)
end

local function tell_given_up(n, why)
  log.fact("error", "notice.given_up", "", { channel = log.known(n.channel), group = log.known(n.group),
    attempts = n.attempts, why = log.known(why),
    fix = log.known "correct the channel in alerts.channels; then: ringdown alerts test CHANNEL" })
  host.alarm("warning", "notice.given_up", n.channel, ("channel %s was not told: %s"):format(n.channel, why))
end

-- Somebody must hear of a page; not somebody of another agent.
local function tell_another(n)
  local first, others = n.body.alerts[1], {}
  for _, c in ipairs((channels.list())) do
    if c.name ~= n.channel and channels.wants({ agents = c.agents }, n.severity, first and first.agent) then
      others[#others + 1] = { name = c.name, kind = c.kind }
    end
  end
  local other = n.severity == "page" and #others > 0 and store.elsewhere(n.id, others)
  if other then
    log.fact("info", "notice.elsewhere", "", { channel = log.known(other), group = log.known(n.group) })
  end
end

local function deliver(n, lease)
  local c = channels.find(n.channel)
  n.body.notice = n.notice
  local ok, why, code, after_s
  if c then
    ok, why, code, after_s = channels.send(c, n.body)
  else
    why, code = "there is no such channel any more", "refused"
  end
  local again_s = not ok and again(n, code, after_s) or nil
  store.done(n.id, lease, ok, why, again_s)
  if ok then
    host.alarm_over("notice.given_up", n.channel)
  elseif not again_s then
    tell_given_up(n, why)
    tell_another(n)
  else
    log.fact("info", "notice.later", "", { channel = log.known(n.channel), why = log.known(why), again_s = again_s })
  end
  return ok
end

---@param kind "mail"|"webhook"
---@return table result
function M.all(kind)
  local began_ms, sent, failed = host.now_ms(), 0, 0
  local lease = host.digest(("%s %d %s"):format(kind, host.unix_ms(), tostring({}))):sub(1, 32)
  while not host.stopping() and host.now_ms() - began_ms < AT_A_TIME_MS do
    local n = store.unless_away(store.take, kind, lease, LEASE_S)
    if not n then
      break
    end
    if store.unless_away(deliver, n, lease) then
      sent = sent + 1
    else
      failed = failed + 1
    end
  end
  return { sent = sent, failed = failed }
end

return M
