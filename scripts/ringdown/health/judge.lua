-- SPDX-License-Identifier: Apache-2.0
-- health.judge: what a number means, told as an alarm or as its end.
--
-- Each takes what was measured and returns the severity, "warning" or "critical", and what is wrong; nil: nothing.
local host = require "ringdown.host"
local models = require "ringdown.health.models"

local M = {}

local DAY_S = 86400
local CLOCK_WARN_MS, CLOCK_FAIL_MS = 2000, 60000
local JOURNAL_WARN_MS, JOURNAL_FAIL_MS = 60000, 900000

---Raised, or over.
---@param kind string of the catalogue
---@param subject string
---@param severity "warning"|"critical"|nil
---@param text string?
function M.tell(kind, subject, severity, text)
  if severity then
    host.alarm(severity, kind, subject, text)
  else
    host.alarm_over(kind, subject)
  end
end

---Over are those of this kind that are about what is not there any more.
---@param kind string
---@param there table<string, any> by subject
function M.forget(kind, there)
  for _, alarm in ipairs(host.open_alarms()) do
    if alarm.kind == kind and not there[alarm.subject] then
      host.alarm_over(kind, alarm.subject)
    end
  end
end

function M.certificate(left_s)
  if left_s <= 0 then
    return "critical", "the certificate of public.listen is over"
  elseif left_s <= 14 * DAY_S then
    return left_s <= 3 * DAY_S and "critical" or "warning",
      ("the certificate of public.listen is over in %d days"):format(left_s // DAY_S)
  end
end

function M.disk(free_mb, percent)
  if free_mb < 0 then
    return "warning", "the space on the disk of the data folder cannot be told"
  elseif free_mb < 256 or percent < 2 then
    return "critical", ("%d MB (%d %%) are free on the disk of the data folder"):format(free_mb, percent)
  elseif free_mb < 2048 or percent < 10 and free_mb < 20480 then
    return "warning", ("%d MB (%d %%) are free on the disk of the data folder"):format(free_mb, percent)
  end
end

function M.journal(age_ms)
  if age_ms >= JOURNAL_WARN_MS then
    return age_ms >= JOURNAL_FAIL_MS and "critical" or "warning",
      ("the oldest event waits for the database since %d minutes"):format(age_ms // 60000)
  end
end

function M.model(model, set, unix)
  local days, day = models.days_left(model, set, unix)
  if not days or days > 60 then
    return nil
  elseif days < 0 then
    return "critical", ("%s was shut down on %s"):format(model, day)
  end
  return days <= 14 and "critical" or "warning", ("%s is shut down on %s, in %d days"):format(model, day, days)
end

function M.concurrency(calls, cap)
  if cap > 0 and calls * 10 >= cap * 9 then
    return "warning", ("%d of %d sessions of the OpenAI account are in use here"):format(calls, cap)
  end
end

function M.balance(amount, currency, least)
  if least > 0 and amount < least then
    return amount <= least / 4 and "critical" or "warning",
      ("the Twilio account holds %.2f %s"):format(amount, currency)
  end
end

---How far our clock is from another, at least: what was on the way is in nobody's favour.
---@param earliest integer unix ms, what the other clock may have said when it was read
---@param latest integer
---@param before integer unix ms of ours when it was asked
---@param after integer and when the answer was there
function M.clock(earliest, latest, before, after)
  local off = math.max(earliest - after, before - latest)
  if off > CLOCK_WARN_MS then
    return off > CLOCK_FAIL_MS and "critical" or "warning",
      ("this machine's clock is %d s %s"):format(off // 1000, earliest > after and "slow" or "fast")
  end
end

return M
