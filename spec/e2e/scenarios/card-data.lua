-- SPDX-License-Identifier: Apache-2.0
-- A caller reads out a card and a social security number, a tool gets both, keys are pressed.
return {
  name = "card-data", from = "+13125550178", to = "+13125550219", max = "80s",
  caller = {
    { after = "agent", say = "My card is 4539 5787 6362 1486." },
    { after = "agent", say = "And my social is 536 22 8726." },
    { after = "agent", digits = "90816354" },
    { wait = "500ms" },
    { say = "Please print me a receipt." },
    { after = "agent", say = "Thank you, that was everything." },
  },
  model = {
    { hears = "My card is 4539 5787 6362 1486.", says = "Thank you. And your social security number?" },
    { hears = "And my social is 536 22 8726.",
      tool = { name = "charge_card", arguments = { card = "4539-5787-6362-1486", social = "536-22-8726" } },
      then_says = "I charged the card 4539 5787 6362 1486. Now please enter your code." },
    { hears = "Please print me a receipt.", tool = { name = "print_receipt" }, then_says = "There is no paper." },
    { hears = "Thank you, that was everything.", says = "Goodbye.", tool = { name = "end_call" } },
  },
  expect = {
    ended_by = "agent", barge_ins = 0, tools = { "charge_card", "print_receipt", "end_call" },
    heard = { "There is no paper" },
  },
}
