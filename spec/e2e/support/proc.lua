-- SPDX-License-Identifier: Apache-2.0
-- Programs under test: started, watched, ended. Nothing outlives the stories.
--
-- A child is held by a shell that reads from a pipe of ours: when we end in whatever way, the pipe
-- closes and the shell ends the child. What the child printed is in files in its folder.
local lfs = require "lfs"
local system = require "system"

local proc = {}

proc.sleep = system.sleep
proc.now = system.monotime

-- One argument for the shell, whatever is in it.
function proc.quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

function proc.read(path)
  local f = io.open(path, "rb")
  if not f then
    return ""
  end
  local text = f:read "a"
  f:close()
  return text
end

function proc.write(path, text)
  local f = assert(io.open(path, "wb"))
  f:write(text)
  assert(f:close())
  return path
end

function proc.exists(path)
  return lfs.attributes(path) ~= nil
end

-- Patience costs nothing where what is waited for comes: a busy machine is no failure.
local PATIENCE_S = 60

-- Calls `look` until it returns something true, which is returned; nil after `seconds`, or a minute if those are less.
-- Who waits for long looks less often: looking is work, too, and others share the machine.
function proc.wait_for(look, seconds)
  local since_s = proc.now()
  local until_s = since_s + math.max(seconds or 0, PATIENCE_S)
  repeat
    local found = look()
    if found then
      return found
    end
    proc.sleep(proc.now() - since_s < 2 and 0.05 or 0.15)
  until proc.now() > until_s
  return look()
end

-- How long something may take of which we say that it takes `seconds`: so long with scripts/test --full, which says so
-- (RINGDOWN_PROMISES); ten times as long on a machine that does other things.
function proc.promised(seconds)
  return os.getenv "RINGDOWN_PROMISES" and seconds or 10 * seconds
end

-- Runs a command of the shell to its end: its output, its exit code.
function proc.run(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read "a"
  local _, _, code = pipe:close()
  return text, code
end

-- A new folder below /tmp; remove it with proc.remove. Others may pass through: the user that a
-- private database runs as, when we are root.
function proc.folder(name)
  local path = proc.run("mktemp -d /tmp/ringdown-" .. name .. ".XXXXXX"):match "%S+"
  proc.run("chmod 711 " .. assert(path, "mktemp made no folder"))
  return path
end

function proc.remove(folder)
  assert(folder:match "^/tmp/ringdown%-", folder)
  if os.getenv "RINGDOWN_KEEP" then
    print("kept: " .. folder)
  else
    proc.run("rm -rf " .. proc.quote(folder))
  end
end

-- What the programs in a folder complained about goes to the file that RINGDOWN_WARNINGS names: scripts/test prints
-- it below a story that failed.
function proc.keep_warnings(folder)
  local file = os.getenv "RINGDOWN_WARNINGS"
  if file then
    proc.run(("cd %s && grep -aHE 'level=(warn|error)' *.err *.out 2>/dev/null | tail -n 200 >>%s"):format(
      proc.quote(folder), proc.quote(file)))
  end
end

-- The program under test.
function proc.binary()
  local given = os.getenv "RINGDOWN_BIN"
  local path = given or "build/dev/ringdown"
  if not given and not proc.exists(path) then
    path = "build/ringdown"
  end
  assert(proc.exists(path), path .. " does not exist; build it, or set RINGDOWN_BIN")
  return path:sub(1, 1) == "/" and path or lfs.currentdir() .. "/" .. path
end

-- The program that plays the network and the providers: the optimised one, where RINGDOWN_DOUBLES names it. Their
-- voices and their listening are most of what a story computes, and they have unit tests under the sanitizers.
function proc.double()
  return os.getenv "RINGDOWN_DOUBLES" or proc.binary()
end

local function taken_ports()
  local taken = {}
  for _, file in ipairs { "/proc/net/tcp", "/proc/net/tcp6" } do
    for hex in proc.read(file):gmatch "%d+: %x+:(%x%x%x%x) " do
      taken[tonumber(hex, 16)] = true
    end
  end
  return taken
end

local given_out = {}
local lowest = tonumber(os.getenv "RINGDOWN_PORTS") -- of a thousand: stories that run beside others

-- A port of 127.0.0.1 that nobody uses. Below what the kernel gives to those who ask for any.
function proc.free_port()
  local taken = taken_ports()
  local port
  repeat
    port = lowest and math.random(lowest, lowest + 999) or math.random(10000, 30000)
  until not taken[port] and not given_out[port]
  given_out[port] = true
  return port
end

local Child = {}
Child.__index = Child

-- A caller waits for nobody: where we may say so (scripts/test does), the programs under test go before what looks at
-- them, their database included.
local first = (os.getenv "RINGDOWN_FIRST" or "") .. " "

-- proc.start{ name =, folder =, args = { program, ... }, env = { NAME = value or false } }
-- Writes NAME.out, NAME.err below the folder.
function proc.start(o)
  local base = o.folder .. "/" .. o.name
  local words = {}
  for name, value in pairs(o.env or {}) do
    table.insert(words, value == false and "-u" .. name or name .. "=" .. value)
  end
  table.sort(words) -- "-uNAME" sorts before "NAME=value", as env wants it
  for i, word in ipairs(words) do
    words[i] = proc.quote(word)
  end
  for _, word in ipairs(o.args) do
    table.insert(words, proc.quote(word))
  end
  local program = "exec " .. first .. "env " .. table.concat(words, " ")
  local shell = ([[
    exec 3<&0
    rm -f B.pid B.rc
    ( exec 3<&-; PROGRAM ) </dev/null >B.out 2>B.err &
    child=$!
    echo $child >B.pid
    ( cat <&3 >/dev/null; kill -KILL $child ) 2>/dev/null &
    watch=$!
    wait $child
    code=$?
    echo $code >B.rc.part && mv B.rc.part B.rc
    kill $watch 2>/dev/null
  ]]):gsub("PROGRAM", (program:gsub("%%", "%%%%"))):gsub("B%.", (proc.quote(base):gsub("%%", "%%%%")) .. ".")
  local child = setmetatable({ name = o.name, base = base, out = base .. ".out", err = base .. ".err" }, Child)
  child.pipe = assert(io.popen(shell, "w"))
  child.pid = proc.wait_for(function()
    return tonumber(proc.read(base .. ".pid"))
  end, 30)
  assert(child.pid, o.name .. " was not started")
  return child
end

-- Its exit code once it has ended (128 + n: by signal n), else nil.
function Child:ended()
  self.code = self.code or tonumber(proc.read(self.base .. ".rc"))
  return self.code
end

function Child:signal(name)
  if not self:ended() then
    proc.run(("kill -%s %d 2>/dev/null"):format(name, self.pid))
  end
end

-- Its exit code; nil when it goes on for longer than that.
function Child:wait(seconds)
  return proc.wait_for(function()
    return self:ended()
  end, seconds or 30)
end

-- Asks it to end, without waiting for that.
function Child:ask_to_stop()
  if not self.asked then
    self.asked = true
    self:signal "TERM"
  end
end

-- Asks twice, then makes it. The exit code.
function Child:stop(seconds)
  self:ask_to_stop()
  if not self:wait(seconds or 20) then
    self:signal "TERM"
    if not self:wait(10) then
      self:signal "KILL"
      self:wait(10)
    end
  end
  if self.pipe then
    self.pipe:close()
    self.pipe = nil
  end
  return self.code
end

-- Everything it printed so far.
function Child:text()
  return proc.read(self.out) .. proc.read(self.err)
end

-- What a pattern finds in what it printed; nil when it ended instead.
function Child:says(pattern, seconds)
  local found
  proc.wait_for(function()
    found = self:text():match(pattern)
    return found or self:ended()
  end, seconds or 30)
  return found or self:text():match(pattern)
end

return proc
