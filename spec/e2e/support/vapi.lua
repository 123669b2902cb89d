-- SPDX-License-Identifier: Apache-2.0
-- The simulated Vapi of one node: node.start{ vapi = { … } } starts it first and points the node at it.
--
--   local n = node.start{ vapi = { scenarios = { "booking" }, sign = "hmac", fault = "no-report" } }
--   n.vapi:api(method, path, body)       its REST API -> status, answer
--   n.vapi:control(order, body)          what tests want of it (runtime/sim/vapi/control.c) -> answer
--   n.vapi:hook{ type =, call = … }      posts a server message now -> what became of it
--   n.vapi:hooks(type)                   what was posted and answered so far
--   n.vapi:wait_hook(type, want)         until one was answered
--   n.vapi:facts(kind)                   all that it did: "rest", "hook", "heard", "said", "ended" …
local json = require "cjson"
local proc = require "spec.e2e.support.proc"

local vapi = { key = "vapi-double", secret = "vapi-double-secret", number = "+13125550100",
  assistant = "5a3c0f7e-1d42-4b8e-9f60-2c7d8e9a1b30", number_id = "8e1b6d24-73a5-4c0f-b2d9-4f5a6c7e8d91" }
local Vapi = {}
Vapi.__index = Vapi

-- Some scenarios in a folder of their own: what the assistant answers.
local function gather(folder, names)
  proc.run("mkdir -p " .. folder)
  for _, name in ipairs(names or {}) do
    proc.run(("cp spec/e2e/scenarios/%s.lua %s/ 2>/dev/null || cp examples/scenarios/%s.lua %s/")
      :format(name, folder, name, folder))
  end
  return folder
end

-- o: scenarios (or `folder`, of some), sign, secret, fault, tls_ca (a file); `url`: the node's
function vapi.start(o)
  local v = setmetatable({ folder = proc.folder "vapi" }, Vapi)
  v.log_file = v.folder .. "/vapi.ndjson"
  local args = { proc.double(), "sim", "--openai", "127.0.0.1:0", "--scenarios",
    o.folder or gather(v.folder .. "/scenarios", o.scenarios), "--vapi", "127.0.0.1:0",
    "--vapi-log", v.log_file, "--node", o.url }
  for name, value in pairs { ["--vapi-sign"] = o.sign, ["--vapi-fault"] = o.fault } do
    table.insert(args, name)
    table.insert(args, value)
  end
  v.child = proc.start { name = "vapi", folder = v.folder, args = args,
    env = { VAPI_WEBHOOK_SECRET = o.secret or vapi.secret, VAPI_WEBHOOK_HMAC = o.secret or vapi.secret,
      RINGDOWN_CA_FILE = o.ca_file or false } }
  v.port = tonumber(v.child:says("VAPI_API_URL=http://[^:]+:(%d+)", 60))
  assert(v.port, "the simulated Vapi does not start: " .. v.child:text())
  v.url = "http://127.0.0.1:" .. v.port
  v.env = { VAPI_API_URL = v.url, VAPI_API_KEY = vapi.key, VAPI_WEBHOOK_SECRET = o.secret or vapi.secret }
  if o.sign and o.sign:find "^hmac" then
    v.env.VAPI_WEBHOOK_HMAC = o.secret or vapi.secret
  end
  return v
end

-- -> status, answer (JSON as a table). o.key: another key; false: none.
function Vapi:api(method, path, body, o)
  local file = os.tmpname()
  local key = (o or {}).key
  local words = ("curl -sS --max-time 30 --http1.1 -o %s -w '%%{http_code}' -X %s "):format(file, method)
  if key ~= false then
    words = words .. "-H " .. proc.quote("Authorization: Bearer " .. (key or vapi.key)) .. " "
  end
  if body then
    proc.write(file .. ".body", type(body) == "string" and body or json.encode(body))
    words = words .. ("--data-binary @%s.body "):format(file)
  end
  local status = tonumber((proc.run(words .. proc.quote(self.url .. path) .. " 2>/dev/null")):match "%d+$") or 0
  local text = proc.read(file)
  os.remove(file)
  os.remove(file .. ".body")
  local good, value = pcall(json.decode, text)
  return status, good and value or text
end

function Vapi:control(order, body)
  local status, answer = self:api("POST", "/control/" .. order, body or {})
  assert(status < 300, ("control/%s: %d %s"):format(order, status, json.encode(answer)))
  return answer
end

function Vapi:hook(message)
  return self:control("hook", message)
end

function Vapi:hooks(type)
  local _, list = self:api("GET", "/control/hooks" .. (type and "?type=" .. type or ""))
  return list
end

-- Until one of that type was answered (and `want` says yes to it): that one, or nil.
function Vapi:wait_hook(type, want, seconds)
  return proc.wait_for(function()
    for _, hook in ipairs(self:hooks(type)) do
      if not hook.unsent and (not want or want(hook)) then
        return hook
      end
    end
  end, seconds or 30)
end

function Vapi:calls()
  local _, list = self:api("GET", "/call")
  return list
end

function Vapi:facts(kind)
  local list = {}
  for line in proc.read(self.log_file):gmatch "([^\n]+)\n" do
    local fact = json.decode(line)
    if not kind or fact.ev == kind then
      table.insert(list, fact)
    end
  end
  return list
end

-- Adds all of it to build/e2e/vapi.ndjson, where Vapi's own types judge it.
function Vapi:keep()
  local all = "build/e2e/vapi.ndjson" -- other stories add theirs at the same time
  proc.run "mkdir -p build/e2e"
  proc.run(("flock %s.lock cat %s >>%s"):format(all, proc.quote(self.log_file), all))
end

-- Its exit code: 0, or it (or a sanitizer) had something to complain about.
function Vapi:stop()
  local code = self.child:stop()
  self:keep()
  proc.remove(self.folder)
  return code
end

return vapi
