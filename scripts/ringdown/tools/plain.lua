-- SPDX-License-Identifier: Apache-2.0
-- plain: what the small tools of the library do once they are called.
local host = require "ringdown.host"

local M = {}

---@param call ringdown.call
function M.end_call(call)
  call:hang_up("goodbye")
  return { ended = true }
end

---@param call ringdown.call
---@param args { to: string }
---@param config { ring: string?, screen: boolean? }
function M.transfer_call(call, args, config)
  local wanted, why = call:transfer(args.to, { ring = config.ring, screen = config.screen })
  if not wanted then
    return nil, why
  end
  return { connecting = args.to }
end

---@param call ringdown.call
---@param args table template, and what the texts want
---@param config { to: string? }
function M.send_sms(call, args, config)
  local sent, why = require("ringdown.sms").send(call, args.template, { args = args, to = config.to })
  return sent and { sent = true, to = config.to or "the caller" }, why
end

---@param args { kind: string, severity: string?, words: string }
function M.report_emergency(_, args)
  local acted, why = host.emergency(args.kind, args.severity or "life", args.words)
  if acted == nil then
    error(why, 0)
  end
  local say = "Stay with the caller. Tell them to leave if they are in danger and to call the emergency services. "
    .. "Do not say that help is on its way."
  return { noted = true, a_person_is_being_called = acted, say = say }
end

return M
