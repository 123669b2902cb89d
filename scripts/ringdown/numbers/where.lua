-- SPDX-License-Identifier: Apache-2.0
-- numbers.where: whose is a URL that a number has? Ours, Vapi's, somebody else's, or there is none.
local M = {}

local VAPI = "https://api.vapi.ai"

---@class ringdown.numbers.ours
---@field public_url string "https://calls.example.com"
---@field vapi_api string "https://api.vapi.ai"
---@field twilio_api string

---@param ours ringdown.numbers.ours
function M.voice_url(ours)
  return ours.public_url .. "/twilio/voice"
end

---@param ours ringdown.numbers.ours
function M.sms_url(ours)
  return ours.public_url .. "/twilio/sms"
end

---What Vapi writes when it imports a number.
---@param ours ringdown.numbers.ours
function M.vapi(ours, what)
  return ours.vapi_api .. "/twilio/" .. what
end

local function is_below(url, base)
  return base ~= "" and url:sub(1, #base + 1) == base .. "/"
end

---@return "ringdown"|"vapi"|"elsewhere"|"nobody"
function M.leads_to(url, ours)
  if url == "" then
    return "nobody"
  elseif is_below(url, ours.public_url) then
    return "ringdown"
  end
  return (is_below(url, ours.vapi_api) or is_below(url, VAPI)) and "vapi" or "elsewhere"
end

local URLS = { "voice_url", "voice_fallback_url", "status_callback", "sms_url", "sms_fallback_url" }

---Does anything of a number with these fields lead to us?
---@param fields table<string, string>
---@param ours ringdown.numbers.ours
function M.any_to_us(fields, ours)
  for _, name in ipairs(URLS) do
    if M.leads_to(fields[name], ours) == "ringdown" then
      return true
    end
  end
  return false
end

---Who gets the calls of a number with these fields, and who its texts.
---@param fields table<string, string>
---@param ours ringdown.numbers.ours
---@return "ringdown"|"vapi"|"elsewhere"|"nobody" calls
---@return "ringdown"|"vapi"|"elsewhere"|"nobody" texts
function M.of(fields, ours)
  local apart = fields.voice_application_sid ~= "" or fields.trunk_sid ~= ""
  return apart and "elsewhere" or M.leads_to(fields.voice_url, ours),
    fields.sms_application_sid ~= "" and "elsewhere" or M.leads_to(fields.sms_url, ours)
end

return M
