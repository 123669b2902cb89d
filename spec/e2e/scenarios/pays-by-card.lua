-- SPDX-License-Identifier: Apache-2.0
-- The caller says a card number that neither the model nor any record may learn.
return {
  name = "pays-by-card", from = "+13125550172", to = "+13125550210", max = "40s",
  caller = {
    { after = "agent", digits = "*" },
    { at = "500ms", say = "My card is four one one one." },
    { at = "500ms", digits = "42#" },
    { after = "agent", say = "Was that all?" },
    { after = "agent", hangup = true },
  },
  model = {
    { hears = "My card is four one one one.", says = "I should not have heard that." },
    { hears = "Was that all?", says = "Yes, that was all." },
  },
  expect = {
    ended_by = "caller", heard = { "Press star", "Thank you for your payment.", "Yes, that was all." },
  },
}
