-- SPDX-License-Identifier: Apache-2.0
-- where: the line of an agent's file on which a field of `agent { … }` or `tool { … }` stands, found
-- by reading the source: a table does not remember where it was written.
local M = {}

local opens = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local closes = { ["end"] = true, ["until"] = true }

local function skip_long(source, at)
  local equals = source:match("^%[(=*)%[", at)
  if not equals then
    return nil
  end
  local _, stop = source:find("]" .. equals .. "]", at, true)
  return (stop or #source) + 1
end

local function skip_quoted(source, at)
  local quote = source:sub(at, at)
  at = at + 1
  while at <= #source do
    local char = source:sub(at, at)
    if char == "\\" then
      at = at + 1
    elseif char == quote or char == "\n" then
      break
    end
    at = at + 1
  end
  return at + 1
end

local function skip_comment(source, at)
  local long = skip_long(source, at + 2)
  return long or (source:find("\n", at, true) or #source + 1)
end

-- Names, strings and single characters, each with its line.
local function tokens_of(source)
  local tokens, at, line = {}, 1, 1
  local function add(kind, text)
    tokens[#tokens + 1] = { kind = kind, text = text, line = line }
  end
  local function move(to)
    for _ in source:sub(at, to - 1):gmatch("\n") do
      line = line + 1
    end
    at = to
  end
  while at <= #source do
    local char = source:sub(at, at)
    if source:sub(at, at + 1) == "--" then
      move(skip_comment(source, at))
    elseif char:match("[%a_]") then
      local name = source:match("^[%w_]+", at)
      add("name", name)
      move(at + #name)
    elseif char == '"' or char == "'" then
      local stop = skip_quoted(source, at)
      add("string", source:sub(at + 1, stop - 2))
      move(stop)
    elseif char == "[" and skip_long(source, at) then
      add("string", "")
      move(skip_long(source, at))
    else
      if not char:match("%s") then
        add("char", char)
      end
      move(at + 1)
    end
  end
  return tokens
end

local function is_char(token, char)
  return token and token.kind == "char" and token.text == char
end

-- The key of the field that begins at token i, and the token after it.
local function read_key(tokens, i, frame)
  local token, after = tokens[i], tokens[i + 1]
  if token.kind == "name" and is_char(after, "=") and not is_char(tokens[i + 2], "=") then
    return token.text, i + 2
  end
  if is_char(token, "[") and after and after.kind == "string" and is_char(tokens[i + 3], "=") then
    return after.text, i + 4
  end
  frame.index = frame.index + 1
  return tostring(frame.index), i
end

-- Lines of all fields of the constructor whose "{" is token i: "openai.voice" → 13.
local function read_constructor(tokens, i)
  local lines, frames = {}, { { path = "", index = 0 } }
  local depth, at_field = 0, true -- of blocks and parentheses inside a field's expression
  i = i + 1
  while i <= #tokens and #frames > 0 do
    local token, frame = tokens[i], frames[#frames]
    if at_field and not is_char(token, "}") then
      local key, value_at = read_key(tokens, i, frame)
      frame.field = frame.path == "" and key or frame.path .. "." .. key
      lines[frame.field] = token.line
      i, at_field = value_at, false
    else
      if is_char(token, "{") and depth == 0 then
        frames[#frames + 1] = { path = frame.field, index = 0 }
        at_field = true
      elseif is_char(token, "}") and depth == 0 then
        frames[#frames] = nil
        at_field = false
      elseif depth == 0 and (is_char(token, ",") or is_char(token, ";")) then
        at_field = true
      elseif is_char(token, "(") or is_char(token, "{") or token.kind == "name" and opens[token.text] then
        depth = depth + 1
      elseif is_char(token, ")") or is_char(token, "}") or token.kind == "name" and closes[token.text] then
        depth = depth - 1
      end
      i = i + 1
    end
  end
  return lines
end

---Lines of the fields of `callee { … }`: the first one at or after `line`; without a line, the last.
---@param source string
---@param callee string
---@param line integer?
---@return table<string, integer> lines
---@return integer? line of the call
function M.fields(source, callee, line)
  local tokens = tokens_of(source)
  local found
  for i, token in ipairs(tokens) do
    local brace = is_char(tokens[i + 1], "(") and i + 2 or i + 1
    if token.kind == "name" and token.text == callee and is_char(tokens[brace], "{") then
      if not line or token.line >= line then
        found = brace
        if line then
          break
        end
      end
    end
  end
  if not found then
    return {}, line
  end
  return read_constructor(tokens, found), tokens[found].line
end

return M
