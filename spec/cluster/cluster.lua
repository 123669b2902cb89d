-- SPDX-License-Identifier: Apache-2.0
-- The command behind scripts/cluster: three nodes behind HAProxy to try things with, or the proof (proof.lua).
package.path = "./?.lua;" .. package.path

local clusters = require "spec.chaos.cluster"
local fronts = require "spec.cluster.front"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local verdict = require "spec.cluster.verdict"

local NODES, LOOK_S = 3, 0.5
local ENV = "build/cluster/env"

local function fail(text)
  io.stderr:write("scripts/cluster: ", text, "; see: scripts/cluster --help\n")
  os.exit(2)
end

local function read(args)
  local o, i = { calls = 12, waves = 2 }, 1
  while args[i] do
    local name = args[i]:match "^%-%-(%a+)$"
    if name == "proof" or name == "short" then
      o[name] = true
    elseif name == "calls" or name == "waves" then
      i = i + 1
      o[name] = math.tointeger(tonumber(args[i] or ""))
      if not o[name] or o[name] < 1 or o[name] > 90 then
        fail(("--%s wants a number from 1 to 90, and has %s"):format(name, tostring(args[i])))
      end
    else
      fail(("unknown option %s"):format(args[i]))
    end
    i = i + 1
  end
  return o
end

local function prove(o)
  o.tell = function(line)
    io.stderr:write(line, "\n")
  end
  local result = require "spec.cluster.proof"(o)
  verdict.print(result)
  return #verdict.wrong(result) == 0
end

-- ---- to try things with ----

-- For other terminals: what points the programs at node-1, and what a caller is told.
local function write_env(c, front)
  local lines = { "# Made by scripts/cluster; good while that runs. In another terminal: . " .. ENV }
  local env = c.nodes[1].env
  for _, name in ipairs { "RINGDOWN_DATA", "RINGDOWN_AGENTS", "RINGDOWN_AGENTS_SOURCE", "DATABASE_URL",
    "RINGDOWN_PUBLIC_URL", "RINGDOWN_ADMIN_LISTEN", "RINGDOWN_SECRET",
    "TWILIO_API_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN",
    "OPENAI_API_KEY", "OPENAI_REALTIME_URL", "DISPATCH_KEY", "RINGDOWN_CA_FILE" } do
    lines[#lines + 1] = ("export %s=%s"):format(name, proc.quote(env[name]))
  end
  lines[#lines + 1] = "HAPROXY_SOCKET=" .. front.env.RINGDOWN_STATS
  for i, n in ipairs(c.nodes) do
    lines[#lines + 1] = ("NODE%d=%d NODE%d_LOG=%s"):format(i, n.child.pid, i, n.child.err)
  end
  proc.run "mkdir -p build/cluster"
  proc.write(ENV, table.concat(lines, "\n") .. "\n")
end

local TRY = [[

In another terminal, in this folder:

    . %s
    %s call --as-real --scenario examples/scenarios/booking.lua    a call through HAProxy
    %s nodes                                                       who is there, and who leads
    %s calls --kept                                                of all nodes, from any of them
    curl -s --cacert $RINGDOWN_CA_FILE $RINGDOWN_PUBLIC_URL/livez
    edit $RINGDOWN_AGENTS/northside-plumbing.lua, then: %s agents publish
    kill -9 $NODE2        its calls go on with the others; here it is started again after two seconds
    kill -TERM $NODE3     it drains and ends with its last call, and is started again
    echo "show servers state" | socat - UNIX:$HAPROXY_SOCKET

Ctrl-C ends everything.
]]

local function show(c, front)
  print(("callers      %s/twilio/voice   (HAProxy; trust %s)"):format(c.url, c.ca_file))
  print(("people       %s   (HAProxy, the same certificate)"):format(front.admin_url))
  for i, n in ipairs(c.nodes) do
    print(("%s       http://127.0.0.1:%d, admin http://127.0.0.1:%d, pid %d"):format(n.env.RINGDOWN_NODE,
      front.ports[i], n.admin_port, n.child.pid))
  end
  print("PostgreSQL   " .. c.database)
  local link = c.nodes[1]:ringdown("console", "link", "cluster", "--role", "admin")
  print(("console      %s   (once, within ten minutes)"):format(tostring(link):match "http[^%s]*" or tostring(link)))
  local bin = proc.binary():gsub("^" .. (os.getenv "PWD" or "\0"):gsub("%p", "%%%0") .. "/", "")
  print((TRY:format(ENV, bin, bin, bin, bin)))
end

-- Who ended is started again, as a service manager would. Ends at Ctrl-C, or when nobody is there any more.
local function watch(c, front, parent)
  while proc.exists("/proc/" .. parent) do
    for _, n in ipairs(c.nodes) do
      if n.child:ended() then
        print(("%s ended with exit code %d; again in two seconds"):format(n.env.RINGDOWN_NODE, n.child:ended()))
        n.child:stop()
        proc.sleep(2)
        c:begin_again(n)
        write_env(c, front)
        print(("%s is pid %d now"):format(n.env.RINGDOWN_NODE, n.child.pid))
      end
    end
    proc.sleep(LOOK_S)
  end
end

local function stay()
  local parent = proc.read "/proc/self/stat":match "%) %a (%d+)"
  local agents = proc.folder "agents"
  proc.run(("cp -r agents/. %s"):format(agents))
  local front = fronts.start(NODES)
  local c
  local ok, why = pcall(function()
    c = clusters.start { nodes = NODES, front = front, agents = agents, scenarios = "examples/scenarios",
      env = { RINGDOWN_AGENTS_SOURCE = "database", DISPATCH_KEY = "demo" } }
    local said, code = c.nodes[1]:ringdown("agents", "publish")
    assert(code == 0, said)
    for _, n in ipairs(c.nodes) do
      n:wait_log "agents.reloaded"
    end
    write_env(c, front)
    show(c, front)
    watch(c, front, parent)
  end)
  print "\nending"
  if c then
    c:stop()
  end
  front:stop()
  proc.remove(agents)
  proc.run "rm -rf build/cluster"
  if not ok and not tostring(why):find("interrupted!", 1, true) then
    io.stderr:write("scripts/cluster: ", tostring(why), "\n")
    return false
  end
  return true
end

io.stdout:setvbuf "line"
local o = read(arg)
pg.start()
local ok, good = pcall(o.proof and prove or stay, o)
pg.stop()
if not ok then
  io.stderr:write("scripts/cluster: ", tostring(good), "\n")
end
os.exit(ok and good and 0 or 1)
