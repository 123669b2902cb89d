-- SPDX-License-Identifier: Apache-2.0
-- What Slack (incoming webhooks, Block Kit) and PagerDuty (Events API v2) take, as their references say: every field,
-- its type and how long it may be. shapes.slack(value), shapes.pagerduty(value): nil, or what is wrong.
local M = {}

-- { type, max = length, required =, one_of =, fields =, items = }; a field that is not named is one too many.
local function check(value, s, path)
  if type(value) ~= s[1] then
    return ("%s is a %s, not a %s"):format(path, type(value), s[1])
  elseif s.one_of and not (" " .. s.one_of .. " "):find(" " .. value .. " ", 1, true) then
    return ("%s is '%s'"):format(path, value)
  elseif s.pattern and not value:match(s.pattern) then
    return ("%s is '%s'"):format(path, value)
  elseif s.max and (s[1] == "string" and utf8.len(value) or #value) > s.max then
    return ("%s is longer than %d"):format(path, s.max)
  elseif s.min and #value < s.min then
    return path .. " is empty"
  end
  for key, of in pairs(s.fields or {}) do
    if value[key] == nil and of.required then
      return ("%s.%s is missing"):format(path, key)
    end
  end
  for key, one in pairs((s.fields or s.items) and value or {}) do
    local of = s.items or s.fields[key]
    local why = not of and ("%s.%s is nothing that is known"):format(path, key) or check(one, of, path .. "." .. key)
    if why then
      return why
    end
  end
end

local words = { "string", required = true, min = 1, max = 3000 }
local text_object = { "table", required = true, fields = { text = words,
  type = { "string", required = true, one_of = "mrkdwn plain_text" } } }
local message = { "table", fields = {
  text = { "string", required = true, min = 1, max = 4000 },
  blocks = { "table", min = 1, max = 50, items = { "table", fields = { text = text_object,
    type = { "string", required = true, one_of = "section" } } } },
} }

function M.slack(value)
  local why = check(value, message, "message")
  for _, text in ipairs(why and {} or { value.text, value.blocks[1].text.text }) do
    if text:gsub("&amp;", ""):gsub("&lt;", ""):gsub("&gt;", ""):find "[&<>]" then
      why = "Slack would take a sign of it for its own: " .. text
    end
  end
  return why
end

local short = { "string", min = 1, max = 1024 }
local event = { "table", fields = {
  routing_key = { "string", required = true, pattern = "^%w+$", min = 32, max = 32 },
  event_action = { "string", required = true, one_of = "trigger acknowledge resolve" },
  dedup_key = { "string", required = true, min = 1, max = 255 },
  client = short, client_url = short,
  payload = { "table", fields = {
    summary = { "string", required = true, min = 1, max = 1024 },
    source = { "string", required = true, min = 1, max = 1024 },
    severity = { "string", required = true, one_of = "critical error warning info" },
    timestamp = { "string", pattern = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$" },
    component = short, group = short, class = short, custom_details = { "table" },
  } },
} }

function M.pagerduty(value)
  local why = check(value, event, "event")
  return why or (value.event_action == "trigger" and not value.payload and "event.payload is missing" or nil)
end

return M
