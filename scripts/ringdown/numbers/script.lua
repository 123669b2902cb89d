-- SPDX-License-Identifier: Apache-2.0
-- numbers.script: a way back that needs nothing of ours: a POSIX shell script that holds snapshots and puts them back
-- with curl. Credentials come from its environment; there is no secret in it.
local twilio = require "ringdown.twilio.numbers"

local M = {}

local HEAD = [==[
#!/bin/sh
# Puts %d telephone numbers back as they were before Ringdown changed them. Made on %s.
#
#   TWILIO_ACCOUNT_SID=AC... TWILIO_AUTH_TOKEN=... sh THIS_FILE [--check] [NUMBER...]
#
# Without a number: all of them. --check only compares. Needs curl, sed, grep and tr, and nothing else: no Ringdown, no
# database. TWILIO_API_URL may name another host. Every number is read back; the exit code is 1 when one is not as it
# was. It may be run again.
set -u
: "${TWILIO_ACCOUNT_SID:?set it to the account that owns the numbers}"
: "${TWILIO_AUTH_TOKEN:?set it to the token of that account}"
api=${TWILIO_API_URL:-https://api.twilio.com}/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/IncomingPhoneNumbers
check=no
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
wanted=" $* "
good=0
bad=0

# The token is no argument: whoever lists processes does not see it.
ask() {
    printf 'user = "%%s:%%s"\n' "$TWILIO_ACCOUNT_SID" "$TWILIO_AUTH_TOKEN" |
        curl -sS -f --max-time 30 --retry 3 --retry-all-errors -K - "$@"
}

# $1: what Twilio says, $2: a field, $3: what it must be
is() {
    case $1 in
    *"\"$2\":\"$3\""*) return 0 ;;
    *"\"$2\":null"*) [ -z "$3" ] && return 0 ;;
    esac
    echo "  $2 is not '$3'"
    return 1
}

# number sid and the twelve fields
number() {
    case $wanted in
    "  " | *" $1 "*) ;;
    *) return ;;
    esac
    echo "$1"
    if [ $check = no ]; then
        ask -o /dev/null "$api/$2.json" \
%s || echo "  Twilio refused it"
    fi
    now=$(ask "$api/$2.json" | tr -d '\n' | sed -e 's/" *: */":/g' -e 's#\\/#/#g')
    same=yes
%s
    if [ $same = yes ]; then
        good=$((good + 1))
    else
        bad=$((bad + 1))
    fi
}

]==]

local TAIL = [==[

echo "$good as they were, $bad not"
[ $bad = 0 ]
]==]

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- A method that Twilio does not tell cannot be written.
local function sending()
  local lines = {}
  for i, name in ipairs(twilio.names) do
    local place = "${" .. i + 2 .. "}"
    lines[i] = ('            --data-urlencode "%s=%s"'):format(twilio.forms[name],
      name:find "_method$" and place:gsub("}", ":-POST}") or place)
  end
  return table.concat(lines, " \\\n")
end

local function comparing()
  local lines = {}
  for i, name in ipairs(twilio.names) do
    local place = "${" .. i + 2 .. "}"
    lines[i] = ('    is "$now" %s "%s" || same=no'):format(name,
      name:find "_method$" and place:gsub("}", ":-POST}") or place)
  end
  return table.concat(lines, "\n")
end

---@param list ringdown.numbers.snapshot[]
---@param made_at string
---@return string
function M.text(list, made_at)
  local lines = { HEAD:format(#list, made_at, sending(), comparing()) }
  for _, one in ipairs(list) do
    local words = { "number", quoted(one.number), quoted(one.sid) }
    for _, name in ipairs(twilio.names) do
      words[#words + 1] = quoted(one.fields[name] or "")
    end
    lines[#lines + 1] = table.concat(words, " ") .. "\n"
  end
  lines[#lines + 1] = TAIL
  return table.concat(lines)
end

return M
