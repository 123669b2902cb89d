-- SPDX-License-Identifier: Apache-2.0
-- The balancer before several nodes: HAProxy with examples/haproxy/haproxy.cfg, the very file, on loopback.
--
--   local f = fronts.start(3)       before the nodes are: it finds out when they are ready
--   f.url, f.admin_url, f.ca_file   where Twilio and people come in; who issued the certificate
--   f.ports, f.admin_ports          where the nodes are to listen
--   f:order "show info"             HAProxy's own orders; its answer
--   f:states()                      "UP", "DOWN", … by server: { node1 = "UP" }
--   f:stop()                        its exit code
local proc = require "spec.e2e.support.proc"
local tls = require "spec.e2e.support.tls"

local fronts = {}
local Front = {}
Front.__index = Front

local CONFIG = "examples/haproxy/haproxy.cfg"

local ASK = [[my $s = IO::Socket::UNIX->new(Peer => shift) or die "$!"; print $s "@ARGV\n"; print while <$s>]]

local function program()
  local path = proc.run "command -v haproxy || ls /usr/sbin/haproxy 2>/dev/null":match "%S+"
  return assert(path, "haproxy is not here: scripts/setup --tests installs it")
end

local function certificate(folder)
  local authority = tls.authority(folder, "authority")
  local c = authority:certificate "calls"
  return proc.write(folder .. "/front.pem", proc.read(c.certificate) .. proc.read(c.key)), authority.file
end

-- Every variable of the file; f.env.
local function environment(f, pem)
  local env = { RINGDOWN_BIND = "127.0.0.1:" .. f.port, RINGDOWN_PEM = pem, RINGDOWN_ADMIN_BIND =
    "127.0.0.1:" .. f.admin_port, RINGDOWN_ADMIN_PEM = pem, RINGDOWN_STATS = f.folder .. "/haproxy.sock",
    RINGDOWN_LOG_TO = "stdout", RINGDOWN_MAXCONN = "2000", RINGDOWN_PROXY_USER = proc.run "id -un":match "%S+",
    RINGDOWN_PROXY_GROUP = proc.run "id -gn":match "%S+" }
  for i in ipairs(f.ports) do
    env["RINGDOWN_NODE" .. i] = "127.0.0.1:" .. f.ports[i]
    env["RINGDOWN_ADMIN" .. i] = "127.0.0.1:" .. f.admin_ports[i]
  end
  return env
end

-- What `haproxy -c` says of the file: true, or false and its words.
function Front:check()
  local words = { "env" }
  for name, value in pairs(self.env) do
    words[#words + 1] = proc.quote(name .. "=" .. value)
  end
  local text, code = proc.run(table.concat(words, " ") .. (" %s -c -f %s 2>&1"):format(program(), CONFIG))
  return code == nil or code == 0, text
end

function fronts.start(n_nodes)
  local f = setmetatable({ folder = proc.folder "front", port = proc.free_port(), admin_port = proc.free_port(),
    ports = {}, admin_ports = {} }, Front)
  for i = 1, n_nodes do
    f.ports[i], f.admin_ports[i] = proc.free_port(), proc.free_port()
  end
  local pem, authority = certificate(f.folder)
  f.ca_file = authority
  f.url, f.admin_url = "https://127.0.0.1:" .. f.port, "https://127.0.0.1:" .. f.admin_port
  f.env = environment(f, pem)
  local good, why = f:check()
  assert(good, why)
  f.child = proc.start { name = "haproxy", folder = f.folder, env = f.env, args = { program(), "-db", "-f", CONFIG } }
  assert(proc.wait_for(function() return proc.exists(f.env.RINGDOWN_STATS) or f.child:ended() end, 20))
  assert(not f.child:ended(), f.child:text())
  return f
end

function Front:order(text)
  return (proc.run(("perl -MIO::Socket::UNIX -e %s %s %s 2>&1"):format(proc.quote(ASK),
    proc.quote(self.env.RINGDOWN_STATS), text)))
end

function Front:states(backend)
  local states = {}
  for line in self:order "show stat":gmatch "[^\n]+" do
    local fields = {}
    for field in (line .. ","):gmatch "([^,]*)," do
      fields[#fields + 1] = field
    end
    if fields[1] == (backend or "ringdown") and fields[2]:match "^node" then
      states[fields[2]] = fields[18]
    end
  end
  return states
end

-- How many servers take new calls.
function Front:up()
  local n = 0
  for _, state in pairs(self:states()) do
    n = n + (state:match "^UP" and 1 or 0)
  end
  return n
end

-- Asks as somebody at this address of loopback would: the status.
function Front:status_for(address, url, more)
  return tonumber((proc.run(("curl -s -o /dev/null -w '%%{http_code}' -m 10 --interface %s --cacert %s %s %s"):format(
    address, proc.quote(self.ca_file), more or "", proc.quote(url)))))
end

-- So many requests, one after the other, by somebody at this address: how many of them were told to wait (429).
function Front:hammer(address, n, url, more)
  local said = proc.run(("curl -s -o /dev/null -w '%%{http_code}\\n' -m 10 --interface %s --cacert %s %s %s"):format(
    address, proc.quote(self.ca_file), more or "", proc.quote(("%s#[1-%d]"):format(url, n))))
  return select(2, said:gsub("429", ""))
end

function Front:stop()
  local code = self.child:stop()
  proc.remove(self.folder)
  return code
end

return fronts
