-- SPDX-License-Identifier: Apache-2.0
-- Events as the journal ships them (docs/records.md), and `ingest` as the shipper calls it.
local json = require "ringdown.json"
local pg = require "spec.support.postgres"

local events = {}

events.began_us = 1795600000000000 -- 2026-11-25 09:46:40Z

-- A stream that makes its own keys: s:add("turn", { … }) appends and returns the event.
local Stream = {}
Stream.__index = Stream

function events.stream(name, o)
  o = o or {}
  return setmetatable({
    stream = name, started_us = o.started_us or events.began_us, epoch = o.epoch or o.started_us or events.began_us,
    common = o.common or {}, list = o.list or {}, seq = 0, ms = 0,
  }, Stream)
end

function events.call(n, o)
  local sid = ("CA%032x"):format(n)
  local s = events.stream(sid, o)
  s.common = { call = sid, agent = "northside-plumbing", from = "+13125550142", to = "+13125550100" }
  for member, value in pairs(o and o.common or {}) do
    s.common[member] = value
  end
  return s
end

function events.node(name)
  return events.stream("node/" .. name)
end

function Stream:add(type, body, after_ms)
  self.seq = self.seq + 1
  self.ms = self.ms + (after_ms or 1000)
  local all = { at_ms = self.ms }
  for _, from in ipairs { self.common, body or {} } do
    for member, value in pairs(from) do
      all[member] = value
    end
  end
  local event = {
    stream = self.stream, started_us = self.started_us, epoch = self.epoch, seq = self.seq,
    at_us = self.started_us + self.ms * 1000, type = type, body = all,
  }
  table.insert(self.list, event)
  return event
end

-- Another process takes the call: seq begins anew in a later epoch.
function Stream:resume()
  self.epoch = self.epoch + self.ms * 1000 + 1
  self.seq = 0
  return self
end

events.usage = { -- 7205.6 micro-dollars with gpt-realtime-2.1
  total_tokens = 253, input_tokens = 132, output_tokens = 121,
  input_token_details = { text_tokens = 119, audio_tokens = 13, image_tokens = 0, cached_tokens = 64,
    cached_tokens_details = { text_tokens = 64, audio_tokens = 0, image_tokens = 0 } },
  output_token_details = { text_tokens = 30, audio_tokens = 91 },
}

-- A whole call: greeting, booking, an interruption, goodbye.
function events.conversation(n, o)
  local c = events.call(n, o)
  c:add("webhook", { kind = "voice", status = "ringing", direction = "inbound", node = "n1", repeated = false }, 0)
  c:add("decision", { system = "openai", reason = "split", version = "v7", model = "gpt-realtime-2.1" }, 5)
  c:add("state", { state = "connecting" }, 5)
  c:add("state", { state = "live" }, 300)
  c:add("notice", { text = "You are speaking with an AI. This call is recorded." })
  c:add("turn", { seq = 1, role = "agent", text = "Northside Plumbing, how can I help?", interrupted = false })
  c:add("turn", { seq = 2, role = "caller", text = "My boiler is leaking", interrupted = false })
  c:add("tool", { id = "call_1", name = "plumber_eta", arguments = '{"zip":"60614"}', done = false })
  c:add("tool", { id = "call_1", name = "plumber_eta", output = '{"minutes":35}', done = true })
  c:add("usage", { kind = "response", model = "gpt-realtime-2.1", complete = true, raw = events.usage })
  c:add("turn", { seq = 3, role = "agent", text = "Somebody can be", said = "Somebody can be there in 35 minutes",
    interrupted = true, caller_stopped_ms = 3200, first_text_ms = 2900, first_audio_ms = 3000, tool_ms = 1000 })
  c:add("barge_in", { item = "item_3", heard_ms = 700 })
  c:add("error", { code = "provider.rate_limited", message = "slow down" })
  c:add("recording", { node = "n1", path = "recordings/2026/11/25/" .. c.stream .. "-1795600000000000.wav",
    bytes = 4000, duration_ms = 9000, state = "kept" })
  c:add("text", { id = "SM" .. n, to = "+13125550142", segments = 1, status = "queued" })
  c:add("state", { state = "closing" })
  c:add("ended", { reason = "caller_hangup", duration_ms = 12000, first_audio_ms = 310, turns = 3, barge_ins = 1,
    tool_calls = 1, errors = 1, frames_in = 600 })
  c:add("text", { id = "SM" .. n, to = "+13125550142", segments = 1, status = "delivered" })
  c:add("webhook", { kind = "status", status = "completed", duration_s = 14 })
  return c
end

function events.sql(list)
  return "select * from ingest(" .. pg.literal(json.encode(list)) .. "::jsonb)"
end

-- Rows { ordinal, outcome, reason } in the order of the batch.
function events.ingest(url, list)
  local rows = pg.query(url, events.sql(list))
  table.sort(rows, function(a, b)
    return a.ordinal < b.ordinal
  end)
  return rows
end

-- How many of each outcome.
function events.outcomes(url, list)
  local counts = {}
  for _, row in ipairs(events.ingest(url, list)) do
    counts[row.outcome] = (counts[row.outcome] or 0) + 1
  end
  return counts
end

return events
