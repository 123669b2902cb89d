-- SPDX-License-Identifier: Apache-2.0
-- The simulated OpenAI. One process serves any number of nodes; a fault is part of the address.
local json = require "cjson"
local proc = require "spec.e2e.support.proc"

local sim = {}
local Sim = {}
Sim.__index = Sim

-- The scenarios of the examples and of these stories, in one folder.
local function gather(folder)
  proc.run(("mkdir -p %s && cp examples/scenarios/*.lua %s"):format(folder, folder))
  proc.run(("cp spec/e2e/scenarios/*.lua %s 2>/dev/null"):format(folder))
  return folder
end

-- sim.start{ tls = a certificate of support/tls.lua, scenarios = FOLDER, frames = false: what it hears is not written,
--            live = true: GPT-Live, too }
function sim.start(o)
  o = o or {}
  local s = setmetatable({ folder = proc.folder "sim", tls = o.tls }, Sim)
  s.scenarios = o.scenarios or gather(s.folder .. "/scenarios")
  s.log_file = s.folder .. "/sim.ndjson"
  s.frames_file = s.folder .. "/frames.ndjson"
  local args = {
    proc.double(), "sim", "--openai", "127.0.0.1:0", "--scenarios", s.scenarios,
    "--log", s.log_file,
  }
  if o.frames ~= false then
    table.insert(args, "--record-openai")
    table.insert(args, s.frames_file)
  end
  s.live_file = s.folder .. "/live.ndjson"
  if o.live then
    for _, word in ipairs { "--live", "127.0.0.1:0", "--live-log", s.live_file } do
      table.insert(args, word)
    end
  end
  if o.tls then
    for _, word in ipairs { "--tls-cert", o.tls.certificate, "--tls-key", o.tls.key } do
      table.insert(args, word)
    end
  end
  s.child = proc.start { name = "sim", folder = s.folder, args = args }
  s.port = tonumber(s.child:says("REALTIME_URL=%w+://[^:]+:(%d+)", 60))
  assert(s.port, "the sim does not start: " .. s.child:text())
  s.live_port = o.live and tonumber(s.child:says("OPENAI_LIVE_URL=%w+://[^:]+:(%d+)", 60))
  return s
end

-- The address of its API, misbehaving as `fault` says (see `ringdown sim`, openai_fault.c).
function Sim:url(fault)
  return ("%s://127.0.0.1:%d%s/v1/realtime"):format(self.tls and "wss" or "ws", self.port,
    fault and "/fault/" .. fault or "")
end

-- The same of GPT-Live (runtime/sim/live/double.h).
function Sim:live_url(fault)
  return ("ws://127.0.0.1:%d%s/v1/live/sessions"):format(self.live_port, fault and "/fault/" .. fault or "")
end

local function ndjson(path)
  local list = {}
  for line in proc.read(path):gmatch "([^\n]+)\n" do
    table.insert(list, json.decode(line))
  end
  return list
end

-- What it heard, said and did: all facts, or those of one kind ("heard", "truncate"…).
function Sim:facts(kind)
  local list = {}
  for _, fact in ipairs(ndjson(self.log_file)) do
    if not kind or fact.ev == kind then
      table.insert(list, fact)
    end
  end
  return list
end

-- What GPT-Live heard, said and was sent: facts of one kind, of one session or of all.
function Sim:live_facts(kind, session)
  local list = {}
  for _, fact in ipairs(ndjson(self.live_file)) do
    if fact.ev == kind and (not session or fact.session == session) then
      table.insert(list, fact)
    end
  end
  return list
end

-- Facts of the session in which a scenario's reply was given, in order.
function Sim:session_of(scenario)
  local id
  for _, fact in ipairs(self:facts "reply") do
    id = fact.scenario == scenario and fact.session or id
  end
  local list = {}
  for _, fact in ipairs(self:facts()) do
    if id and fact.session == id then
      table.insert(list, fact)
    end
  end
  return list, id
end

-- Every event the product sent, in order.
function Sim:frames()
  return ndjson(self.frames_file)
end

-- Adds what the product sent to build/e2e/openai-frames.ndjson, where it is judged by the provider's
-- own types. Of the audio, which is most of it and all alike, a little.
function Sim:keep_frames()
  proc.run "mkdir -p build/e2e"
  local some = self.folder .. "/some.ndjson"
  local out = assert(io.open(some, "wb"))
  local appends = 0
  for line in proc.read(self.frames_file):gmatch "[^\n]+\n" do
    local audio = line:find('"input_audio_buffer.append"', 1, true)
    appends = appends + (audio and 1 or 0)
    if not audio or appends <= 50 then
      out:write(line)
    end
  end
  out:close()
  local all = "build/e2e/openai-frames.ndjson" -- other stories add theirs at the same time
  proc.run(("flock %s.lock cat %s >>%s"):format(all, proc.quote(some), all))
end

-- Its exit code: 0, or it (or a sanitizer) had something to complain about.
function Sim:stop()
  local code = self.child:stop()
  proc.remove(self.folder)
  return code
end

return sim
