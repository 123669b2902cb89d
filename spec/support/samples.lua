-- SPDX-License-Identifier: Apache-2.0
-- samples: the Lua that stands on a page. A block whose first line is a comment with a file's name is that file.
local M = {}

---@class spec.sample
---@field path string the page
---@field line integer where its block begins
---@field lines string[]
---@field text string
---@field file string? "agents/barber.lua", as its first line says

---@param path string
---@return spec.sample[]
function M.of(path)
  local blocks, block, number = {}, nil, 0
  for line in io.lines(path) do
    number = number + 1
    if line == "```lua" then
      block = { path = path, line = number, lines = {} }
    elseif line == "```" and block then
      block.text = table.concat(block.lines, "\n") .. "\n"
      block.file = block.lines[1]:match "^%-%- (%S+%.lua)$"
      blocks[#blocks + 1] = block
      block = nil
    elseif block then
      table.insert(block.lines, line)
    end
  end
  return blocks
end

return M
