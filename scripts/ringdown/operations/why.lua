-- SPDX-License-Identifier: Apache-2.0
-- operations.why: what happens to the next call of a number: who answers, on which system, why, and where the carrier
-- sends it. The decision is that of routing.lua; here is only what it is asked with, and words.
--
-- Without a database: what agents' files and the data folder say, and that more is not known.
local host = require "ringdown.host"
local json = require "ringdown.json"
local routing = require "ringdown.routing"
local where = require "ringdown.numbers.where"

local M = {}

local MINUTE, HOUR, DAY = 60, 3600, 86400

-- ── what is known ───────────────────────────────────────────────────────────────────────────────

-- One row of JSON; nil: none, or the database is away, which the first question has told.
local function ask(known, sql, params)
  if known.down then
    return nil
  end
  local rows, why, code = host.query(sql, params)
  if not rows and (code == "down" or code == "busy") then
    known.down = why
    return nil
  elseif not rows then
    error("the database refused it: " .. why, 0)
  end
  return rows[1] and rows[1][1] and json.decode(rows[1][1]) or nil
end

local plan_sql = [[select (to_jsonb(r) - array['allow', 'deny', 'stages'] || jsonb_build_object(
    'allow', cardinality(allow), 'deny', cardinality(deny),
    'listed', case when $2 = any(deny) then 'deny' when $2 = any(allow) then 'allow' end))::text
  from rollout_now r where agent = $1]]

local seen_sql = [[select (to_jsonb(s) || jsonb_build_object(
    'age_s', extract(epoch from now() - seen_at)::integer, 'fallback', fields ->> 'voice_fallback_url'))::text
  from numbers_shown s where number = $1 and seen_at is not null]]

local function agents_of()
  local loaded, broken = host.agents()
  local by_name, by_number = {}, {}
  for _, one in ipairs(loaded) do
    local agent = json.decode(one.shown or "{}") or {}
    agent.name, by_name[one.name] = one.name, agent
    for _, number in ipairs(one.numbers or {}) do
      by_number[number] = agent
    end
  end
  return by_name, by_number, #loaded == 1 and #broken == 0 and by_name[loaded[1].name] or nil
end

-- What was ordered at this data folder while the database was away.
local function override_of()
  local text = host.kept "override.json"
  local value = text and json.decode(text)
  return type(value) == "table" and value or {}
end

-- ── who answers ─────────────────────────────────────────────────────────────────────────────────

local function ago(seconds)
  if seconds < 2 * MINUTE then
    return ("%d s ago"):format(seconds)
  elseif seconds < 2 * HOUR then
    return ("%d minutes ago"):format(seconds // MINUTE)
  elseif seconds < 2 * DAY then
    return ("%d hours ago"):format(seconds // HOUR)
  end
  return ("%d days ago"):format(seconds // DAY)
end

-- As gateway/voice.c looks for it: agent, site, and how it was found.
local function answerer(number, known)
  local assigned = known.number.assignment
  if type(assigned) == "table" then
    return known.by_name[assigned.agent], assigned.site, "assigned", assigned
  elseif known.by_number[number] then
    return known.by_number[number], "default", "file"
  elseif known.seen and known.seen.vapi_id then
    return nil, nil, "vapi"
  end
  return known.only, known.only and "default", known.only and "only" or "nobody"
end

local found_words = {
  assigned = "assigned by %s, %s",
  file = "its file has the number",
  only = "nobody is assigned, and it is the only agent",
}

local function who_words(found, assigned)
  if found == "assigned" then
    return found_words.assigned:format(assigned.updated_by or "somebody",
      ((assigned.updated_at or ""):sub(1, 16):gsub("T", " ")))
  end
  return found_words[found]
end

-- ── which system ────────────────────────────────────────────────────────────────────────────────

local system_names = { openai = "OpenAI", vapi = "Vapi" }

local function forced_by(payload, known)
  if system_names[payload.force] then
    return payload.force, "this machine's configuration (force, RINGDOWN_FORCE)"
  elseif known.override.force then
    return known.override.force, "the local override"
  elseif known.force and known.force.system ~= "off" then
    return known.force.system, known.force.who
  end
end

local function nothing() end

local function decide(agent, payload, known)
  local plan, schedule = known.plan, nil
  local file = agent.routing ~= "function" and agent.routing or nil
  local override = known.override.agents and known.override.agents[agent.name]
  local force = forced_by(payload, known)
  local decision = routing.decide {
    agent = agent.name,
    runs = { openai = agent.openai or not agent.vapi or agent.routing ~= nil and agent.routing ~= "vapi" or plan ~= nil,
      vapi = agent.vapi ~= nil },
    usual = agent.vapi and not agent.openai and "vapi" or "openai",
    file = file,
    failover = false, -- nothing is down until it is
    known = { record = plan, override = override, force = force, listed = plan and plan.listed },
    party = payload.from,
    call_id = "",
    ask = nothing,
    is_open = function(when)
      schedule = when
      return true
    end,
  }
  return decision, schedule
end

local function percent(bp)
  return (("%.2f"):format(bp / 100):gsub("%.?0+$", "")) .. " %"
end

local function split_words(d, from)
  if d.percent_bp == 0 then
    return "the rollout's share is 0 %: nobody but those on its list goes to OpenAI"
  elseif d.percent_bp == 10000 then
    return "the rollout's share is 100 %: every caller goes to OpenAI"
  elseif from and d.unit == "caller" and d.key == from then
    return ("%s of callers go to OpenAI, bucket below %d; %s has bucket %d"):format(percent(d.percent_bp), d.percent_bp,
      from, d.bucket)
  elseif d.unit == "call" then
    return ("%s of calls go to OpenAI, each by itself"):format(percent(d.percent_bp))
  elseif from then
    return ("%s of callers go to OpenAI; who withholds the number is taken anew with each call"):format(
      percent(d.percent_bp))
  end
  return ("%s of callers go to OpenAI, the others to Vapi; --from +1… tells of one of them"):format(
    percent(d.percent_bp))
end

local reason_words = {
  killed = "this agent's rollout is killed",
  fixed = "every call, by %s",
  rolled_back = "the rollout was taken back to 0 %: nobody goes to OpenAI",
  deny = "the caller is on the rollout's list of those who stay with Vapi",
  allow = "the caller is on the rollout's list of those who meet OpenAI first",
  default = "how the agent runs; there is no rollout",
  error = "the decision does not work: %s",
}

local function why_words(d, payload, known)
  if d.first_reason == "force" then
    local _, whose = forced_by(payload, known)
    return "forced by " .. whose
  elseif d.first_reason == "split" then
    return split_words(d, payload.from)
  elseif d.first_reason == "fixed" then
    return reason_words.fixed:format(d.rollout == 0 and "its file" or "its rollout")
  elseif d.first_reason == "error" then
    return reason_words.error:format(d.detail)
  end
  return reason_words[d.first_reason] or d.first_reason
end

-- One caller in a hundred is certain of nothing: without a caller, a split has no one answer.
local function is_open_question(d, from)
  local certain = d.percent_bp == 0 or d.percent_bp == 10000
  return d.first_reason == "split" and not certain and (not from or d.key ~= from)
end

local before_function = { pinned = true, force = true, killed = true, fixed = true, deny = true,
  rolled_back = true, allow = true }

local function tell_system(agent, payload, known, tell)
  local d, schedule = decide(agent, payload, known)
  local open = is_open_question(d, payload.from)
  local asks = agent.routing == "function" and not before_function[d.first_reason]
  if asks then
    tell { text = "  system      the agent's file decides itself (routing); where it says nothing:" }
  end
  tell { text = ("  system      %s: %s"):format(open and "OpenAI or Vapi" or system_names[d.first],
    why_words(d, payload, known)) }
  if schedule then
    tell { text = ("              OpenAI only while %s is %s"):format(
      schedule.hours and "the rollout's schedule" or "the agent", schedule.when or "open") }
  end
  return { system = not open and d.first or nil, reason = d.first_reason, asks_agent = asks, bucket = payload.from
    and d.bucket or nil, percent_bp = d.percent_bp, rollout = d.rollout, unit = d.unit, schedule = schedule }
end

local function tell_plan(known, tell)
  local plan = known.plan
  if plan then
    tell { text = ("  rollout     version %d, %s%s, by %s%s"):format(plan.version, plan.state,
      plan.stage and (", stage " .. plan.stage) or "", plan.updated_by,
      plan.reason and (": " .. plan.reason) or "") }
  end
  if next(known.override) then
    tell { text = ("  override    ordered here by %s at %s, until the database has it"):format(
      known.override.who or "somebody", known.override.at or "?") }
  end
end

-- ── where the carrier sends it ──────────────────────────────────────────────────────────────────

local leads_words = { ringdown = "to us", vapi = "to Vapi", elsewhere = "elsewhere", nobody = "nowhere" }

local function tell_drift(seen, tell)
  for _, one in ipairs(seen.drift or {}) do
    tell { text = ("  drift       %s is '%s', and should be '%s'; ringdown numbers drift"):format(one.name, one.found,
      one.wanted) }
  end
end

-- Whether the next call comes here at all; nil: nobody has looked.
local function tell_way(seen, tell)
  if not seen or seen.gone_at then
    return nil
  elseif seen.goes_to ~= "ringdown" then
    tell { text = ("  next call   goes %s and not to us (seen %s); what follows holds once ringdown numbers switch has "
      .. "moved it"):format(leads_words[seen.goes_to] or seen.goes_to, ago(seen.age_s)) }
  end
  return seen.goes_to == "ringdown"
end

local function tell_carrier(known, tell)
  local seen = known.seen
  if known.down then
    return
  elseif not seen then
    tell { text = "  at Twilio   never looked at; ringdown numbers sync does" }
    return
  elseif seen.gone_at then
    tell { text = ("  at Twilio   the account has it no more (seen until %s)"):format(ago(seen.age_s)) }
    return
  end
  tell { text = ("  at Twilio   calls go %s, texts %s (seen %s)"):format(leads_words[seen.goes_to] or seen.goes_to,
    leads_words[seen.texts_to] or seen.texts_to, ago(seen.age_s)) }
  if seen.goes_to == "ringdown" then
    local fallback = where.leads_to(seen.fallback or "", host.ours())
    tell { text = ("  safety net  when we do not answer, Twilio sends calls %s"):format(fallback == "nobody"
      and "nowhere: they hear that something went wrong" or leads_words[fallback]) }
  end
  if seen.vapi_id then
    tell { text = ("  at Vapi     imported, with assistant %s"):format(seen.vapi_assistant or "none") }
  end
  tell_drift(seen, tell)
end

local function tell_calls(calls, tell)
  for i, call in ipairs(calls or {}) do
    if i == 1 then
      tell { text = "  last calls" }
    end
    local at = (call.started_at or ""):sub(1, 23):gsub("T", " ")
    tell { text = ("    %-23s  %s  %s → %s  %s: %s"):format(at, call.call, call.from or "", call.to or "",
      call.system or "", call.ended_reason or call.reason or "") }
  end
end

-- ── all of it ───────────────────────────────────────────────────────────────────────────────────

local function look(number)
  local known = { override = override_of() }
  known.by_name, known.by_number, known.only = agents_of()
  known.number = ask(known, "select why_number($1)::text", { number }) or {}
  known.seen = ask(known, seen_sql, { number })
  known.force = ask(known, "select to_jsonb(f)::text from force_now f", {})
  return known
end

local function tell_agent(agent, site, found, assigned, tell)
  if found == "vapi" then
    tell { text = "  answered by nobody here: nobody is assigned, and the number is imported at Vapi, which gets it" }
  elseif agent then
    tell { text = ("  answered by %s, site %s: %s"):format(agent.name, site, who_words(found, assigned)) }
  elseif found == "assigned" then
    tell { text = ("  answered by nobody: it is assigned to %s, and no such agent loads here; ringdown check tells why")
      :format(assigned.agent) }
  else
    tell { text = "  answered by nobody: callers hear an apology; ringdown numbers assign gives it an agent" }
  end
end

---@param payload { number: string, from: string?, force: string? }
function M.run(payload, tell)
  local number = payload.number
  local known = look(number)
  local agent, site, found, assigned = answerer(number, known)
  local answer = { number = number, kind = "number", agent = agent and agent.name, site = site, found_by = found,
    assignment = known.number.assignment, calls = json.array(known.number.calls or {}), carrier = known.seen }
  if known.down then
    tell { note = ("assignments, rollouts and what Twilio has are not known, because the database cannot be asked: %s")
      :format(known.down) }
  end
  answer.found = known.number.found == true or known.seen ~= nil or found == "file"
  if not answer.found and not known.down then
    tell { note = ("nothing is known about %s; ringdown numbers list has those that are"):format(number) }
    answer.failed = true
  end
  tell { text = number }
  answer.comes_here = tell_way(known.seen, tell)
  tell_agent(agent, site, found, assigned, tell)
  if agent then
    known.plan = ask(known, plan_sql, { agent.name, payload.from or false })
    answer.next = tell_system(agent, payload, known, tell)
    tell_plan(known, tell)
  end
  tell_carrier(known, tell)
  tell_calls(known.number.calls, tell)
  return answer
end

return M
