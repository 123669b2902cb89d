-- SPDX-License-Identifier: Apache-2.0
-- fake.host: ringdown.host for specs: no runtime, no network, no clock but the one a spec sets.
local clock = require "ringdown.fake.clock"

local M = { loading = true }

---What the code under test did, newest last. Emptied by reset().
M.said, M.log_lines, M.naps, M.twilio_requests = {}, {}, {}, {}
M.hung_up, M.paused, M.transfers = nil, false, {}
---By "METHOD path": an answer, or a list of answers, one per request; { lost = true } and
---{ not_sent = true } are requests without one.
M.twilio_replies = nil ---@type table<string, table>?
---What Vapi was asked, newest last, and its answers as those of Twilio, by "METHOD path".
M.vapi_requests, M.vapi_replies = {}, nil
---Files that are kept, by name; set keep_fails to a text: none is written any more.
M.files, M.keep_fails = {}, nil ---@type table<string, string>, string?
---What an operation told, decoded, newest last; whether whoever asked wants it to end; who that is.
M.told_lines, M.is_stopping, M.person = {}, false, "somebody"
---Our own addresses.
M.addresses = { public_url = "https://calls.example.com", twilio_api = "https://api.twilio.com",
  vapi_api = "https://api.vapi.ai" }
---The agents of this process and those that do not load, as host.agents() has them.
M.known_agents, M.broken_agents = {}, {} ---@type table[], table[]
---What was told about each target, newest last; and who is given up, for how many ms.
M.told, M.given_up = {}, {}
M.deadline_ms, M.failed_output, M.filler = nil, nil, nil

local now
local passed_ms = 0 -- of the clock that only goes forward

---What was told to be kept, newest last: { type = "triage", … }.
M.facts = {}
---What an errand will find in its inbox: { at = ms, kind = "text", body = { … }, ticket = 1 }, in order; what it
---answered, by ticket: { how = "twiml", text = "<Response>…" }; whose texts it expects.
M.letters, M.answers, M.expected = {}, {}, {}
---Alarms raised and over; what happened to the line; what the model was told.
M.alarms, M.alarms_over, M.line_events, M.instructions = {}, {}, {}, {}

---What report_emergency tells; the desk of a call takes it (fake/desk.lua).
local function no_desk()
  return nil, "the agent has no rules"
end
M.emergency = no_desk

function M.reset()
  M.openai_replies, M.heartbeats, M.session_refused, M.mail_refused = nil, {}, nil, nil
  M.alarms_open, M.mails, M.posts, M.mail_replies, M.post_replies = {}, {}, {}, {}, {}
  M.mail_from, M.rules_path, M.rules_text, M.channels_text = "alerts@example.com", nil, nil, ""
  M.alarms, M.alarms_over, M.line_events, M.instructions, M.line_is_free = {}, {}, {}, {}, true
  M.vapi_requests, M.vapi_replies, M.files, M.keep_fails = {}, nil, {}, nil
  M.told_lines, M.is_stopping, M.person, M.known_agents, M.broken_agents = {}, false, "somebody", {}, {}
  M.kept_open, M.errands, M.emergency = nil, {}, no_desk
  M.facts, M.letters, M.answers, M.expected = {}, {}, {}, {}
  M.said, M.log_lines, M.naps, M.twilio_requests = {}, {}, {}, {}
  M.vapi_requests, M.vapi_replies = {}, nil
  M.replies, M.controlled, M.done_once, M.listens_for = {}, {}, {}, nil
  M.hung_up, M.paused, M.twilio_replies, M.ended = nil, false, nil, false
  M.transfers = {}
  M.told, M.given_up = {}, {}
  M.deadline_ms, M.failed_output, M.filler = nil, nil, nil
  M.not_durable, M.barriers = nil, 0
  M.queries, M.query_handlers, M.db_handlers, M.database_down = {}, {}, {}, nil
  require("ringdown.fake.texts").reset()
  M.recorded, M.site_text = nil, nil
  now, passed_ms = nil, 0
  clock.stop()
end

function M.set_unix(unix)
  now = unix
end

---Of a call that is replayed: what "query", "db" or "http" was answered then; nil when that is not known.
M.recorded = nil ---@type nil|fun(of: string, ...: any): table?

---The clock goes on to this moment, unless it is past that already.
---@param ms integer as now_ms() tells it
function M.move_to(ms)
  if ms > passed_ms then
    now = M.unix() + ms // 1000 - passed_ms // 1000
    passed_ms = ms
  end
end

function M.unix()
  return now or os.time()
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read("a")
  file:close()
  return text
end

function M.file(name)
  if name:find("..", 1, true) or name:sub(1, 1) == "/" then
    return nil, "must be a file below the agents' folder"
  end
  local text = read((os.getenv("RINGDOWN_AGENTS") or "agents") .. "/" .. name)
  return text, not text and "no such file or directory" or nil
end

function M.shown(module)
  local path = package.searchpath(module, package.path)
  return path and path:gsub("^%./", "") or module
end

function M.source(module)
  local path = package.searchpath(module, package.path)
  return path and read(path) or ""
end

function M.zone(name)
  return name:match("^[%w_+/-]+$") and read("/usr/share/zoneinfo/" .. name) or nil
end

function M.where()
  for level = 2, 40 do
    local info = debug.getinfo(level, "Sl")
    if not info then
      return nil
    end
    local library = info.source:find("scripts/ringdown/", 1, true) or info.source:find("busted", 1, true)
    if info.what ~= "C" and info.source:sub(1, 1) == "@" and not library then
      return info.source:sub(2):gsub("^%./", ""), info.currentline
    end
  end
end

function M.log(level, event, fields)
  M.log_lines[#M.log_lines + 1] = { level = level, event = event, fields = fields }
end

---Set to a text: the journal takes nothing, for this reason.
M.not_durable = nil

function M.durable()
  M.barriers = (M.barriers or 0) + 1
  if M.not_durable then
    return nil, M.not_durable
  end
  return true
end

-- ── the database ────────────────────────────────────────────────────────────────────────────────
---What was asked, newest last: { sql, params }. Set database_down to a text: it does not answer.
M.queries, M.database_down = {}, nil
---{ part, answer }: the newest whose part stands in the SQL answers. It is a list of rows, or a
---function (params) that returns one, or nil, why, SQLSTATE.
M.query_handlers = {}
M.db_handlers = {} -- the same for the agent's own SQL, its rows by column

-- As text, as PostgreSQL would send it.
local function cell(value)
  if value == true then
    return "t"
  end
  return value ~= false and value ~= nil and tostring(value) or false
end

local function as_rows(list)
  local rows = {}
  for i, row in ipairs(list) do
    rows[i] = {}
    for column = 1, row.n or #row do
      rows[i][column] = cell(row[column])
    end
  end
  return rows
end

local function answer_of(sql, params)
  for i = #M.query_handlers, 1, -1 do
    local handler = M.query_handlers[i]
    if sql:find(handler.part, 1, true) then
      if type(handler.answer) == "function" then
        return handler.answer(params)
      end
      return handler.answer
    end
  end
  local rows = require("ringdown.fake.texts").answer(sql, params)
  if rows then
    return rows
  end
  return require("ringdown.fake.database").answer(sql, params)
end

local function kind_of(value)
  if math.type(value) == "integer" then
    return 20
  elseif type(value) == "number" then
    return 701
  end
  return type(value) == "boolean" and 16 or type(value) == "table" and 3802 or 25
end

local function text_of(value)
  if type(value) == "table" then
    return (require("ringdown.json").encode(value))
  elseif value == false then
    return "f"
  end
  return cell(value)
end

-- Columns sorted by name, because a table has no order.
local function as_table(list)
  local columns, seen, rows = {}, {}, {}
  for _, row in ipairs(list) do
    for name, value in pairs(row) do
      if not seen[name] then
        seen[name] = true
        columns[#columns + 1] = { name, kind_of(value) }
      end
    end
  end
  table.sort(columns, function(a, b)
    return a[1] < b[1]
  end)
  for i, row in ipairs(list) do
    rows[i] = {}
    for column, about in ipairs(columns) do
      rows[i][column] = row[about[1]] ~= nil and text_of(row[about[1]])
    end
  end
  return rows, columns, #list
end

---The agent's own SQL: rows, columns as { name, type }, how many; or nil, why, code.
function M.db(sql, params)
  M.queries[#M.queries + 1] = { sql = sql, params = params }
  local known = M.recorded and M.recorded("db", sql, params)
  if known then
    return table.unpack(known, 1, 3)
  end
  if M.database_down then
    return nil, M.database_down, "down"
  end
  for i = #M.db_handlers, 1, -1 do
    local handler = M.db_handlers[i]
    if sql:find(handler.part, 1, true) then
      local rows, why, code = handler.answer, nil, nil
      if type(rows) == "function" then
        rows, why, code = rows(params)
      end
      if not rows then
        return nil, why, code
      end
      return as_table(rows)
    end
  end
  return nil, "tell the answer by fake.db: " .. sql, "0A000"
end

function M.agent()
  return require("ringdown.current").def.name
end

---Rows as lists of texts, false for null; or nil, why, "down" or SQLSTATE.
function M.query(sql, params)
  M.queries[#M.queries + 1] = { sql = sql, params = params }
  local known = M.recorded and M.recorded("query", sql, params)
  if known then
    return table.unpack(known, 1, 3)
  end
  if M.database_down then
    return nil, M.database_down, "down"
  end
  local rows, why, code = answer_of(sql, params)
  if not rows then
    return nil, why, code
  end
  return as_rows(rows)
end

function M.say(words)
  if M.ended then
    return nil, "the call is over"
  end
  M.said[#M.said + 1] = words
  return true
end

function M.hang_up(reason)
  if M.ended then
    return nil, "the call is over"
  end
  M.hung_up = reason
  return true
end

function M.transfer(to)
  if M.ended then
    return nil, "the call is over"
  end
  M.transfers[#M.transfers + 1] = to
  return true
end

function M.pause(on)
  if M.ended then
    return nil, "the call is over"
  end
  M.paused = on
  return true
end

function M.deadline(ms, failed_output, filler, after_ms, second)
  M.deadline_ms, M.failed_output, M.filler = ms, failed_output, filler
  M.filler_after_ms, M.second_filler = after_ms, second
  clock.start(passed_ms, ms, filler, after_ms, second)
end

function M.http(request)
  return require("ringdown.fake.http").http(request)
end

---No real digest; equal for equal texts all the same.
function M.digest(text)
  return ("%08x"):format(require("ringdown.rollout").fnv1a32(text)):rep(8)
end

---Time passes, at most until the tool that waits has used up its own.
function M.sleep(ms)
  M.naps[#M.naps + 1] = ms
  local passes_ms = clock.wait(passed_ms, ms, M.say)
  now = M.unix() + math.tointeger((passed_ms + passes_ms) // 1000 - passed_ms // 1000)
  passed_ms = passed_ms + passes_ms
  if clock.late then
    error("the tool was late", 0)
  end
end

---@return boolean
function M.fact(type, text)
  local fact = require("ringdown.json").decode(text)
  fact.type = type
  M.facts[#M.facts + 1] = fact
  return true
end

local function open_alarm(kind, subject)
  for i, alarm in ipairs(M.alarms_open) do
    if alarm.kind == kind and alarm.subject == subject then
      return alarm, i
    end
  end
end

---As runtime/observe/alarm.c: an open one is told again when its severity changes, or its words, once a minute.
function M.alarm(severity, kind, subject, text)
  local open, at_ms = open_alarm(kind, subject or ""), M.unix() * 1000
  if not open then
    open = { kind = kind, subject = subject or "", since_ms = at_ms }
    table.insert(M.alarms_open, open)
  end
  local tell = open.severity ~= severity or open.told ~= text and at_ms - (open.told_ms or 0) >= 60000
  open.severity, open.text = severity, text
  if tell then
    open.told, open.told_ms = text, at_ms
    M.alarms[#M.alarms + 1] = { severity = severity, kind = kind, subject = subject, text = text }
  end
end

function M.alarm_over(kind, subject)
  local _, i = open_alarm(kind, subject or "")
  if i then
    table.remove(M.alarms_open, i)
  end
  M.alarms_over[#M.alarms_over + 1] = { kind = kind, subject = subject }
end

---What alerts are about and whom they go to: alarms that are open, mails and requests that went out, and what became
---of them; the operator's file and channels.
M.alarms_open, M.mails, M.posts, M.mail_replies, M.post_replies = {}, {}, {}, {}, {}
M.mail_from, M.rules_path, M.rules_text, M.channels_text = "alerts@example.com", nil, nil, ""

function M.open_alarms()
  return M.alarms_open
end

function M.mail_ready()
  return M.mail_from ~= "", M.mail_from
end

-- The next reply: true, or { why, code }.
local function next_reply(list)
  local reply = #list > 1 and table.remove(list, 1) or list[1]
  if reply == nil or reply == true then
    return true
  end
  return nil, reply[1], reply[2]
end

function M.mail(letter)
  M.mails[#M.mails + 1] = letter
  return next_reply(M.mail_replies)
end

---By default 200; a reply is a status, a table { status, retry_after_ms }, or { lost = "why" }.
function M.post(o)
  M.posts[#M.posts + 1] = o
  local reply = #M.post_replies > 1 and table.remove(M.post_replies, 1) or M.post_replies[1] or 200
  if type(reply) == "table" and reply.lost then
    return nil, reply.lost, "unknown"
  end
  return { status = type(reply) == "table" and reply[1] or reply, body = "", retry_after_ms = type(reply) == "table"
    and reply[2] or 0 }
end

---No real HMAC; it differs as one does.
function M.hmac(key, text)
  return M.digest(key .. "\0" .. text)
end

function M.unix_ms()
  return M.unix() * 1000
end

function M.alert_rules()
  return M.rules_path, M.rules_text, M.rules_path and not M.rules_text and "No such file or directory" or nil
end

function M.alert_channels()
  return M.channels_text
end

---False: another errand has the caller.
M.line_is_free = true

function M.take_line()
  return M.line_is_free or nil
end

function M.keep_open(on)
  M.kept_open = on
end

function M.fall_back(reason)
  M.line_events[#M.line_events + 1] = "fallback " .. reason
end

---Of the agent's numbers: JSON, as it is where a call begins.
M.site_text = nil ---@type string?
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
  local wait_ms = letter and math.max((letter.at or 0) - passed_ms, 0) or math.huge
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

function M.now_ms()
  return passed_ms
end

---The longest delays the runtime might draw.
function M.retry_delay(policy, failures, began_ms, after_ms)
  if policy.attempts and failures >= policy.attempts then
    return nil
  end
  local delay = math.max(math.min(policy.first_ms << (failures - 1), policy.max_ms), after_ms)
  if policy.budget_ms and passed_ms + delay > began_ms + policy.budget_ms then
    return nil
  end
  return delay
end

function M.breaker_ask(target)
  if M.given_up[target] then
    return nil, M.given_up[target]
  end
  return 1
end

function M.breaker_tell(target, ticket, how, why)
  assert(ticket == 1 and (why == nil or type(why) == "string"))
  M.told[#M.told + 1] = target .. " " .. how
end

function M.resume_url()
  return "https://calls.example.com/twilio/resume"
end

function M.twilio_ready()
  return M.twilio_replies ~= nil
end

---Not the runtime's: that one has a key.
function M.number_hash(number)
  local digits = number:gsub("%D", "")
  return ("0"):rep(64 - #digits) .. digits
end

-- The next of a list of answers; the last one stays. A function is asked.
local function reply_to(replies, method, path, body)
  local reply = replies and replies[method .. " " .. path]
  if type(reply) == "function" then
    return reply(body)
  elseif reply and reply[1] then
    reply = #reply > 1 and table.remove(reply, 1) or reply[1]
  end
  return reply
end

local function answer_with(reply)
  if not reply or reply.not_sent then
    return nil, "connection refused", "not_sent"
  elseif reply.lost then
    return nil, "the answer was lost", "unknown"
  end
  return { status = reply.status or 200, body = reply.body or "{}", retry_after_ms = reply.retry_after_ms or 0,
    date_ms = reply.date_ms or 0 }
end

function M.twilio(method, path, form)
  M.twilio_requests[#M.twilio_requests + 1] = { method = method, path = path, form = form }
  local reply = reply_to(M.twilio_replies, method, path, form)
  if not reply and M.twilio_replies and method == "POST" and path == "Messages.json" then
    reply = require("ringdown.fake.texts").post(form)
  end
  return answer_with(reply)
end

-- ── webhooks of Vapi ────────────────────────────────────────────────────────────────────────────
---What errands answered to whom they were begun for, and what calls on Vapi were told to do.
M.replies, M.controlled, M.done_once = {}, {}, {}

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

---The agent whose rules an errand's desk has.
M.listens_for = nil ---@type table?

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

-- ── operations ──────────────────────────────────────────────────────────────────────────────────
function M.vapi_ready()
  return M.vapi_replies ~= nil
end

---What OpenAI's REST API and the watcher of heartbeat.url answer, by "GET path" and "POST heartbeat"; what was told.
M.openai_replies, M.heartbeats = nil, {} ---@type table<string, table>?, string[]

function M.openai_ready()
  return M.openai_replies ~= nil
end

function M.openai(path)
  return answer_with(reply_to(M.openai_replies, "GET", path))
end

function M.outside()
  return answer_with(reply_to(M.openai_replies, "GET", "outside"))
end

---Whether OpenAI opens a session and the mail server lets us in: { code = "401", why = "…" }; nil: yes.
M.session_refused, M.mail_refused = nil, nil ---@type table?, table?

function M.openai_session(model)
  M.session_of = model
  if M.session_refused then
    return nil, M.session_refused.why, M.session_refused.code
  end
  return true
end

function M.mail_hello()
  if M.mail_refused then
    return nil, M.mail_refused.why, M.mail_refused.code
  end
  return true
end

function M.heartbeat(text)
  M.heartbeats[#M.heartbeats + 1] = text
  return answer_with(reply_to(M.openai_replies, "POST", "heartbeat", text))
end

function M.vapi(method, path, body, timeout_ms)
  M.vapi_requests[#M.vapi_requests + 1] = { method = method, path = path, body = body, timeout_ms = timeout_ms }
  if not M.vapi_replies then
    return nil, "there is no key for Vapi: set vapi.key (VAPI_API_KEY)", "not_sent"
  end
  return answer_with(reply_to(M.vapi_replies, method, path, body))
end

local function kept_name(name)
  assert(not name:find("..", 1, true) and name:match("^[%w_][%w._/+-]*$"), "no name of a kept file: " .. name)
  return name
end

---@param text string? nil: the file goes
function M.keep(name, text)
  if M.keep_fails then
    return nil, M.keep_fails
  end
  M.files[kept_name(name)] = text
  return true
end

function M.kept(name)
  return M.files[kept_name(name)]
end

function M.kept_names(prefix)
  local names = {}
  for name in pairs(M.files) do
    if name:sub(1, #prefix) == prefix and not name:find("/", #prefix + 1, true) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

function M.tell(text)
  M.told_lines[#M.told_lines + 1] = require("ringdown.json").decode(text)
end

function M.stopping()
  return M.is_stopping
end

function M.who()
  return M.person
end

function M.acts_for(who)
  assert(#who < 64)
  M.person = who
end

---Never the same twice in a spec, and no secret.
function M.random()
  M.randoms = (M.randoms or 0) + 1
  return M.digest("random " .. M.randoms)
end

function M.ours()
  return M.addresses
end

function M.agents()
  return M.known_agents, M.broken_agents
end

return M
