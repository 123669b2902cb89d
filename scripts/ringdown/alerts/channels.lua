-- SPDX-License-Identifier: Apache-2.0
-- alerts.channels: whom alerts are told to (alerts.channels in the configuration), and how one of them is told.
--
--   { name = "ops", kind = "mail", to = { "ops@example.com" } }
--   { name = "desk", kind = "webhook", url = "https://desk.example/alerts", secret = "…", severities = { "page" } }
--   { name = "chat", kind = "webhook", url = "https://hooks.slack.com/services/…", format = "slack" }
--   { name = "pager", kind = "webhook", format = "pagerduty", routing_key = "…", severities = { "page" } }
--
-- What is sent to a webhook of ours is signed: X-Ringdown-Signature: t=SECONDS,v1=HEX, where HEX is HMAC-SHA256 under
-- the channel's secret of "SECONDS.BODY" (docs/alerts.md shows how to verify it).
local formats = require "ringdown.alerts.formats"
local host = require "ringdown.host"
local json = require "ringdown.json"
local shape = require "ringdown.shape"

local M = {}

local PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
local POST_MS = 3000 -- others may wait behind it

---@class ringdown.alerts.channel
---@field name string
---@field kind "mail"|"webhook"
---@field to string[]? addresses
---@field url string?
---@field secret string?
---@field format "ringdown"|"slack"|"pagerduty"
---@field routing_key string? of PagerDuty
---@field severities string[]? of these alone
---@field agents string[]? alerts of these agents, and those that are of none

local fields = shape.fields({
  name = shape.matching("^[%a_][%w_-]*$", "a name; use letters, digits, _ and -"),
  kind = shape.one_of { "mail", "webhook" },
  to = shape.one_or_list_of(shape.matching("^[%w!#$%%&'*+/=?^_`{|}~.-]+@[%w.-]+$", "a mail address")),
  url = shape.text, secret = shape.text, routing_key = shape.text,
  format = shape.one_of { "ringdown", "slack", "pagerduty" },
  severities = shape.list_of(shape.one_of { "page", "ticket", "info" }),
  agents = shape.list_of(shape.text),
}, { "name", "kind" })

-- Plain http only on this machine.
local function is_url(url)
  local scheme, rest = url:match "^(https?)://([^%s\"<>\\]+)$"
  if not scheme or #url > 2000 then
    return false
  end
  local place = rest:match "^[^/?#]*":gsub("^.*@", ""):gsub(":%d+$", "")
  return scheme == "https" or place == "localhost" or place == "[::1]" or place:match "^127%.%d+%.%d+%.%d+$" ~= nil
end

local function check_mail(c, path, complain)
  if not c.to or #c.to == 0 or #c.to > 16 then
    complain(path, "a mail channel needs 'to', 1 to 16 addresses")
  elseif not host.mail_ready() then
    complain(path, "there is no mail server: smtp.url and smtp.from are missing")
  end
  for _, key in ipairs { "url", "secret", "format", "routing_key" } do
    if c[key] then
      complain(path .. "." .. key, "belongs to webhooks")
    end
  end
end

local function check_webhook(c, path, complain)
  c.format = c.format or "ringdown"
  if c.format == "pagerduty" then
    c.url = c.url or PAGERDUTY
    if not c.routing_key then
      complain(path, "PagerDuty needs 'routing_key', the integration key of a service (Events API v2)")
    end
  elseif c.format == "ringdown" and (not c.secret or #c.secret < 16) then
    complain(path, "a webhook needs 'secret', 16 letters or more that it is signed with")
  end
  if c.to then
    complain(path .. ".to", "belongs to mail")
  end
  if not c.url or not is_url(c.url) then
    complain(path .. ".url", "must be an address like https://desk.example/alerts; http:// on this machine alone")
  end
end

---What a list of channels comes to: those that are right, and what is wrong.
---@param text string JSON, "" for none
---@return ringdown.alerts.channel[]
---@return string[] mistakes "alerts.channels[2].url: …"
function M.read(text)
  local list, mistakes, names = {}, {}, {}
  local value = text ~= "" and json.decode(text) or {}
  for i, item in ipairs(value) do
    local good = true
    local function complain(path, words)
      good = false
      mistakes[#mistakes + 1] = ("%s: %s"):format(path:gsub("%.(%d+)", "[%1]"), words)
    end
    local path = "alerts.channels." .. i
    local c = fields(item, path, complain)
    if good then
      (c.kind == "mail" and check_mail or check_webhook)(c, path, complain)
    end
    if c.name and names[c.name] then
      complain(path .. ".name", "there are two of this name")
    end
    names[c.name or ""] = true
    if good then
      list[#list + 1] = c
    end
  end
  return list, mistakes
end

---@return ringdown.alerts.channel[]
---@return string[] mistakes
function M.list()
  return M.read(host.alert_channels())
end

---@param name string
---@return ringdown.alerts.channel?
function M.find(name)
  for _, c in ipairs((M.list())) do
    if c.name == name then
      return c
    end
  end
end

local function has(list, word)
  for _, one in ipairs(list) do
    if one == word then
      return true
    end
  end
  return false
end

---Does this channel want to hear of it?
---@param c ringdown.alerts.channel
---@param severity string
---@param agent string?
---@return boolean
function M.wants(c, severity, agent)
  return (not c.severities or has(c.severities, severity)) and (not c.agents or not agent or has(c.agents, agent))
end

-- ── telling ─────────────────────────────────────────────────────────────────────────────────────

local function send_mail(c, notice)
  local _, from = host.mail_ready()
  local domain = (from or ""):match "@(.+)$" or "localhost"
  local mail = formats.mail(notice)
  return host.mail { to = c.to, subject = mail.subject, text = mail.text, id = ("%s.%s@%s"):format(notice.notice,
    c.name,
    domain), answers = ("group.%s@%s"):format(host.digest(notice.group):sub(1, 24), domain) }
end

---The signature of a body.
---@param secret string
---@param body string
---@param at_s integer
---@return string
function M.signature(secret, body, at_s)
  return ("t=%d,v1=%s"):format(at_s, host.hmac(secret, ("%d.%s"):format(at_s, body)))
end

-- True; nil, why, code, seconds: "refused" is for good.
local function judge(answer, why, code)
  if not answer then
    return nil, why, code
  elseif answer.status >= 200 and answer.status < 300 then
    return true
  end
  local words = ("it answered %d"):format(answer.status)
  if answer.status >= 300 and answer.status < 400 then
    return nil, words .. " and sends us elsewhere: give the address that it ends at", "refused"
  elseif answer.status == 408 or answer.status == 425 or answer.status == 429 or answer.status >= 500 then
    return nil, words, "not_sent", (answer.retry_after_ms or 0) // 1000
  end
  return nil, words, "refused"
end

local function post(c, notice, body)
  local header = { "Content-Type: application/json", "X-Ringdown-Notice: " .. notice.notice }
  if c.secret then
    header[3] = "X-Ringdown-Signature: " .. M.signature(c.secret, body, host.unix_ms() // 1000)
  end
  return judge(host.post { url = c.url, body = body, header = header, timeout_ms = POST_MS })
end

local function send_webhook(c, notice)
  for _, value in ipairs(formats[c.format](notice, c)) do
    local ok, why, code, after_s = post(c, notice, assert(json.encode(value)))
    if not ok then
      return nil, why, code, after_s
    end
  end
  return true
end

---Tells one channel, and waits until it heard.
---@param c ringdown.alerts.channel
---@param notice table as formats.notice() makes it
---@return true? sent
---@return string? why
---@return "not_sent"|"unknown"|"refused"? code refused: not as it is
---@return integer? after_s it asks for so much patience
function M.send(c, notice)
  return (c.kind == "mail" and send_mail or send_webhook)(c, notice)
end

return M
