-- SPDX-License-Identifier: Apache-2.0
-- due: the errand for a text that waited until it is day.
return { run = require("ringdown.texts.missed").run_due }
