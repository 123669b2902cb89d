-- SPDX-License-Identifier: Apache-2.0
-- inputs: what a call's script saw besides the words that are kept anyway, told as facts, so that the call can be
-- replayed: how it was opened, what the agent's hosts and the database answered, keys, silences.
--
-- `opened` once, `input` for each of the others; docs/records.md has their members. The answers are kept with what was
-- asked, by which a replay finds them. While the caller says what must not be kept, there are none. Every call has this
-- module; what only some calls need is in input_keys.lua.
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

---Of the two facts. A replay refuses any other; raise it when what is in them means something else.
M.SCHEMA = 1

local FACTS_MAX, VALUE_MAX, ASK_MAX, SQL_MAX = 200, 8192, 1024, 160
local SEED_MAX = 1 << 46

local n_facts, seed = 0, nil ---@type integer, integer
M.paused = false ---@type boolean

---At the limit one last fact says that more happened.
function M.tell(fact)
  if host.fact and n_facts <= FACTS_MAX then
    n_facts = n_facts + 1
    host.fact("input", json.encode(n_facts <= FACTS_MAX and fact or { kind = "cut" }))
  end
end

---What was asked, as a text that is equal for equal questions. Keys of writes hold the call's id and say nothing that
---the other parameters do not; whether a text may go is asked with everything about it, the time too.
---@param of "query"|"db"|"http" function of the host
---@param what string|table SQL, or a request
---@param params table?
---@return string
function M.ask(of, what, params)
  local ask
  if of == "http" then
    ask = ("%s %s\n%s"):format(what.method, what.url, what.body or "")
  else
    local words = { what:sub(1, SQL_MAX) }
    for i = 1, what:find("may_text(", 1, true) and 0 or #(params or {}) do
      local word = tostring(params[i])
      words[i + 1] = #word == 64 and not word:find "%X" and "#" or word
    end
    ask = table.concat(words, "\t")
  end
  return #ask <= ASK_MAX and ask or ("%s… %d"):format(ask:sub(1, ASK_MAX), #ask)
end

local function keep(of, ask, ...)
  local answer, more, last = ...
  local value = json.encode { answer or false, more or false, last or false }
  local hidden = M.paused or not value or #value > VALUE_MAX
  M.tell { kind = of, ask = ask, value = not hidden and value or nil, cut = hidden or nil }
  return ...
end

---Before the agent's file runs. `of_replay`: the seed that its random numbers had.
---@param of_replay integer?
function M.begin(of_replay)
  n_facts, M.paused, M.keys = 0, false, nil
  seed = of_replay or math.random(SEED_MAX)
  math.randomseed(seed)
  for _, of in ipairs { "query", "db", "http" } do
    local answer = host[of]
    host[of] = answer and function(what, params, ...)
      return keep(of, M.ask(of, what, params), answer(what, params, ...))
    end
  end
  local pause = host.pause
  host.pause = pause and function(on)
    M.paused = on
    return pause(on)
  end
end

local letters = { ["0"] = "a", ["1"] = "b", ["2"] = "c", ["3"] = "d", ["4"] = "e", ["5"] = "f", ["6"] = "g",
  ["7"] = "h", ["8"] = "i", ["9"] = "j" }

---A number in letters, a to j: so many digits in a row may look like a card, and nobody would keep them.
---@param number integer
---@return string
function M.lettered(number)
  return (("%d"):format(number):gsub("%d", letters))
end

---@param form table<string, string> the carrier's; only what is in no other fact
---@param site table?
---@param brief string JSON
---@param routes table? what was known about where the agent's calls go
function M.opened(form, site, brief, routes)
  if host.fact then
    host.fact("opened", json.encode { schema = M.SCHEMA, seed = M.lettered(seed),
      unix = require("ringdown.time").unix(), site = site, routes = routes,
      form = { CallerName = require("ringdown.call").name_of(form), StirVerstat = form.StirVerstat },
      brief = host.digest(brief):sub(1, 16) })
  end
end

---Something happened in the call that the script is told of. Of keys, `number` is when it was pressed.
---@param event string
---@param text string
---@param number integer
function M.event(event, text, number)
  if event == "silence" then
    M.tell { kind = "silence", n = number }
  elseif event == "dtmf" then
    M.keys = M.keys or require("ringdown.input_keys").new(M)
    M.keys:press(text, number > 0 and number or host.now_ms())
  end
end

---The call is over: no key can follow the last one.
function M.ended()
  if M.keys then
    M.keys:last(host.now_ms())
    M.keys = nil
  end
end

return M
