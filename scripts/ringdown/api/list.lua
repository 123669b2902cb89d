-- SPDX-License-Identifier: Apache-2.0
-- A Lua list as a JSON array, also when it is empty (the JSON library would write an object then).
local json = require "cjson"

return function(values)
  local texts = {}
  for i, value in ipairs(values) do texts[i] = json.encode(value) end
  return "[" .. table.concat(texts, ",") .. "]"
end
