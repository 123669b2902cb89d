-- SPDX-License-Identifier: Apache-2.0
-- A node under test, and what one does with it.
--
--   local n = node.start{ agents = FOLDER or { ["x.lua"] = text }, env = { NAME = value },
--                         fault = "401", sim = SIM, tls = CERTIFICATE }
--   n.url                            the public address
--   n:get(path)                   -> { status, body, headers }
--   n:admin(path, o)              -> the same, of the admin listener
--   n:post_signed(path, fields)   -> the same; `fields` is a table of strings
--   n:call{ scenarios = { F, … }} -> all went well, a report per call, all events of the network
--   n:status(), n:calls(), n:transcript(sid)   what the control socket tells
--   n:watch()                        :events(), :turns(sid), :wait_for_ends(n), :stop()
--   n:log(event)                     lines of the log, each a table of strings
--   n:complaints()                   those that ask for attention
--   n:stop()                         ends it, removes its folder; its exit code. An error when anything
--                                    outlived its call: every story is also about that
--
--   n.database                       the URL of its database: a fresh one, unless `database` names
--                                    another; `database = false`: a private cluster
--
--   n.vapi                           its simulated Vapi, with `vapi = { … }` (support/vapi.lua)
--
-- Without `sim`, a simulated OpenAI of its own is started and ended with it; `sim = false`: none.
local json = require "cjson"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local sims = require "spec.e2e.support.sim"
local vapis = require "spec.e2e.support.vapi"

local node = {}
local Node = {}
Node.__index = Node

node.account = "AC5f1d0e7a29b84c36a1e0d9c7b6a59483"
node.token = "7d3f9a0c5e1b48268f40d2c1b3a69e57"

local function agents_folder(folder, agents)
  if type(agents) == "string" then
    return agents
  end
  local path = folder .. "/agents"
  proc.run("mkdir -p " .. path)
  for name, text in pairs(agents) do
    proc.run("mkdir -p " .. (path .. "/" .. name):match "^(.*)/")
    proc.write(path .. "/" .. name, text)
  end
  return path
end

-- The environment of a node; what the caller of node.start gave wins. Nothing leaks in from ours.
local function environment(n, o)
  local env = {
    RINGDOWN_LISTEN = "127.0.0.1:" .. n.port,
    RINGDOWN_PUBLIC_URL = n.url,
    RINGDOWN_ADMIN_LISTEN = "127.0.0.1:" .. n.admin_port,
    RINGDOWN_ADMIN_HOSTS = false,
    RINGDOWN_DATA = n.folder .. "/data",
    RINGDOWN_AGENTS = n.agents,
    RINGDOWN_CONFIG = o.config or false,
    RINGDOWN_TLS_CERT = o.tls and o.tls.certificate or false,
    RINGDOWN_TLS_KEY = o.tls and o.tls.key or false,
    RINGDOWN_CA_FILE = n.ca_file or false,
    DATABASE_URL = n.database,
    OPENAI_REALTIME_URL = n.sim and n.sim:url(o.fault) or "ws://127.0.0.1:9/v1/realtime",
    OPENAI_REALTIME_MODEL = false,
    OPENAI_API_KEY = "sk-double",
    TWILIO_ACCOUNT_SID = node.account,
    TWILIO_AUTH_TOKEN = node.token,
    TWILIO_API_URL = "http://127.0.0.1:" .. n.rest_port,
    VAPI_API_URL = false,
    VAPI_API_KEY = false,
    VAPI_WEBHOOK_SECRET = false,
    VAPI_WEBHOOK_HMAC = false,
    RINGDOWN_FORCE = false,
    -- A script is as slow as its machine is busy; a story about that says how long it may take.
    RINGDOWN_SCRIPT_DEADLINE_MS = proc.promised(1) > 1 and "10000" or false,
    RINGDOWN_LOG = false,
    RINGDOWN_LOG_FORMAT = false,
  }
  for name, value in pairs(n.vapi and n.vapi.env or {}) do
    env[name] = value
  end
  for name, value in pairs(o.env or {}) do
    env[name] = value
  end
  return env
end

-- Starts `ringdown serve` without waiting until it answers.
function node.launch(o)
  o = o or {}
  local n = setmetatable({ folder = proc.folder "node", port = o.port or proc.free_port(), tls = o.tls }, Node)
  n.rest_port, n.admin_port = proc.free_port(), proc.free_port()
  n.url = ("%s://127.0.0.1:%d"):format(o.tls and "https" or "http", n.port)
  n.agents = agents_folder(n.folder, o.agents or "agents")
  if o.sim == nil then
    n.own_sim = sims.start()
  end
  n.sim = n.own_sim or o.sim
  n.database = o.database == nil and pg.database() or o.database
  n.ca_file = o.ca_file or o.tls and o.tls.authority.file or n.sim and n.sim.tls and n.sim.tls.authority.file
  if o.vapi then
    n.vapi = vapis.start { url = n.url, ca_file = n.ca_file, scenarios = o.vapi.scenarios, sign = o.vapi.sign,
      secret = o.vapi.secret, fault = o.vapi.fault }
  end
  n.env = environment(n, o)
  local args = o.child and o.child(n) or { proc.binary(), "serve" } -- child(n): started by another program
  n.child = proc.start { name = "serve", folder = n.folder, args = args, env = n.env }
  return n
end

-- Until it answers; an error when it ended instead.
function Node:wait_ready()
  local ready = proc.wait_for(function()
    return self.child:ended() or self.child:text():find("\nLook inside", 1, true) and self:get("/livez").status == 200
  end, 60)
  if not ready or self.child:ended() then
    local text = self.child:text()
    self:stop()
    error("the node does not start: " .. text, 2)
  end
  return self
end

function node.start(o)
  return node.launch(o):wait_ready()
end

-- ---- requests ----

local function header_table(text)
  local headers = {}
  for name, value in text:gmatch "([%w-]+):[ \t]*([^\r\n]*)" do
    headers[name:lower()] = value
  end
  return headers
end

-- n:request{ path =, method =, body =, headers = { Name = value }, url = } by curl.
-- status 0 and `error` when there was no answer.
function Node:request(o)
  local base = os.tmpname()
  local words = { "curl", "-sS", "--max-time", "30", "--http1.1", "-o", base, "-D", base .. ".head", "-w",
    "%{http_code}", "-X", o.method or (o.body and "POST" or "GET") }
  if self.ca_file then
    table.insert(words, "--cacert")
    table.insert(words, self.ca_file)
  end
  for name, value in pairs(o.headers or {}) do
    table.insert(words, "-H")
    table.insert(words, name .. ": " .. value)
  end
  if o.body then
    proc.write(base .. ".body", o.body)
    table.insert(words, "--data-binary")
    table.insert(words, "@" .. base .. ".body")
  end
  table.insert(words, (o.url or self.url) .. o.path)
  for i, word in ipairs(words) do
    words[i] = proc.quote(word)
  end
  local said = proc.run(table.concat(words, " ") .. " 2>" .. base .. ".err")
  local answer = {
    status = tonumber(said:match "%d+$") or 0,
    body = proc.read(base),
    headers = header_table(proc.read(base .. ".head")),
    error = proc.read(base .. ".err"),
  }
  for _, tail in ipairs { "", ".head", ".body", ".err" } do
    os.remove(base .. tail)
  end
  return answer
end

function Node:get(path)
  return self:request { path = path }
end

-- The admin listener: n:admin("/api/v1/calls", { method =, body =, headers = }) -> { status, body, headers }.
function Node:admin(path, o)
  o = o or {}
  return self:request { path = path, url = "http://127.0.0.1:" .. self.admin_port, method = o.method, body = o.body,
    headers = o.headers }
end

local function escape(text)
  return (text:gsub("[^%w%-._~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

-- "a=1&b=2", sorted by name.
function node.form(fields)
  local names, parts = {}, {}
  for name in pairs(fields) do
    table.insert(names, name)
  end
  table.sort(names)
  for _, name in ipairs(names) do
    table.insert(parts, escape(name) .. "=" .. escape(fields[name]))
  end
  return table.concat(parts, "&"), names
end

-- What Twilio puts into X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and each name and value.
function node.signature(url, fields, token)
  local _, names = node.form(fields)
  local text = { url }
  for _, name in ipairs(names) do
    table.insert(text, name .. fields[name])
  end
  local file = os.tmpname()
  proc.write(file, table.concat(text))
  local signed = proc.run(("openssl dgst -sha1 -hmac %s -binary %s | openssl base64 -A")
    :format(proc.quote(token or node.token), file))
  os.remove(file)
  return (signed:gsub("%s+", ""))
end

-- A webhook of Twilio. `o.token`: signed by another; `o.signature`: this one, whatever it is.
function Node:post_signed(path, fields, o)
  o = o or {}
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
  headers["X-Twilio-Signature"] = o.signature or node.signature(self.url .. path, fields, o.token)
  return self:request { path = path, method = "POST", body = node.form(fields), headers = headers }
end

local sids = 0

-- Somebody texts one of our numbers: n:text{ from =, to =, body = } -> the answer to the webhook.
function Node:text(o)
  sids = sids + 1
  local sid = ("SM%08x%024x"):format(os.time() & 0xffffffff, sids)
  local fields = { MessageSid = sid, SmsSid = sid, SmsMessageSid = sid, AccountSid = node.account, From = o.from,
    To = o.to, Body = o.body, NumMedia = "0", NumSegments = "1", SmsStatus = "received", ApiVersion = "2010-04-01" }
  for name, value in pairs(o.fields or {}) do
    fields[name] = value
  end
  return self:post_signed("/twilio/sms", fields)
end

-- The form Twilio posts for a call that rings.
function node.voice_form(fields)
  sids = sids + 1
  local form = {
    CallSid = ("CA%08x%024x"):format(os.time() & 0xffffffff, sids), AccountSid = node.account,
    From = "+13125550142", To = "+13125550100", CallStatus = "ringing", Direction = "inbound",
    ApiVersion = "2010-04-01",
  }
  for name, value in pairs(fields or {}) do
    form[name] = value
  end
  return form
end

-- A value as Lua source.
local function literal(value)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local parts = {}
  for key, entry in pairs(value) do
    table.insert(parts, ("[%s] = %s"):format(literal(key), literal(entry)))
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

-- ---- telephones without calls ----

local Phones = {}
Phones.__index = Phones

-- Twilio's API and the telephones behind it, for stories in which nobody calls: n:phones{ people = { … },
-- rest_fault = "…", numbers = N or FILE }. :events(kind) and :wait_event(kind, want) as of placed calls; :stop().
function Node:phones(o)
  o = o or {}
  local folder, log = self.folder .. "/phones", self.folder .. "/phones.ndjson"
  proc.run("mkdir -p " .. folder)
  proc.write(folder .. "/phones.lua", ('return { from = "+13125550142", to = "+13125550100", people = %s }\n')
    :format(literal(o.people or {})))
  local args = { proc.double(), "sim", "--openai", "127.0.0.1:0", "--scenarios", folder, "--twilio",
    "127.0.0.1:" .. self.rest_port, "--node", self.url, "--twilio-log", log }
  for name, value in pairs { ["--rest-fault"] = o.rest_fault or false, ["--numbers"] = o.numbers or false } do
    if value then
      table.insert(args, name)
      table.insert(args, tostring(value))
    end
  end
  local child = proc.start { name = "phones", folder = self.folder, args = args, env = self.env }
  assert(child:says("TWILIO_API_URL=", 60), "the telephones do not start: " .. child:text())
  local watched = { out = log, ended = function() return child:ended() end }
  return setmetatable({ child = watched, process = child }, Phones)
end

function Phones:stop()
  return self.process:stop()
end

-- ---- calls ----

local Placed = {}
Placed.__index = Placed

-- The scenario in `file` with some of its fields set, as a file of the same name.
local function changed(folder, file, fields)
  local path = folder .. "/" .. file:match "[^/]+$"
  proc.write(path, ("local scenario = (function()\n%s\nend)()\nfor key, value in pairs(%s) do\n"
    .. "  scenario[key] = value\nend\nreturn scenario\n"):format(proc.read(file), literal(fields)))
  return path
end

-- Starts `ringdown call` for these scenarios, all at once, and returns what is waited for with
-- :wait(). A scenario is a file, or a name in examples/scenarios or spec/e2e/scenarios.
-- o: scenarios, to, fallback, url, calls, wav (a folder), one_by_one, rest_fault, as_test;
--    linger: seconds that the telephones and Twilio's API stay after the last call;
--    people, texts: who is at the other telephones, as in a scenario (runtime/sim/scenario.h)
function Node:place(o)
  self.n_placed = (self.n_placed or 0) + 1
  local args = { proc.double(), "call", "--json", "--url", o.url or self.url, "--rest",
    "127.0.0.1:" .. ((self.n_placed == 1 or o.rest) and self.rest_port or proc.free_port()) }
  local function add(name, value)
    if value then
      table.insert(args, name)
      table.insert(args, tostring(value))
    end
  end
  if not o.one_by_one then
    table.insert(args, "--parallel")
  end
  if not o.as_test then -- stories are about callers
    table.insert(args, "--as-real")
  end
  add("--to", o.to)
  add("--fallback", o.fallback)
  add("--calls", o.calls)
  add("--wav", o.wav)
  add("--rest-fault", o.rest_fault)
  add("--linger", o.linger)
  add("--ca-file", o.ca_file or self.ca_file)
  add("--openai-log", self.sim and self.sim.log_file)
  for _, name in ipairs(o.scenarios) do
    local file = name
    if not name:find("/", 1, true) then
      file = "spec/e2e/scenarios/" .. name .. ".lua"
      file = proc.exists(file) and file or "examples/scenarios/" .. name .. ".lua"
    end
    if o.people or o.texts then
      file = changed(self.folder, file, { people = o.people, texts = o.texts })
    end
    add("--scenario", file)
  end
  local child = proc.start { name = "call" .. self.n_placed, folder = self.folder, args = args, env = self.env }
  return setmetatable({ child = child }, Placed)
end

-- Events of the network so far; the reports are the last ones, when the calls are over.
function Placed:events(kind)
  local events, reports = {}, {}
  for line in proc.read(self.child.out):gmatch "([^\n]+)\n" do
    local event = json.decode(line)
    if event.ev == "report" then
      table.insert(reports, event)
    elseif not kind or event.ev == kind then
      table.insert(events, event)
    end
  end
  return events, reports
end

-- Until an event of this kind came (and `want` says yes to it): that event, or nil.
function Placed:wait_event(kind, want, seconds)
  return proc.wait_for(function()
    for _, event in ipairs((self:events(kind))) do
      if not want or want(event) then
        return event
      end
    end
    return self.child:ended() and false
  end, seconds or 60)
end

-- Until all calls are over -> all went well, reports, events.
function Placed:wait(seconds)
  local code = self.child:wait(seconds or 120)
  self.child:stop()
  local events, reports = self:events()
  if #reports == 0 then
    reports.text = self.child:text()
  end
  return code == 0, reports, events
end

Phones.events = Placed.events
Phones.wait_event = Placed.wait_event

function Node:call(o)
  return self:place(o):wait(o.seconds)
end

-- ---- looking inside ----

-- To look for leaks takes a third of what a short command costs. Its code does that in the unit tests, and with
-- scripts/test --full here, too; the nodes look in every run.
local SHORT = os.getenv "ASAN_OPTIONS" and not os.getenv "RINGDOWN_PROMISES"
  and "ASAN_OPTIONS=" .. os.getenv "ASAN_OPTIONS" .. ":detect_leaks=0"

-- `PROGRAM WORDS…` beside this node: its output (JSON as a table), its exit code.
local function beside(self, program, ...)
  local words = { "env", SHORT and proc.quote(SHORT) or nil }
  for name, value in pairs(self.env) do
    table.insert(words, value and proc.quote(name .. "=" .. value) or nil)
  end
  for _, word in ipairs { program, ... } do
    table.insert(words, proc.quote(word))
  end
  local text, code = proc.run(table.concat(words, " ") .. " 2>&1")
  local good, value = pcall(json.decode, text)
  return good and value or text, code or 0
end

-- The program under test, as an operator would call it.
function Node:ringdown(...)
  return beside(self, proc.binary(), ...)
end

function Node:status()
  return self:ringdown("status", "--json")
end

-- Until everything this node recorded is in its database.
function Node:wait_shipped(seconds)
  return proc.wait_for(function()
    local status = beside(self, proc.double(), "status", "--json") -- who asks again and again asks cheaply
    local journal = type(status) == "table" and status.journal
    return journal and journal.waiting + journal.kept == 0
  end, seconds or 20)
end

function Node:calls()
  return self:ringdown("calls", "--json")
end

-- Watches the node from now on, as `ringdown calls --follow` tells it.
local Watch = {}
Watch.__index = Watch

function Node:watch()
  local follower = proc.start { name = "follow", folder = self.folder, env = self.env,
    args = { proc.binary(), "calls", "--follow", "--json" } }
  proc.sleep(0.5)
  return setmetatable({ follower = follower }, Watch)
end

function Watch:events()
  local list = {}
  for line in proc.read(self.follower.out):gmatch "([^\n]+)\n" do
    table.insert(list, json.decode(line))
  end
  return list
end

-- Until so many calls have ended.
function Watch:wait_for_ends(wanted)
  proc.wait_for(function()
    local ended = 0
    for _, event in ipairs(self:events()) do
      ended = ended + (event.type == "ended" and 1 or 0)
    end
    return ended >= wanted
  end)
end

-- What was said in a call, in the order of the conversation.
function Watch:turns(sid)
  local list = {}
  for _, event in ipairs(self:events()) do
    if event.type == "turn" and event.call == sid then
      table.insert(list, event)
    end
  end
  table.sort(list, function(a, b)
    return a.seq < b.seq
  end)
  return list
end

function Watch:stop()
  self.follower:signal "INT"
  self.follower:wait()
  self.follower:stop()
end

-- One call with its transcript.
function Node:transcript(sid)
  return self:ringdown("calls", sid, "--json")
end

-- A line of logfmt as a table of strings.
local function log_line(line)
  local fields, at = { line = line }, 1
  while true do
    local name, quoted, from = line:match("^%s*([%w_.]+)=(\"?)()", at)
    if not name then
      return fields
    elseif quoted == "" then
      fields[name], at = line:match("^(%S*)()", from)
    else
      local stop = from
      while stop <= #line and line:sub(stop, stop) ~= '"' do
        stop = stop + (line:sub(stop, stop) == "\\" and 2 or 1)
      end
      fields[name] = line:sub(from, stop - 1):gsub("\\(.)", "%1")
      at = stop + 1
    end
  end
end

-- The log so far: all lines, or those of one event, each a table of strings and `line` itself.
function Node:log(event)
  local list = {}
  for line in self.child:text():gmatch "[^\n]+" do
    local fields = log_line(line)
    if fields.ev and (not event or fields.ev == event) then
      table.insert(list, fields)
    end
  end
  return list
end

-- Lines that ask for somebody's attention. Not those of the watchdog: it looks for calls at a network
-- that is gone with its last call. Nor what says that the machine is busy, and takes itself back.
function Node:complaints()
  local list = {}
  for _, line in ipairs(self:log()) do
    if (line.level == "warn" or line.level == "error") and line.ev ~= "watchdog.no_answer"
      and line.ev ~= "operation.not_begun" then
      table.insert(list, line.line)
    end
  end
  return list
end

-- Until the log has such an event (and `want` says yes to it): that line, or nil.
function Node:wait_log(event, want, seconds)
  return proc.wait_for(function()
    for _, line in ipairs(self:log(event)) do
      if not want or want(line) then
        return line
      end
    end
  end, seconds or 20)
end

function Node:signal(name)
  self.child:signal(name)
end

-- As if the machine had lost its power: no goodbye to anybody.
function Node:kill()
  self.child:signal "KILL"
  self.child:stop()
end

-- The same node again, after it ended.
function Node:restart()
  self.n_starts = (self.n_starts or 1) + 1
  self.child = proc.start { name = "serve" .. self.n_starts, folder = self.folder, args = { proc.binary(), "serve" },
    env = self.env }
  return self:wait_ready()
end

-- A new process takes over from it. What is asked of `n` from now on is asked of the new one; the old
-- one is n.before, which leaves with its last call.
function Node:take_over()
  self.n_starts = (self.n_starts or 1) + 1
  self.before = self.child
  self.child = proc.start { name = "serve" .. self.n_starts, folder = self.folder,
    args = { proc.binary(), "serve", "--take-over" }, env = self.env }
  return self:wait_ready()
end

-- Tells it to end and does not wait: for many at once.
function Node:ask_to_stop()
  self.child:ask_to_stop()
end

-- What the node found that should not be there any more: while it ran, and at its end.
local function zombies(n, alive)
  local status = alive and beside(n, proc.double(), "status", "--json")
  local found = n:log "zombie.found"
  if #found > 0 then
    return found[1].line
  elseif type(status) == "table" and status.zombies ~= 0 then
    return status.zombies .. " by its status"
  end
end

-- Ends it as an operator would. Its exit code: 0, or it (or a sanitizer) had something to say.
function Node:stop(seconds)
  local before = not self.child:ended() and zombies(self, true)
  local code = self.child:stop(seconds)
  local found = before or zombies(self, false)
  proc.keep_warnings(self.folder)
  if self.own_sim then
    self.own_sim:stop()
  end
  if self.vapi then
    assert(self.vapi:stop() == 0, "the simulated Vapi had something to complain about")
  end
  proc.remove(self.folder)
  if found then
    error("something outlived its call: " .. found, 2)
  end
  return code
end

return node
