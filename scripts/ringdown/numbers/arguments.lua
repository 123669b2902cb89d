-- SPDX-License-Identifier: Apache-2.0
-- numbers.arguments: what a person may say behind `ringdown numbers ACTION`. Each mistake is told with what is allowed.
local nearest = require "ringdown.nearest"
local sorted = require "ringdown.sorted"

local M = {}

local WHICH = { agent = true, all = true, file = true }
local BULK = { wave = true, pause = true, max_failures = true, resume = true, reason = true, dry_run = true }

local function both(a, b)
  local set = {}
  for name in pairs(a) do
    set[name] = true
  end
  for name in pairs(b or {}) do
    set[name] = true
  end
  return set
end

---By action: the options, and how many words it wants: "numbers" (some), "number" (one), "file", "none".
local known = {
  sync = { options = {}, words = "none" },
  show = { options = {}, words = "numbers" },
  runs = { options = {}, words = "none" },
  switch = { options = both(both(WHICH, BULK), { to = true, texts = true }), words = "which" },
  verify = { options = both(WHICH, { call = true, from = true }), words = "which" },
  drift = { options = {}, words = "none" },
  snapshot = { options = both(WHICH, { script = true, now = true }), words = "which" },
  restore = { options = both(BULK, { all = true, first = true, file = true }), words = "which" },
  import = { options = {}, words = "file" },
}
M.actions = sorted.keys(known)

local NUMBER = "^%+[1-9]%d%d%d%d%d%d%d?%d?%d?%d?%d?%d?%d?%d?$"
local counts = { wave = { 1, 10000 }, pause = { 0, 3600 }, max_failures = { 1, 10000 }, resume = { 1, 1 << 53 } }

local function check_options(payload, about, complain)
  for name in pairs(payload.options) do
    if not about.options[name] then
      complain(("--%s is not for `numbers %s`; %s"):format(name:gsub("_", "-"), payload.action,
        next(about.options) and "it knows --" .. table.concat(sorted.keys(about.options), ", --"):gsub("_", "-")
          or "it has no options"))
    end
  end
  for name, range in pairs(counts) do
    local text = payload.options[name]
    local value = text and math.tointeger(tonumber(text))
    if text and not (value and value >= range[1] and value <= range[2]) then
      complain(("--%s must be a number from %d on, not '%s'"):format(name:gsub("_", "-"), range[1], text))
    end
    payload.options[name] = value
  end
end

-- The words are numbers; of `restore` also a run.
local function check_words(payload, complain)
  payload.numbers = {}
  for _, word in ipairs(payload.words) do
    if word:match(NUMBER) then
      table.insert(payload.numbers, word)
    elseif payload.action == "restore" and word:match("^%d+$") and #word < 10 and not payload.run then
      payload.run = math.tointeger(tonumber(word))
    else
      complain(("'%s' is no number like +13125550100%s"):format(word, payload.action == "restore"
        and ", and no run like 7" or ""))
    end
  end
end

-- A list in a file: the first word of each line.
local function read_list(payload, complain)
  local n = 0
  for line in ((payload.text or ""):gsub("^\xEF\xBB\xBF", "") .. "\n"):gmatch("(.-)\r?\n") do
    n = n + 1
    local word = line:match("^%s*\"?([^%s,\"#]+)")
    if word and word:match(NUMBER) then
      table.insert(payload.numbers, word)
    elseif word and not (n == 1 and word == "number") then
      complain(("line %d of the file: '%s' is no number like +13125550100"):format(n, word))
    end
  end
end

local function check_which(payload, complain)
  local o = payload.options
  if #payload.numbers == 0 and not (o.all or o.agent or o.resume or payload.run) then
    complain(("for which numbers? Name them, or say --%s"):format(payload.action == "restore" and "all, or a run"
      or "all, --agent A or --file FILE"))
  end
  if payload.action == "switch" and not o.resume and o.to ~= "ringdown" and o.to ~= "vapi" then
    complain(o.to and ("--to must be ringdown or vapi, not '%s'"):format(o.to) or "say where to: --to ringdown|vapi")
  end
end

---Checks it, and puts the options where the actions look for them.
---@param payload table { action, words, options, text }
---@return string[] complaints
function M.check(payload)
  local complaints, about = {}, known[payload.action]
  local function complain(text)
    complaints[#complaints + 1] = text
  end
  if not about then
    return { ("there is no `numbers %s`; %s"):format(payload.action, nearest.hint(payload.action, M.actions)) }
  end
  payload.words, payload.options = payload.words or {}, payload.options or {}
  check_options(payload, about, complain)
  if about.words == "none" and #payload.words > 0 then
    complain(("`numbers %s` takes no more words"):format(payload.action))
  elseif about.words == "numbers" or about.words == "which" then
    check_words(payload, complain)
  end
  if payload.options.file and about.options.file then
    read_list(payload, complain)
  end
  if about.words == "which" then
    check_which(payload, complain)
  elseif about.words == "numbers" and #payload.numbers == 0 then
    complain(("`numbers %s` needs a number like +13125550100"):format(payload.action))
  end
  for name, value in pairs(payload.options) do
    payload[name] = value
  end
  payload.pause_s = payload.pause
  return complaints
end

return M
