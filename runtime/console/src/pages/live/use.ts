// SPDX-License-Identifier: Apache-2.0
// use - the board in a component. Facts that come from when /live is asked on are put over its answer, however long that
// takes; what comes within a quarter of a second is drawn at once.
import { useEffect, useRef, useState } from "preact/hooks";
import { onFact, type Fact } from "../../api/events";
import { useApi, type Loaded } from "../../api/use";
import type { LiveScreen } from "../../api/types";
import { apply, boardOf, type Board } from "./board";

const DRAW_MS = 250;
const KEPT_MS = 60_000; // an answer that was longer under way finds only the facts of the last minute
const MARGIN_MS = 1000; // what was told just before it was asked may not be in the answer

export interface LiveBoard {
  of: Loaded<LiveScreen>;
  board: Board;
}

export function useBoard(): LiveBoard {
  const [blind, setBlind] = useState(false); // some calls the stream does not tell of: on other nodes, or with a person
  const begins = (fact: Fact) => fact.type === "state" && fact.state === "live"; // who answers it, only /live knows
  const of = useApi("GET /live", {}, { everyMs: blind ? 4000 : 20_000, on: begins, soonMs: 3000 });
  const [board, setBoard] = useState<Board>(new Map());
  const kept = useRef({ late: [] as Told[], waiting: [] as Fact[] });

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      const facts = kept.current.waiting.splice(0);
      setBoard((was) => apply(was, facts));
    };
    const forget = onFact((fact) => {
      if (!fact.call) return;
      kept.current.waiting.push(fact);
      kept.current.late = recent(kept.current.late, { fact, at: Date.now() });
      timer ??= setTimeout(draw, DRAW_MS);
    });
    return () => (clearTimeout(timer), forget());
  }, []);

  useEffect(() => {
    if (!of.data || of.asked === null) return;
    const made = apply(boardOf(of.data), since(kept.current.late, of.asked));
    setBoard((was) => sameRows(was, made));
  }, [of.data, of.asked]);

  useEffect(() => setBlind([...board.values()].some((row) => !row.here || row.state === "leaving")), [board]);

  return { of, board };
}

export interface Told {
  fact: Fact;
  at: number; // ms; when it came
}

/** With one more; what is older than any answer may be goes, once there is half as much again of it. */
export function recent(told: Told[], one: Told): Told[] {
  told.push(one);
  return told[0]!.at < one.at - 1.5 * KEPT_MS ? told.filter((t) => t.at >= one.at - KEPT_MS) : told;
}

/** Those that an answer which was asked for then need not know of. */
export const since = (told: Told[], askedMs: number): Fact[] => told.filter((t) => t.at >= askedMs - MARGIN_MS).map((t) => t.fact);

/** Rows that say the same stay the same objects. */
export function sameRows(was: Board, next: Board): Board {
  const kept = new Map(next);
  for (const [call, row] of next) {
    const before = was.get(call);
    if (before && JSON.stringify({ ...before, seconds: 0 }) === JSON.stringify({ ...row, seconds: 0 })) kept.set(call, before);
  }
  return kept;
}
