-- SPDX-License-Identifier: Apache-2.0
-- numbers.checks: may this number be switched? What is in the way, each with what to do about it; and what one should
-- know although it is not.
local where = require "ringdown.numbers.where"

local M = {}

---Something about all numbers: an address that the carrier cannot reach.
---@param ours ringdown.numbers.ours
---@return string? problem
function M.address(ours)
  if ours.public_url == "" then
    return "public.url (RINGDOWN_PUBLIC_URL) is not set: Twilio must know where to send calls"
  elseif not ours.public_url:find("^https://") and ours.twilio_api:find("twilio.com", 1, true) then
    return ("public.url is %s: for live calls it must begin with https://"):format(ours.public_url)
  end
end

local function check_apart(seen, problems)
  if seen.fields.voice_application_sid ~= "" then
    problems[#problems + 1] = ("has voice_application_sid %s, which goes before any voice URL; take it off at Twilio")
      :format(seen.fields.voice_application_sid)
  end
  if seen.fields.trunk_sid ~= "" then
    problems[#problems + 1] = ("is on the SIP trunk %s, which goes before any voice URL; take it off at Twilio")
      :format(seen.fields.trunk_sid)
  end
end

-- Vapi answers, at once or when we do not: as the assistant that the agent names.
local function check_assistant(seen, agent, to, vapi_why, problems)
  local wants = agent and agent.assistant
  if not wants and to ~= "vapi" then
    return
  elseif vapi_why then
    problems[#problems + 1] = "cannot be compared with Vapi: " .. vapi_why
  elseif not seen.vapi_id then
    problems[#problems + 1] = "is not imported at Vapi, so nobody would answer there; import it first"
  elseif wants and seen.vapi_assistant ~= wants then
    problems[#problems + 1] = ("has assistant %s at Vapi, and agent %s says vapi.assistant = %s; make them the same")
      :format(seen.vapi_assistant or "none", agent.name, wants)
  end
end

local function check_agent(agent, why, to, problems)
  if agent and agent.broken then
    problems[#problems + 1] = ("is answered by agent %s, which does not pass ringdown check: %s"):format(agent.name,
      agent.broken)
  elseif not agent and to == "ringdown" then
    problems[#problems + 1] = why
  end
  if agent and to == "vapi" and agent.has_life and not agent.accepts_no_triage then
    problems[#problems + 1] = ("is answered by agent %s, whose rules about life would not run at Vapi; the agent must "
      .. "say vapi.no_triage = \"accepted\""):format(agent.name)
  end
end

-- Vapi has its callers today, and without a word about shares all of them would be on OpenAI from the next call on.
local function check_share(seen, agent, to, problems)
  if agent and to == "ringdown" and seen.goes_to == "vapi" and agent.has_both and not agent.says_where
    and not agent.has_rollout then
    problems[#problems + 1] = ("would send every caller to OpenAI at once: agent %s runs on both systems and no "
      .. "rollout of it is in force; first: ringdown rollout plan --agent %s, and ringdown rollout start --agent %s; "
      .. "or say routing = \"openai\" in its file"):format(agent.name, agent.name, agent.name)
  end
end

---Does Vapi answer calls to it, whenever they get there?
---@param seen ringdown.numbers.seen
---@param plan { ours: ringdown.numbers.ours, vapi_why: string? } with vapi_why, Vapi could not be asked
---@return boolean
function M.is_at_vapi(seen, plan)
  return seen.vapi_id ~= nil or plan.vapi_why ~= nil
    and (where.leads_to(seen.fields.voice_url, plan.ours) == "vapi"
      or where.leads_to(seen.fields.voice_fallback_url, plan.ours) == "vapi")
end

local function warn(seen, agent, plan, warnings)
  local to, texts, has_net = plan.to, plan.texts, M.is_at_vapi(seen, plan)
  if to == "ringdown" and not has_net then
    warnings[#warnings + 1] = "has no safety net: it is not imported at Vapi, so nobody answers when we do not"
  end
  if to == "ringdown" and not texts and seen.texts_to ~= "ringdown" then
    warnings[#warnings + 1] = ("keeps its sms_url, which leads to %s: our agents hear no texts to it and send none "
      .. "from it; --texts moves them too"):format(seen.texts_to)
  end
  if to == "ringdown" and seen.fields.status_callback ~= ""
    and where.leads_to(seen.fields.status_callback, plan.ours) ~= "ringdown" then
    warnings[#warnings + 1] = ("keeps its status_callback, which leads to %s: Twilio tells them, not us, how calls "
      .. "ended; we go by the call itself, and its minutes are measured by our clock"):format(
        where.leads_to(seen.fields.status_callback, plan.ours))
  end
  if to == "ringdown" and agent and agent.has_life and has_net and not agent.accepts_no_triage then
    warnings[#warnings + 1] = ("falls back to Vapi when we do not answer, where the rules of agent %s about life do "
      .. "not run"):format(agent.name)
  end
end

---@param seen ringdown.numbers.seen
---@param plan { to: "ringdown"|"vapi", ours: ringdown.numbers.ours, agents: table, texts: boolean?, vapi_why: string? }
---@return string[] problems none: go on
---@return string[] warnings
---@return ringdown.numbers.agent? agent
---@return string? site
function M.of(seen, plan)
  local problems, warnings = {}, {}
  local agent, why, site = plan.agents:of(seen.number)
  check_apart(seen, problems)
  check_agent(agent, why, plan.to, problems)
  check_assistant(seen, agent, plan.to, plan.vapi_why, problems)
  check_share(seen, agent, plan.to, problems)
  if plan.texts and seen.fields.sms_application_sid ~= "" then
    problems[#problems + 1] = "has an sms_application_sid, which goes before any sms_url; take it off at Twilio"
  end
  warn(seen, agent, plan, warnings)
  return problems, warnings, agent, site
end

return M
