-- SPDX-License-Identifier: Apache-2.0
-- One node for tests in a browser: with doubles around it, and a database with something in it.
--
-- usage: lua5.4 spec/e2e/support/stand.lua
--
-- The first line on stdout is what there is: { admin, url, tokens = { viewer, operator, admin } }. Then each line on
-- stdin is an order in JSON, and each is answered by a line: { "answer": … } or { "error": "…" }. It ends, and all that
-- it started, when stdin is closed.
--
--   { "do": "link", "role": "operator" }             a log-in link
--   { "do": "token", "role": …, "agents": [ … ] }    another token
--   { "do": "call", "scenario": "holds-the-line", … }  a call that goes on by itself; what Node:place() takes: its SID
--   { "do": "wait_calls" }                           until those calls are over
--   { "do": "sql", "sql": "select …" }               rows
--   { "do": "run", "sql": "insert …" }
--   { "do": "ringdown", "words": [ "numbers", … ] }  a command beside the node
--   { "do": "text", "from": …, "to": …, "body": … }  somebody texts
--   { "do": "node", "signal": "STOP" }               the node hangs (CONT: goes on)
--   { "do": "phones", "numbers": 4 }                 Twilio's API has so many numbers (+1312555010x), all imported at
--                                                    Vapi for the plumber's assistant; "away": none
--   { "do": "twilio", "number": …, "fields": { "VoiceUrl": … } }  somebody changes that number at Twilio
--   { "do": "agent", "name": "x.lua", "text": … }    a file of the agents' folder is written; without text it goes
--   { "do": "restart" }                              the node ends and comes back at the same addresses
--   { "do": "database", "away": true }               PostgreSQL is frozen, or not
--
-- What is in the database: each spec/e2e/support/seed_*.lua has fill(url), called in the order of their names before
-- the node starts, and may have started(n), called when it has.
package.path = "./?.lua;scripts/?.lua;scripts/?/init.lua;" .. package.path
package.preload["ringdown.host"] = function()
  return require "ringdown.fake.host"
end

local json = require "cjson"
local lfs = require "lfs"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local tokens = {}
local placed = {}
local restarts = 1
local n

local function seeds()
  local list = {}
  for name in lfs.dir "spec/e2e/support" do
    list[#list + 1] = name:match "^(seed_[%w_]+)%.lua$"
  end
  table.sort(list)
  for i, name in ipairs(list) do
    list[i] = require("spec.e2e.support." .. name)
  end
  return list
end

local function ringdown(...)
  local said, code = n:ringdown(...)
  assert(code == 0, type(said) == "string" and said or json.encode(said))
  return said
end

local function token(role, agents)
  local name = ("%s-%d"):format(role, #tokens + 1)
  local words = { "tokens", "create", name, "--role", role }
  if agents and #agents > 0 then
    words[#words + 1], words[#words + 2] = "--agents", table.concat(agents, ",")
  end
  tokens[#tokens + 1] = ringdown(table.unpack(words)):match "rd_%x+"
  return assert(tokens[#tokens])
end

local orders = {}

function orders.link(o)
  return ringdown("console", "link", "maria", "--role", o.role or "operator"):match "http%S+"
end

function orders.token(o)
  return token(o.role or "viewer", o.agents)
end

function orders.call(o)
  o.scenarios = o.scenarios or { o.scenario }
  local p = n:place(o)
  placed[#placed + 1] = p
  local event = assert(p:wait_event(o.until_event or "agent.silent"), "nobody was greeted: " .. p.child:text())
  return event.call
end

function orders.wait_calls()
  for i = #placed, 1, -1 do
    table.remove(placed, i):wait()
  end
  return true
end

function orders.sql(o)
  return pg.query(n.database, o.sql)
end

function orders.run(o)
  pg.run(n.database, o.sql)
  return true
end

function orders.ringdown(o)
  return ringdown(table.unpack(o.words))
end

function orders.text(o)
  return n:text(o).status
end

function orders.node(o)
  n.child:signal(o.signal)
  return true
end

local phones

local assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11"

-- All of the account's numbers are at Vapi, too; it has the first of them already.
local function import_at_vapi(n_numbers)
  local function vapi(method, path, body)
    local status, answer = n.vapi:api(method, path, body)
    assert(status < 300, ("%s %s: %d %s"):format(method, path, status, json.encode(answer)))
    return answer
  end
  local known = {}
  for _, one in ipairs(vapi("GET", "/phone-number")) do
    known[one.number] = one.id
  end
  for i = 0, n_numbers - 1 do
    local number = ("+1312555%04d"):format(100 + i)
    if known[number] then
      vapi("PATCH", "/phone-number/" .. known[number], { assistantId = assistant })
    else
      vapi("POST", "/phone-number", { provider = "twilio", number = number, twilioAccountSid = node.account,
        assistantId = assistant })
    end
  end
end

-- The first call's Twilio has the same address: it is over before.
function orders.phones(o)
  orders.wait_calls()
  if phones then
    phones:stop()
    phones = nil
  end
  if not o.away then
    phones = n:phones { numbers = math.tointeger(o.numbers) }
    import_at_vapi(math.tointeger(o.numbers))
  end
  return true
end

function orders.twilio(o)
  local form = {}
  for name, value in pairs(o.fields) do
    form[#form + 1] = "--data-urlencode " .. proc.quote(name .. "=" .. value)
  end
  local told = proc.run(("curl -sS --max-time 30 -u %s:%s %s http://127.0.0.1:%d/2010-04-01/Accounts/%s/"
    .. "IncomingPhoneNumbers/PN%032x.json"):format(node.account, node.token, table.concat(form, " "), n.rest_port,
    node.account, tonumber(o.number:sub(2))))
  assert(told:find('"phone_number"', 1, true), told)
  return true
end

function orders.agent(o)
  local path = n.agents .. "/" .. o.name
  if o.text then
    proc.write(path, o.text)
  else
    assert(os.remove(path))
  end
  return true
end

function orders.restart()
  n.child:ask_to_stop()
  n.child:wait(60)
  restarts = restarts + 1
  n.child = proc.start { name = "serve" .. restarts, folder = n.folder, args = { proc.binary(), "serve" }, env = n.env }
  n:wait_ready()
  return true
end

function orders.database(o)
  pg[o.away and "freeze" or "thaw"]()
  return true
end

local function line(value)
  io.stdout:write(json.encode(value), "\n")
  io.stdout:flush()
end

-- The shipped agents, where one of them may be answered by either system, and is recorded.
local function shipped()
  local files = {}
  for path in proc.run("find agents -type f"):gmatch "[^\n]+" do
    files[path:match "^agents/(.+)"] = proc.read(path)
  end
  local name, vapi = "northside-plumbing.lua",
    ('%%0  vapi = { assistant = "%s", no_triage = "accepted" },\n'):format(assistant)
  local text, n_changed = files[name]:gsub("\n  openai = [^\n]+\n", vapi, 1)
  assert(n_changed == 1, "its openai table is written otherwise now")
  files[name], n_changed = text:gsub("\n  greeting = ", "\n  record = true,%0", 1)
  assert(n_changed == 1, "its greeting is written otherwise now")
  return files
end

local function begin()
  local database, list = pg.database(), seeds()
  for _, seed in ipairs(list) do
    seed.fill(database)
  end
  n = node.start { agents = shipped(), database = database, vapi = {} }
  for _, role in ipairs { "viewer", "operator", "admin" } do
    tokens[role] = token(role)
  end
  for _, seed in ipairs(list) do
    if seed.started then
      seed.started(n)
    end
  end
  assert(proc.wait_for(function() -- what the leader counts each minute, now
    pg.query(database, "select statistics_roll(1000)")
    return pg.query(database, "select count(*) n from statistics_dirty")[1].n == 0
  end, 60), "the seeds are not counted")
  line { admin = "http://127.0.0.1:" .. n.admin_port, url = n.url, database = n.database, tokens = {
    viewer = tokens.viewer, operator = tokens.operator, admin = tokens.admin } }
end

local function obey()
  for text in io.lines() do
    local good, order = pcall(json.decode, text)
    local run = good and orders[order["do"]]
    local done, answer = pcall(run or error, run and order or "no such order: " .. text)
    line(done and { answer = answer } or { error = tostring(answer) })
  end
end

local done, why = xpcall(function()
  begin()
  obey()
end, debug.traceback)
if n then
  pg.thaw()
  n.child:signal "CONT"
  if phones then
    phones:stop()
  end
  for _, p in ipairs(placed) do
    p.child:stop()
  end
  pcall(n.stop, n)
end
pg.stop()
if not done then
  io.stderr:write(why, "\n")
  os.exit(1)
end
