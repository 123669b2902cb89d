-- SPDX-License-Identifier: Apache-2.0
-- twilio.numbers: the account's telephone numbers, and where each sends its calls and texts. A number's twelve fields
-- are texts; what Twilio says is null is "", because an empty value is what puts that back.
local json = require "ringdown.json"
local rest = require "ringdown.twilio.rest"

local M = {}

local LIST = "IncomingPhoneNumbers.json"
local PAGE, PAGES_MAX = 200, 100

---What a snapshot keeps, and an update may change, with Twilio's names in a form.
M.forms = {
  voice_url = "VoiceUrl", voice_method = "VoiceMethod",
  voice_fallback_url = "VoiceFallbackUrl", voice_fallback_method = "VoiceFallbackMethod",
  voice_application_sid = "VoiceApplicationSid", trunk_sid = "TrunkSid",
  status_callback = "StatusCallback", status_callback_method = "StatusCallbackMethod",
  sms_url = "SmsUrl", sms_method = "SmsMethod",
  sms_fallback_url = "SmsFallbackUrl", sms_application_sid = "SmsApplicationSid",
}

---In this order people see them.
M.names = { "voice_url", "voice_method", "voice_fallback_url", "voice_fallback_method", "voice_application_sid",
  "trunk_sid", "status_callback", "status_callback_method", "sms_url", "sms_method", "sms_fallback_url",
  "sms_application_sid" }

---The twelve of a resource.
---@param resource table
---@return table<string, string>
function M.fields(resource)
  local fields = {}
  for _, name in ipairs(M.names) do
    local value = resource[name]
    fields[name] = type(value) == "string" and value or ""
  end
  return fields
end

local function path_of(sid)
  if type(sid) ~= "string" or not sid:match("^PN%x+$") then
    error("not the id of a number", 3)
  end
  return "IncomingPhoneNumbers/" .. sid .. ".json"
end

-- What leads to the next page, as Twilio wrote it: a page must not be asked for by its number.
local function next_of(page)
  local uri = page.next_page_uri
  local query = type(uri) == "string" and uri:match("^[^?]*%?(.+)$")
  return query and (query:gsub("%+", "%%20"))
end

---All numbers, or those that match `number`, "+1312555*".
---@param number string?
---@return table[]? numbers
---@return string? why
---@return any code
function M.list(number)
  local list, query = {}, { PageSize = PAGE, PhoneNumber = number }
  for _ = 1, PAGES_MAX do
    local page, why, code = rest.read(LIST, query)
    if not page then
      return nil, why, code
    end
    for _, one in ipairs(page.incoming_phone_numbers or {}) do
      list[#list + 1] = one
    end
    query = next_of(page)
    if not query then
      return list
    end
  end
  return nil, ("the account has more than %d numbers"):format(PAGE * PAGES_MAX)
end

---@param number string "+13125550100"
---@return table|false|nil number false: the account has none like that
---@return string? why
---@return any code
function M.find(number)
  local list, why, code = M.list(number)
  if not list then
    return nil, why, code
  end
  return list[1] or false
end

---@param sid string
---@return table? number
---@return string? why
---@return any code
function M.fetch(sid)
  return rest.read(path_of(sid))
end

---Does a number have these fields? A method that Twilio does not tell is POST.
---@param fields table<string, string> the number's
---@param wanted table<string, string>
---@return { name: string, wanted: string, found: string }[] differences
function M.differences(fields, wanted)
  local list = json.array {}
  for _, name in ipairs(M.names) do
    local want, found = wanted[name], fields[name]
    if want and want ~= found and not (name:find "_method$" and want == "" and found == "POST") then
      list[#list + 1] = { name = name, wanted = want, found = found }
    end
  end
  return list
end

---Changes these fields, and no others. It may be done twice, so it is repeated until Twilio says yes, or until reading
---back says that it happened.
---@param sid string
---@param wanted table<string, string>
---@return table? number
---@return string? why
---@return any code "unknown": nobody knows whether it happened
function M.update(sid, wanted)
  local path, form = path_of(sid), {}
  for name, value in pairs(wanted) do
    if not M.forms[name] then
      error(("update: unknown field '%s'"):format(tostring(name)), 2)
    end
    if not (name:find "_method$" and value == "") then -- Twilio has no way to say that
      form[M.forms[name]] = value
    end
  end
  return rest.write {
    path = path, form = form,
    read_back = function()
      local now, why = M.fetch(sid)
      if not now then
        return nil, why
      end
      return #M.differences(M.fields(now), wanted) == 0 and now
    end,
  }
end

return M
