-- SPDX-License-Identifier: Apache-2.0
-- A clinic's front desk, in English and Spanish: books visits, tells patients about theirs once they have shown who
-- they are, and sends what may be an emergency to 911 before anything else.
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
local db = require "ringdown.db"

local visits = { resources = { "Dr. Ruiz", "Dr. Chen" }, services = { checkup = "30m", vaccine = "15m" }, lead = "2h" }

-- Personal, so only for whom `verify` lets through.
local next_visit = tool {
  name = "next_visit",
  about = "When the patient's next visit is.",
  effect = "read",
  verify = true,
  failed = "Say that the records cannot be opened right now, and that we will call back.",
  run = function(call)
    local row = db.one("select day, doctor from patient_visits where number = $1 order by day limit 1",
      call.caller.number)
    if not row then
      return nil, "There is no visit; offer to book one."
    end
    return { day = row.day, doctor = row.doctor }
  end,
}

return agent {
  name = "clinic-desk",
  numbers = { "+13125550191" },
  time_zone = "America/Chicago",
  languages = { "en", "es" },
  hours = { mon_fri = "08:00-18:00", sat = "09:00-13:00", closed = { "2026-11-26", "2026-12-25" } },
  people = { nurse = { "+13125550192", "+13125550193" } },
  needs = { tables = { "patients", "patient_visits" } },
  notice = { ai = true, recording = true },
  keep = { transcripts = "30d" },
  greeting = { en = "Lakeside Clinic, how can I help? Hablamos español.",
               es = "Clínica Lakeside, ¿en qué puedo ayudar?" },
  prompt = [[
You answer the phone for {{site.name}}. It is {{now.text}}; the clinic is open {{hours.text}}. Speak English or Spanish,
as the caller does. You book visits; you give no medical advice, ever. Whoever asks about their own visits must show who
they are. Chest pain, trouble breathing, fainting: use report_emergency at once. For a nurse use transfer_call.]],
  tools = {
    next_visit,
    tools.check_availability(visits),
    tools.book_appointment(visits),
    tools.send_sms { templates = { "booked_en", "booked_es" } },
    tools.transfer_call { to = { "nurse" }, screen = true },
    tools.end_call,
  },
  verify = {
    ask = { born = "the patient's date of birth, like 1980-05-31" },
    check = function(call, answers)
      return db.one("select 1 as there from patients where number = $1 and born = $2::date",
        call.caller.number, answers.born) ~= nil
    end,
  },
  emergencies = {
    {
      id = "heart-or-breath", severity = "life",
      any = { "chest pain", "can't breathe", "cannot breathe", "dolor en el pecho", "no puedo respirar" },
      ask = { "short of breath", "me falta el aire" },
      say = { en = "Please hang up and call 911 now. Do not drive yourself.",
              es = "Cuelgue y llame al 911 ahora. No conduzca usted." },
      transfer = "nurse",
      text = { to = "nurse", body = "{{match.rule}}: {{caller.number}} said: {{match.words}}" },
    },
  },
  sms = {
    missed = { en = "Lakeside Clinic: sorry we missed you. Reply here. STOP to opt out.",
               es = "Clínica Lakeside: no pudimos contestar. Responda aquí. ALTO para no recibir más." },
    booked_en = "Lakeside Clinic: {{visit.start | day_time}} with {{visit.resource}}. Call us to change it.",
    booked_es = "Clínica Lakeside: su cita con {{visit.resource}} está confirmada. Llámenos para cambiarla.",
  },
}
