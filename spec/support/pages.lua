-- SPDX-License-Identifier: Apache-2.0
-- The Markdown of this tree as GitHub reads it: which pages there are, their headings' anchors, and what they link to.
local lfs = require "lfs"

local M = {}

local LEFT_OUT = { build = true, node_modules = true, var = true, [".git"] = true, corpus = true }

function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function gather(folder, into)
  for name in lfs.dir(folder == "" and "." or folder) do
    local path = folder .. name
    local what = not (name == "." or name == ".." or LEFT_OUT[name] or name:find "^build%-") and
      lfs.symlinkattributes(path, "mode")
    if what == "directory" then
      gather(path .. "/", into)
    elseif what == "file" and name:find "%.md$" then
      into[#into + 1] = path
    end
  end
  return into
end

-- Every page of the tree, by its path.
function M.all()
  local pages = gather("", {})
  table.sort(pages)
  return pages
end

-- Each line outside of fenced blocks, with its number.
function M.prose(text)
  local lines, fence, n = {}, nil, 0
  for line in (text .. "\n"):gmatch "(.-)\n" do
    n = n + 1
    local mark = line:match "^%s*(```+)" or line:match "^%s*(~~~+)"
    if mark and not fence then
      fence = mark
    elseif fence then
      fence = (line:match "^%s*([`~]+)%s*$" or ""):sub(1, #fence) ~= fence and fence or nil
    else
      lines[#lines + 1] = { n = n, text = line }
    end
  end
  return lines
end

-- What GitHub makes of a heading: markup and punctuation go, spaces become hyphens.
function M.anchor(heading)
  local text = heading:gsub("%[([^%]]*)%]%([^)]*%)", "%1"):gsub("<[^>]*>", ""):lower()
  text = text:gsub("\u{C4}", "\u{E4}"):gsub("\u{D6}", "\u{F6}"):gsub("\u{DC}", "\u{FC}")
  text = text:gsub("\xE2[\x80-\x8F][\x80-\xBF]", "") -- quotes, dashes, dots, arrows: no letters among them
  text = text:gsub("\xC2[\x80-\xA9\xAB-\xB4\xB6-\xB9\xBB-\xBF]", "")
  text = text:gsub("[%z\1-\31!-,./:-@%[%]%^\\`{-~]", "")
  return (text:gsub("^ +", ""):gsub(" +$", ""):gsub(" ", "-"))
end

-- The anchors of a page; a heading that comes again is counted.
function M.anchors(text)
  local anchors, seen = {}, {}
  for _, line in ipairs(M.prose(text)) do
    local heading = line.text:match "^#+%s+(.-)%s*#*$"
    if heading then
      local name = M.anchor(heading)
      anchors[seen[name] and name .. "-" .. seen[name] or name] = line.n
      seen[name] = (seen[name] or 0) + 1
    end
    for name in line.text:gmatch "<a%s+[in][da]m?e?=\"([^\"]+)\"" do
      anchors[name] = line.n
    end
  end
  return anchors
end

-- What a page links to, images too: { to, n }. Not what leads out of the tree.
function M.links(text)
  local links = {}
  local function add(to, n)
    if not (to:find "^%a[%w+.-]*:" or to:find "^//") then
      links[#links + 1] = { to = to, n = n }
    end
  end
  for _, line in ipairs(M.prose(text)) do
    local bare = line.text:gsub("(`+)(.-)%1", "")
    for to in bare:gmatch "%]%(<?([^)%s>]+)" do add(to, line.n) end
    for to in bare:gmatch "<img%s[^>]*src=\"([^\"]+)\"" do add(to, line.n) end
    for to in bare:gmatch "^%[[^%]]+%]:%s+(%S+)" do add(to, line.n) end
  end
  return links
end

-- The path a link of `page` means, and its anchor; the path is "" for the root of the tree.
function M.target(page, to)
  local path, anchor = to:match "^([^#]*)#?(.*)$"
  if path == "" then
    return page, anchor
  end
  local parts = {}
  for part in (path:find "^/" and path or page:gsub("[^/]*$", "") .. path):gmatch "[^/]+" do
    if part == ".." then
      if #parts == 0 then return nil end
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/"), anchor
end

return M
