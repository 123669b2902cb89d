-- SPDX-License-Identifier: Apache-2.0
-- Authorities and certificates for 127.0.0.1, made by openssl.
local proc = require "spec.e2e.support.proc"

local tls = {}
local Authority = {}
Authority.__index = Authority

-- tls.authority(folder, "name") -> { file = PEM }, which issues certificates
function tls.authority(folder, name)
  local a = setmetatable({ folder = folder, name = name, file = ("%s/%s.pem"):format(folder, name) }, Authority)
  a.key = ("%s/%s.key"):format(folder, name)
  local text, code = proc.run(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
    .. "-days 2 -subj '/CN=%s' -keyout %s -out %s 2>&1"):format(name, proc.quote(a.key), proc.quote(a.file)))
  assert(code == nil or code == 0, text)
  return a
end

-- A certificate for 127.0.0.1 and localhost -> { certificate = PEM, key = PEM, authority = }
function Authority:certificate(name)
  local base = ("%s/%s"):format(self.folder, name)
  local c = { certificate = base .. ".pem", key = base .. ".key", authority = self }
  proc.write(base .. ".ext", "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
  local q = proc.quote
  local text, code = proc.run(table.concat({
    ("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=%s' -keyout %s -out %s")
      :format(name, q(c.key), q(base .. ".csr")),
    ("openssl x509 -req -in %s -CA %s -CAkey %s -CAcreateserial -days 2 -extfile %s -out %s")
      :format(q(base .. ".csr"), q(self.file), q(self.key), q(base .. ".ext"), q(c.certificate)),
  }, " 2>&1 && ") .. " 2>&1")
  assert(code == nil or code == 0, text)
  return c
end

return tls
