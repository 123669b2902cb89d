-- SPDX-License-Identifier: Apache-2.0
-- A caller says who they are and more, in words and as arguments of tools; the tool that gets all of it breaks, and
-- whoever is on call cannot be reached when there is gas.
return {
  name = "leaves-traces", from = "+13125550177", to = "+13125550220", max = "60s",
  caller = {
    { after = "agent", say = "My card is 4539 5787 6362 1486." },
    { after = "agent", say = "My name is Rosalind Weatherby." },
    { after = "agent", say = "I smell gas at forty one Elm Street." },
  },
  model = { -- what it says to the card is in card-data
    { hears = "My name is Rosalind Weatherby.",
      tool = { name = "note_down", arguments = { name = "Rosalind Weatherby", card = "4539-5787-6362-1486",
        phone = "+13125550199", mail = "rosalind.weatherby@mail.example", social = "536-22-8726",
        key = "sk-proj-c0ffee5eedc0ffee5eed0042" } },
      then_says = "I could not note that." },
    { hears = "I smell gas at forty one Elm Street.", says = "Please go outside." },
  },
  people = { ["+13125550188"] = { text = 21610 } }, -- the carrier takes no text to whoever is on call
  expect = { ended_by = "fallback", tools = { "note_down" } },
}
