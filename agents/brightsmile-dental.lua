-- SPDX-License-Identifier: Apache-2.0
-- Brightsmile Dental: books the right chair for the right time, answers what insurance we take, and finds a dentist
-- for what cannot wait.
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
local sms = require "ringdown.sms"
local emergencies, insurance = require "lib.emergencies", require "lib.insurance"

local plans = insurance.plans {
  { "Delta Dental", "delta", taken = true, say = "In network. Checkups and cleanings are usually covered in full." },
  { "Cigna", taken = true, say = "In network. We check what is covered before each treatment." },
  { "MetLife", "met life", taken = true, say = "Out of network. The patient pays, and we file the claim for them." },
  { "Medicaid", "all kids", taken = false, say = "Not taken here. The Cook County clinics take it." },
  { "DHMO", "HMO", taken = false, say = "No HMO plan is taken here. Self-pay has a ten percent discount." },
}

local insurance_plan = tool {
  name = "insurance_plan",
  about = "Whether we take an insurance plan, and what may be said about it. Use it whenever insurance comes up.",
  effect = "read",
  args = { plan = { type = "string", about = "insurer and plan, as the caller said it", max = 80 } },
  run = function(_, args)
    local plan = plans:find(args.plan)
    if not plan then
      return nil, "We have no word on this plan; take it down and say that the front desk will call back."
    end
    return { plan = plan[1], taken = plan.taken, say = plan.say }
  end,
}

local chairs = {
  resources = { "Dr. Patel", "Dr. Kim" },
  services = { checkup = "30m", cleaning = "45m", filling = "1h", urgent = "30m" },
  step = "15m",
  lead = "1h",
}

-- Who is called for what: the same for everything about life.
local function at_once(rule)
  return rule {
    transfer = "dentist",
    text = { to = "dentist", body = "URGENT {{caller.number}}: {{match.words}} ({{match.rule}})" },
  }
end

return agent {
  name = "brightsmile-dental",
  numbers = { "+13125550120" },
  time_zone = "America/Chicago",
  languages = { "en", "es" },
  hours = { mon_thu = "08:00-17:00", fri = "08:00-14:00", closed = { "2026-11-26", "2026-12-25" } },
  people = { dentist = { "+13125550177", "+13125550178" }, front_desk = "+13125550121" },
  openai = { voice = "sage" },
  notice = { ai = true, recording = true },
  keep = { transcripts = "90d" },
  greeting = {
    en = "Brightsmile Dental, what can I do for you?",
    es = "Brightsmile Dental, ¿en qué puedo ayudarle?",
  },
  prompt = agent.file "brightsmile-dental.md",
  tools = {
    insurance_plan,
    tools.check_availability(chairs),
    tools.book_appointment(chairs),
    tools.lookup_customer,
    tools.send_sms { templates = { "booked" } },
    tools.transfer_call { to = { "front_desk" }, when = "Only while we are open." },
    tools.end_call,
  },
  emergencies = {
    at_once(emergencies.airway),
    at_once(emergencies.bleeding),
    at_once(emergencies.collapse),
    emergencies.knocked_out_tooth {
      transfer = "dentist",
      text = { to = "dentist", body = "Tooth knocked out, {{caller.number}}: {{match.words}}" },
    },
    emergencies.swelling { text = { to = "dentist", body = "Swelling, {{caller.number}}: {{match.words}}" } },
  },
  sms = {
    missed = "Brightsmile Dental: sorry we missed you. Reply with a day that suits you. STOP to opt out.",
    booked = {
      en = "Brightsmile Dental: {{visit.service}}, {{visit.start | day_time}}. Call us to change it.",
      es = "Brightsmile Dental: {{visit.start | day_time}}. Llámenos para cambiarlo.",
    },
    call_back = 'Nobody was free for {{caller.number or "a withheld number"}}. Please call back.',
  },
  max_call = "12m",
  on = {
    transfer_failed = function(call, whom)
      sms.send(call, "call_back", { to = whom })
    end,
  },
}
