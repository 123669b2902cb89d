-- SPDX-License-Identifier: Apache-2.0
-- words: what the library says when the agent's file does not say it, per language.
local M = {}

M.notice = {
  en = { ai = "You are speaking with an automated assistant.", recording = "This call may be recorded.",
    both = "You are speaking with an automated assistant, and this call may be recorded." },
  es = { ai = "Le atiende un asistente automático.", recording = "Esta llamada puede ser grabada.",
    both = "Le atiende un asistente automático y esta llamada puede ser grabada." },
}

M.spoken = {
  en = {
    apology = "We are sorry, something went wrong on our side.",
    still_there = "Are you still there?",
    silence_bye = "I cannot hear you, so I will hang up now. Please call again. Goodbye.",
    moment = "One moment, please.",
    time_up = "We have reached the longest time for a call, so I have to hang up now. Goodbye.",
    connecting = "We are sorry, our assistant is not available. We are connecting you to a colleague.",
    unanswered = "I am sorry, nobody is picking up at the moment. How else can I help you?",
    resumed = "I am sorry, the line was interrupted for a moment. Please go on.",
    nobody = "We are sorry, nobody can take your call right now. Please call again later.",
  },
  es = {
    apology = "Lo sentimos, algo ha fallado por nuestra parte.",
    still_there = "¿Sigue ahí?",
    silence_bye = "No le oigo, así que voy a colgar. Llame de nuevo, por favor. Adiós.",
    moment = "Un momento, por favor.",
    time_up = "Hemos llegado a la duración máxima de una llamada y tengo que colgar. Adiós.",
    connecting = "Lo sentimos, nuestro asistente no está disponible. Le ponemos con un compañero.",
    unanswered = "Lo siento, en este momento nadie contesta. ¿En qué más puedo ayudarle?",
    resumed = "Perdone, la línea se ha cortado un momento. Continúe, por favor.",
    nobody = "Lo sentimos, ahora nadie puede atender su llamada. Llame más tarde, por favor.",
  },
}

M.languages = { en = "English", es = "Spanish", de = "German", fr = "French", it = "Italian", pt = "Portuguese",
  nl = "Dutch", pl = "Polish", zh = "Chinese", ja = "Japanese", ko = "Korean", vi = "Vietnamese", ar = "Arabic",
  ru = "Russian", uk = "Ukrainian", hi = "Hindi", tr = "Turkish", sv = "Swedish", da = "Danish", fi = "Finnish",
  no = "Norwegian", el = "Greek", he = "Hebrew", cs = "Czech", ro = "Romanian", hu = "Hungarian", tl = "Tagalog" }

---The text of `key` in the first language of an agent: its own words, else the library's, else
---the library's English ones.
---@param def table the agent
---@param key string
---@return string
function M.of(def, key)
  local language = def.languages[1]
  local own = def.says[key]
  if own then
    return own[language]
  end
  if key == "resumed" and not M.spoken[language] then
    key = "moment" -- the agent has that in its own language, and "resumed" only if it likes to
    return def.says[key] and def.says[key][language] or M.spoken.en[key]
  end
  return (M.spoken[language] or M.spoken.en)[key]
end

return M
