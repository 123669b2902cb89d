-- SPDX-License-Identifier: Apache-2.0
-- numbers.script: a way back that needs nothing of ours: a POSIX shell script that holds snapshots and puts them back
-- with curl. Credentials come from its environment; there is no secret in it.
local twilio = require "ringdown.twilio.numbers"

local M = {}

local HEAD = [==[
#!/bin/sh
# Puts %d telephone numbers back as they were %s. Made on %s.
#
#   TWILIO_ACCOUNT_SID=AC... TWILIO_AUTH_TOKEN=... sh THIS_FILE [--check] [NUMBER...]
#
# Without a number: all of them. --check only compares. Needs curl, sed and awk, and nothing else: no Ringdown, no
# database. TWILIO_API_URL may name another host. Every number is read back; the exit code is 1 when one is not as it
# was, 2 for wrong arguments or credentials. It may be run again.
set -u
LC_ALL=C
export LC_ALL
: "${TWILIO_ACCOUNT_SID:?set it to the account that owns the numbers}"
: "${TWILIO_AUTH_TOKEN:?set it to the token of that account}"
api=${TWILIO_API_URL:-https://api.twilio.com}/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/IncomingPhoneNumbers
known=" %s "
check=no
wanted=
for word; do
    case $word in
    --check) check=yes ;;
    +*)
        case $known in *" $word "*) ;; *)
            echo "$word is not among the numbers of this script:$known" >&2
            exit 2
            ;;
        esac
        wanted="$wanted $word "
        ;;
    *)
        echo "unknown argument '$word'; there is --check, and numbers like +13125550100" >&2
        exit 2
        ;;
    esac
done
good=0
bad=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

# A JSON object's texts and nulls as lines "name=text".
cat >"$work/flat.awk" <<'AWK'
function bytes(n) {
    if (n < 128) return sprintf("%%c", n)
    if (n < 2048) return sprintf("%%c%%c", 192 + int(n / 64), 128 + n %% 64)
    return sprintf("%%c%%c%%c", 224 + int(n / 4096), 128 + int(n / 64) %% 64, 128 + n %% 64)
}
function hex(h,    k, n) {
    for (k = 1; k <= 4; k++) n = n * 16 + index("0123456789abcdef", tolower(substr(h, k, 1))) - 1
    return n
}
function text(    t, c) {
    while (i < length(s) && (c = substr(s, ++i, 1)) != "\"") {
        if (c == "\\") {
            c = substr(s, ++i, 1)
            if (c == "u") { c = bytes(hex(substr(s, i + 1, 4))); i += 4 }
        }
        t = t c
    }
    return t
}
{ s = s $0 " " }
END {
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (c == "\"") {
            t = text()
            if (depth == 1 && is_value) print name "=" t
            else if (depth == 1) name = t
        }
        else if (c == "{" || c == "[") depth++
        else if (c == "}" || c == "]") depth--
        else if (depth == 1 && c == ":") is_value = 1
        else if (depth == 1 && c == ",") is_value = 0
    }
}
AWK

# The token is no argument: whoever lists processes does not see it. What Twilio says is in $work/said.
ask() {
    code=$(printf 'user = "%%s:%%s"\n' "$TWILIO_ACCOUNT_SID" "$TWILIO_AUTH_TOKEN" |
        curl -sS --max-time 30 --retry 3 --retry-connrefused -o "$work/said" -w '%%{http_code}' -K - "$@" \
            2>"$work/why") || {
        why=$(tail -n 1 "$work/why")
        return 1
    }
    case $code in
    2*) return 0 ;;
    401)
        echo "Twilio does not take these credentials (HTTP 401): set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN" >&2
        exit 2
        ;;
    esac
    why="HTTP $code"
    return 1
}

# $1: a field, $2: what it must be
is() {
    found=$(sed -n "s/^$1=//p" "$work/flat")
    [ "$found" = "$2" ] && return
    printf "  %%s is '%%s' and was '%%s'\n" "$1" "$found" "$2"
    same=no
}

# number sid and the twelve fields
number() {
    case $wanted in
    "" | *" $1 "*) ;;
    *) return ;;
    esac
    echo "$1"
    if [ $check = no ]; then
        ask "$api/$2.json" \
%s || echo "  Twilio did not take it: $why"
    fi
    if ask "$api/$2.json" && awk -f "$work/flat.awk" "$work/said" >"$work/flat"; then
        same=yes
        is sid "$2"
%s
    else
        echo "  cannot be read: $why"
        same=no
    fi
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
    lines[i] = ('        is %s "%s"'):format(name,
      name:find "_method$" and place:gsub("}", ":-POST}") or place)
  end
  return table.concat(lines, "\n")
end

---@param list ringdown.numbers.snapshot[]
---@param made_at string
---@param when string? of what they are
---@return string
function M.text(list, made_at, when)
  local numbers = {}
  for i, one in ipairs(list) do
    numbers[i] = one.number
  end
  local lines = { HEAD:format(#list, when or "before Ringdown changed them", made_at, table.concat(numbers, " "),
    sending(), comparing()) }
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
