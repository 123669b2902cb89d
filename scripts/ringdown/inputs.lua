-- SPDX-License-Identifier: Apache-2.0
-- inputs: what a call's script saw besides the words that are kept anyway, told as facts, so that the call can be
-- replayed: how it was opened, what the agent's hosts and the database answered, keys, silences.
--
-- `opened` once, `input` for each of the others; docs/records.md has their members. The answers are kept with what was
-- asked, by which a replay finds them. While the caller says what must not be kept, there are none.
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

---Of the two facts. A replay refuses any other; raise it when what is in them means something else.
M.SCHEMA = 1

local FACTS_MAX, VALUE_MAX, ASK_MAX, SQL_MAX = 200, 8192, 1024, 160
-- A key with none so soon before or after it is a choice in a menu. Others may be a card or a PIN: they stay "*".
local APART_MS = 5000
local SEED_MAX = 1 << 46

local n_facts, paused, key, seed ---@type integer, boolean, { key: string, ms: integer, alone: boolean }?, integer

local function tell(fact)
  if host.fact and n_facts < FACTS_MAX then
    n_facts = n_facts + 1
    host.fact("input", json.encode(fact))
  end
end

-- ── what was asked, as a text that is equal for equal questions ─────────────────────────────────
-- Keys of writes hold the call's id; they say nothing that the other parameters do not.
local function words_of(params)
  local words = {}
  for i = 1, #params do
    local word = tostring(params[i])
    words[i] = #word == 64 and not word:find "%X" and "#" or word
  end
  return table.concat(words, "\t")
end

local function sql_and_params(sql, params)
  -- Whether a text may go is asked with everything about it, the time too.
  return sql:sub(1, SQL_MAX) .. (sql:find("may_text(", 1, true) and "" or "\n" .. words_of(params or {}))
end

local asked = {
  query = sql_and_params,
  db = sql_and_params,
  http = function(request)
    return ("%s %s\n%s"):format(request.method, request.url, request.body or "")
  end,
}

---@param of "query"|"db"|"http" function of the host
---@return string
function M.ask(of, ...)
  local ask = asked[of](...)
  return #ask <= ASK_MAX and ask or ("%s… %d"):format(ask:sub(1, ASK_MAX), #ask)
end

local function listed(value)
  return value == nil and false or value
end

-- Up to three results; nil is false, which none of these functions returns.
local function watch(of)
  local function keep(ask, ...)
    local value = json.encode { listed((...)), listed((select(2, ...))), listed((select(3, ...))) }
    local hidden = paused or not value or #value > VALUE_MAX
    tell { kind = of, ask = ask, value = not hidden and value or nil, cut = hidden or nil }
    return ...
  end
  local answer = host[of]
  host[of] = answer and function(...)
    return keep(M.ask(of, ...), answer(...))
  end
end

local function watch_pauses()
  local pause = host.pause
  host.pause = pause and function(on)
    paused = on
    return pause(on)
  end
end

---Before the agent's file runs. `of_replay`: the seed that its random numbers had.
---@param of_replay integer?
function M.begin(of_replay)
  n_facts, paused, key = 0, false, nil
  seed = of_replay or math.random(SEED_MAX)
  math.randomseed(seed)
  for of in pairs(asked) do
    watch(of)
  end
  watch_pauses()
end

---What the carrier said that is no part of the other facts.
local FORM = { "CallerName", "StirVerstat" }

---@param form table<string, string>
---@param site table?
---@param brief string JSON
function M.opened(form, site, brief)
  local fact = { schema = M.SCHEMA, seed = ("%d"):format(seed), unix = require("ringdown.time").unix(), form = {},
    site = site, brief = host.digest(brief):sub(1, 16) }
  for _, name in ipairs(FORM) do
    fact.form[name] = form[name]
  end
  if host.fact then
    host.fact("opened", json.encode(fact))
  end
end

-- C counts keys by 32 bits of the clock.
local function ms_since(key_ms, now_ms)
  return (now_ms - key_ms) & 0xffffffff
end

local function let_key_out(ago_ms)
  if key and key.alone and ago_ms >= APART_MS then
    tell { kind = "key", key = key.key, ago_ms = ago_ms }
  end
end

---Something happened in the call that the script is told of. Of keys, `number` is when it was pressed.
---@param event string
---@param text string
---@param number integer
function M.event(event, text, number)
  if event == "silence" then
    tell { kind = "silence", n = number }
  elseif event == "dtmf" then
    local now_ms = number > 0 and number or host.now_ms()
    local ago_ms = key and ms_since(key.ms, now_ms)
    let_key_out(ago_ms)
    key = { key = text, ms = now_ms, alone = not paused and (not key or ago_ms >= APART_MS) }
  end
end

---The call is over: no key can follow the last one.
function M.ended()
  if key then
    let_key_out(math.max(ms_since(key.ms, host.now_ms()), APART_MS))
  end
end

return M
