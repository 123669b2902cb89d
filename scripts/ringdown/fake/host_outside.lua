-- SPDX-License-Identifier: Apache-2.0
-- Whom ringdown.fake.host speaks to: Twilio, Vapi, OpenAI, mail servers and other addresses. An answer is told
-- before by "METHOD path": one, or a list of them, one per request; { lost = true } and { not_sent = true } are
-- requests without one.
local M = require "ringdown.fake.host_base"

M.on_reset(function()
  ---What Twilio was asked, newest last, and its answers.
  M.twilio_requests, M.twilio_replies = {}, nil ---@type table[], table<string, table>?
  ---What Vapi was asked, newest last, and its answers.
  M.vapi_requests, M.vapi_replies = {}, nil
  ---What OpenAI's REST API and the watcher of heartbeat.url answer, by "GET path" and "POST heartbeat"; what was told.
  M.openai_replies, M.heartbeats = nil, {} ---@type table<string, table>?, string[]
  ---Whether OpenAI opens a session and the mail server lets us in: { code = "401", why = "…" }; nil: yes.
  M.session_refused, M.mail_refused = nil, nil ---@type table?, table?
  ---Mails and requests that went out, and what became of them; what we send as, "": there is no mail.
  M.mails, M.posts, M.mail_replies, M.post_replies, M.mail_from = {}, {}, {}, {}, "alerts@example.com"
  ---What was told about each target, newest last; and who is given up, for how many ms.
  M.told, M.given_up = {}, {}
end)

-- The next of a list of answers; the last one stays. A function is asked.
local function reply_to(replies, method, path, body)
  local reply = replies and replies[method .. " " .. path]
  if type(reply) == "function" then
    return reply(body)
  elseif reply and reply[1] then
    reply = #reply > 1 and table.remove(reply, 1) or reply[1]
  end
  return reply
end

local function answer_with(reply)
  if not reply or reply.not_sent then
    return nil, "connection refused", "not_sent"
  elseif reply.lost then
    return nil, "the answer was lost", "unknown"
  end
  return { status = reply.status or 200, body = reply.body or "{}", retry_after_ms = reply.retry_after_ms or 0,
    date_ms = reply.date_ms or 0 }
end

function M.twilio_ready()
  return M.twilio_replies ~= nil
end

function M.twilio(method, path, form)
  M.twilio_requests[#M.twilio_requests + 1] = { method = method, path = path, form = form }
  assert(not path:find "[^%w/._-]", "as host.twilio: letters, digits and / . _ - only, not " .. path)
  local reply = reply_to(M.twilio_replies, method, path, form)
  if not reply and M.twilio_replies and method == "POST" and path == "Messages.json" then
    reply = require("ringdown.fake.texts").post(form)
  end
  return answer_with(reply)
end

-- ── operations ──────────────────────────────────────────────────────────────────────────────────
function M.vapi_ready()
  return M.vapi_replies ~= nil
end

function M.vapi(method, path, body, timeout_ms)
  M.vapi_requests[#M.vapi_requests + 1] = { method = method, path = path, body = body, timeout_ms = timeout_ms }
  if not M.vapi_replies then
    return nil, "there is no key for Vapi: set vapi.key (VAPI_API_KEY)", "not_sent"
  end
  return answer_with(reply_to(M.vapi_replies, method, path, body))
end

function M.openai_ready()
  return M.openai_replies ~= nil
end

function M.openai(path)
  return answer_with(reply_to(M.openai_replies, "GET", path))
end

function M.outside()
  return answer_with(reply_to(M.openai_replies, "GET", "outside"))
end

function M.openai_session(model)
  M.session_of = model
  if M.session_refused then
    return nil, M.session_refused.why, M.session_refused.code
  end
  return true
end

function M.heartbeat(text)
  M.heartbeats[#M.heartbeats + 1] = text
  return answer_with(reply_to(M.openai_replies, "POST", "heartbeat", text))
end

function M.mail_ready()
  return M.mail_from ~= "", M.mail_from
end

function M.mail_hello()
  if M.mail_refused then
    return nil, M.mail_refused.why, M.mail_refused.code
  end
  return true
end

-- The next reply: true, or { why, code }.
local function next_reply(list)
  local reply = #list > 1 and table.remove(list, 1) or list[1]
  if reply == nil or reply == true then
    return true
  end
  return nil, reply[1], reply[2]
end

function M.mail(letter)
  M.mails[#M.mails + 1] = letter
  return next_reply(M.mail_replies)
end

---By default 200; a reply is a status, a table { status, retry_after_ms }, or { lost = "why" }.
function M.post(o)
  M.posts[#M.posts + 1] = o
  local reply = #M.post_replies > 1 and table.remove(M.post_replies, 1) or M.post_replies[1] or 200
  if type(reply) == "table" and reply.lost then
    return nil, reply.lost, "unknown"
  end
  return { status = type(reply) == "table" and reply[1] or reply, body = "", retry_after_ms = type(reply) == "table"
    and reply[2] or 0 }
end

function M.http(request)
  return require("ringdown.fake.http").http(request)
end

function M.breaker_ask(target)
  if M.given_up[target] then
    return nil, M.given_up[target]
  end
  return 1
end

function M.breaker_tell(target, ticket, how, why)
  assert(ticket == 1 and (why == nil or type(why) == "string"))
  M.told[#M.told + 1] = target .. " " .. how
end

return M
