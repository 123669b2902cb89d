-- SPDX-License-Identifier: Apache-2.0
-- reference: docs/lua/, a page for each module that agents may require, read from the annotations in its source.
--
-- The comment a module opens with becomes the page's introduction, then come functions and types. What the library
-- keeps for itself is named here; every other function has to say what it does and what each of its parameters is.
local M = {}

---The pages, in the order of the index. `own`: functions that are not for agents. `also`: where more types stand.
M.pages = {
  { module = "agent", own = { "is", "is_file" } },
  { module = "tool", own = { "is", "check", "later", "source", "named" } },
  { module = "tools", also = { "calendar_options", "tools/lookup_customer", "tools/send_sms", "tools/transfer_call" } },
  { module = "call", own = { "check_reason", "new", "def_of" } },
  { module = "triage", own = { "compile", "shape", "warn", "person", "match" } },
  { module = "routing", own = { "decide" } },
  { module = "verify", own = { "refusal", "run" } },
  { module = "sms", own = { "compile", "words", "help" }, also = { "texts/inbound" } },
  { module = "db" },
  { module = "store" },
  { module = "http" },
  { module = "secret", own = { "name_of", "check", "begin" } },
  { module = "json", own = { "is_array" } },
  { module = "log", own = { "known" } },
  { module = "time", own = { "zone", "hours_shape", "hours_text", "duration", "days", "date", "weekday" } },
  { module = "template", own = { "compile", "render" } },
  { module = "fake", own = { "to_desk" }, also = { "fake/http" } },
}

-- Types that only the library meets.
local own_types = { ["ringdown.template"] = true, ["ringdown.fake.desk"] = true }

-- ── reading annotations ─────────────────────────────────────────────────────────────────────────
local opening, closing = { ["("] = true, ["{"] = true, ["["] = true, ["<"] = true }, { [")"] = true, ["}"] = true,
  ["]"] = true, [">"] = true }

-- `fun(a: b): c, d? words of ours` → the type, and the words. A space ends a type, but not inside of brackets or after
-- what must go on.
local function split_type(text)
  local depth, quoted, at = 0, false, 1
  while at <= #text do
    local char = text:sub(at, at)
    if char == '"' then
      quoted = not quoted
    elseif quoted then -- brackets in a text are none
      depth = depth + 0
    elseif opening[char] then
      depth = depth + 1
    elseif closing[char] then
      depth = depth - 1
    elseif char == " " and depth == 0 and not text:sub(1, at - 1):find "[:,|]$" and not text:find("^ *|", at) then
      break
    end
    at = at + 1
  end
  return text:sub(1, at - 1), text:sub(at + 1)
end

local tags = {}

function tags.param(doc, text)
  local name, rest = text:match "^(%S+)%s+(.*)$"
  local kind, about = split_type(rest or "")
  table.insert(doc.params, { name = name:gsub("%?$", ""), kind = kind, about = about })
  return doc.params[#doc.params]
end

tags["return"] = function(doc, text)
  local kind, rest = split_type(text)
  local name, about = rest:match "^([%a_][%w_]*)%s*(.*)$"
  table.insert(doc.returns, { name = name, kind = kind, about = about or rest })
  return doc.returns[#doc.returns]
end

function tags.field(doc, text)
  local name, rest = text:match "^(%b[])%s+(.*)$"
  if not name then
    name, rest = text:match "^(%S+)%s+(.*)$"
  end
  local kind, about = split_type(rest or "")
  table.insert(doc.fields, { name = name, kind = kind, about = about })
  return doc.fields[#doc.fields]
end

function tags.class(doc, text)
  local name, about = text:match "^([%w_.]+):?%s*(.*)$"
  doc.type, doc.about = name, about
  return doc
end

function tags.alias(doc, text)
  local name, rest = text:match "^(%S+)%s*(.*)$"
  doc.type, doc.alias = name, {}
  if rest ~= "" then
    local kind, about = split_type(rest)
    table.insert(doc.alias, { kind = kind, about = about })
  end
  return doc
end

local function new_doc(line)
  return { line = line, words = {}, params = {}, returns = {}, fields = {} }
end

-- One line after its "---". Returns what further lines go on about.
local function read_line(doc, text, last)
  local tag, rest = text:match "^@(%l+)%s*(.*)$"
  if tag then
    return tags[tag] and tags[tag](doc, rest) or nil
  elseif text:match "^|" then
    local kind, about = split_type(text:match "^|%s*(.*)$")
    table.insert(doc.alias, { kind = kind, about = (about:gsub("^#%s*", "")) })
  elseif last then
    last.about = ((last.about or "") .. " " .. text:gsub("^%s+", "")):gsub("^ ", "")
    return last
  else
    doc.words[#doc.words + 1] = text
  end
end

local function parameters_of(text)
  local names = {}
  for name in text:gmatch "[%w_.]+" do
    if name ~= "self" then
      names[#names + 1] = name
    end
  end
  return names
end

-- What is documented here: `function M.get(url)`, `function call:say(words)`, or `agent { … }` itself.
local function function_on(line)
  local owner, name, given = line:match "^function ([%w_]+[.:])([%w_]+)%((.-)%)"
  if owner then
    return owner, name, parameters_of(given)
  end
  given = line:match "^%s+__call = function%(_,?%s*(.-)%)"
  if given and given ~= "" then
    return "", "", parameters_of(given)
  end
end

---What a module's source says: its introduction, functions and types, in order.
---@param source string
---@return { intro: string[], functions: table[], types: table[] }
function M.read(source)
  local out, doc, last, in_intro, number = { intro = {}, functions = {}, types = {} }, nil, nil, true, 0
  for line in (source .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local text = line:match "^%s*%-%-%-(.*)$"
    if number > 1 and in_intro then
      in_intro = line:match "^%-%-" ~= nil and not text
      if in_intro then
        table.insert(out.intro, (line:gsub("^%-%- ?", "")))
      end
    end
    if text and not text:match "^%-" then
      if doc and doc.type and (text:match "^@class" or text:match "^@alias") then -- one right after another
        table.insert(out.types, doc)
        doc = nil
      end
      doc = doc or new_doc(number)
      last = read_line(doc, text, last)
    else
      local owner, name, params = function_on(line)
      if owner then
        doc = doc or new_doc(number)
        doc.owner, doc.name, doc.takes = owner, name, params
        table.insert(out.functions, doc)
      end
      if doc and doc.type then
        table.insert(out.types, doc)
      end
      doc, last = nil, nil
    end
  end
  return out
end

-- ── what must not be missing ────────────────────────────────────────────────────────────────────
local function includes(list, what)
  for _, item in ipairs(list or {}) do
    if item == what then
      return true
    end
  end
  return false
end

---What is missing in a module's annotations, a line each: "scripts/ringdown/json.lua:19: array: …".
---@param page table
---@param read table what M.read returned
---@param path string
---@return string[]
function M.missing(page, read, path)
  local list = {}
  local function complain(doc, what)
    list[#list + 1] = ("%s:%d: %s: %s"):format(path, doc.line, doc.name ~= "" and doc.name or page.module, what)
  end
  for _, doc in ipairs(read.functions) do
    if not includes(page.own, doc.name) then
      if #doc.words == 0 then
        complain(doc, "says nothing about what it does; write a line '---What it does.' above it")
      end
      local described = {}
      for i, param in ipairs(doc.params) do
        described[i] = param.name
      end
      for _, name in ipairs(doc.takes) do
        if not includes(described, name) then
          complain(doc, ("the parameter '%s' has no ---@param"):format(name))
        end
      end
    end
  end
  for _, name in ipairs(page.own or {}) do
    local there = false
    for _, doc in ipairs(read.functions) do
      there = there or doc.name == name
    end
    if not there then
      list[#list + 1] = ("spec/support/reference.lua: '%s.%s' is no function any more"):format(page.module, name)
    end
  end
  return list
end

-- ── writing pages ───────────────────────────────────────────────────────────────────────────────
local function cell(text)
  return (text:gsub("|", "\\|"))
end

local function code(text)
  return text ~= "" and "`" .. text .. "`" or ""
end

local function fence_of(lines)
  local text = table.concat(lines, "\n")
  return (load(text) or load("return {" .. text .. "}")) and "```lua" or "```text"
end

-- "name: what it is" opens a module's comment; lines that are indented are a sample, or a list.
local function introduction(lines)
  local out, sample = {}, nil
  for i = 1, #lines + 1 do
    local line = lines[i] or ""
    local inside = line:match "^  " or line == "" and sample and (lines[i + 1] or ""):match "^  "
    if inside then
      sample = sample or {}
      table.insert(sample, (line:gsub("^  ", "")))
    else
      if sample then
        out[#out + 1] = ("%s\n%s\n```"):format(fence_of(sample), table.concat(sample, "\n"))
        sample = nil
      end
      out[#out + 1] = i == 1 and line:gsub("^[%w_]+: (.)", string.upper) or line
    end
  end
  return (table.concat(out, "\n"):gsub("\n+$", ""))
end

local function signature(module, doc)
  local takes = table.concat(doc.takes, ", ")
  if doc.name == "" then
    return module .. "(" .. takes .. ")"
  end
  return (doc.owner == "M." and module .. "." or doc.owner) .. doc.name .. "(" .. takes .. ")"
end

local function function_section(module, doc)
  local out = { "### `" .. signature(module, doc) .. "`\n", table.concat(doc.words, "\n") .. "\n" }
  for _, param in ipairs(doc.params) do
    local about = param.about ~= "" and ": " .. param.about or ""
    out[#out + 1] = ("- %s %s%s"):format(code(param.name), code(param.kind), about)
  end
  for _, value in ipairs(doc.returns) do
    local about = table.concat({ value.name or "", value.about ~= "" and value.about or nil }, " ")
    out[#out + 1] = ("- returns %s %s"):format(code(value.kind), about):gsub("%s+$", "")
  end
  return (table.concat(out, "\n"):gsub("\n+$", "")) .. "\n"
end

local function type_section(doc)
  local out = { "### `" .. doc.type .. "`\n" }
  if doc.about and doc.about ~= "" then
    out[#out + 1] = doc.about:sub(1, 1):upper() .. doc.about:sub(2) .. (doc.about:match ":$" and "" or ".") .. "\n"
  end
  if #doc.words > 0 then
    out[#out + 1] = table.concat(doc.words, "\n") .. "\n"
  end
  if doc.alias or #doc.fields > 0 then
    out[#out + 1] = doc.alias and "| one of | |\n|---|---|" or "| field | type | |\n|---|---|---|"
  end
  for _, value in ipairs(doc.alias or {}) do
    out[#out + 1] = ("| %s | %s |"):format(cell(code(value.kind)), cell(value.about))
  end
  for _, field in ipairs(doc.fields) do
    out[#out + 1] = ("| %s | %s | %s |"):format(code(field.name), cell(code(field.kind)),
      cell(field.about))
  end
  return table.concat(out, "\n") .. "\n"
end

local MADE = "<!-- Made by scripts/lua-reference from the annotations in scripts/ringdown/. -->\n"

local function page_text(page, read)
  local out = { MADE, ("# `ringdown.%s`\n"):format(page.module), introduction(read.intro) .. "\n" }
  local functions, types = {}, {}
  for _, doc in ipairs(read.functions) do
    if not includes(page.own, doc.name) then
      functions[#functions + 1] = function_section(page.module, doc)
    end
  end
  for _, doc in ipairs(read.types) do
    if not own_types[doc.type] and (doc.alias or #doc.fields > 0) then
      types[#types + 1] = type_section(doc)
    end
  end
  if #functions > 0 then
    out[#out + 1] = "## Functions\n"
    out[#out + 1] = table.concat(functions, "\n")
  end
  if #types > 0 then
    out[#out + 1] = "## Types\n"
    out[#out + 1] = table.concat(types, "\n")
  end
  return (table.concat(out, "\n"):gsub("\n+$", "\n"))
end

local INDEX = [[
# The Lua library

What an agent's file may require, module by module. `?` after a type means that it may be left out or nil. How these
parts go together is told in [../agents.md](../agents.md). The same annotations serve editors with the Lua language
server; `.luarc.json` points it to them.

| module | |
|---|---|
]]

local function first_sentence(lines)
  local text = table.concat(lines, " "):gsub("^[%w_]+: ", "")
  text = text:match "^(.-)%. " or text:match "^(.-)%.$" or text:match "^(.-):%s" or text
  return (text:gsub("^%l", string.upper))
end

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

---Every page by its path, and what is missing in the sources.
---@return table<string, string> pages
---@return string[] missing
function M.make()
  local pages, missing, index = {}, {}, { MADE, INDEX }
  for _, page in ipairs(M.pages) do
    local path = ("scripts/ringdown/%s.lua"):format(page.module)
    local read = M.read(read_file(path))
    for _, what in ipairs(M.missing(page, read, path)) do
      missing[#missing + 1] = what
    end
    for _, more in ipairs(page.also or {}) do
      for _, doc in ipairs(M.read(read_file(("scripts/ringdown/%s.lua"):format(more))).types) do
        table.insert(read.types, doc)
      end
    end
    pages["docs/lua/" .. page.module .. ".md"] = page_text(page, read)
    index[#index + 1] = ("| [%s](%s.md) | %s |\n"):format(page.module, page.module, cell(first_sentence(read.intro)))
  end
  pages["docs/lua/README.md"] = MADE .. "\n" .. table.concat(index, "", 2)
  return pages, missing
end

return M
