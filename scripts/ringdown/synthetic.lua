-- SPDX-License-Identifier: Apache-2.0
-- synthetic: the operation `synthetic`: each so many seconds the node that leads rings synthetic.to as a caller would:
-- webhook, stream, a greeting that is heard, a question, an answer, the end, the record in the database. So somebody
-- knows at night that calls get through when nobody calls.
--
--   is it time? (synthetic_begin) ─▶ node.ring ─▶ node.rung ─▶ judge ─▶ synthetic_told ─▶ alarm at the second in a row
--
-- Nothing may come of such a call (ringdown.harmless), and it is counted nowhere but here. After the first that failed
-- the next one comes within a minute: what wakes somebody was seen twice.
--
-- Failure modes: no such agent, or the day's money is spent: no call, and the alarm `synthetic.held` says so. The node
-- drains or is nearly full: callers go first, and nothing is said. The database is away: no node leads.
local draw = require "ringdown.stats.draw"
local host = require "ringdown.host"
local json = require "ringdown.json"
local judge = require "ringdown.health.judge"

local M = {}

local AGAIN_S = 60
local LOOK_MS, PATIENCE_MS = 250, 90000
local RECORD_MS = 15000
local CROWDED = 0.9

---What to do, by the step that failed.
---@type table<string, string>
M.remedies = {
  ring = "the call could not even be placed: public.url, twilio.sid, twilio.tokens, ca_file",
  webhook = "does public.url lead here, through DNS, firewall and balancer; does this node hold the auth token that "
    .. "Twilio signs with; ringdown why CALL says why it was refused",
  stream = "does the balancer let WebSockets through to /twilio/media, and is the certificate good for public.url",
  greeting = "ringdown why CALL tells what the provider said; ringdown doctor tries its key",
  answer = "the agent greets and does not answer: ringdown why CALL; OpenAI's status page",
  hang_up = "ringdown why CALL tells who ended it",
  record = "the call got through and is not in the database: ringdown db status, ringdown journal",
}

---Whom to ring: an agent's name, or one of the numbers that agents have.
---@param to string
---@return string? number
---@return string agent, or why there is no number
function M.whom(to)
  for _, agent in ipairs((host.agents())) do
    if agent.name == to then
      if not agent.numbers[1] then
        return nil, ("agent %s has no number"):format(to)
      end
      return agent.numbers[1], agent.name
    end
    for _, number in ipairs(agent.numbers) do
      if number == to then
        return number, agent.name
      end
    end
  end
  return nil, ("'%s' is no agent that is loaded, and no number of one"):format(to)
end

local function or_error(report, otherwise)
  return report.error ~= "" and report.error or otherwise
end

---Which step a call failed at, by what its telephone tells.
---@param report table of runtime/cli/ringer.c
---@param first_audio_ms integer the longest time to the first sound
---@return string? step nil: it got through
---@return string? why
function M.step_of(report, first_audio_ms)
  local status = report.webhook_status or 0
  if not report.call then
    return "ring", or_error(report, "no call was placed")
  elseif status == 403 then
    return "webhook", "our own signature was refused (403)"
  elseif status ~= 200 then
    return "webhook", or_error(report, ("it was answered with status %d"):format(status))
  elseif report.stream_ms < 0 and report.error:find("sent elsewhere", 1, true) then
    return "webhook", report.error
  elseif report.stream_ms < 0 and (report.error == "" or report.ended_by == "fallback") then
    return "webhook", "no stream was asked for: a caller would have heard the fallback"
  elseif report.stream_ms < 0 then
    return "stream", report.error
  elseif report.ended_by == "fallback" then
    return report.said_ms < 0 and "greeting" or "answer", "it broke off, and a caller would have heard the fallback"
  elseif report.first_audio_ms < 0 then
    return "greeting", or_error(report, "nothing was heard")
  elseif report.first_audio_ms > first_audio_ms then
    return "greeting", ("the agent was heard after %d ms, which is more than %d"):format(report.first_audio_ms,
      first_audio_ms)
  elseif report.violations > 0 then
    return "stream", or_error(report, "Twilio would have refused what was sent")
  elseif report.spoke == "words" and report.said_ms >= 0 and report.answer_ms < 0 then
    return "answer", or_error(report, "a question was asked, and nothing was heard")
  elseif report.ended_by ~= "caller" and report.ended_by ~= "agent" and not (report.ended_by == "timeout"
      and report.spoke ~= "words") then
    return "hang_up", or_error(report, ("it was ended by %s"):format(report.ended_by == "" and "nobody"
      or report.ended_by))
  end
end

---Is it in the database, and over?
---@param call string
---@return string? why not
function M.not_recorded(call)
  local waited, why = 0, "it is not there"
  while waited <= RECORD_MS do
    local rows, down = host.query("select (ended_at is not null)::text, coalesce(trial, '') from calls where call = $1",
      { call }, 5000)
    if not rows then
      why = tostring(down)
    elseif rows[1] and rows[1][2] ~= "synthetic" then
      why = "it is there as a caller's"
    elseif rows[1] and rows[1][1] == "true" then
      return nil
    elseif rows[1] then
      why = "it is there, and not over"
    end
    host.sleep(LOOK_MS)
    waited = waited + LOOK_MS
  end
  return why
end

-- Rings, and waits until it is over.
local function ring(number, system)
  local rings, why = host.node.ring(json.encode { to = number, system = system })
  if not rings then
    return { error = tostring(why) }
  end
  for _ = 1, PATIENCE_MS // LOOK_MS do
    local text, problem, code = host.node.rung()
    if text then
      return json.decode(text) or { error = "what the telephone says cannot be read" }
    elseif code ~= "going" then
      return { error = tostring(problem) }
    end
    host.sleep(LOOK_MS)
  end
  return { error = "it did not come to an end" }
end

---@param report table
---@param set table the node's standing
---@return { good: boolean, step: string?, why: string? }
function M.judged(report, set)
  report.error = report.error or ""
  local step, why = M.step_of(report, set.synthetic_first_audio_ms)
  if not step then
    why = M.not_recorded(report.call)
    step = why and "record" or nil
  end
  return { good = not step, step = step, why = why }
end

local function tell_people(failed, agent, verdict, call)
  if verdict.good then
    judge.tell("synthetic.failed", agent)
  elseif failed >= 2 then
    host.alarm("critical", "synthetic.failed", agent, ("%d synthetic calls in a row failed, the last one at the step "
      .. "%s: %s%s"):format(failed, verdict.step, verdict.why, call and ("; ringdown why %s"):format(call) or ""))
  end
  judge.forget("synthetic.failed", { [agent] = true })
end

local function at_least_zero(n)
  return n and n >= 0 and n or nil
end

local function keep(run, agent, set, report, verdict)
  local said = { run = run, good = verdict.good, call = report.call, agent = agent, system = set.synthetic_system,
    step = verdict.step, why = verdict.why, first_audio_ms = at_least_zero(report.first_audio_ms),
    answer_ms = at_least_zero(report.answer_ms), webhook_ms = at_least_zero(report.webhook_ms) }
  local text = json.encode(said)
  if report.call then
    host.fact("synthetic", text, report.call, agent)
  end
  said.at = os.date("!%Y-%m-%d %H:%M:%S", host.unix_ms() // 1000) .. " UTC"
  host.node.ring_judged(verdict.good, json.encode(said))
  local rows = host.query("select synthetic_told($1::jsonb)::text", { text }, 5000)
  return rows and math.tointeger(tonumber(rows[1][1])) or 0
end

-- nil: not now, and nothing is wrong with that.
local function begin(status, set)
  if status.draining or status.calls >= status.max_calls * CROWDED then
    return nil
  end
  local rows, why = host.query("select synthetic_begin($1::jsonb)::text", { json.encode { node = status.node,
    every_s = set.synthetic_every_s, again_s = AGAIN_S, cap_micro_usd = set.synthetic_dollars * 1000000 } }, 5000)
  if not rows then
    error("whether it is time cannot be asked: " .. tostring(why), 0)
  end
  local answer = json.decode(rows[1][1]) or {}
  if answer.spent_micro_usd then
    judge.tell("synthetic.held", "", "warning", ("%s are spent on synthetic calls today, and synthetic.dollars is %d")
      :format(draw.usd(answer.spent_micro_usd), set.synthetic_dollars))
  else
    judge.tell("synthetic.held", "")
  end
  return answer.run
end

function M.run(_, tell)
  local status = json.decode(host.node.status() or "") or {}
  local set = status.standing or {}
  if (set.synthetic_to or "") == "" then
    judge.tell("synthetic.held", "")
    judge.forget("synthetic.failed", {})
    return
  end
  local number, agent = M.whom(set.synthetic_to)
  if not number then
    judge.tell("synthetic.held", "", "warning", "synthetic.to: " .. agent)
    return
  end
  local run = begin(status, set)
  if not run then
    return
  end
  local report = ring(number, set.synthetic_system)
  local verdict = M.judged(report, set)
  local call = report.call
  local failed = keep(run, agent, set, report, verdict)
  tell_people(failed, agent, verdict, call)
  if not verdict.good then
    tell { note = ("synthetic call %s failed at the step %s: %s"):format(call or "?", verdict.step, verdict.why) }
  end
  return { call = call, good = verdict.good, step = verdict.step, why = verdict.why, in_a_row = failed }
end

return M
