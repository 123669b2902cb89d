-- SPDX-License-Identifier: Apache-2.0
-- Three nodes, PostgreSQL and HAProxy under calls, and what is promised of them, one thing after the other:
--
--   a rollout's change and a release are with every node        measured, from the moment the database has them
--   any node tells of the calls of all others
--   the node that leads is killed (kill -9) and comes back       another one leads then
--   a node drains: out of the balancer, SIGTERM, its last calls handed on, and the same node again; new calls meanwhile
--   the books: what telephones and model wrote down against PostgreSQL (spec/chaos/books.lua)
--
--   local result = proof { calls = 10, waves = 1, short = true, tell = print }
--   result.rollout_ms, .release_ms       by node; .leaders = { before, after }, .led_again_s; .live, .statistics
--   result.drain = { code =, refused =, calls =, cut =, ready = the status of its /readyz }
--   result.fences.public, .admin = { requests told to wait, status of another address }; .books, .complaints as of
--   spec/chaos/run.lua
local cjson = require "cjson"
local books = require "spec.chaos.books"
local clusters = require "spec.chaos.cluster"
local crowds = require "spec.chaos.crowd"
local fronts = require "spec.cluster.front"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local talk = require "spec.chaos.talk"

local NODES, LOOK_S, SHIPPED_S = 3, 0.05, 60
local SALES, CALLER = "+13125550261", "+13125550199"

local sales = [[
-- SPDX-License-Identifier: Apache-2.0
return require "ringdown.agent" {
  name = "sales", numbers = { "%s" }, greeting = "%s", prompt = "You sell.",
  openai = { voice = "marin" }, vapi = { assistant = "5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11" },
}
]]

local Proof = {}
Proof.__index = Proof

function Proof:tell(fmt, ...)
  if self.o.tell then
    self.o.tell(("%6.1f s  " .. fmt):format(proc.now() - self.began, ...))
  end
end

function Proof:ask(sql)
  return pg.query(self.cluster.database, sql)
end

-- What another step needs to be true; callers come and go meanwhile.
function Proof:until_true(what, look, seconds)
  local found = proc.wait_for(function()
    if self.crowd then
      self.crowd:look()
    end
    return look()
  end, seconds)
  if not found then
    table.insert(self.result.complaints, what)
  end
  return found
end

-- ---- what is asked ----

-- A call that rings at a node, or at the balancer, and is over at once: the TwiML.
function Proof:rings(at, to, from)
  local form = node.voice_form { To = to, From = from or CALLER }
  local function post(path)
    return self.cluster.nodes[1]:request { url = at, path = path, method = "POST", body = node.form(form),
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded",
        ["X-Twilio-Signature"] = node.signature(self.cluster.url .. path, form) } }
  end
  local answer = post "/twilio/voice"
  form.CallStatus, form.CallDuration = "completed", "0"
  post "/twilio/status"
  return answer.body
end

function Proof:api(i, path)
  local answer = self.cluster.nodes[i]:admin("/api/v1" .. path, {
    headers = { Authorization = "Bearer " .. tostring(self.token) } })
  local good, value = pcall(cjson.decode, answer.body)
  return good and value or {}
end

function Proof:version(i, agent)
  for _, each in ipairs(self:api(i, "/agents").items or {}) do
    if each.agent == agent then
      return each.version
    end
  end
end

-- Milliseconds from `since_ms` until each node knew; `when(i)`: that moment, or nil as long as it is not known.
function Proof:spreads(what, since_ms, when)
  local took = {}
  self:until_true(what .. " did not reach every node", function()
    for i in ipairs(self.cluster.nodes) do
      local at_ms = not took[i] and when(i) or nil
      took[i] = took[i] or at_ms and math.max(0, at_ms - since_ms)
    end
    return took[1] and took[2] and took[3]
  end, 20)
  self:tell("%s: with node-1, node-2, node-3 after %s ms", what, table.concat(took, ", "))
  return took
end

-- ---- the steps ----

function Proof:say(i, ...)
  local text, code = self.cluster.nodes[i]:ringdown(...)
  if code ~= 0 then
    table.insert(self.result.complaints, table.concat({ ... }, " ") .. ": " .. tostring(text))
  end
  return text
end

function Proof:rollout()
  local asking = {}
  for i, port in ipairs(self.front.ports) do
    asking[i] = proc.start { name = "asks" .. i, folder = self.cluster.folder, args = { "perl",
      "spec/cluster/when-connected.pl", tostring(port), self.cluster.url, node.account, node.token, SALES, CALLER,
      tostring(i * 1000000) } }
  end
  self:say(1, "rollout", "start", "--agent", "sales", "--force", "--reason", "the proof")
  local since = self:ask "select (extract(epoch from updated_at) * 1000)::bigint as ms from rollout_now"[1].ms
  self.result.rollout_ms = self:spreads("a rollout begins", since, function(i)
    return math.tointeger(tonumber(proc.read(asking[i].out)))
  end)
  for _, child in ipairs(asking) do
    child:stop()
  end
end

-- "2026-11-28T02:18:10.454Z" of this machine's clock, as PostgreSQL's now() is.
local function log_ms(line)
  local seconds, ms = proc.run("date +%s -d " .. line.ts), line.ts:match "%.(%d%d%d)Z$"
  return tonumber(seconds) * 1000 + tonumber(ms)
end

function Proof:release()
  local n = self.cluster.nodes[1]
  proc.write(n.agents .. "/sales.lua", sales:format(SALES, "The second one."))
  self:say(1, "agents", "publish", "--note", "the proof")
  local last = self:ask [[select id, (extract(epoch from at) * 1000)::bigint as ms from agent_releases
    order by id desc]][1]
  self.result.release_ms = self:spreads("a release", last.ms, function(i)
    local lines = self.cluster.nodes[i]:log "agents.reloaded"
    return #lines >= last.id and math.tointeger(log_ms(lines[#lines]))
  end)
end

-- Each node tells of all calls, and of one that is on another.
function Proof:look_across()
  self.result.live = {}
  for i, n in ipairs(self.cluster.nodes) do
    local seen, elsewhere = 0, nil
    self:until_true(n.env.RINGDOWN_NODE .. " does not see calls of the others", function()
      local screen = self:api(i, "/live")
      seen = screen.calls or 0
      for _, call in ipairs(screen.items or {}) do
        elsewhere = not call.here and call.call or elsewhere
      end
      return elsewhere and seen >= math.min(2, self.o.calls)
    end, 10)
    local told = elsewhere and self:api(i, "/calls/" .. elsewhere) or {}
    self.result.live[i] = { calls = seen, elsewhere = elsewhere, told = told.call == elsewhere }
    self:tell("%s sees %d calls, one of another node's: %s", n.env.RINGDOWN_NODE, seen, elsewhere or "none")
  end
end

function Proof:leader()
  local row = self:ask("select l.node, l.epoch::text as epoch from node_leader l where l.until > now()")[1]
  return row and row.node, row and row.epoch
end

function Proof:until_busy()
  self:until_true("nobody calls any more", function() return self.crowd:live() >= self.o.calls / 2 end, 60)
end

function Proof:kill_the_leader()
  local name, epoch
  self:until_true("nobody leads", function()
    name, epoch = self:leader()
    return name
  end, 30)
  local n = self.cluster.nodes[tonumber(name:match "%d+$")]
  self:until_busy()
  self:tell("kill -9 of %s, which leads; %d calls on the line", name, self.crowd:live())
  self.cluster:kill(n)
  self.killed, self.killed_at = n, proc.now()
  self.result.leaders, self.led = { name }, epoch
  self:until_true("HAProxy did not notice it", function() return self.front:up() == NODES - 1 end, 10)
  self.cluster:begin_again(n)
end

function Proof:led_again()
  local name, epoch
  self:until_true("nobody leads again", function()
    name, epoch = self:leader()
    return name and epoch ~= self.led
  end, 40)
  self.result.leaders[2] = name
  self.result.led_again_s = proc.now() - self.killed_at
  self:tell("%s leads, at most %.1f s after %s was killed", name or "nobody", self.result.led_again_s,
    self.result.leaders[1])
end

-- Calls that ring at the balancer and hear something else than the agent.
function Proof:refused(n)
  local refused = 0
  for _ = 1, n do
    refused = refused + (self:rings(self.cluster.url, talk.number):find("<Connect>", 1, true) and 0 or 1)
  end
  return refused
end

function Proof:drain()
  local cluster, i = self.cluster, 1
  while cluster.nodes[i] == self.killed do
    i = i + 1
  end
  local n, server = cluster.nodes[i], "ringdown/node" .. i
  self:until_true("the nodes are not whole again", function()
    return cluster:is_whole() and self.front:up() == NODES
  end, 60)
  self:until_busy()
  local calls = math.tointeger(self:api(i, "/status").calls) or 0
  self:tell("%s drains, with %d calls", n.env.RINGDOWN_NODE, calls)
  self.front:order("set server " .. server .. " state drain")
  n.child:signal "TERM"
  local ready = n:request { path = "/readyz", url = "http://127.0.0.1:" .. n.port }.status
  local refused = self:refused(5)
  local code = n.child:wait(60)
  local cut = n.child:text():match "ev=serve.ended[^\n]* calls_cut=(%d+)"
  n.child:stop()
  n.earlier, n.up = (n.earlier or "") .. n.child:text(), false
  refused = refused + self:refused(3)
  self.result.drain = { code = code, refused = refused, calls = calls, cut = tonumber(cut), ready = ready }
  cluster:begin_again(n)
  self.front:order("set server " .. server .. " state ready")
  self:tell("%s ended with exit code %s, calls cut: %s; refused meanwhile: %d", n.env.RINGDOWN_NODE, tostring(code),
    cut or "?", refused)
end

-- What each node says of today must be the same.
function Proof:statistics()
  local list = {}
  self:until_true("the nodes' statistics differ", function()
    for i = 1, NODES do
      local total = self:api(i, "/statistics?agent=desk").total or {}
      list[i] = math.tointeger(total.calls) or 0
    end
    return list[1] == list[2] and list[2] == list[3] and list[1] >= self.crowd.over
  end, 20)
  self.result.statistics = list
end

-- Somebody hammers at the door, by another address than those whom it is open for.
function Proof:fences()
  local f, me = self.front, self.front.admin_url .. "/api/v1/me"
  local function as(token)
    return ("-H 'Authorization: Bearer %s'"):format(token)
  end
  self.result.fences = {
    public = { f:hammer("127.0.0.2", 80, f.url .. "/twilio/voice", "-X POST -d a=b"),
      f:status_for("127.0.0.3", f.url .. "/livez") },
    admin = { f:hammer("127.0.0.2", 80, me, as "rd_wrong"), f:status_for("127.0.0.3", me, as(self.token)) },
  }
end

-- ---- all of it ----

-- name, seconds after the first call; those under calls.
local STEPS = { { "rollout", 2 }, { "release", 3 }, { "look_across", 4 }, { "kill_the_leader", 7 }, { "drain", 12 },
  { "led_again", 16 } }

-- Waves of callers until all is done, however slow this machine is; then no more than were wanted.
function Proof:go()
  local next_step, crowd = 1, self.crowd
  while crowd:look() do
    local step = STEPS[next_step]
    if step and proc.now() - self.crowd_began >= step[2] then
      next_step = next_step + 1
      self[step[1]](self)
    elseif not step then
      crowd.o.waves = self.o.waves
    end
    proc.sleep(LOOK_S)
  end
end

function Proof:prepare()
  self:until_true("the balancer does not see all nodes", function() return self.front:up() == NODES end, 30)
  local made = self:say(1, "tokens", "create", "proof", "--role", "admin")
  self.token = tostring(made):match "rd_[%w_%-]+"
  self:say(1, "agents", "publish")
  self:say(1, "rollout", "rollback", "--agent", "sales", "--reason", "before it")
  self:say(1, "rollout", "plan", "--agent", "sales", "--stages", "99,100", "--min", "50", "--bake", "1h")
  self:until_true("the first release did not reach the nodes", function()
    for i = 1, NODES do
      if not self:version(i, "sales") then
        return false
      end
    end
    return true
  end, 20)
end

function Proof:settle()
  local cluster = self.cluster
  self:until_true("a node did not come back: " .. cluster:last_words(), function() return cluster:is_whole() end, 60)
  if not cluster:wait_shipped(SHIPPED_S) then
    table.insert(self.result.complaints, "a journal was not shipped in time")
  end
end

local function run(self)
  self:prepare()
  self.crowd = crowds.new(self.cluster, { calls = self.o.calls, waves = math.huge, short = self.o.short })
  self.crowd_began = self.crowd.began
  self:go()
  self:settle()
  self:statistics()
  self:fences()
  self.result.books = books.compare { cluster = self.cluster, crowd = self.crowd }
  self.result.seconds = proc.now() - self.crowd_began
end

return function(o)
  local self = setmetatable({ o = o, began = proc.now() }, Proof)
  self.result = { complaints = {}, faults = { kill = 1, drain = 1 }, o = { nodes = NODES, seed = 0 } }
  self.front = fronts.start(NODES)
  self.cluster = clusters.start { nodes = NODES, front = self.front,
    agents = { ["desk.lua"] = talk.agent, ["sales.lua"] = sales:format(SALES, "The first one.") },
    env = { RINGDOWN_AGENTS_SOURCE = "database", RINGDOWN_DRAIN_SECONDS = "4" } }
  local ok, why = xpcall(run, debug.traceback, self)
  if self.crowd then
    self.crowd:stop()
  end
  if o.keep then
    o.keep(self)
  end
  for _, complaint in ipairs(self.cluster:stop()) do
    table.insert(self.result.complaints, complaint)
  end
  local code = self.front:stop()
  if code ~= 0 and code ~= 143 then
    table.insert(self.result.complaints, "HAProxy: exit code " .. tostring(code))
  end
  assert(ok, why)
  return self.result
end
