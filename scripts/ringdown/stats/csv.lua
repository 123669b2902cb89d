-- SPDX-License-Identifier: Apache-2.0
-- stats.csv: tables for spreadsheets (RFC 4180). What a spreadsheet would take for a formula is text there: a name that
-- begins with =, +, -, @, a tab or a line end gets an apostrophe in front, which it hides. Numbers are numbers.
local M = {}

---@param value any
---@return string
function M.cell(value)
  if value == nil then
    return ""
  elseif math.type(value) == "integer" then
    return ("%d"):format(value)
  elseif type(value) == "number" then
    return (("%.6f"):format(value):gsub("0+$", ""):gsub("%.$", ""))
  end
  local text = tostring(value)
  if text:find "^%s*[=+%-@]" or text:find "^[\t\r\n]" or text:find "^%s*＝" then
    text = "'" .. text
  end
  if text:find '[",\r\n;]' or text:find "^%s" or text:find "%s$" then
    text = '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

---@param cells any[]
---@param n integer? how many; nil may be among them
---@return string line without its end
function M.line(cells, n)
  local texts = {}
  for i = 1, n or #cells do
    texts[i] = M.cell(cells[i])
  end
  return table.concat(texts, ",")
end

---One line for each row, and their names before.
---@param columns { [1]: string, [2]: fun(row: table): any }[]
---@param rows table[]
---@return string[] lines
function M.table(columns, rows)
  local names, lines = {}, {}
  for i, column in ipairs(columns) do
    names[i] = column[1]
  end
  lines[1] = M.line(names)
  for _, row in ipairs(rows) do
    local cells = {}
    for i, column in ipairs(columns) do
      cells[i] = column[2](row)
    end
    lines[#lines + 1] = M.line(cells, #columns)
  end
  return lines
end

return M
