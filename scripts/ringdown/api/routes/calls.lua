-- SPDX-License-Identifier: Apache-2.0
-- routes/calls: what happened in calls, and what can be wanted of those that go on.
local acts = require "ringdown.api.calls_act"
local page = require "ringdown.api.page"
local read = require "ringdown.api.calls_read"
local recordings = require "ringdown.api.recordings"
local search = require "ringdown.api.calls_search"
local shape = require "ringdown.api.shape"

local number = { type = "string", nullable = true, personal = "number" }
local moment = { type = "string", format = "time", nullable = true }
local text = { type = "string", nullable = true }
local sentence = { type = "string", nullable = true, personal = "text" }
local words = { type = "string", nullable = true, personal = "words" }
local count = { type = "integer", required = true }
local ms = { type = "integer", nullable = true }
local sid = { type = "string", required = true }

local waited = {
  caller_stopped_at = { type = "string", format = "time", nullable = true,
    about = "when the caller stopped speaking; null, as the next ones: this turn answers nobody" },
  first_text_ms = { type = "integer", nullable = true, about = "from then to its first words" },
  first_audio_ms = { type = "integer", nullable = true,
    about = "to its first sound, as ringdown_turn_latency_seconds has it" },
  tool_ms = { type = "integer", nullable = true, about = "of that, while tools ran" },
}

local function and_waited(fields)
  for name, field in pairs(waited) do
    fields[name] = field
  end
  return fields
end

local function call_fields(more)
  local fields = {
    call = sid, agent = text, version = text, from = number, to = number, started_at = moment, ended_at = moment,
    direction = text, node = text,
    state = { type = "string", nullable = true, about = "connecting, live, leaving, closing, ended" },
    system = { type = "string", nullable = true, about = "who answered: openai, vapi, fallback" },
    reason = { type = "string", nullable = true, about = "why so", personal = "text" },
    fix = sentence, model = text,
    status = { type = "string", nullable = true, about = "the carrier's word" },
    outcome = { type = "string", nullable = true, about = "why it ended" },
    missed = text, failed_over_to = text,
    duration_s = { type = "integer", nullable = true, about = "the carrier's" },
    first_audio_ms = ms, turns = count, barge_ins = count, tool_calls = count, errors = count,
    emergencies = { type = "integer", required = true,
      about = "rules that matched, without those that were only recorded" },
    cost_micro_usd = { type = "integer", nullable = true, about = "null: not known, and cost_reason says why" },
    cost_reason = text,
    imported = { type = "boolean", required = true, about = "taken over from Vapi, not answered here" },
    erased = { type = "boolean", required = true, about = "the caller was forgotten" },
  }
  for name, field in pairs(more or {}) do
    fields[name] = field
  end
  return fields
end

local schemas = {
  Call = { type = "object", about = "what a call amounts to", fields = call_fields() },
  CallWithWaits = { type = "object", about = "the same, and how long the caller waited for each answer",
    fields = call_fields { waits = { type = "array", max = 500, required = true, of = { ref = "Wait" },
      about = "turns of the agent that answer the caller, in order, the first 500" } } },
  Wait = { type = "object", about = "what a caller waited for, from when they stopped speaking", fields = and_waited {
    turn = ms, epoch = { type = "string", required = true },
    seq = { type = "string", required = true, about = "of the turn, as in the timeline" },
    interrupted = { type = "boolean", required = true },
    tools = { type = "array", required = true, about = "that were called before the first sound", of = {
      type = "object", fields = { id = { type = "string", required = true }, name = text,
        after_ms = { type = "integer", nullable = true, about = "it was called so long after the caller stopped" },
        ms = { type = "integer", nullable = true, about = "it took so long; null: no answer is known" } } } },
  } },
  LiveCall = { type = "object", fields = {
    call = sid, agent = text, from = number, to = number, state = { type = "string", required = true },
    system = { type = "string", required = true }, seconds = count,
  } },
  LiveCalls = { type = "object", fields = {
    items = { type = "array", of = { ref = "LiveCall" }, required = true },
    elsewhere = { type = "array", of = { ref = "Call" }, required = true, nullable = true,
      about = "on other nodes, as they told last; null: not known, and elsewhere_reason says why" },
    elsewhere_reason = { type = "string", nullable = true },
  } },
  Event = { type = "object", about = "one fact, as docs/records.md has it", fields = {
    at = { type = "string", format = "time", required = true }, epoch = { type = "string", required = true },
    seq = { type = "string", required = true }, type = { type = "string", required = true },
    body = { type = "object", open = true, required = true },
  } },
  Turn = { type = "object", fields = and_waited {
    at = { type = "string", format = "time", required = true },
    role = { type = "string", one_of = { "caller", "agent" }, required = true },
    turn = { type = "integer", nullable = true, about = "its number in the conversation" },
    heard = { type = "string", required = true, personal = "words", about = "of the agent: what the caller heard" },
    said = { type = "string", nullable = true, personal = "words", about = "when that was more" },
    interrupted = { type = "boolean", required = true },
    withheld = { type = "string", nullable = true, about = "before_notice or paused: the words were not kept" },
  } },
  ToolCall = { type = "object", fields = {
    id = { type = "string", required = true }, name = text, asked_at = moment, answered_at = moment, ms = ms,
    arguments = words, output = words,
  } },
  ToolCalls = { type = "object", fields = {
    items = { type = "array", of = { ref = "ToolCall" }, required = true } } },
  CallCost = { type = "object", about = "what a call costs; what is not known is null, with the reason", fields = {
    micro_usd = { type = "integer", nullable = true }, usd = { type = "string", nullable = true,
      about = "the same for people, to a hundredth of a cent" },
    reason = text, computed_at = moment,
    lines = { type = "array", required = true, of = { type = "object", fields = {
      item = { type = "string", required = true }, model = text, unit = text,
      quantity = { type = "number", nullable = true }, basis = text,
      micro_usd_per_million = { type = "integer", nullable = true },
      micro_usd_exact = { type = "number", nullable = true }, reason = text } } },
    turns = { type = "array", required = true, of = { ref = "TurnCost" },
      about = "what the model and the transcription cost, turn by turn, in order" },
    turns_reason = { type = "string", nullable = true, about = "why there are none" },
  } },
  TurnCost = { type = "object", about = "what a turn cost: the answers it took, those that only called tools too",
    fields = {
      turn = { type = "integer", nullable = true, about = "its number in the conversation; null: nothing came of it" },
      role = { type = "string", one_of = { "caller", "agent" }, required = true,
        about = "agent: answers of the model; caller: transcription" },
      at = moment, answers = count, models = { type = "array", of = text, required = true },
      units = { type = "object", of = { type = "number" }, required = true,
        about = "tokens by kind, without those in *_cached; minutes" },
      micro_usd_exact = { type = "number", nullable = true }, usd = text, reason = text } },
  Recording = { type = "object", fields = {
    number = { type = "integer", required = true, about = "from 1: a call that went on elsewhere has more" },
    node = { type = "string", required = true, about = "on whose disk" },
    here = { type = "boolean", required = true, about = "the node that answers can play it" },
    state = { type = "string", one_of = { "kept", "cut", "failed" }, required = true },
    bytes = ms, duration_ms = ms, at = moment, due_at = moment, gone_at = moment, why = text,
  } },
  Recordings = { type = "object", fields = {
    items = { type = "array", of = { ref = "Recording" }, required = true } } },
  Asked = { type = "object", about = "it was asked for; the events of the call tell what came of it", fields = {
    call = sid, asked = { type = "string", required = true },
  } },
}

local search_query = page.query_with {
  agent = { type = "string", format = "agent" },
  number = { type = "string", format = "phone", personal = "number", about = "who called or was called" },
  system = { type = "string", one_of = { "openai", "vapi", "fallback" } },
  outcome = { type = "string", format = "label", about = "why it ended, as in `outcome`" },
  state = { type = "string", one_of = { "live", "ended" } },
  emergency = { type = "boolean", about = "only calls with an emergency, as `emergencies` counts" },
  failed = { type = "boolean", about = "only calls with errors" },
  booked = { type = "boolean", about = "only calls in which a visit was booked" },
  result = { type = "string", about = "how it came out, as statistics count it", one_of = { "answered", "contained",
    "transferred", "not_taken", "emergency", "failed", "fallback", "missed" } },
  kind = { type = "string", one_of = { "real", "test", "imported" }, about = "test: we called ourselves" },
  site = { type = "string", format = "label" },
  local_from = { type = "string", format = "date", about = "a day by the clock at each site" },
  local_to = { type = "string", format = "date", about = "before this day" },
  since = { type = "string", format = "time" },
  ["until"] = { type = "string", format = "time", about = "before this moment" },
  text = { type = "string", max = 200, personal = "words", about = 'what was said: words, "a phrase", or, -without' },
}

local found = shape.page "Call"
found.fields.searched_to = { type = "string", format = "time", nullable = true, about = "not null: a search for words "
  .. "that takes long came back to this moment, and `items` may be few or none; `next` goes on from there" }

local A_CALL = "/calls/CA00000000000000000000000000000001"

return {
  schemas = schemas,
  { method = "GET", path = "/calls", role = "viewer", scoped = true, about = "calls, newest first",
    query = search_query,
    answers = { [200] = found }, example = { query = "agent=northside-plumbing&limit=2" },
    run = search.run },
  { method = "GET", path = "/calls/live", role = "viewer", scoped = true,
    about = "calls in progress: those of the node that answers, and what the others told last",
    answers = { [200] = "LiveCalls" }, example = {}, run = acts.live },
  { method = "GET", path = "/calls/{call}", role = "viewer", scoped = true, about = "one call",
    answers = { [200] = "CallWithWaits" }, example = { path = A_CALL }, run = read.one },
  { method = "GET", path = "/calls/{call}/timeline", role = "viewer", scoped = true,
    about = "every fact of a call, in order", query = page.query_with(), answers = { [200] = shape.page "Event" },
    example = { path = A_CALL .. "/timeline", query = "limit=3" }, run = read.timeline },
  { method = "GET", path = "/calls/{call}/transcript", role = "viewer", scoped = true,
    about = "what was said, as it was heard", query = page.query_with(), answers = { [200] = shape.page "Turn" },
    example = { path = A_CALL .. "/transcript" }, run = read.transcript },
  { method = "GET", path = "/calls/{call}/tools", role = "viewer", scoped = true,
    about = "what the agent asked of tools",
    answers = { [200] = "ToolCalls" }, example = { path = A_CALL .. "/tools" }, run = read.tools },
  { method = "GET", path = "/calls/{call}/cost", role = "viewer", scoped = true,
    about = "what it costs, line by line",
    answers = { [200] = "CallCost" }, example = { path = A_CALL .. "/cost" }, run = read.cost },
  { method = "GET", path = "/calls/{call}/recordings", role = "viewer", scoped = true,
    about = "its recordings: where they lie and until when",
    answers = { [200] = "Recordings" }, example = { path = A_CALL .. "/recordings" }, run = recordings.list },
  { method = "GET", path = "/calls/{call}/recording/audio", role = "viewer", scoped = true, ticket = "recording",
    about = "the sound, left the caller, right the agent (WAV, µ-law, 8 kHz); whole, or the piece that Range asks for. "
      .. "Who hears it is in the audit; not for viewers who see nothing personal",
    query = { number = { type = "integer", min = 1, max = 100, default = 1, about = "which of its recordings" } },
    binary = "audio/wav", answers = { [200] = false, [206] = false, [416] = false },
    example = { path = A_CALL .. "/recording/audio" }, run = recordings.audio },
  { method = "GET", path = "/calls/{call}/why", role = "viewer", scoped = true,
    about = "all that explains a call, as `ringdown why` tells it",
    answers = { [200] = { type = "object", open = true } }, example = { path = A_CALL .. "/why" }, run = read.why },
  { method = "POST", path = "/calls/{call}/hang-up", role = "operator", scoped = true,
    about = "ends a call once what is being said was heard",
    answers = { [202] = "Asked" }, example = { path = A_CALL .. "/hang-up" }, run = acts.hang_up },
  { method = "POST", path = "/calls/{call}/transfer", role = "operator", scoped = true, idempotent = true,
    about = "a person takes the caller; who does not answer gives them back to the agent",
    body = { to = { type = "string", required = true, format = "whom" } },
    answers = { [202] = "Asked" }, example = { path = A_CALL .. "/transfer", body = { to = "office" } },
    run = acts.transfer },
  { method = "POST", path = "/calls/{call}/whisper", role = "operator", scoped = true, idempotent = true,
    about = "tells the model something the caller does not hear",
    body = { text = { type = "string", required = true, max = 2000, lines = true },
      now = { type = "boolean", default = false, about = "it answers at once" } },
    answers = { [202] = "Asked" },
    example = { path = A_CALL .. "/whisper", body = { text = "Offer them the slot at nine." } }, run = acts.whisper },
}
