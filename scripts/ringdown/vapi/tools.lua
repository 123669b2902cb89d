-- SPDX-License-Identifier: Apache-2.0
-- vapi.tools: the errand `vapi_tools`: Vapi's model called tools of the agent. They are the same tools, checked and
-- bounded alike; a write happens once per call, tool and arguments, whichever process is asked and however often.
--
-- Vapi ignores any answer but 200, so each tool has its result or its error in one, in one line each. Its pages show
-- tools in three shapes, and there is an older message with one of them: all are read.
--
-- Failure modes: the database does not answer: reading tools run, what writes says that it cannot. A tool that is late:
-- it and those behind it have failed; a write among them is unknown from then on, and not done again.
local args_of = require "ringdown.tool_args"
local calls = require "ringdown.vapi.calls"
local control = require "ringdown.vapi.control"
local host = require "ringdown.host"
local json = require "ringdown.json"
local log = require "ringdown.log"
local numbers_of = require "ringdown.transfer".numbers_of
local tool_run = require "ringdown.tool_run"

local M = {}

local LIST_MAX, ASK_MS, GOODBYE_MS, RECORD_MAX = 16, 3000, 3000, 8000
local NOT_RECORDED = "nothing was done, because it could not be recorded first"
local NOT_RUN = "This is not working right now. Say so, and offer to take a message."

---@class ringdown.vapi.asked
---@field id string
---@field name string
---@field arguments string JSON

local function as_text(arguments)
  if type(arguments) == "string" then
    return arguments
  end
  return type(arguments) == "table" and json.encode(arguments) or ""
end

local function first_of(...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if value ~= nil then
      return value
    end
  end
end

local function table_or_empty(value)
  return type(value) == "table" and value or {}
end

-- {id, type, function: {name, arguments}}, {id, name, arguments}, {id, name, parameters}; or with the tool around it.
local function read_one(item)
  item = table_or_empty(item)
  local inner = table_or_empty(item.toolCall)
  local call = next(inner) and inner or item
  local f = table_or_empty(call["function"])
  return {
    id = tostring(first_of(call.id, item.id, "")):sub(1, 128),
    name = tostring(first_of(f.name, call.name, "")):sub(1, 128),
    arguments = as_text(first_of(f.arguments, f.parameters, call.arguments, call.parameters)),
  }
end

---What is asked, in whichever shape.
---@param p table
---@return ringdown.vapi.asked[]
function M.read(p)
  local list = {}
  if type(p["function"]) == "table" then
    list[1] = read_one(p["function"])
  end
  for _, item in ipairs(table_or_empty(p.tools)) do
    if #list < LIST_MAX then
      list[#list + 1] = read_one(item)
    end
  end
  return list
end

-- ── a write, once ───────────────────────────────────────────────────────────────────────────────
-- The digest that a write is known by; nil: it is none, or its arguments are wrong, which the tool's run says.
local function write_key(session, asked)
  local t = tool_run.named(session.def, asked.name)
  if not t or t.effect ~= "write" then
    return nil
  end
  local given = asked.arguments:match "%S" and json.decode(asked.arguments) or {}
  local args = type(given) == "table" and args_of.check(t, given)
  return args and host.digest(tool_run.key(t, args)) or nil
end

-- What the same write came to; nil: it is ours to do.
local function output_of_same(p, key)
  local rows, why = host.query("select mine, known from vapi_write_begin($1, $2)", { p.call, key }, ASK_MS)
  if not rows or not rows[1] then
    error(NOT_RECORDED .. ": " .. tostring(why), 0)
  elseif rows[1][1] == "t" then
    return nil
  end
  return rows[1][2] or tool_run.unknown_outcome
end

local function settle(p, key, output, whom)
  local value = json.decode(output)
  local again = whom ~= nil or type(value) == "table" and (value.refused or value.error) and true
  pcall(host.query, "select vapi_write_end($1, $2, $3)", { p.call, key, not again and output or false }, ASK_MS)
end

-- ── one tool ────────────────────────────────────────────────────────────────────────────────────
local function record(asked, output)
  host.fact("tool", json.encode { id = asked.id, name = asked.name, done = output ~= nil,
    arguments = output == nil and asked.arguments:sub(1, RECORD_MAX) or nil,
    output = output and output:sub(1, RECORD_MAX) })
end

local function run_one(p, session, asked)
  record(asked)
  local key = write_key(session, asked)
  local same = key and output_of_same(p, key)
  if same then
    record(asked, same)
    return same
  end
  local output, _, reason, whom = session:tool(asked.name, asked.arguments)
  if key then
    settle(p, key, output, whom)
  end
  record(asked, output)
  return output, reason, whom
end

local function failed_words(session, name)
  local t = tool_run.named(session.def, name)
  return t and t.failed or NOT_RUN
end

-- Where it broke, and nothing of what it says: an error's text may have the caller's number.
local function place_of(broken)
  local words = tostring(broken)
  return words:match "^[%w_./-]+:%d+%f[:]" or words:match("^" .. NOT_RECORDED) or "no place was told"
end

-- ── the answer ──────────────────────────────────────────────────────────────────────────────────
local function one_line(text)
  return (text:gsub("%s*[\r\n]+%s*", " "))
end

local function document(p, results)
  if p["function"] then
    local only = results[1] or { error = NOT_RUN }
    return json.encode { result = only.result or only.error }
  end
  return json.encode { results = json.array(results) }
end

local function result_of(asked, output)
  return { toolCallId = asked.id, name = asked.name, result = one_line(output) }
end

local function error_of(asked, words)
  return { toolCallId = asked.id, name = asked.name, error = one_line(words) }
end

-- What is answered when the tool that runs now is late: those before have their results, the others failed.
local function answer_if_late(p, session, list, results)
  local all = { table.unpack(results) }
  for i = #all + 1, #list do
    all[i] = error_of(list[i], failed_words(session, list[i].name))
  end
  return document(p, all)
end

-- The library's tools say how long they may take and what the model hears else: here it is the whole answer.
local function bound(p, session, list, results)
  local deadline = host.deadline
  local function in_time(ms)
    deadline(ms, answer_if_late(p, session, list, results))
  end
  host.deadline = in_time
  return function()
    host.deadline = deadline
    deadline(GOODBYE_MS * 10, NOT_RUN)
  end
end

-- Only once Vapi has the result, so that its assistant can say it.
local function act_afterwards(p, session, reason, whom)
  if whom then
    local numbers = numbers_of(session.def, whom)
    if numbers then
      control.transfer(p, numbers[1])
    end
  elseif reason then
    host.sleep(GOODBYE_MS)
    control.hang_up(p)
  end
end

---@param p table ringdown.vapi.call, and `tools` or `function`
---@param def table the agent
function M.run(p, def)
  local list, results, reason, whom = M.read(p), {}, nil, nil
  local session, close = calls.open(p, def)
  local before = calls.state_of(session)
  local unbound = bound(p, session, list, results)
  for i, asked in ipairs(list) do
    local done, output, wants_end, wants_person = pcall(run_one, p, session, asked)
    if done then
      results[i] = result_of(asked, output)
      reason, whom = reason or wants_end, whom or wants_person
    else
      log.fact("error", "vapi.tool_failed", p.call, { tool = log.known(asked.name), why = log.known(place_of(output)),
        fix = log.known "mend the agent's file; the words say where" })
      results[i] = error_of(asked, failed_words(session, asked.name))
      record(asked, json.encode { failed = true })
    end
    before = calls.remember(p, session, before)
  end
  unbound()
  host.reply(document(p, results))
  close()
  act_afterwards(p, session, reason, whom)
end

return M
