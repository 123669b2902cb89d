-- SPDX-License-Identifier: Apache-2.0
-- What errands have of ringdown.fake.host: an inbox, a line, a desk, and whoever waits for their answer.
local M = require "ringdown.fake.host_base"

---What report_emergency tells; the desk of a call takes it (fake/desk.lua).
local function no_desk()
  return nil, "the agent has no rules"
end

M.on_reset(function()
  M.emergency = no_desk
  ---What an errand will find in its inbox: { at = ms, kind = "text", body = { … }, ticket = 1 }, in order; what it
  ---answered, by ticket: { how = "twiml", text = "<Response>…" }; whose texts it expects.
  M.letters, M.answers, M.expected = {}, {}, {}
  ---What happened to the line; what the model was told; false: another errand has the caller.
  M.line_events, M.instructions, M.line_is_free = {}, {}, true
  ---Of the agent's numbers: JSON, as it is where a call begins.
  M.site_text = nil ---@type string?
  M.kept_open, M.errands = nil, {}
  ---What errands answered to whom they were begun for, and what calls on Vapi were told to do.
  M.replies, M.controlled, M.done_once = {}, {}, {}
  ---The agent whose rules an errand's desk has.
  M.listens_for = nil ---@type table?
end)

function M.take_line()
  return M.line_is_free or nil
end

function M.keep_open(on)
  M.kept_open = on
end

function M.fall_back(reason)
  M.line_events[#M.line_events + 1] = "fallback " .. reason
end

function M.site()
  return M.site_text
end

function M.errand(kind, text)
  M.errands[#M.errands + 1] = { kind = kind, text = text }
  return true
end

function M.transfer_begun(whom)
  M.line_events[#M.line_events + 1] = "begun " .. whom
end

function M.transfer_refused(why, unknown)
  M.line_events[#M.line_events + 1] = ("refused %s%s"):format(why, unknown and ", unknown" or "")
end

function M.instruct(text)
  M.instructions[#M.instructions + 1] = text
  return true
end

---The next letter; time passes until it comes, at most so long.
function M.wait(timeout_ms)
  local letter = M.letters[1]
  local wait_ms = letter and math.max((letter.at or 0) - M.now_ms(), 0) or math.huge
  if wait_ms > timeout_ms then
    M.sleep(timeout_ms)
    return nil
  end
  table.remove(M.letters, 1)
  if wait_ms > 0 then
    M.sleep(wait_ms)
  end
  return letter.kind, require("ringdown.json").encode(letter.body or {}), letter.ticket
end

function M.answer(ticket, how, text)
  M.answers[ticket] = { how = how, text = text }
  return true
end

function M.address()
  return "0.1"
end

function M.expect_text(number)
  M.expected[number] = M.expected[number] or 1
  return M.expected[number]
end

function M.deliver_text(_, from)
  return M.expected[from] ~= nil
end

-- ── webhooks of Vapi ────────────────────────────────────────────────────────────────────────────────
function M.reply(document)
  M.replies[#M.replies + 1] = require("ringdown.json").decode(document)
  return true
end

function M.vapi_control(url, text)
  M.controlled[#M.controlled + 1] = require("ringdown.json").decode(text)
  return url ~= "https://down" and { status = 200, body = "{}" } or nil, "connection refused", "not_sent"
end

function M.first(what)
  local first = not M.done_once[what]
  M.done_once[what] = true
  return first
end

---As it may be kept: a card in a spec is 4242….
function M.redacted(text)
  return (text:gsub("4242 ?4242 ?4242 ?4242", "[card]"))
end

function M.was_first(what)
  return M.done_once[what] == true
end

local function with_desk(ask)
  local desk = require "ringdown.desk"
  local rules = M.listens_for and desk.rules_of(M.listens_for)
  if not rules then
    return "[]"
  end
  desk.open(rules)
  return ask(desk) or "[]"
end

function M.find(words)
  return with_desk(function(desk)
    return desk.hear(words)
  end)
end

function M.find_reported(kind, severity, words)
  return with_desk(function(desk)
    return desk.report(kind, severity, words)
  end)
end

return M
