-- SPDX-License-Identifier: Apache-2.0
-- csv: tables as spreadsheets write them (RFC 4180): quotes, line breaks in quotes, CRLF, the mark that some put before
-- the first line. Bounded; what is wrong is told with its line.
local M = {}

local COLUMNS_MAX, CELL_MAX = 64, 16 * 1024

-- A cell that begins at `at`: its text, where the next thing begins; nil, why.
local function quoted(text, at)
  local parts, from = {}, at + 1
  while true do
    local close = text:find('"', from, true)
    if not close then
      return nil, 'has a " that is never closed'
    end
    parts[#parts + 1] = text:sub(from, close - 1)
    if text:byte(close + 1) ~= 34 then
      return table.concat(parts), close + 1
    end
    parts[#parts + 1], from = '"', close + 2
  end
end

local function plain(text, at)
  local stop = text:find("[,\r\n]", at) or #text + 1
  return text:sub(at, stop - 1):match "^%s*(.-)%s*$", stop
end

local function count_lines(cell)
  return select(2, cell:gsub("\n", ""))
end

-- One row: its cells, where the next begins, how many lines it took; nil, why.
local function read_row(text, at)
  local cells, n_lines = {}, 1
  while true do
    local read = text:byte(at) == 34 and quoted or plain
    local cell, next_at = read(text, at)
    if not cell then
      return nil, next_at
    elseif #cell > CELL_MAX or #cells == COLUMNS_MAX then
      return nil, "is too large: at most 64 columns of 16 KB"
    end
    cells[#cells + 1], n_lines = cell, n_lines + count_lines(cell)
    local byte = text:byte(next_at)
    if byte == 44 then
      at = next_at + 1
    elseif not byte or byte == 10 then
      return cells, next_at + 1, n_lines
    elseif byte == 13 then
      return cells, next_at + (text:byte(next_at + 1) == 10 and 2 or 1), n_lines
    else
      return nil, 'has text behind a closing "'
    end
  end
end

local function is_empty(cells)
  return #cells == 1 and cells[1] == ""
end

---Rows by the names of the first line.
---@param text string
---@param o { known: fun(name: string): boolean, required: string[], rows_max: integer, what: string }
---@return { line: integer, cells: table<string, string> }[]? rows without empty cells; nil: it is no such table
---@return string? why
function M.read(text, o)
  local names, rows, at, line = nil, {}, text:sub(1, 3) == "\xEF\xBB\xBF" and 4 or 1, 1
  while at <= #text do
    local cells, next_at, n_lines = read_row(text, at)
    if not cells then
      return nil, ("line %d %s"):format(line, next_at)
    elseif not names and not is_empty(cells) then
      local why
      names, why = M.names(cells, o)
      if not names then
        return nil, why
      end
    elseif not is_empty(cells) then
      if #rows == o.rows_max then
        return nil, ("has more than %d lines; divide it"):format(o.rows_max)
      end
      rows[#rows + 1] = M.row(names, cells, line)
    end
    at, line = next_at, line + n_lines
  end
  if not names then
    return nil, "is empty; its first line names the columns: " .. o.what
  end
  return rows
end

function M.names(cells, o)
  local seen, names = {}, {}
  for i, cell in ipairs(cells) do
    local name = cell:lower()
    if not o.known(name) then
      return nil, ("has a column '%s', which is none; they are %s"):format(cell:sub(1, 64), o.what)
    elseif seen[name] then
      return nil, ("has the column '%s' twice"):format(name)
    end
    seen[name], names[i] = true, name
  end
  for _, name in ipairs(o.required) do
    if not seen[name] then
      return nil, ("has no column '%s'; they are %s"):format(name, o.what)
    end
  end
  return names
end

function M.row(names, cells, line)
  local row = { line = line, cells = {} }
  row.why = #cells > #names and ("has %d cells, the first line names %d"):format(#cells, #names) or nil
  for i, name in ipairs(names) do
    local cell = cells[i]
    row.cells[name] = cell ~= "" and cell or nil
    if cell and (not utf8.len(cell) or cell:find("[%z\1-\8\11\12\14-\31\127]")) then
      row.why = ("%s is no text in UTF-8"):format(name)
    end
  end
  return row
end

return M
