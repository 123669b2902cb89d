-- SPDX-License-Identifier: Apache-2.0
-- Whom alerts are told to: a real mail server and a scripted webhook server (receiver.py), in processes of
-- their own that end with this one.
--
--   receiver.mail{ tls = "starttls"|"smtps"|nil, certificate =, login = "user:password", fault = }
--   receiver.hook{ script = "429:1,500,200" }
--   receiver.sentry{ script = "200" }   each that came has event, client_report, or broken: why it is no envelope
--   r.port, r:got()                  what came, a list of tables
--   r:wait(n, seconds)            -> the list once it has n, or what there is
--   r:stop()
local json = require "cjson"
local proc = require "spec.e2e.support.proc"

local M = {}
local Receiver = {}
Receiver.__index = Receiver

local PYTHON = "/usr/bin/python3" -- Debian's, which has Debian's aiosmtpd

local started = 0

local function start(what, o)
  started = started + 1
  local r = setmetatable({ folder = proc.folder "receiver" }, Receiver)
  r.log = r.folder .. "/got.ndjson"
  local args = { PYTHON, "spec/support/receiver.py", what, r.log }
  for _, name in ipairs { "tls", "login", "fault", "script" } do
    if o[name] then
      args[#args + 1] = "--" .. name
      args[#args + 1] = o[name]
    end
  end
  if o.certificate then
    for _, word in ipairs { "--certificate", o.certificate.certificate, "--key", o.certificate.key } do
      args[#args + 1] = word
    end
  end
  r.child = proc.start { name = "receiver" .. started, folder = r.folder, args = args }
  r.port = tonumber(r.child:says("^(%d+)\n", 20))
  assert(r.port, "the receiver does not start: " .. r.child:text())
  return r
end

function M.mail(o)
  return start("mail", o or {})
end

function M.hook(o)
  return start("hook", o or {})
end

function M.sentry(o)
  return start("sentry", o or {})
end

function Receiver:got()
  local list = {}
  for line in proc.read(self.log):gmatch "([^\n]+)\n" do
    list[#list + 1] = json.decode(line)
  end
  return list
end

function Receiver:wait(n, seconds)
  proc.wait_for(function()
    return #self:got() >= n
  end, seconds or 10)
  return self:got()
end

function Receiver:stop()
  self.child:stop()
  proc.remove(self.folder)
end

return M
