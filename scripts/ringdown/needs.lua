-- SPDX-License-Identifier: Apache-2.0
-- needs: what an agent may use beyond its call. Nothing that is not listed is reachable.
local shape = require "ringdown.shape"

local M = {}

-- Credentials of the node itself: no agent may send them anywhere.
local ours = { OPENAI_API_KEY = true, TWILIO_AUTH_TOKEN = true, DATABASE_URL = true, VAPI_API_KEY = true,
  VAPI_WEBHOOK_SECRET = true, VAPI_WEBHOOK_HMAC = true, SENTRY_DSN = true, SMTP_URL = true }

local function host(value, path, complain)
  local shown = tostring(value):sub(1, 80)
  if type(value) ~= "string" then
    complain(path, "must be a host's name in quotes, like \"api.example.com\"")
  elseif value:match("^%a+://") or value:find("[/?#@]") then
    complain(path, ("\"%s\" is more than a host; write its name alone, like \"api.example.com\""):format(shown))
  elseif value:find("*", 1, true) then
    complain(path, ("\"%s\" would allow hosts that nobody looked at; name each"):format(shown))
  elseif value:find(":", 1, true) or value:match("^[%d.]+$") then
    complain(path, ("\"%s\" must be a name without port, and no address; an operator points names to addresses by"
      .. " http.resolve"):format(shown))
  elseif #value > 253 or not (value .. "."):match("^[%w-]+%.[%w.-]*%.$") or value:find("..", 1, true)
    or value:sub(-1) == "." then
    complain(path, ("\"%s\" is no host's name; write it like \"api.example.com\""):format(shown))
  else
    return value:lower()
  end
  return ""
end

local function secret(value, path, complain)
  if type(value) ~= "string" or #value > 64 or not value:match("^[%a_][%w_]*$") then
    complain(path, "must be the name of a secret: letters, digits and _, at most 64")
    return ""
  elseif ours[value] or value:match("^RINGDOWN_") or value:match("^PG[A-Z]+$") then
    complain(path, ("%s belongs to the node itself, and agents cannot use it; give it another name"):format(value))
  end
  return value
end

M.hosts = shape.list_of(host)
M.secrets = shape.list_of(secret)

return M
