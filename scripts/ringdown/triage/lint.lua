-- SPDX-License-Identifier: Apache-2.0
-- lint: rules that are well formed and still wrong. Asked when an agent is loaded, not when it takes a call.
--
-- - phrases and rules that can never match are found by trying them: each phrase is an utterance
-- - a rule is shadowed when everything it hears for is heard by an earlier one that is no less severe
-- - `say` must not claim what nobody can promise: that help was called, or is on its way
local compile = require "ringdown.triage.compile"
local match = require "ringdown.triage.match"
local text = require "ringdown.triage.text"
local spoken = require "ringdown.emergency.words"

local M = {}

local rank = { life = 3, urgent = 2, normal = 1 }

local function verdict_of(compiled, phrase)
  local results = match.match(compiled, phrase)
  return results[1] and results[1].verdict, results[1] and results[1].why
end

-- ── never ───────────────────────────────────────────────────────────────────────────────────────
-- Whether all words of one of the exceptions are in a phrase.
local function may_hold(phrase, exceptions)
  local own = {}
  for _, key in ipairs(text.read(phrase).keys) do
    own[key] = true
  end
  for _, exception in ipairs(exceptions) do
    local all = true
    for _, key in ipairs((compile.phrase(exception))) do
      all = all and own[key]
    end
    if all then
      return true
    end
  end
  return false
end

-- Which of these phrases the rule's `unless` takes away, each said by itself. Only few may be, and only these are
-- tried: a reload waits for this.
local function excluded(rule, phrases)
  local list, tried = {}, {}
  for i, phrase in ipairs(rule.unless and phrases or {}) do
    if may_hold(phrase, rule.unless) then
      tried[#tried + 1] = i
    end
  end
  for _, i in ipairs(tried) do
    local alone = { id = rule.id, severity = rule.severity, any = { phrases[i] }, unless = rule.unless }
    local _, why = verdict_of(compile.compile({ alone }, {}), phrases[i])
    if why == "unless" then
      list[#list + 1] = i
    end
  end
  return list
end

local function check_phrases(rule, path, complain)
  for _, key in ipairs { "any", "ask" } do
    for _, i in ipairs(excluded(rule, rule[key] or {})) do
      complain(("%s.%s.%d"):format(path, key, i),
        ('"%s" can never match: one of unless is in it; take one of them out'):format(rule[key][i]))
    end
  end
end

local function check_slots(rule, slots, path, complain)
  for i, alternatives in ipairs(slots or {}) do
    -- One that surely is not taken away is enough, and nearly always it is the first.
    local first = alternatives[1]
    local doubtful = first and rule.unless and may_hold(first, rule.unless)
    if doubtful and #excluded(rule, alternatives) == #alternatives then
      complain(("%s.%d"):format(path, i), "can never match: one of unless is in it")
    end
  end
end

local function check_groups(rule, key, path, complain)
  local groups = rule[key] or {}
  for g, group in ipairs(groups) do
    local at = path .. "." .. key
    check_slots(rule, group.words, #groups == 1 and at or ("%s.%d"):format(at, g), complain)
  end
end

-- ── shadows ─────────────────────────────────────────────────────────────────────────────────────
local function hears_all(compiled, phrases)
  for _, phrase in ipairs(phrases) do
    if verdict_of(compiled, phrase) ~= "match" then
      return false
    end
  end
  return true
end

local function same_words(a, b)
  local keys = {}
  for _, phrase in ipairs(a) do
    keys[table.concat((compile.phrase(phrase)), " ")] = true
  end
  for _, phrase in ipairs(b or {}) do
    keys[table.concat((compile.phrase(phrase)), " ")] = nil
  end
  return next(keys) == nil
end

local function languages_cover(earlier, later)
  if not earlier then
    return true
  end
  for _, language in ipairs(later or { "?" }) do
    local known = false
    for _, other in ipairs(earlier) do
      known = known or other == language
    end
    if not known then
      return false
    end
  end
  return true
end

local function check_shadow(rules, n, path, complain)
  local rule = rules[n]
  if not rule.any or rule.near or rule.all or rule.ask or rule.ask_near then
    return
  end
  for i = 1, n - 1 do
    local earlier = rules[i]
    local wide = rank[earlier.severity] >= rank[rule.severity] and languages_cover(earlier.languages, rule.languages)
      and not earlier.all and (not earlier.unless or rule.unless and same_words(earlier.unless, rule.unless))
    if wide and hears_all(compile.compile({ earlier }, {}), rule.any) then
      complain(path, ("is shadowed by '%s' above, which hears everything that this one does; join them")
        :format(earlier.id))
      return
    end
  end
end

-- ── claims ──────────────────────────────────────────────────────────────────────────────────────
local services = {
  "help", "ambulance", "ambulances", "police", "firefighter", "firefighters", "firemen", "fire crew", "fire crews",
  "fire department", "fire brigade", "fire engine", "fire truck", "paramedic", "paramedics", "medics",
  "emergency services", "emergency responders", "responders", "rescue", "rescuers", "ayuda", "ambulancia",
  "ambulancias", "policia", "policias", "bombero", "bomberos", "paramedicos", "emergencias",
  "servicios de emergencia", "rescate", "rescatistas", "auxilio",
}
local helpers = { "911", "112", "999", table.unpack(services) }
local coming = {
  "is on the way", "are on the way", "is on its way", "are on their way", "on the way", "is coming", "are coming",
  "will be there", "has been called", "have been called", "has been sent", "have been sent", "been dispatched",
  "been notified", "been alerted", "was called", "esta en camino", "estan en camino", "va en camino",
  "van en camino", "viene en camino", "vienen en camino", "ya viene", "ya vienen", "ya va", "ya van", "llegara",
  "llegaran", "ha sido avisada", "han sido avisados", "fue avisada", "fueron avisados",
}
-- Words that would mean something else beside a number: "call 911 before driving home".
local arriving = {
  "will arrive", "should arrive", "arrives", "arrive in", "arrive soon", "arrive shortly", "arrive any", "arriving",
  "going to arrive", "about to arrive", "will come", "will be with you", "should be with you", "be with you in",
  "is driving", "are driving", "already driving", "driving to you", "en route", "minutes? away", "minutes? out",
  "minutes? from you", "around the corner", "almost there", "nearly there", "almost with you", "heading to you",
  "heading your way", "heading there", "headed your way", "headed to you", "rushing to you", "coming", "has left",
  "have left", "has set off", "have set off", "llega", "llegan", "llegando", "al llegar", "de llegar", "a llegar",
  "en ruta", "de camino", "conduciendo", "acudiendo", "acude", "acuden", "se dirigen?", "dirigiendose", "viniendo",
  "vendra", "vendran", "viene hacia", "vienen hacia", "va hacia", "van hacia", "estara ahi", "estaran ahi",
  "estara alli", "estaran alli", "estara con usted", "estaran con usted", "ha salido", "han salido",
  "a %d+ minutos?",
}
-- Before whom they promise nothing: "until the ambulance arrives", "whether help is coming".
local open_ended = { "until", "till", "when", "once", "if", "whether", "before", "how soon", "que", "cuando", "si",
  "hasta", "antes" }
-- In Spanish the helper may come last: "ya vienen los bomberos".
local coming_first = {
  "esta en camino", "estan en camino", "va en camino", "van en camino", "viene en camino", "vienen en camino",
  "ya viene", "ya vienen", "ya va", "ya van", "llegara", "llegaran", "ya llega", "ya llegan", "esta llegando",
  "estan llegando", "vendra", "vendran",
}
local callers = {
  "i have called", "we have called", "i called", "we called", "i am calling", "we are calling", "i have alerted",
  "we have alerted", "i have notified", "we have notified", "i have contacted", "we have contacted", "i will call",
  "we will call", "i have dialed", "we have dialed", "i have sent", "we have sent", "i am sending",
  "we are sending", "i am dispatching", "we are dispatching", "i have dispatched", "we have dispatched",
  "i have requested", "we have requested", "i am alerting", "we are alerting", "i am notifying", "we are notifying",
  "i am contacting", "we are contacting", "calling", "he llamado", "hemos llamado", "ya llame",
  "ya llamamos", "llame yo", "estoy llamando", "estamos llamando", "he avisado", "hemos avisado", "ya avise",
  "avisamos", "voy a llamar", "vamos a llamar", "enviamos", "he enviado", "hemos enviado",
  "he pedido", "hemos pedido", "ya pedimos", "he contactado", "hemos contactado", "estoy avisando", "estamos avisando",
  "estoy enviando", "estamos enviando", "he mandado", "hemos mandado", "ya avisamos",
}
local DISTANCE = 30 -- characters between the two halves of a claim

-- Does one of these stand right before, or one word before, what begins at `start`?
local function is_open(words, start)
  local before = words:sub(1, start)
  for _, word in ipairs(open_ended) do
    if before:find(" " .. word .. " $") or before:find(" " .. word .. " +%w+ $") then
      return true
    end
  end
end

-- A `first` and, soon behind it, a `second`, wherever in the sentence. Words have a space on each side.
local function followed(words, firsts, seconds, but_open)
  for _, first in ipairs(firsts) do
    local start, stop = words:find(" " .. first .. " ", 1, true)
    while start do
      for _, second in ipairs(not (but_open and is_open(words, start)) and seconds or {}) do
        local at = words:find(" " .. second .. " ", stop)
        if at and at - stop <= DISTANCE then
          return first, (second:gsub("%W", " "))
        end
      end
      start, stop = words:find(" " .. first .. " ", stop, true)
    end
  end
end

---The words in which a text claims that help was called; nil when it does not.
---@param said string
---@return string?
function M.claim(said)
  local read = text.read(said)
  local sentences = {}
  for i, word in ipairs(read.words) do
    local n = read.sentences[i]
    sentences[n] = (sentences[n] or " ") .. word .. " "
  end
  for _, words in pairs(sentences) do
    local first, second = followed(words, helpers, coming)
    for _, pair in ipairs(not first and { { callers, helpers }, { services, arriving, true },
      { coming_first, services } } or {}) do
      if not first then
        first, second = followed(words, pair[1], pair[2], pair[3])
      end
    end
    if first then
      return first .. " … " .. second
    end
  end
end

local function check_words(rule, path, complain)
  for language, said in pairs(rule.say or {}) do
    local claim = M.claim(said)
    if claim then
      complain(("%s.say.%s"):format(path, language), ('claims that help was called ("%s"), which nobody here does; '
        .. 'tell the caller to call 911'):format(claim))
    end
  end
end

---@param rules table[]
---@param path string
---@param complain fun(path: string, text: string)
function M.check(rules, path, complain)
  for i, rule in ipairs(rules) do
    local at = path .. "." .. i
    check_phrases(rule, at, complain)
    check_slots(rule, rule.all, at .. ".all", complain)
    check_groups(rule, "near", at, complain)
    check_groups(rule, "ask_near", at, complain)
    check_shadow(rules, i, at, complain)
    check_words(rule, at, complain)
  end
end

-- Life rules rest on calls that another system takes: said aloud unless the agent accepts it.
local function warn_of_vapi(def, warn)
  if not def.vapi or def.vapi.no_triage == "accepted" or def.vapi.route == "bridge" then
    return
  end
  for _, rule in ipairs(def.emergencies) do
    if rule.severity == "life" then
      warn("vapi", ("calls that go to Vapi are searched for '%s' only where its assistant sends transcripts here "
        .. "(docs/vapi.md); if that is known, write no_triage = \"accepted\"")
        :format(rule.id))
      return
    end
  end
end

-- About life that is refused; the others may be there to be counted.
local function warn_of_silence(def, warn)
  for i, rule in ipairs(def.emergencies) do
    if rule.severity ~= "life" and not rule.transfer and not rule.text then
      warn("emergencies." .. i, ("'%s' tells nobody, it is only recorded; if somebody shall know, give it "
        .. "text = { to = \"…\", body = \"…\" }"):format(rule.id))
    end
  end
end

-- Rules hear what callers say in the languages that the library knows, and in no others.
local function warn_of_languages(def, warn)
  for _, language in ipairs(def.languages) do
    if not spoken.caller[language] then
      warn("emergencies", ("callers who speak %s are not understood by these rules; tell the model in the prompt what "
        .. "to do, and to call report_emergency"):format(spoken.language_name(language)))
    end
  end
end

-- Whom the model's report of a danger that no rule is about reaches.
local function warn_of_nobody(def, warn)
  if next(def.people) == nil then
    warn("emergencies", "when the model reports that a life is in danger, nobody is told: this agent has no people; "
      .. "add people = { on_call = \"+1…\" }")
  end
end

---What is allowed, and still should be said.
---@param def table
---@param warn fun(path: string, text: string)
function M.warn(def, warn)
  warn_of_vapi(def, warn)
  warn_of_nobody(def, warn)
  warn_of_silence(def, warn)
  warn_of_languages(def, warn)
end

return M
