-- SPDX-License-Identifier: Apache-2.0
-- Prometheus' own checker, if scripts/setup --tests could fetch it.
local promtool = {}

---@return string? path
function promtool.path()
  for _, path in ipairs { "build/tools/promtool", "/usr/bin/promtool" } do
    local file = io.open(path)
    if file then
      file:close()
      return path
    end
  end
end

---What it says and how it ended; its input is `text`, a file made for it.
---@param words string
---@param text string?
---@return string said
---@return integer code
function promtool.run(words, text)
  local name = os.tmpname()
  local input = assert(io.open(name, "w"))
  input:write(text or "")
  input:close()
  local pipe = assert(io.popen(("%s %s <%s 2>&1; echo $?"):format(promtool.path(), words, name)))
  local said, code = pipe:read("a"):match "^(.-)(%d+)\n$"
  pipe:close()
  os.remove(name)
  return said, tonumber(code)
end

return promtool
